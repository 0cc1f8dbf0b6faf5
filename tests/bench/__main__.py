# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.bench --only exchange,register`: runs benchmarks, tells how they go, writes the report."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .processes import ROOT, compile_sources
from .report import Context, VoidRunError, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Row

NAMES = ("start", "exchange", "exchange_batch", "register", "people", "reset")
REPORT = ROOT / "build" / "bench" / "report.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 if a benchmark is void."""
    options = _parsed(arguments)
    names = NAMES if options.only == "all" else tuple(options.only.split(","))
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"got {', '.join(sorted(unknown))}, expected one of {', '.join(NAMES)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    void: list[str] = []
    compile_sources()
    for name in names:
        begun = time.monotonic()
        print(f"{name}:", file=sys.stderr, flush=True)
        try:
            rows += measure(name, runs=options.runs, quick=options.quick)
        except (VoidRunError, AssertionError, RuntimeError) as error:
            print(f"  VOID: {error}", file=sys.stderr, flush=True)
            void.append(name)
        print(f"  {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    write(options.report, rows)
    _show(rows)
    print(f"report: {options.report}" + (f"; void: {', '.join(void)}" if void else ""))
    return 1 if void else 0


def measure(name: str, *, runs: int, quick: bool) -> list[Row]:
    """Run one benchmark in a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=f"chukan-bench-{name}-"))
    try:
        rows: list[Row] = import_module(f"tests.bench.{name}").bench(Context(folder, runs, quick))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks against their floors.")
    parser.add_argument("--only", default="all", help=f"all, or some of {', '.join(NAMES)} with commas between")
    parser.add_argument("--runs", type=int, default=5, help="repetitions; medians are reported")
    parser.add_argument("--quick", action="store_true", help="a cut that shows that everything works; no figures")
    parser.add_argument("--report", type=Path, default=REPORT, help="file the rows are written to")
    return parser.parse_args(arguments)


def _show(rows: Sequence[Row]) -> None:
    for row in rows:
        floor = "" if row.floor is None else f"floor {row.floor:>10,.2f}  ratio {row.ratio:>5.2f}"
        print(f"{row.id:26} {row.value:>10,.2f} {row.unit:12} {floor:35} peak {row.peak_rss_mb:>5.0f} MB  n {row.n:,}")


if __name__ == "__main__":
    sys.exit(main())
