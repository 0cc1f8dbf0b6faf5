# SPDX-License-Identifier: Apache-2.0
"""Compiled statements do what Core does with them, only sooner."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, MetaData, String, Table, bindparam
from sqlalchemy.exc import IntegrityError, StatementError

from chukan.durable import Database, Statement, bulk_insert, from_micros, to_micros

from .conftest import BODY, Tables


def test_select_insert_update_and_delete_take_values_by_name(database: Database, tables: Tables) -> None:
    note = tables.note
    add = Statement(sqlalchemy.insert(note).returning(note.c.id), ("text", "content"))
    find = Statement(sqlalchemy.select(note.c.id, note.c.text).where(note.c.text == bindparam("wanted")).limit(5))
    change = Statement(sqlalchemy.update(note).where(note.c.id == bindparam("key")).values(text=bindparam("new")))
    remove = Statement(sqlalchemy.delete(note).where(note.c.id == bindparam("key")))

    row = database.write(BODY, lambda connection: add.first(connection, text="a", content=None))
    assert row == (1,)
    assert database.write(BODY, lambda connection: change.run(connection, key=1, new="b")) == 1
    with database.read() as connection:
        assert find.first(connection, wanted="a") is None
        assert find.all(connection, wanted="b") == [(1, "b")]
    assert database.write(BODY, lambda connection: remove.many(connection, ["key"], [(1,), (2,)])) == 1


def test_constants_of_a_statement_need_no_value(database: Database, tables: Tables) -> None:
    find = Statement(sqlalchemy.select(tables.note.c.id).where(tables.note.c.text == "fixed").limit(1))
    database.write(BODY, lambda connection: bulk_insert(connection, tables.note, ["text"], [("fixed",)]))

    with database.read() as connection:
        assert find.first(connection) == (1,)


def test_missing_and_unknown_values_are_mistakes(database: Database, tables: Tables) -> None:
    find = Statement(sqlalchemy.select(tables.note.c.id).where(tables.note.c.text == bindparam("wanted")))

    with database.read() as connection:
        with pytest.raises(TypeError):
            find.first(connection)
        with pytest.raises(TypeError):
            find.first(connection, wanted="a", other="b")


def test_lists_in_a_statement_are_refused(database: Database, tables: Tables) -> None:
    listed = Statement(sqlalchemy.select(tables.note.c.id).where(tables.note.c.id.in_([1, 2])))

    with database.read() as connection, pytest.raises(TypeError, match="IN"):
        listed.all(connection)


def test_types_with_a_stored_form_come_back_as_they_were(database: Database) -> None:
    table = Table(
        "typed",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("day", Date),
        Column("flag", Boolean),
    )
    day = datetime(2026, 4, 1, tzinfo=UTC).date()
    find = Statement(sqlalchemy.select(table.c.day, table.c.flag).where(table.c.day == bindparam("wanted")))

    database.write(BODY, table.create)
    database.write(BODY, lambda connection: bulk_insert(connection, table, ["flag", "day"], [(True, day)]))

    with database.read() as connection:
        assert find.all(connection, wanted=day) == [(day, True)]
        assert find.first(connection, wanted=day) == (day, True)


def test_rows_go_in_whatever_the_order_of_their_columns(database: Database, tables: Tables) -> None:
    rows = [(f"{n}".encode(), f"text {n}") for n in range(1_000)]

    count = database.write(BODY, lambda connection: bulk_insert(connection, tables.note, ["content", "text"], rows))

    assert count == 1_000
    with database.read() as connection:
        found = connection.execute(sqlalchemy.select(tables.note.c.content, tables.note.c.text)).all()
    assert [tuple(row) for row in found] == rows


def test_a_conflict_fails_is_ignored_or_replaces_as_asked(database: Database) -> None:
    table = Table("pair", MetaData(), Column("key", String, primary_key=True), Column("value", Integer))
    columns = ("key", "value")
    database.write(BODY, table.create)
    database.write(BODY, lambda connection: bulk_insert(connection, table, columns, [("a", 1)]))

    with pytest.raises(IntegrityError):
        database.write(BODY, lambda connection: bulk_insert(connection, table, columns, [("b", 1), ("a", 2)]))
    database.write(
        BODY,
        lambda connection: bulk_insert(connection, table, columns, [("c", 3), ("a", 2)], on_conflict="ignore"),
    )
    database.write(
        BODY,
        lambda connection: bulk_insert(connection, table, columns, [("c", 4)], on_conflict="replace"),
    )

    with database.read() as connection:
        assert connection.execute(sqlalchemy.select(table).order_by(table.c.key)).all() == [("a", 1), ("c", 4)]


def test_a_column_default_made_in_python_is_refused(database: Database) -> None:
    table = Table(
        "made", MetaData(), Column("id", Integer, primary_key=True), Column("made", Integer, default=lambda: 1)
    )
    database.write(BODY, table.create)

    with pytest.raises((TypeError, StatementError)):
        database.write(BODY, lambda connection: bulk_insert(connection, table, ["id"], [(1,)]))


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_are_stored_without_loss(instant: datetime) -> None:
    assert from_micros(to_micros(instant)) == instant


def test_many_rows_are_inserted_whole_or_not_at_all(database: Database, tables: Tables) -> None:
    """Rows go to SQLite many with each step; one that fails takes its whole write with it."""
    note = tables.note
    rows = [(number, f"text {number}") for number in range(1, 1_124)]
    count = sqlalchemy.select(sqlalchemy.func.count()).select_from(note)

    added = database.write(BODY, lambda connection: bulk_insert(connection, note, ["id", "text"], rows))
    with pytest.raises(IntegrityError):
        database.write(
            BODY,
            lambda connection: bulk_insert(
                connection, note, ["id", "text"], [(2_000 + number, "") for number in range(150)] + rows[:1]
            ),
        )

    assert added == len(rows)
    with database.read() as connection:
        assert connection.execute(count).scalar() == len(rows)


def test_a_number_in_the_place_of_bytes_is_a_mistake_and_stores_nothing(database: Database) -> None:
    """As many NULs as the number says would be kept for bytes, and nobody would see it."""
    blob = Column("content", LargeBinary, nullable=False)
    table = Table("filled", MetaData(), Column("id", Integer, primary_key=True), blob)
    database.write(BODY, table.create)
    rows = [(number, 5 if number == 7 else b"x") for number in range(1, 101)]

    with pytest.raises(TypeError):
        database.write(BODY, lambda connection: bulk_insert(connection, table, ["id", "content"], rows))

    with database.read() as connection:
        assert connection.execute(sqlalchemy.select(table)).all() == []
