# SPDX-License-Identifier: Apache-2.0
"""Look-ups go by their keys: none reads all rows of an organization, however small the tables still are."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import chukan.server.storage as stores
from chukan.durable import Database
from chukan.durable.lookups import Lookup
from chukan.server.storage.schema import metadata
from chukan.standard.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = [
    importlib.import_module(f"{stores.__name__}.{found.name}") for found in pkgutil.iter_modules(stores.__path__)
]
LOOKUPS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Lookup)
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Give a fresh database file."""
    path: Path = tmp_path_factory.mktemp("planner") / "middle.db"
    with Database(f"sqlite:///{path}", metadata=metadata, clock=SystemClock()) as opened:
        opened.create_or_upgrade()
        yield opened


@pytest.mark.parametrize("length", [1, 16, 1_000])
@pytest.mark.parametrize("name", sorted(LOOKUPS))
def test_a_look_up_searches_by_its_key(database: Database, name: str, length: int) -> None:
    lookup = LOOKUPS[name]
    with database.read() as connection:
        plan = lookup._statement(length)._plan(connection.dialect)
        rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {plan.sql}", [None] * plan.sql.count("?"))
        found = rows.fetchall()[0][3]

    key = lookup._column.name  # type: ignore[attr-defined]
    assert f"{key}=?" in found or "INTEGER PRIMARY KEY (rowid=?)" in found, found
