# SPDX-License-Identifier: Apache-2.0
"""The rows of build/bench/report.json, and how a run is told of while it goes on."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["BOTTLENECK", "Context", "Row", "VoidRunError", "median", "people_count", "ratio_row", "write"]

BOTTLENECK = 0.85
"""Share of one core above which a load generator, one Python process, may be what limits a run."""
_DEFAULT_PEOPLE = 34_000


class VoidRunError(Exception):
    """A run that doesn't count: an error, a wrong outcome, or a load generator that was the bottleneck."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ratio = value / floor, both medians of `runs` interleaved runs. n: units of work per run."""

    id: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    runs: int
    peak_rss_mb: float
    n: int


@dataclass(frozen=True, slots=True)
class Context:
    """What a benchmark is given: a folder of its own, how often to repeat, whether a quick cut is enough."""

    folder: Path
    runs: int
    quick: bool = False

    def say(self, text: str) -> None:
        """Tell what was just measured."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def below(self, name: str) -> Path:
        """Return a new folder of the benchmark's."""
        path = self.folder / name
        path.mkdir(parents=True, mode=0o700)
        return path


def ratio_row(
    id_: str, unit: str, *, values: Sequence[float], floors: Sequence[float], peak_rss_mb: float, n: int
) -> Row:
    """Return the row of a figure and its floor."""
    value, floor = median(values), median(floors)
    return Row(id_, round(value, 4), unit, round(floor, 4), round(value / floor, 4), len(values), peak_rss_mb, n)


def people_count(*, quick: bool) -> int:
    """How many people are loaded: PEOPLE=340000 for a large city, by default a tenth of it."""
    return 300 if quick else int(os.environ.get("PEOPLE", str(_DEFAULT_PEOPLE)))


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows; those of benchmarks that were not run now are kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else []
    fresh = {row.id for row in rows}
    everything = [row for row in kept if row["id"] not in fresh] + [asdict(row) for row in rows]
    path.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
