# SPDX-License-Identifier: Apache-2.0
"""A quick cut of every benchmark: all run, every outcome is checked, the report is complete. No ratio is asserted."""

from __future__ import annotations

import json
import math
import sqlite3
from typing import TYPE_CHECKING

import pytest

from chukan.composition.running import start
from chukan.server.config import Config
from tests.bench.__main__ import NAMES, main
from tests.bench.floors import tables

if TYPE_CHECKING:
    from pathlib import Path

FIELDS = {"id", "value", "unit", "floor", "ratio", "runs", "peak_rss_mb", "n"}
ROWS = {
    "start": {"start", "start.ready"},
    "exchange": {"exchange@1", "exchange@16", "exchange.16_to_1"},
    "exchange_batch": {"exchange_batch"},
    "register": {
        "register.people",
        "register.replicas",
        "register.server_memory",
        "register.adapter_memory",
        "resync",
    },
    "people": {"people", "people.memory"},
    "reset": {"reset.create", "reset.write", "reset.reset"},
}
WITHOUT_FLOOR = {"people"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_reports_complete_rows_and_no_void_run(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"

    code = main(["--only", name, "--quick", "--runs", "1", "--report", str(report)])

    assert code == 0, capfd.readouterr().err
    rows = {row["id"]: row for row in json.loads(report.read_text("utf-8"))}
    assert rows.keys() == ROWS[name]
    for row in rows.values():
        assert row.keys() == FIELDS
        assert row["value"] > 0
        assert row["n"] > 0
        assert row["runs"] == 1
        assert row["peak_rss_mb"] > 0
        if row["id"] not in WITHOUT_FLOOR:
            rounding = 0.01 + 0.0001 / row["floor"]  # figures are reported with four decimals
            assert math.isclose(row["ratio"], row["value"] / row["floor"], rel_tol=rounding)


def test_a_misspelt_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "exchanges"]) == 2
    assert "exchanges" in capsys.readouterr().err


def test_rows_of_benchmarks_that_were_not_run_stay_in_the_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    other = {"id": "other", "value": 1.0}
    report.write_text(json.dumps([other]), encoding="utf-8")

    main(["--only", "people", "--quick", "--runs", "1", "--report", str(report)])

    assert other in json.loads(report.read_text("utf-8"))


def test_floors_write_the_tables_and_indexes_of_the_product(tmp_path: Path) -> None:
    """A floor with fewer columns or indexes would flatter nobody but itself."""
    start(Config(data=tmp_path / "data", listen="127.0.0.1:0", control="", metrics="")).stop()
    middle = tables.EXCHANGE + tables.ADDRESSEE + tables.REPLICA + tables.RESIDENT + tables.CODES

    differing = []
    for written, database in ((middle, "middle.db"), (tables.PEOPLE, "address.db")):
        floor = sqlite3.connect(":memory:")
        floor.executescript(written)
        product = _shape(sqlite3.connect(tmp_path / "data" / database))
        differing += [(table, shape, product.get(table)) for table, shape in _shape(floor).items()]
    assert [floor for floor in differing if floor[1] != floor[2]] == []


def _shape(database: sqlite3.Connection) -> dict[str, object]:
    """Return columns, key, indexes with their columns, and whether rows lie in the key, by table."""
    shapes: dict[str, object] = {}
    tables_ = database.execute("SELECT name, wr FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    for name, without_rowid in tables_.fetchall():
        if name.startswith("sqlite_"):
            continue
        columns = [(row[1], row[5]) for row in database.execute(f"PRAGMA table_info({name})")]
        indexes = sorted(
            (unique, partial, [row[2] for row in database.execute(f"PRAGMA index_info({index})")])
            for _, index, unique, _, partial in database.execute(f"PRAGMA index_list({name})")
        )
        shapes[name] = (columns, indexes, without_rowid)
    return shapes
