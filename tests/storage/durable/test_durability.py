# SPDX-License-Identifier: Apache-2.0
"""Acknowledged means durable: what a killed process had acknowledged is there, and what it promised is carried on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from sqlalchemy import Connection

from chukan.durable import Database, Dispatcher, Item, Outbox
from chukan.standard.reasons import ChukanError

from .conftest import BODY, Tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.standard.clock import FixedClock

LOAD = """
import sys, threading
from datetime import UTC, datetime
from chukan.durable import Database, Dispatcher, Outbox, next_change_seq
from chukan.standard.clock import FixedClock
sys.path.insert(0, {folder!r})
from conftest import BODY, Tables

tables, clock = Tables(), FixedClock(datetime(2026, 4, 1, tzinfo=UTC))
database = Database({url!r}, metadata=tables.metadata, clock=clock)
database.create_or_upgrade()
outbox = Outbox(tables.outbox, clock=clock)
printing = threading.Lock()

def handle(items):
    def effect(connection):
        for item in items:
            connection.execute(tables.note.insert(), {{"text": "done " + item.payload.decode()}})
        outbox.done(connection, [item.id for item in items])
    database.write(BODY, effect)

Dispatcher(database, outbox, {{"ask": handle}}, clock, batch=20).start()

def load(worker):
    for number in range(100_000):
        text = f"{{worker}}-{{number}}"
        def write(connection):
            connection.execute(tables.note.insert(), {{"text": text}})
            outbox.add(connection, kind="ask", organization=BODY, payload=text.encode())
            return next_change_seq(connection)
        seq = database.write(BODY, write)
        with printing:
            print(text, seq, flush=True)

for worker in range(8):
    threading.Thread(target=load, args=(worker,)).start()
"""


@pytest.fixture
def acknowledged(file_url: str) -> dict[str, int]:
    """Text and change number of every row a process had acknowledged when it was killed in mid-load."""
    program = LOAD.format(url=file_url, folder=__file__.rpartition("/")[0])
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(300)]
    process.kill()
    lines += process.stdout.readlines()
    process.wait(10)
    return {text: int(seq) for text, seq in (line.split() for line in lines if line.endswith("\n"))}


@pytest.fixture
def reopened(acknowledged: dict[str, int], open_database: Callable[..., Database], file_url: str) -> Database:
    """Open the database the killed process left behind."""
    del acknowledged
    return open_database(file_url)


def texts(database: Database, tables: Tables) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(sqlalchemy.select(tables.note.c.text)))


def test_every_acknowledged_row_survives_a_kill(
    acknowledged: dict[str, int],
    reopened: Database,
    tables: Tables,
) -> None:
    database = reopened

    rows = {text for text in texts(database, tables) if not text.startswith("done ")}

    assert len(acknowledged) >= 300
    assert acknowledged.keys() <= rows
    assert database.changes.last() == len(rows) >= max(acknowledged.values())


def test_every_promise_of_a_killed_process_is_carried_out_once(
    acknowledged: dict[str, int],
    reopened: Database,
    tables: Tables,
    outbox: Outbox,
    clock: FixedClock,
) -> None:
    """A second effect of the same row would break the uniqueness of its note."""
    database = reopened

    def handle(items: list[Item]) -> None:
        def effect(connection: Connection) -> None:
            for item in items:
                connection.execute(tables.note.insert(), {"text": "done " + item.payload.decode()})
            outbox.done(connection, [item.id for item in items])

        database.write(BODY, effect)

    dispatcher = Dispatcher(database, outbox, {"ask": handle}, clock)
    dispatcher.start()
    assert dispatcher.drain(10)
    assert dispatcher.stop(10)

    assert dispatcher.backlog() == {}
    rows = texts(database, tables)
    promised = {text for text in rows if not text.startswith("done ")}
    assert acknowledged.keys() <= promised
    assert rows - promised == {f"done {text}" for text in promised}


@pytest.mark.parametrize("damage", ["head", "middle", "cut"])
def test_a_damaged_file_is_named_as_such_and_not_repaired(
    tmp_path: Path, tables: Tables, clock: FixedClock, damage: str
) -> None:
    path = tmp_path / "damaged.db"

    def use() -> None:
        database = Database(f"sqlite:///{path}", metadata=tables.metadata, clock=clock)
        try:
            database.create_or_upgrade()
            with database.read() as connection:
                connection.execute(sqlalchemy.select(tables.note)).all()
        finally:
            database.close()

    use()
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "cut":
            file.truncate(size // 2)
        else:
            file.seek(0 if damage == "head" else 4096)
            file.write(b"\xa5" * (100 if damage == "head" else size - 4096))
    damaged = path.read_bytes()

    with pytest.raises(ChukanError) as caught:
        use()

    assert (caught.value.code, caught.value.retry_after) == ("DATABASE_DAMAGED", None)
    assert path.read_bytes() == damaged
