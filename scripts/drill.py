# SPDX-License-Identifier: Apache-2.0
"""`make drill`: proves that faults reach an operator. Faults are injected, shipped alerts must arrive, and go again.

A server under load, Prometheus and Alertmanager with the shipped rules and configuration, and a webhook of the drill's
own, all on this machine only and in a temporary folder; nothing is left running or lying about. A script and no
command of `chukan`, as `make monitor` is: the rules that are drilled are the repository's, and so is the server.
"""

from __future__ import annotations

import argparse
import errno
import json
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from cryptography import x509

from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.command.failures import FAILED, tell
from chukan.command.interruption import end_at_once, exit_code_of, interruptible
from chukan.command.language import Language, Text, language_of
from chukan.command.tables import print_table
from chukan.drill.certificates import Certificates
from chukan.drill.hands import Hands
from chukan.drill.load import INQUIRER, SteadyLoad, carry_people, write_people
from chukan.drill.prometheus import Prometheus
from chukan.drill.rehearsal import Pace, Rehearsal
from chukan.drill.report import as_document, footnote, heads, hints, quiet_lines, rows, scrape_lines, untried
from chukan.drill.scenarios import SCENARIOS
from chukan.drill.webhook import Webhook
from chukan.edge.pki import issue_certificate
from chukan.monitoring.stack import Stack, ToolMissingError, find_tool
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.drill.results import Outcome, Result

ROOT: Final = Path(__file__).resolve().parent.parent
_LONG: Final = [name for name, scenario in SCENARIOS.items() if scenario.long]
_USUAL: Final = [name for name in SCENARIOS if name not in _LONG]
_MOST: Final = min(scenario.scale for scenario in SCENARIOS.values())
_MOSTS: Final = ", ".join(f"{name} {each.scale:g}" for name, each in SCENARIOS.items() if each.scale > _MOST)
_SOON: Final = timedelta(hours=1)
"""Within it a certificate runs out that shall be told: less than the shipped 30 days at any scale."""
_LEAST_INTERVAL: Final = 0.5
_PEOPLE: Final = 200
_PER_SECOND: Final = 5.0
_HIGHEST_PORT: Final = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill: 0 passed, 1 failed or something is missing, 2 not understood, 130 broken off (SIGTERM 143)."""
    options = _options(arguments)
    say = _Speech(Language(options.lang) if options.lang else language_of(), machine=options.json)
    try:
        for tool in ("prometheus", "alertmanager"):
            find_tool(tool)
        with interruptible(insist=True):
            result = _run(options, say)
    except KeyboardInterrupt as error:
        words = ("\nBroken off; nothing is left running.", "\n中断しました。起動したものはすべて停止しています。")
        end_at_once(exit_code_of(error), say.pick(*words))
    except ToolMissingError as error:
        say.complain(
            f"The drill needs Prometheus and Alertmanager: {error}", f"訓練に必要なツールがありません: {error}"
        )
        return FAILED
    except ChukanError as error:
        tell(error, language=say.language)
        return FAILED
    except (OSError, ModuleNotFoundError) as error:
        say.complain(f"The drill could not go on: {error}", f"訓練を続けられません: {error}")
        return FAILED
    _tell_result(result, say)
    return 0 if result.passed else FAILED


class _Speech:
    """Speaks the person's language; for machines progress goes to stderr."""

    def __init__(self, language: Language, *, machine: bool) -> None:
        self.language = language
        self.machine = machine

    def pick(self, en: str, ja: str) -> str:
        return Text(en, ja).word(self.language)

    def progress(self, en: str, ja: str) -> None:
        print(self.pick(en, ja), file=sys.stderr if self.machine else sys.stdout, flush=True)

    def complain(self, en: str, ja: str) -> None:
        print(self.pick(en, ja), file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="drill",
        description="Inject faults into a server under load and see that the shipped alerts arrive at a webhook.",
        epilog=f"Scenarios: {', '.join(_USUAL)}. When named only, for they take minutes: {', '.join(_LONG)}.",
    )
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument(
        "--scale",
        type=float,
        help=f"how many times faster than shipped times pass, 1 to {_MOST:g}, the most if not given; 1 takes hours; "
        f"those that wait for days have a most of their own: {_MOSTS}",
    )
    parser.add_argument("--port", type=int, default=0, help="port of the webhook on 127.0.0.1; a free one if not given")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--lang", choices=[str(each) for each in Language], help="language; else the environment's")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.scenario or () if name not in SCENARIOS]
    if unknown:
        parser.error(f"--scenario: got {unknown[0]!r}, expected one of {', '.join(SCENARIOS)}")
    options.scenario = list(dict.fromkeys(options.scenario or _USUAL))
    most = min(SCENARIOS[name].scale for name in options.scenario)
    options.scale = most if options.scale is None else options.scale
    if not 1 <= options.scale <= most:
        parser.error(f"--scale: got {options.scale:g}, expected 1 to {most:g}")
    if not 0 <= options.port <= _HIGHEST_PORT:
        parser.error(f"--port: got {options.port}, expected 0 to {_HIGHEST_PORT}")
    return options


