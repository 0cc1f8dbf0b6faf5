# SPDX-License-Identifier: Apache-2.0
"""A database in memory starts from the image of another one, of which nothing is shared afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from chukan.durable import Database, Vault, next_change_seq

from .conftest import BODY, Tables

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from chukan.standard.clock import FixedClock

KEY = bytes(32)


def note(database: Database, tables: Tables, text: str, content: bytes = b"") -> int:
    def write(connection: Connection) -> int:
        connection.execute(tables.note.insert(), {"text": text, "content": content})
        return next_change_seq(connection)

    return database.write(BODY, write)


def notes(database: Database, tables: Tables) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(sqlalchemy.select(tables.note.c.text).order_by(tables.note.c.id)))


def test_a_copy_holds_what_was_committed_and_goes_its_own_way(
    database: Database, tables: Tables, clock: FixedClock
) -> None:
    last = note(database, tables, "of both")

    with Database("sqlite://", metadata=tables.metadata, clock=clock, image=database.image()) as copy:
        copy.create_or_upgrade()
        note(copy, tables, "of the copy")
        note(database, tables, "of the original")

        assert notes(copy, tables) == ["of both", "of the copy"]
        assert notes(database, tables) == ["of both", "of the original"]
        assert copy.changes.last() == last + 1


def test_a_copy_opens_sealed_values_with_the_originals_master_key(
    database: Database, tables: Tables, clock: FixedClock
) -> None:
    sealed = Vault(KEY, database).seal(BODY, "note", "content", 1, b"dummy")

    with Database("sqlite://", metadata=tables.metadata, clock=clock, image=database.image()) as copy:
        copy.create_or_upgrade()

        assert Vault(KEY, copy).open(BODY, "note", "content", 1, sealed) == b"dummy"


def test_a_database_file_takes_no_image(tmp_path: Path, database: Database, tables: Tables, clock: FixedClock) -> None:
    with pytest.raises(ValueError, match="expected one for memory"):
        Database(f"sqlite:///{tmp_path / 'other.db'}", metadata=tables.metadata, clock=clock, image=database.image())
