# SPDX-License-Identifier: Apache-2.0
"""One contract for every database: each test that takes ``url`` or ``database`` runs on memory and on a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table

from chukan.durable import Database, Outbox, idempotency_table, outbox_table, vault_key_table
from chukan.standard.clock import FixedClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = "0220113104101700"
OTHER = "0220113112101700"


class Tables:
    """A small schema: notes with a unique text, and remarks that must belong to one (checked at COMMIT)."""

    def __init__(self) -> None:
        self.metadata = MetaData()
        self.note = Table(
            "note",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("text", String, nullable=False, unique=True),
            Column("content", LargeBinary),
        )
        self.remark = Table(
            "remark",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("note", ForeignKey("note.id", deferrable=True, initially="DEFERRED"), nullable=False),
        )
        self.outbox = outbox_table(self.metadata)
        idempotency_table(self.metadata)
        vault_key_table(self.metadata)


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 4, 1, tzinfo=UTC))


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'chukan.db'}"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'chukan.db'}"


@pytest.fixture
def open_database(tables: Tables, clock: FixedClock) -> Iterator[Callable[..., Database]]:
    opened: list[Database] = []

    def opener(url: str, **settings: object) -> Database:
        database = Database(url, metadata=tables.metadata, clock=clock, **settings)  # type: ignore[arg-type]
        opened.append(database)
        database.create_or_upgrade()
        return database

    yield opener
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[..., Database], url: str) -> Database:
    return open_database(url)


@pytest.fixture
def outbox(tables: Tables, clock: FixedClock) -> Outbox:
    return Outbox(tables.outbox, clock=clock)
