# SPDX-License-Identifier: Apache-2.0
"""`make conformance` and `make mutants`: the kit against a fresh emulator, and against every broken one."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.conformance.mutants import MUTANTS, silent
from tests.conformance.stage import KNOWN, Prepared, failed_control, prepared, verdict_on


def conformance(stage: Prepared, folder: Path, report: Path) -> int:
    """Run `chukan conformance server` as a user would."""
    arguments = ["--target", stage.target, "--profile", str(folder / "profile.toml"), "--known", str(KNOWN)]
    command = [sys.executable, "-m", "chukan.command", "conformance", "server", *arguments, "--report", str(report)]
    return subprocess.run(command, check=False).returncode


def mutants(stage: Prepared) -> int:
    """Demand that every mutant is killed, after a control: unbroken, the same cases pass through the same proxy."""
    named = {case for mutant in MUTANTS for case in mutant.kills}
    every = tuple(entry.case.id for entry in stage.entries)
    control = failed_control(stage, named)
    for result in control:
        print(f"CONTROL FAILED {result.entry.case.id}: {result.faults}")
    bad = len(control)
    for mutant in (*MUTANTS, silent(every)):
        verdict, results = verdict_on(mutant, stage)
        bad += verdict != "killed"
        kills = ", ".join(mutant.kills) if mutant.group else "every case"
        print(f"{verdict:9} {mutant.group or 'all':17} {mutant.name}: {kills}")
        if verdict != "killed":
            alive = [each for each in results.values() if verdict == "VOID" or each.verdict != "failed"]
            print(*(f"          {each.entry.case.id} {each.verdict} {each.faults}" for each in alive), sep="\n")
    print(f"{len(MUTANTS)} mutants fail {len(named)} cases by name, one more fails all {len(every)}; {bad} wrong")
    return 1 if bad else 0


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("what", choices=["conformance", "mutants"])
    parser.add_argument("--report", type=Path, default=Path("build/conformance"))
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chukan-conformance-") as name, prepared(Path(name)) as stage:
        code = mutants(stage) if given.what == "mutants" else conformance(stage, Path(name), given.report)
    print(f"{time.monotonic() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
