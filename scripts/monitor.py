# SPDX-License-Identifier: Apache-2.0
"""`make monitor`: a server under a light load with Prometheus and Alertmanager beside it, until Ctrl-C.

Everything listens on this machine only and works in a temporary folder; nothing is left running or lying about. What is
loaded is the demo's: dummy people of 新宿区 and 世田谷区; then 世田谷区 keeps asking 新宿区, now and then what the list
refuses.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.exchange import InquireOptions, inquire
from chukan.adapter.sync import LoadOptions, load
from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.command.failures import tell
from chukan.command.language import Text, language_of
from chukan.monitoring.stack import Stack, ToolMissingError, find_tool
from chukan.people import write
from chukan.standard.clock import SystemClock
from chukan.standard.organizations import by_municipality
from chukan.standard.reasons import ChukanError
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
PROVIDER: Final = "131041"
INQUIRER: Final = "131121"
_NOT_PERMITTED: Final = "JT01010000000001"
"""The procedure for bank accounts, which may not ask for tax."""
_ONE_IN: Final = 20
_PAUSE: Final = 0.5
_PAGE: Final = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; 0 then, not 0 and a sentence if something is missing or fails."""
    parser = argparse.ArgumentParser(description="A server under load with Prometheus and Alertmanager beside it.")
    parser.add_argument("--people", type=int, default=600, help="records of each resident register; at least 200")
    parser.add_argument("--interval", type=int, default=5, help="seconds between scrapes")
    parser.add_argument("--ready-file", type=Path, help="write the addresses as JSON here once the load runs")
    options = parser.parse_args(arguments)
    for each in (signal.SIGINT, signal.SIGTERM):  # a shell may start what it puts behind with Ctrl-C ignored
        signal.signal(each, signal.default_int_handler)
    try:
        for tool in ("prometheus", "alertmanager"):
            find_tool(tool)
        _run(options)
    except KeyboardInterrupt:
        _say("\nEnded; nothing is left running.", "\n終了しました。起動したものはすべて停止しています。")
        return 0
    except ToolMissingError as error:
        _complain(f"Monitoring needs Prometheus and Alertmanager: {error}", f"監視に必要なツールがありません: {error}")
        return 1
    except ChukanError as error:
        return tell(error, language=language_of())
    except (OSError, ModuleNotFoundError) as error:
        _complain(f"Monitoring could not go on: {error}", f"監視を続けられません: {error}")
        return 1
    return 0


def _run(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="chukan-monitor-")))
        _say("Making dummy people and starting everything …", "ダミー住民を作成し、起動しています…")
        for body, other in ((PROVIDER, INQUIRER), (INQUIRER, PROVIDER)):
            _write(folder / body, body, other, options.people)
        server = ServerProcess(folder)
        stack.callback(server.stop)
        metrics = str(server.where["metrics"])
        address = metrics.removeprefix("http://").removesuffix("/metrics")
        watching = stack.enter_context(Stack(ROOT / "monitoring", folder, metrics=address, interval=options.interval))
        _tell_addresses(server, metrics, watching)
        load_is_on = _carry_load(folder, server.target)
        next(load_is_on)
        if options.ready_file is not None:
            options.ready_file.write_text(json.dumps(_document(server, metrics, watching)), "utf-8")
        _say("Under load. Ctrl-C ends everything.", "負荷をかけています。Ctrl-C ですべて終了します。")
        for _ in load_is_on:
            time.sleep(_PAUSE)


def _write(folder: Path, body: str, other: str, people: int) -> None:
    last_night = SystemClock().today() - timedelta(days=1)
    write(folder, municipality=body, count=people, seed=1, reference_date=last_night, linked=[other], encoding="utf-8")


def _carry_load(folder: Path, target: str) -> Iterator[None]:
    """Load both bodies and answer the inquiry file; from then on each step asks once more."""
    for body in (PROVIDER, INQUIRER):
        place = folder / body
        load(
            LoadOptions(
                target=target,
                organization=by_municipality(body).code,
                people=(place / "residents.csv", place / "non_residents.csv"),
                extracts=place / "extracts",
                state=place / "state",
            )
        )
    asking = by_municipality(INQUIRER).code
    inquire(
        InquireOptions(
            inputs=(folder / INQUIRER / "inquiries",),
            out=folder / "result.csv",
            target=target,
            organization=asking,
            state=folder / INQUIRER / "ledger",
            wait=True,
        )
    )
    with Client(target, organization=asking) as client:
        listed = client.inquiries.ListInquiries(pb.ListInquiriesRequest(page_size=_PAGE)).inquiries
        number, answered = 0, True
        while True:
            yield
            spec = pb.InquirySpec()
            spec.CopyFrom(listed[number % len(listed)].spec)
            spec.record_id = f"monitor-{number}"
            if number % _ONE_IN == 0:
                spec.procedure_code = _NOT_PERMITTED
            try:
                client.inquiries.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec))
                answered = True
            except ChukanError as error:  # somebody may have stopped the server to see what is noticed
                if answered:
                    tell(error, language=language_of())
                answered = False
            number += 1


def _document(server: ServerProcess, metrics: str, watching: Stack) -> dict[str, Any]:
    return {
        "services": server.target,
        "metrics": metrics,
        "prometheus": watching.prometheus,
        "alertmanager": watching.alertmanager,
        "pids": [server.pid, *watching.pids],
    }


def _tell_addresses(server: ServerProcess, metrics: str, watching: Stack) -> None:
    _say(
        f"  services      {server.target}, pid {server.pid}\n  metrics       {metrics}\n"
        f"  Prometheus    {watching.prometheus}\n"
        f"  alerts        {watching.prometheus}/alerts\n  Alertmanager  {watching.alertmanager}\n"
        "  dashboards    monitoring/grafana/*.json, to import into a Grafana of your own",
        f"  サービス      {server.target}、pid {server.pid}\n  メトリクス    {metrics}\n"
        f"  Prometheus    {watching.prometheus}\n"
        f"  警報          {watching.prometheus}/alerts\n  Alertmanager  {watching.alertmanager}\n"
        "  ダッシュボード monitoring/grafana/*.json(お手元の Grafana に取り込んでください)",
    )


def _say(en: str, ja: str) -> None:
    print(Text(en, ja).word(language_of()), flush=True)


def _complain(en: str, ja: str) -> None:
    print(Text(en, ja).word(language_of()), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