def _run(options: argparse.Namespace, say: _Speech) -> Result:
    with ExitStack() as stack:
        webhook = stack.enter_context(_webhook(options.port))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="chukan-drill-")))
        say.progress("Making dummy people and starting everything …", "ダミー住民を作成し、起動しています…")
        write_people(folder, _PEOPLE)
        server = ServerProcess(folder, options=("--tls", str(folder / "tls")))
        stack.callback(server.stop)
        certificates = _certificates(folder / "tls")
        carry_people(folder, server.target, certificates)
        watching = stack.enter_context(
            Stack(
                ROOT / "monitoring",
                folder,
                metrics=server.metrics,
                webhook=webhook.url,
                interval=_interval(options.scale),
                scale=options.scale,
            )
        )
        tls = certificates.of(INQUIRER)
        client = stack.enter_context(Client(server.target, organization=INQUIRER, tls=tls, retries=False))
        load = stack.enter_context(SteadyLoad(client, per_second=_PER_SECOND))
        hands = stack.enter_context(Hands(server, certificates))
        _tell_begin(options, say)
        rehearsal = Rehearsal(
            hands,
            webhook,
            Prometheus(watching.prometheus),
            load,
            Pace(options.scale, stretches=watching.stretches()),
            tell=lambda outcome: _tell_outcome(outcome, say, options.scale),
        )
        return rehearsal.run([SCENARIOS[name] for name in options.scenario])


def _webhook(port: int) -> Webhook:
    try:
        return Webhook(port)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            cause = errno.errorcode[error.errno]
            params = {"address": f"127.0.0.1:{port}", "cause": cause}
            raise ChukanError("ADDRESS_NOT_FREE", field="--port", params=params) from error
        raise


def _certificates(folder: Path) -> Certificates:
    """Return the files the server has made in the folder, and beside them a certificate that runs out soon."""
    names = [x509.DNSName("localhost")]
    expiring = issue_certificate(folder, "expiring", names=names, now=SystemClock().now(), life=_SOON)
    return Certificates(folder, expiring.cert)


def _interval(scale: float) -> float:
    """Return seconds between scrapes: the shipped 15 where time runs as shipped, never so many that a rule sees few."""
    return max(15 / scale, min(1.0, max(60 / scale, _LEAST_INTERVAL)))


def _tell_begin(options: argparse.Namespace, say: _Speech) -> None:
    count = len(options.scenario)
    if options.scale == 1:
        say.progress(
            f"Under load. Scenarios: {count}, at the shipped times.", f"負荷をかけています。{count}件、既定の時間。"
        )
        return
    say.progress(
        f"Under load. Scenarios: {count}, times {options.scale:g} times faster than shipped.",
        f"負荷をかけています。{count}件、時間は既定の{options.scale:g}分の1です。",
    )


def _tell_outcome(outcome: Outcome, say: _Speech, scale: float) -> None:
    name = outcome.scenario.name
    for _, alert, detected, _, said in rows(outcome, say.pick, scale=scale):
        say.progress(f"  {name}: {alert} {detected}, {said}", f"  {name}: {alert} {detected}、{said}")


def _tell_result(result: Result, say: _Speech) -> None:
    if say.machine:
        print(json.dumps(as_document(result), ensure_ascii=False, indent=2))
        return
    print()
    lines = [row for outcome in result.outcomes for row in rows(outcome, say.pick, scale=result.scale)]
    print_table(heads(say.pick), lines)
    print("\n".join(footnote(say.pick, scale=result.scale)))
    print("\n".join([*quiet_lines(result, say.pick), *scrape_lines(result, say.pick), *hints(result, say.pick)]))
    print(say.pick("Not drilled this time:", "今回の訓練の対象外:"))
    print("\n".join(f"  {line}" for line in untried(result, say.pick)))
    if result.passed:
        print(
            say.pick(
                f"PASSED: every fault played was noticed ({len(result.outcomes)}), and nothing else rang.",
                f"合格: 実施した{len(result.outcomes)}件の障害はすべて検知され、誤報はありません。",
            )
        )
    else:
        print(say.pick("FAILED: see above.", "不合格: 上の結果をご確認ください。"))


if __name__ == "__main__":
    sys.exit(main())
