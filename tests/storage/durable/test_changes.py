# SPDX-License-Identifier: Apache-2.0
"""Change numbers: in commit order, without gaps or repetition, and waiting for them loses nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from chukan.durable import Database, next_change_seq

from .conftest import BODY, Tables

if TYPE_CHECKING:
    from collections.abc import Callable


def numbering(tables: Tables, count: int, *, fails: bool = False) -> Callable[[Connection], int]:
    def number(connection: Connection) -> int:
        first = next_change_seq(connection, count=count)
        for seq in range(first, first + count):
            connection.execute(tables.note.insert(), {"text": str(seq)})
        if fails:
            raise LookupError
        return first

    return number


def test_the_order_of_numbers_is_the_order_of_commits(database: Database, tables: Tables) -> None:
    """Whoever sees a number sees every smaller one, while sixteen threads write."""
    seen: list[list[int]] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            with database.read() as connection:
                rows = connection.scalars(sqlalchemy.select(tables.note.c.text)).all()
            seen.append(sorted(map(int, rows)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(16) as pool:
        firsts = list(pool.map(lambda n: database.write(BODY, numbering(tables, 1 + n % 3)), range(150)))
    stop.set()
    watcher.join()

    assert len(set(firsts)) == len(firsts)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    assert database.changes.last() == sum(1 + n % 3 for n in range(150))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12))
def test_blocks_follow_each_other_without_gaps_whatever_fails(
    database: Database,
    tables: Tables,
    steps: list[tuple[int, bool]],
) -> None:
    """A failed write's numbers are given out again; its notice is never told."""
    expected = database.changes.last()

    calls = [database.write_later(BODY, numbering(tables, count, fails=fails)) for count, fails in steps]

    for call, (count, fails) in zip(calls, steps, strict=True):
        if fails:
            assert isinstance(call.exception(), LookupError)
        else:
            assert call.result() == expected + 1
            expected += count
    assert database.changes.last() == expected


def test_waiting_ends_with_the_commit_that_allots_a_greater_number(database: Database, tables: Tables) -> None:
    with ThreadPoolExecutor(4) as pool:
        waits = [pool.submit(database.changes.wait, 0, 10) for _ in range(4)]
        database.write(BODY, numbering(tables, 5))

        assert [wait.result() for wait in waits] == [5, 5, 5, 5]
    assert database.changes.wait(2, 10) == 5
    assert database.changes.wait(5, 0.01) == 5


def test_sequences_of_different_names_do_not_meet(database: Database) -> None:
    assert database.write(BODY, lambda connection: next_change_seq(connection, "a", 3)) == 1
    assert database.write(BODY, lambda connection: next_change_seq(connection, "b")) == 1
    assert database.write(BODY, lambda connection: next_change_seq(connection, "a")) == 4
    assert (database.changes.last("a"), database.changes.last("b"), database.changes.last()) == (4, 1, 0)


def test_numbers_go_on_after_a_restart(open_database: Callable[..., Database], file_url: str, tables: Tables) -> None:
    first = open_database(file_url)
    first.write(BODY, numbering(tables, 7))
    first.close()

    again = open_database(file_url)

    assert again.changes.last() == 7
    assert again.write(BODY, numbering(tables, 1)) == 8


def test_closing_ends_every_wait(database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        wait = pool.submit(database.changes.wait, 0)
        database.close()

        assert wait.result(10) == 0


def test_an_empty_block_and_a_connection_outside_a_write_are_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="at least one"):
        database.write(BODY, lambda connection: next_change_seq(connection, count=0))
    with database.read() as connection, pytest.raises(sqlalchemy.exc.OperationalError):
        next_change_seq(connection)
