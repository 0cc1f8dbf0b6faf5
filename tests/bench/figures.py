# SPDX-License-Identifier: Apache-2.0
"""Writes the last report into docs/performance.md: `python -m tests.bench.figures`."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
REPORT = ROOT / "build" / "bench" / "report.json"
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
_HEAD = "| id | measured | floor | ratio | runs | peak memory | units per run |\n|---|---:|---:|---:|---:|---:|---:|\n"


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table, in the order of the report."""
    return _HEAD + "".join(_line(row) for row in rows)


def machine() -> str:
    """Say what it was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({model}), Linux, Python"
        f" {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def main() -> None:
    """Replace what stands between the marks."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    rows = json.loads(REPORT.read_text("utf-8"))
    PAGE.write_text(f"{head}{BEGIN}\n{machine()}.\n\n{table(rows)}{END}{tail}", encoding="utf-8")


def _line(row: dict[str, Any]) -> str:
    floor = "–" if row["floor"] is None else f"{row['floor']:,.2f}"
    ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}"
    return (
        f"| `{row['id']}` | {row['value']:,.2f} {row['unit']} | {floor} | {ratio} | {row['runs']}"
        f" | {row['peak_rss_mb']:.0f} MB | {row['n']:,} |\n"
    )


if __name__ == "__main__":
    main()
