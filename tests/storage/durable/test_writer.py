# SPDX-License-Identifier: Apache-2.0
"""Group commit: every write alone answers for itself, together they are one COMMIT."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import pytest
import sqlalchemy
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from chukan.durable.notices import note
from chukan.standard.reasons import ChukanError

from .conftest import BODY, Tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.durable import Database


class Held:
    """Keeps the writer busy until it is released, so that what is written meanwhile shares one group."""

    def __init__(self, database: Database) -> None:
        self._go = threading.Event()
        self._entered = threading.Event()
        self._thread = threading.Thread(target=lambda: database.write(BODY, self._hold))

    def __enter__(self) -> Self:
        self._thread.start()
        self._entered.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._go.set()
        self._thread.join()

    def _hold(self, connection: Connection) -> None:
        del connection
        self._entered.set()
        self._go.wait(10)


def texts(database: Database, tables: Tables) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(sqlalchemy.select(tables.note.c.text).order_by(tables.note.c.id)))


def adding(tables: Tables, text: str) -> Callable[[Connection], str]:
    def add(connection: Connection) -> str:
        connection.execute(tables.note.insert(), {"text": text})
        return text

    return add


def test_a_write_returns_what_its_function_returns_and_is_readable_at_once(database: Database, tables: Tables) -> None:
    assert database.write(BODY, adding(tables, "one")) == "one"

    assert texts(database, tables) == ["one"]


def test_a_failing_function_among_fifty_hurts_nobody_else(database: Database, tables: Tables) -> None:
    """Constraint violations, exceptions after writing and refusals each reach their own caller only."""

    def explode(connection: Connection) -> str:
        connection.execute(tables.note.insert(), {"text": "never seen"})
        raise ChukanError("IDEMPOTENCY_CONFLICT")

    def run(number: int) -> str:
        if number % 10 == 3:
            return database.write(BODY, explode)
        if number % 10 == 7:
            return database.write(BODY, adding(tables, "first"))
        return database.write(BODY, adding(tables, f"text {number}"))

    database.write(BODY, adding(tables, "first"))
    with ThreadPoolExecutor(50) as pool:
        with Held(database):
            calls = [pool.submit(run, number) for number in range(50)]
            while database.waiting < 49:  # the fiftieth is in the writer's hand
                time.sleep(0.001)
        failures = [call.exception() for call in calls]

    assert [type(failure) for failure in failures[3::10]] == [ChukanError] * 5
    assert [type(failure) for failure in failures[7::10]] == [IntegrityError] * 5
    assert sorted(texts(database, tables)) == sorted(
        ["first", *(f"text {number}" for number in range(50) if number % 10 not in {3, 7})],
    )


def test_when_the_commit_fails_only_the_guilty_member_does(database: Database, tables: Tables) -> None:
    """A deferred foreign key breaks at COMMIT, after every function has succeeded."""

    def orphan(connection: Connection) -> None:
        connection.execute(tables.remark.insert(), {"note": 404})

    with Held(database):
        functions: list[Callable[[Connection], object]] = [adding(tables, f"text {number}") for number in range(5)]
        functions.insert(2, orphan)
        calls = [database.write_later(BODY, function) for function in functions]

    failures = [call.exception() for call in calls]
    assert [failure is None for failure in failures] == [True, True, False, True, True, True]
    assert isinstance(failures[2], IntegrityError)
    assert texts(database, tables) == [f"text {number}" for number in range(5)]


def test_those_who_wait_are_committed_together(
    open_database: Callable[..., Database],
    url: str,
    tables: Tables,
) -> None:
    groups: list[int] = []
    database = open_database(url, observe=lambda members, _seconds: groups.append(members))

    with Held(database):
        calls = [database.write_later(BODY, adding(tables, f"text {number}")) for number in range(20)]
    for call in calls:
        call.result()

    assert sum(groups) == 21
    assert len(groups) <= 2


def test_a_full_queue_refuses_with_a_time_to_come_back(
    open_database: Callable[..., Database],
    url: str,
    tables: Tables,
) -> None:
    database = open_database(url, queue=3)

    with Held(database):
        calls = [database.write_later(BODY, adding(tables, f"text {number}")) for number in range(3)]
        with pytest.raises(ChukanError) as refused:
            database.write(BODY, adding(tables, "too many"))

    assert refused.value.code == "OVERLOADED"
    assert refused.value.retry_after is not None
    assert [call.result() for call in calls] == texts(database, tables)


def test_listeners_hear_of_committed_writes_only_and_after_the_commit(database: Database, tables: Tables) -> None:
    told: list[list[int]] = []
    database.subscribe("topic", told.append)

    def write(connection: Connection) -> None:
        adding(tables, "one")(connection)
        note(connection, "topic", 1)
        assert told == []

    def fail(connection: Connection) -> None:
        note(connection, "topic", 2)
        raise LookupError

    database.write(BODY, write)
    with pytest.raises(LookupError):
        database.write(BODY, fail)

    assert told == [[1]]


def test_a_listener_that_fails_does_not_turn_a_commit_into_an_error(database: Database, tables: Tables) -> None:
    def broken(values: list[int]) -> None:
        raise LookupError(values)

    def write(connection: Connection) -> None:
        adding(tables, "one")(connection)
        note(connection, "topic", 1)

    database.subscribe("topic", broken)

    database.write(BODY, write)

    assert texts(database, tables) == ["one"]


def test_a_function_may_not_end_the_transaction(database: Database, tables: Tables) -> None:
    def commits(connection: Connection) -> None:
        adding(tables, "one")(connection)
        connection.commit()

    with Held(database):
        before = database.write_later(BODY, adding(tables, "before"))
        wrong = database.write_later(BODY, commits)
        after = database.write_later(BODY, adding(tables, "after"))

    with pytest.raises(RuntimeError, match="commit or rollback"):
        wrong.result()
    assert [before.result(), after.result()] == texts(database, tables)


def test_a_savepoint_a_function_left_open_goes_with_it(database: Database, tables: Tables) -> None:
    def leaves(connection: Connection) -> None:
        connection.begin_nested()
        adding(tables, "one")(connection)
        raise LookupError

    with pytest.raises(LookupError):
        database.write(BODY, leaves)

    assert database.write(BODY, adding(tables, "two")) == "two"
    assert texts(database, tables) == ["two"]


def test_a_write_or_read_inside_a_write_is_refused_instead_of_waiting_for_itself(database: Database) -> None:
    with pytest.raises(RuntimeError, match="write inside a write"):
        database.write(BODY, lambda _: database.write(BODY, lambda _: None))
    with pytest.raises(RuntimeError, match="read inside a write"):
        database.write(BODY, lambda _: database.read())


def test_a_write_inside_a_read_is_refused(database: Database, tables: Tables) -> None:
    with database.read(), pytest.raises(RuntimeError, match="write inside a read"):
        database.write(BODY, adding(tables, "one"))


def test_a_read_cannot_write(database: Database, tables: Tables) -> None:
    with database.read() as connection, pytest.raises(sqlalchemy.exc.OperationalError):
        connection.execute(tables.note.insert(), {"text": "one"})

    assert database.write(BODY, adding(tables, "two")) == "two"


def test_a_read_keeps_its_snapshot_while_others_write(
    open_database: Callable[..., Database],
    file_url: str,
    tables: Tables,
) -> None:
    """On a file readers and the writer do not wait for each other."""
    database = open_database(file_url)
    database.write(BODY, adding(tables, "one"))

    with database.read() as connection, ThreadPoolExecutor(1) as other:
        before = connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(tables.note))
        other.submit(database.write, BODY, adding(tables, "two")).result()
        after = connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(tables.note))

    assert before == after == 1
    assert texts(database, tables) == ["one", "two"]


def test_parameters_never_stand_in_an_error(database: Database, tables: Tables) -> None:
    database.write(BODY, adding(tables, "123456789018"))

    with pytest.raises(IntegrityError) as refused:
        database.write(BODY, adding(tables, "123456789018"))

    assert "123456789018" not in str(refused.value)


def test_closing_commits_what_waits_and_refuses_what_comes_later(
    open_database: Callable[..., Database],
    file_url: str,
    tables: Tables,
) -> None:
    database = open_database(file_url)
    calls = [database.write_later(BODY, adding(tables, f"text {number}")) for number in range(10)]

    database.close()

    assert all(call.done() for call in calls)
    with pytest.raises(ChukanError, match="SHUTTING_DOWN"):
        database.write(BODY, adding(tables, "late"))
    with pytest.raises(ChukanError, match="SHUTTING_DOWN"):
        database.write_later(BODY, adding(tables, "late"))
    assert len(texts(open_database(file_url), tables)) == 10


def test_a_closed_database_refuses_every_reader_and_holds_up_none(database: Database) -> None:
    lent = [database.read() for _ in range(3)]
    database.close()

    for read in lent:
        with pytest.raises(ChukanError, match="SHUTTING_DOWN"), read:
            pass
    with pytest.raises(ChukanError, match="SHUTTING_DOWN"):
        database.read()


def test_a_database_file_belongs_to_one_process_and_its_owner(
    open_database: Callable[..., Database],
    file_url: str,
    tmp_path: Path,
) -> None:
    database = open_database(file_url)

    with pytest.raises(ChukanError, match="DATABASE_IN_USE"):
        open_database(file_url)

    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    database.close()
    open_database(file_url)


def test_a_full_disk_is_a_reason_and_the_writer_goes_on(
    open_database: Callable[..., Database],
    file_url: str,
    tables: Tables,
) -> None:
    database = open_database(file_url)
    database.write(BODY, lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 40"))

    def fill(connection: Connection) -> None:
        connection.execute(tables.note.insert(), {"text": "large", "content": bytes(1 << 20)})

    with pytest.raises(ChukanError, match="STORAGE_FULL"):
        database.write(BODY, fill)

    assert database.write(BODY, adding(tables, "small")) == "small"
