# SPDX-License-Identifier: Apache-2.0
"""`make monitor`: a server under a light load, its console, Prometheus and Alertmanager beside it, until Ctrl-C.

Everything listens on this machine only and works in a temporary folder; nothing is left running or lying about. What is
loaded is the demo's: dummy people of 新宿区 and 世田谷区; then 世田谷区 keeps asking 新宿区, now and then what the list
refuses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.command.failures import tell
from chukan.command.interruption import end_at_once, interruptible
from chukan.command.language import Text, language_of
from chukan.drill.load import INQUIRER, Questions, carry_people, write_people
from chukan.monitoring.stack import Stack, ToolMissingError, find_tool, free_address
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
_PAUSE: Final = 0.5
_GONE: Final = Text(
    en="  The server does not answer, nor does its console. Alerts are at the Alertmanager, ChukanDown in a minute.",
    ja="  サーバー(コンソールを含む)が応答しません。警報は Alertmanager で確認できます(ChukanDown は約1分後)。",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; 0 then, not 0 and a sentence if something is missing or fails."""
    parser = argparse.ArgumentParser(description="A server under load with Prometheus and Alertmanager beside it.")
    parser.add_argument("--people", type=int, default=600, help="records of each resident register; at least 200")
    parser.add_argument("--interval", type=int, default=5, help="seconds between scrapes")
    parser.add_argument("--ready-file", type=Path, help="write the addresses as JSON here once the load runs")
    options = parser.parse_args(arguments)
    try:
        for tool in ("prometheus", "alertmanager"):
            find_tool(tool)
        with interruptible(insist=True):
            _run(options)
    except KeyboardInterrupt:
        words = Text("\nEnded; nothing is left running.", "\n終了しました。起動したものはすべて停止しています。")
        end_at_once(0, words.word(language_of()))
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
        write_people(folder, options.people)
        alertmanager = free_address()
        server = ServerProcess(folder, options=("--console", "127.0.0.1:0", "--alertmanager", alertmanager))
        stack.callback(server.stop)
        metrics = str(server.where["metrics"])
        watching = Stack(
            ROOT / "monitoring",
            folder,
            metrics=server.metrics,
            interval=options.interval,
            alertmanager=alertmanager,
        )
        stack.enter_context(watching)
        _tell_addresses(server, metrics, watching)
        carry_people(folder, server.target)
        if options.ready_file is not None:
            options.ready_file.write_text(json.dumps(_document(server, metrics, watching)), "utf-8")
        _say("Under load. Ctrl-C ends everything.", "負荷をかけています。Ctrl-C ですべて終了します。")
        _keep_asking(server.target)


def _keep_asking(target: str) -> None:
    with Client(target, organization=INQUIRER) as client:
        questions, answered = Questions(client, "monitor"), True
        while True:
            time.sleep(_PAUSE)
            try:
                client.inquiries.CreateInquiry(questions.next())
                answered = True
            except ChukanError as error:  # somebody may have stopped the server to see what is noticed
                if answered:
                    tell(error, language=language_of())
                    _say(*_GONE)
                answered = False


def _document(server: ServerProcess, metrics: str, watching: Stack) -> dict[str, Any]:
    return {
        "services": server.target,
        "console": server.where["console"],
        "metrics": metrics,
        "prometheus": watching.prometheus,
        "alertmanager": watching.alertmanager,
        "pids": [server.pid, *watching.pids],
    }


def _tell_addresses(server: ServerProcess, metrics: str, watching: Stack) -> None:
    _say(
        f"  services      {server.target}, pid {server.pid}\n"
        f"  console       {server.where['console']}\n  metrics       {metrics}\n"
        f"  Prometheus    {watching.prometheus}\n"
        f"  alerts        {watching.prometheus}/alerts\n  Alertmanager  {watching.alertmanager}\n"
        "  dashboards    monitoring/grafana/*.json, to import into a Grafana of your own",
        f"  サービス      {server.target}、pid {server.pid}\n"
        f"  コンソール    {server.where['console']}\n  メトリクス    {metrics}\n"
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
