# SPDX-License-Identifier: Apache-2.0
"""`chukan doctor`: says in words what is wrong with a set-up, and what to do."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chukan.command.declare import command
from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.command.checks.finding import Finding
    from chukan.command.session import Session

__all__ = ["app"]

app = typer.Typer()

_TARGET: Final = "127.0.0.1:50051"
_METRICS: Final = "127.0.0.1:9464"
_MARKS: Final = {"ok": "✓", "skipped": "-", "warning": "!", "problem": "✗"}


@command(
    app,
    name="doctor",
    example=[
        "chukan doctor",
        "chukan doctor --data ./data --organization 131041",
        "chukan doctor --target server:50051 --organization 131041 --tls ./tls --json",
    ],
)
def doctor(
    session: Session,
    *,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Data directory of `chukan serve`: rights, room, keys.")
    ] = None,
    target: Annotated[
        str, typer.Option(metavar="ADDR", envvar="CHUKAN_TARGET", help=f"Server to look at; default {_TARGET}.")
    ] = "",
    organization: Annotated[
        str, typer.Option(metavar="CODE", envvar="CHUKAN_ORGANIZATION", help="In whose name; shows its components too.")
    ] = "",
    tls: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of certificates: dates, names, keys' rights.")
    ] = None,
    listen: Annotated[
        list[str] | None, typer.Option(metavar="ADDR", help="Look whether a server could listen here.")
    ] = None,
    metrics: Annotated[str, typer.Option(metavar="ADDR", help=f"/metrics of the server; default {_METRICS}.")] = "",
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="State folder of the adapter: checkpoints, ledger, dead letters.")
    ] = None,
) -> int:
    """Look at a set-up and say what is wrong, in words, each with what to do.

    Looks at Python, packages, encoding and proxies; what is named by options is looked at as well. Exit code 1 if there
    is a problem.
    """
    findings = list(_look(session, data, target, organization, tls, listen or [], metrics, state))
    wrong = [each for each in findings if each.level == "problem"]
    if not session.json({"findings": [each.document() for each in findings], "problems": len(wrong)}):
        _show(session, findings)
    return 1 if wrong else 0


def _look(  # noqa: PLR0917  # as the command line has them
    session: Session,
    data: Path | None,
    target: str,
    organization: str,
    tls: Path | None,
    listen: list[str],
    metrics: str,
    state: Path | None,
) -> Iterator[Finding]:
    from chukan.command.checks.adapter_state import look_at_adapter_state
    from chukan.command.checks.certificates import look_at_certificates
    from chukan.command.checks.directory import look_at_directory
    from chukan.command.checks.installation import look_at_installation
    from chukan.command.checks.server import look_at_metrics, look_at_port, look_at_server
    from chukan.command.session import Place, Session
    from chukan.standard.clock import SystemClock

    place = Place(target=target or _TARGET, organization=organization or "131041", tls=tls, timeout=5.0)
    yield from look_at_installation()
    if data is not None:
        yield from look_at_directory(data)
    if tls is not None:
        code = place.organization_code if organization else ""
        yield from look_at_certificates(tls, organization=code, now=SystemClock().now())
    for address in listen:
        yield look_at_port("port", address)
    calling = Session(machine=session.machine, language=session.language, place=place)
    yield from look_at_server(calling, expected=bool(target or organization), organization=bool(organization))
    if metrics or not target or target == _TARGET:
        yield look_at_metrics(metrics or _METRICS, expected=bool(metrics))
    if state is not None:
        yield from look_at_adapter_state(state)


def _show(session: Session, findings: list[Finding]) -> None:
    for each in findings:
        lines = each.says.lines(session.language)
        print(f"{_MARKS[each.level]} {each.check}: {lines[0]}")
        indent = " " * (len(each.check) + 4)
        for line in lines[1:]:
            print(f"{indent}{line}")
        for line in each.todo.lines(session.language) if each.todo else []:
            print(f"    → {line}")
    print("\n".join(_sum(findings).lines(session.language)))


def _sum(findings: list[Finding]) -> Text:
    wrong = sum(each.level == "problem" for each in findings)
    doubtful = sum(each.level == "warning" for each in findings)
    also = Text(f", {doubtful} warning(s)", f"、注意 {doubtful}件") if doubtful else Text("", "")
    if wrong:
        return Text(f"{wrong} problem(s){also.en}", f"問題 {wrong}件{also.ja}")
    return Text(f"no problem found{also.en}", f"問題はありません{also.ja}")
