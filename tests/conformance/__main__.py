# SPDX-License-Identifier: Apache-2.0
"""`make conformance` and `make mutants`: the kit against our emulator and our adapter, and against all broken ones."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance.broken_clients import BROKEN_CLIENTS, UNBROKEN, UNBROKEN_POLLING
from tests.conformance.client_stage import (
    KNOWN_OF_CLIENT,
    broken_profile,
    client_entries,
    contented_with_nothing,
    examined,
    polling_profile,
    verdict_on_client,
)
from tests.conformance.mutants import MUTANTS, silent
from tests.conformance.stage import KNOWN, Prepared, failed_control, prepared, verdict_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chukan.conformance.results import Result
    from tests.conformance.breaker import BrokenClient

_JOBS = 3


def conformance(stage: Prepared, folder: Path, report: Path) -> int:
    """Run `chukan conformance server` and `chukan conformance client` as a user would."""
    own = ["--target", stage.target, "--profile", str(folder / "profile.toml"), "--known", str(KNOWN)]
    server = _kit("server", *own, "--report", str(report))
    own = ["--profile", "adapter", "--known", str(KNOWN_OF_CLIENT), "--jobs", str(_JOBS)]
    client = _kit("client", *own, "--report", str(report / "client"))
    rows = json.loads((report / "client" / "results.json").read_text("utf-8"))["results"]
    left = [row["id"] for row in rows if row["verdict"] == "not run"]
    return server or client or _polling(folder, left)


def _polling(folder: Path, left: list[str]) -> int:
    """Run the cases about ways our adapter does not take with a client that takes them."""
    run = examined(polling_profile(), folder / "polling", left, jobs=_JOBS)
    for result in run.results:
        print(f"{result.verdict} by a client that polls: {result.entry.case.id} {' / '.join(result.faults)}")
    return int(any(result.verdict != "passed" for result in run.results))


def _kit(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "chukan.command", "conformance", *arguments], check=False).returncode


def mutants(stage: Prepared) -> int:
    """Demand that every mutant is killed, after a control: unbroken, the same cases pass through the same proxy."""
    named = {case for mutant in MUTANTS for case in mutant.kills}
    every = tuple(entry.case.id for entry in stage.entries)
    bad = _control(failed_control(stage, named))
    for mutant in (*MUTANTS, silent(every)):
        verdict, results = verdict_on(mutant, stage)
        _tell(verdict, mutant.group or "all", mutant.name, mutant.kills if mutant.group else ["every case"], results)
        bad += verdict != "killed"
    print(f"{len(MUTANTS)} mutants fail {len(named)} cases by name, one more fails all {len(every)}; {bad} wrong")
    return bad


def client_mutants(folder: Path) -> int:
    """Demand the same of clients."""
    named = {case for mutant in BROKEN_CLIENTS for case in mutant.kills}
    control = examined(broken_profile(UNBROKEN), folder / "control", jobs=_JOBS).results
    left = [each.entry.case.id for each in control if each.verdict == "not run"]
    control = [each for each in control if each.verdict != "not run"]
    control += examined(broken_profile(UNBROKEN_POLLING), folder / "polling", left, jobs=_JOBS).results
    bad = _control(result for result in control if result.verdict != "passed")

    def judged(numbered: tuple[int, BrokenClient]) -> tuple[str, dict[str, Result]]:
        number, mutant = numbered
        return verdict_on_client(mutant, folder / str(number), jobs=1)

    with ThreadPoolExecutor(_JOBS) as pool:
        for mutant, (verdict, results) in zip(BROKEN_CLIENTS, pool.map(judged, enumerate(BROKEN_CLIENTS)), strict=True):
            _tell(verdict, "client", mutant.name, mutant.kills, results)
            bad += verdict != "killed"
    contented = contented_with_nothing(folder / "nothing", jobs=_JOBS)
    for case in contented:
        print(f"SURVIVED  client            asks for the status and does nothing: {case}")
    bad += len(contented)
    every = len(client_entries())
    print(f"{len(BROKEN_CLIENTS)} broken clients fail {len(named)} cases by name, one more all {every}; {bad} wrong")
    return bad


def _control(failed: Iterable[Result]) -> int:
    count = 0
    for count, result in enumerate(failed, 1):  # noqa: B007  # counted for the caller
        print(f"CONTROL FAILED {result.entry.case.id}: {result.verdict} {result.faults} {result.note}")
    return count


def _tell(verdict: str, group: str, name: str, kills: Iterable[str], results: Mapping[str, Result]) -> None:
    print(f"{verdict:9} {group:17} {name}: {', '.join(kills)}")
    if verdict != "killed":
        alive = [each for each in results.values() if verdict == "VOID" or each.verdict != "failed"]
        print(*(f"          {each.entry.case.id} {each.verdict} {each.faults}" for each in alive), sep="\n")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("what", choices=["conformance", "mutants"])
    parser.add_argument("--report", type=Path, default=Path("build/conformance"))
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chukan-conformance-") as name, prepared(Path(name)) as stage:
        if given.what == "mutants":
            code = int(bool(mutants(stage) + client_mutants(Path(name) / "clients")))
        else:
            code = conformance(stage, Path(name), given.report)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
