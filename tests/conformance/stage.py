# SPDX-License-Identifier: Apache-2.0
"""A fresh emulator prepared for the kit, and runs against it or against a broken server before it."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chukan.command.demo.stage import ServerProcess
from chukan.conformance.calls import channels
from chukan.conformance.catalogue import people_needed, read_cases
from chukan.conformance.preparation import prepare, profile_text
from chukan.conformance.profile import read_profile
from chukan.conformance.results import Run, Verdict, read_known
from chukan.conformance.runner import Runner
from tests.conformance.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chukan.conformance.catalogue import Entry
    from chukan.conformance.profile import Profile
    from chukan.conformance.results import Result
    from tests.conformance.proxy import Mutant

__all__ = ["KNOWN", "PATIENCE", "Prepared", "failed_control", "prepared", "verdict_on"]

PATIENCE = 0.1
"""Of the time a step allows: what will never come needs no long wait. The control runs with it too."""
KNOWN = Path(__file__).parent / "known_failures.toml"
_OWN = Path(__file__).resolve().parents[2] / "clients/python/chukan/conformance/emulator.toml"


@dataclass
class Prepared:
    """An emulator with people, and the profile that names them."""

    target: str
    profile: Profile
    entries: list[Entry]
    _runs: itertools.count[int] = field(default_factory=lambda: itertools.count(2_000_001))

    def run(self, ids: Iterable[str] | None = None, *, target: str = "", patience: float = 1.0) -> Run:
        """Run these cases, or all with the known failures, at the emulator or at what stands before it."""
        wanted = set(ids) if ids is not None else {entry.case.id for entry in self.entries}
        where = target or self.target
        found = Run(where, self.profile.name, "2026-01-01 00:00:00 UTC", "0")
        known = read_known(KNOWN, {entry.case.id for entry in self.entries}, "2026-01-01") if ids is None else {}
        with channels(where, self.profile) as opened:
            runner = Runner(opened, self.profile, str(next(self._runs)), known, patience)
            found.results = [runner.judge(entry) for entry in self.entries if entry.case.id in wanted]
        return found


@contextmanager
def prepared(folder: Path) -> Iterator[Prepared]:
    """Start an emulator and prepare it."""
    server = ServerProcess(folder)
    try:
        base, entries = read_profile(_OWN), read_cases()
        with channels(server.target, base) as opened:
            profile = prepare(opened, base, people=people_needed(entries), run="2000000")
        (folder / "profile.toml").write_text(profile_text(profile), "utf-8")
        yield Prepared(server.target, profile, entries)
    finally:
        server.stop()


def failed_control(stage: Prepared, ids: Iterable[str]) -> list[Result]:
    """Return which of these cases fail through a proxy that breaks nothing: it proves nothing then."""
    proxy = Proxy(stage.target)
    try:
        results = stage.run(ids, target=proxy.target, patience=PATIENCE).results
    finally:
        proxy.close()
    return [result for result in results if result.verdict is not Verdict.PASSED]


def verdict_on(mutant: Mutant, stage: Prepared) -> tuple[str, dict[str, Result]]:
    """Return "killed", "SURVIVED" (a named case passed) or "VOID".

    VOID: the mutant changed nothing, a case was not run, or one failed because the proxy itself broke.
    """
    proxy = Proxy(stage.target, mutant)
    try:
        found = stage.run(mutant.kills, target=proxy.target, patience=PATIENCE).results
    finally:
        proxy.close()
    results = {each.entry.case.id: each for each in found}
    broken = any("got UNKNOWN" in fault for each in found for fault in each.faults)
    if not proxy.changed or broken or set(results) != set(mutant.kills):
        return "VOID", results
    if any(result.verdict is Verdict.SKIPPED for result in found):
        return "VOID", results
    if all(result.verdict is Verdict.FAILED for result in results.values()):
        return "killed", results
    return "SURVIVED", results
