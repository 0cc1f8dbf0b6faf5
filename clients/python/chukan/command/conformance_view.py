# SPDX-License-Identifier: Apache-2.0
"""What `chukan conformance` says, whichever side is judged, and what a run is named by."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.command.session import Session
    from chukan.conformance.problem import KitError
    from chukan.conformance.results import Result, Run

__all__ = ["conclude", "guarded", "kit_version", "now", "prompt", "run_name", "tell"]


def guarded(session: Session, run: Callable[[], int]) -> int:
    """Run, and say in one sentence why it can't be judged."""
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


def tell(session: Session, result: Result) -> None:
    """Say how a case ended that did not just pass."""
    if result.verdict == "passed":
        return
    case = result.entry.case
    session.say(f"{result.verdict}: {case.id} {case.title}", f"{result.verdict}: {case.id} {case.title_ja}")
    for line in (*result.faults, *([result.note] if result.note else [])):
        session.say(f"    {line}", f"    {line}")


def conclude(session: Session, run: Run, report: Path | None) -> None:
    """Say what the run came to."""
    counts = {str(verdict): count for verdict, count in run.counts.items()}
    if session.json(
        {"counts": counts, "judged": run.judged, "passed": run.exit_code == 0, "report": str(report or "")}
    ):
        return
    shown = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    session.say(f"{run.judged} cases judged: {shown}", f"{run.judged}件を判定: {shown}")
    if report is not None:
        session.say(f"report: {report / 'report.html'}", f"報告書: {report / 'report.html'}")


def prompt(session: Session, english: str, japanese: str) -> None:
    """Tell a person what to do, also where the answer is for a machine."""
    print("\n".join(Text(english, japanese).lines(session.language)), file=sys.stderr, flush=True)


def now() -> str:
    """Return the instant as reports show it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def run_name() -> str:
    """Return seven digits by which this run's ids and numbers differ from other runs'."""
    return f"{int.from_bytes(os.urandom(4), 'big') % 10**7:07d}"


def kit_version() -> str:
    """Return the kit's version."""
    from importlib.metadata import version

    return version("chukan")
