# SPDX-License-Identifier: Apache-2.0
"""The frozen contract: protos/ may grow, nothing that was frozen may break (docs/decisions, number 14).

Without an argument, compares protos/ with protos/baseline.binpb by `buf breaking`; no network, no history and no tag is
needed. `freeze` writes the baseline anew, and refuses to where that would break the one there is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from buf_tool import find_buf
from generate import PROTOS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["broken", "freeze"]

BASELINE: Final = PROTOS / "baseline.binpb"


def broken(buf: str, protos: Path, baseline: Path) -> list[str]:
    """Say what of the baseline the protos break."""
    return _said([buf, "breaking", ".", "--against", str(baseline)], protos)


def freeze(buf: str, protos: Path, baseline: Path) -> list[str]:
    """Write the baseline; say what keeps it from being written."""
    faults = broken(buf, protos, baseline) if baseline.exists() else []
    return faults or _said([buf, "build", ".", "--exclude-source-info", "-o", str(baseline)], protos)


def _said(command: list[str], folder: Path) -> list[str]:
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return (run.stdout + run.stderr).splitlines() or ["buf failed and said nothing"] if run.returncode else []


def main(arguments: list[str]) -> int:
    """Check or freeze; 0 when nothing is broken."""
    freezing = arguments == ["freeze"]
    if not freezing and not BASELINE.exists():
        print(f"the contract is not frozen yet: there is no {BASELINE.name} to compare with")
        return 0
    buf, why = find_buf()
    if buf is None:
        print(f"buf breaking: NOT RUN: {why}")
        return 1 if freezing or os.environ.get("TESTS_REQUIRE_ALL") else 0
    faults = (freeze if freezing else broken)(buf, PROTOS, BASELINE)
    done = f"{BASELINE.name} is written: commit it" if freezing else "nothing that was frozen is broken"
    print("\n".join(faults) if faults else done)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
