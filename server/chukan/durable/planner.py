# SPDX-License-Identifier: Apache-2.0
"""What SQLite's planner is told of tables that are still empty.

Without figures SQLite takes the first column of an index to leave ten rows, so a look-up of sixteen keys within an
organization read all rows of the organization. The figures here say what will be: many rows, few organizations, and
keys that leave one row each. They are ordinary ANALYZE figures; a later ANALYZE may replace them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

__all__ = ["teach_planner"]

_ROWS: Final = 1_000_000
_PER_ORGANIZATION: Final = 200_000
_PER_KEY: Final = 10
_BROAD: Final = frozenset({"organization", "kind", "state", "information", "system", "world"})
"""Columns with few distinct values."""


def teach_planner(raw: sqlite3.Connection) -> None:
    """Write figures for every index of the database, inside the transaction that made them."""
    raw.execute("ANALYZE sqlite_schema")
    raw.execute("DELETE FROM sqlite_stat1")
    tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        if table.startswith("sqlite_"):
            continue
        for _, index, unique, *_ in raw.execute(f"PRAGMA index_list('{table}')").fetchall():
            columns = [row[2] for row in raw.execute(f"PRAGMA index_info('{index}')")]
            figures = " ".join(map(str, (_ROWS, *_left_by(columns, unique=bool(unique)))))
            raw.execute(
                "INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, _name_in_figures(raw, table, index), figures)
            )


def _left_by(columns: list[str], *, unique: bool) -> list[int]:
    """Return how many rows each prefix of an index leaves."""
    left, rows = [], _ROWS
    for place, column in enumerate(columns):
        if unique and place == len(columns) - 1:
            rows = 1
        elif column in _BROAD:
            rows = min(rows, max(_PER_KEY, _PER_ORGANIZATION >> (3 * place)))
        else:
            rows = min(rows, _PER_KEY)
        left.append(rows)
    return left


def _name_in_figures(raw: sqlite3.Connection, table: str, index: str) -> str:
    """Return an index as the figures name it: the primary key of a table without rowid goes by the table."""
    without_rowid = raw.execute("SELECT wr FROM pragma_table_list WHERE name = ?", (table,)).fetchone()[0]
    origin = raw.execute("SELECT origin FROM pragma_index_list(?) WHERE name = ?", (table, index)).fetchone()[0]
    return table if without_rowid and origin == "pk" else index
