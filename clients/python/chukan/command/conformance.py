# SPDX-License-Identifier: Apache-2.0
"""`chukan conformance`: judges a server by the contract, and prepares our emulator for it."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.command.session import Session
    from chukan.conformance.problem import KitError
    from chukan.conformance.results import Result, Run

__all__ = ["app"]

app = group("conformance", "Judge whether a server conforms to the contract (適合性試験).")

Target = Annotated[str, typer.Option("--target", envvar="CHUKAN_TARGET", metavar="ADDR", help="host:port, no http://.")]


@command(
    app,
    example=[
        "chukan conformance server --target 127.0.0.1:50051 --profile profile.toml --report report",
        "chukan conformance server --target 127.0.0.1:50051 --profile profile.toml --only FGU-1 --level MUST",
    ],
)
def server(
    session: Session,
    *,
    target: Target = "127.0.0.1:50051",
    profile: Annotated[Path, typer.Option(metavar="FILE", help="What the target has been prepared with.")],
    only: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only these: a case, a clause, or a pattern such as 'DBM-*'.")
    ] = None,
    level: Annotated[list[str] | None, typer.Option(metavar="LEVEL", help="Only MUST, SHOULD or INFERRED.")] = None,
    service: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this service's.")] = None,
    known: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known failures: they still run, a pass is an error.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.html, results.json, junit.xml, results.csv there.")
    ] = None,
    cases: Annotated[Path | None, typer.Option(metavar="DIR", help="Other cases than the kit's own.")] = None,
) -> int:
    """Run the cases against any server that speaks the contract.

    Exit code 0: all as demanded; 1: not; 2: profile, cases or known failures are unusable; 3: nobody answers.
    """
    from chukan.conformance.catalogue import read_cases, select
    from chukan.conformance.profile import read_profile
    from chukan.conformance.reports import write_reports
    from chukan.conformance.results import Run, read_known
    from chukan.conformance.session import judge

    def run() -> int:
        chosen_profile = read_profile(profile)
        everything = read_cases(cases)
        entries = select(everything, only=only or (), levels=level or (), services=service or ())
        began = _now()
        stand = read_known(known, {entry.case.id for entry in everything}, began[:10]) if known else {}
        found = Run(target, chosen_profile.name, began, _version())
        judge(found, entries, chosen_profile, name=_run_name(), known=stand, tell=lambda result: _tell(session, result))
        if report is not None:
            write_reports(found, report)
        _conclude(session, found, report)
        return found.exit_code

    return _guarded(session, run)


@command(
    app,
    example=["chukan conformance prepare --target 127.0.0.1:50051 --out profile.toml"],
)
def prepare(
    session: Session,
    *,
    target: Target = "127.0.0.1:50051",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the profile is written.")],
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Organizations to use; by default the emulator's.")
    ] = None,
    people: Annotated[
        int, typer.Option(help="How many people to link at both organizations; 0: as the cases need.", min=0, max=1000)
    ] = 0,
) -> int:
    """Prepare an emulator with dummy people, through its public RPCs, and write the profile a run needs.

    A real server is prepared by its owner; the profile is then written by hand (docs/spec).
    """
    from importlib.resources import as_file, files

    from chukan.conformance.calls import channels
    from chukan.conformance.catalogue import people_needed, read_cases
    from chukan.conformance.preparation import prepare as link
    from chukan.conformance.preparation import profile_text
    from chukan.conformance.profile import read_profile
    from chukan.conformance.session import check_target

    def run() -> int:
        with as_file(files("chukan.conformance").joinpath("emulator.toml")) as own:
            base = read_profile(profile or own)
        with channels(target, base) as opened:
            check_target(opened, base, target)
            count = people or people_needed(read_cases())
            prepared = link(opened, base, people=count, run=_run_name())
        out.write_text(profile_text(prepared), "utf-8")
        if not session.json({"profile": str(out), "people": count}):
            session.say(f"{count} people prepared; profile: {out}", f"{count}人を準備しました。プロファイル: {out}")
        return 0

    return _guarded(session, run)


def _guarded(session: Session, run: Callable[[], int]) -> int:
    from chukan.conformance.problem import KitError

    try:
        return run()
    except KitError as problem:
        return _problem(session, problem)


def _problem(session: Session, problem: KitError) -> int:
    document = {"error": {"message": problem.english, "message_ja": problem.japanese}}
    if not session.json(document):
        session.remark(f"error: {problem.english}", f"エラー: {problem.japanese}")
    return problem.code


def _tell(session: Session, result: Result) -> None:
    if result.verdict == "passed":
        return
    case = result.entry.case
    session.say(f"{result.verdict}: {case.id} {case.title}", f"{result.verdict}: {case.id} {case.title_ja}")
    for line in (*result.faults, *([result.note] if result.note else [])):
        session.say(f"    {line}", f"    {line}")


def _conclude(session: Session, run: Run, report: Path | None) -> None:
    counts = {str(verdict): count for verdict, count in run.counts.items()}
    if session.json(
        {"counts": counts, "judged": run.judged, "passed": run.exit_code == 0, "report": str(report or "")}
    ):
        return
    shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    session.say(f"{run.judged} cases judged: {shown}", f"{run.judged}件を判定: {shown}")
    if report is not None:
        session.say(f"report: {report / 'report.html'}", f"報告書: {report / 'report.html'}")


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _run_name() -> str:
    """Return seven digits by which this run's ids and numbers differ from other runs'."""
    return f"{int.from_bytes(os.urandom(4), 'big') % 10**7:07d}"


def _version() -> str:
    from importlib.metadata import version

    return version("chukan")
