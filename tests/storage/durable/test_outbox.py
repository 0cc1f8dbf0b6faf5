# SPDX-License-Identifier: Apache-2.0
"""The outbox: rows live and die with the writes they belong to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.durable import Backlog, Database, Item, Outbox

from .conftest import BODY, OTHER

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from chukan.standard.clock import FixedClock


def due(database: Database, outbox: Outbox, organization: str = BODY, kind: str = "ask") -> list[Item]:
    with database.read() as connection:
        return outbox.due(connection, organization, kind, most=100, most_bytes=1 << 20)[0]


def test_rows_of_a_lane_come_oldest_first(database: Database, outbox: Outbox, clock: FixedClock) -> None:
    def add(connection: Connection) -> None:
        outbox.add(connection, kind="ask", organization=BODY, payload=b"1", key="k")
        outbox.add_many(connection, kind="ask", organization=BODY, payloads=[b"2", b"3"])
        outbox.add_many(connection, kind="ask", organization=BODY, payloads=[])
        outbox.add(connection, kind="ask", organization=OTHER, payload=b"other")
        outbox.add(connection, kind="ask", organization=BODY, payload=b"later", due=clock.now() + timedelta(minutes=1))

    database.write(BODY, add)

    assert [item.payload for item in due(database, outbox)] == [b"1", b"2", b"3"]
    assert due(database, outbox)[0] == Item(1, BODY, "ask", "k", b"1", 0, due(database, outbox)[0].created)
    assert due(database, outbox)[0].created_at == clock.now()
    clock.advance(timedelta(minutes=1))
    assert [item.payload for item in due(database, outbox)] == [b"1", b"2", b"3", b"later"]


def test_a_batch_is_bounded_by_rows_and_bytes(database: Database, outbox: Outbox) -> None:
    database.write(
        BODY,
        lambda connection: outbox.add_many(connection, kind="ask", organization=BODY, payloads=[bytes(10)] * 5),
    )

    def taken(most: int, most_bytes: int) -> tuple[int, bool]:
        with database.read() as connection:
            items, more = outbox.due(connection, BODY, "ask", most=most, most_bytes=most_bytes)
        return len(items), more

    assert taken(3, 1_000) == (3, True)
    assert taken(10, 25) == (2, True)
    assert taken(10, 5) == (1, True)
    assert taken(10, 50) == (5, False)


def test_a_failed_write_adds_nothing_and_completes_nothing(database: Database, outbox: Outbox) -> None:
    row_id = database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=BODY, payload=b"1"))

    def fail(connection: Connection) -> None:
        outbox.done(connection, [row_id])
        outbox.add(connection, kind="ask", organization=BODY, payload=b"2")
        raise LookupError

    with pytest.raises(LookupError):
        database.write(BODY, fail)

    assert [item.id for item in due(database, outbox)] == [row_id]


def test_an_id_is_never_used_twice(database: Database, outbox: Outbox) -> None:
    first = database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=BODY, payload=b"1"))
    database.write(BODY, lambda c: outbox.done(c, [first]))

    second = database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=BODY, payload=b"2"))

    assert second > first


def test_the_backlog_names_rows_and_oldest_age_of_every_kind(
    database: Database,
    outbox: Outbox,
    clock: FixedClock,
) -> None:
    database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=BODY, payload=b"1"))
    clock.advance(timedelta(seconds=90))
    database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=OTHER, payload=b"2"))
    database.write(BODY, lambda c: outbox.add(c, kind="answer", organization=BODY, payload=b"3"))

    with database.read() as connection:
        assert outbox.backlog(connection) == {"ask": Backlog(2, 90.0), "answer": Backlog(1, 0.0)}


def test_parked_rows_wait_until_they_are_revived(database: Database, outbox: Outbox, clock: FixedClock) -> None:
    row_id = database.write(BODY, lambda c: outbox.add(c, kind="ask", organization=BODY, payload=b"1"))
    database.write(BODY, lambda c: outbox.postpone(c, [row_id], due=None, reason="PEER_UNREACHABLE"))
    clock.advance(timedelta(days=400))

    assert due(database, outbox) == []
    with database.read() as connection:
        assert outbox.lanes(connection) == []
        assert outbox.next_due(connection, BODY, "ask") is None
    assert database.write(BODY, lambda c: outbox.revive(c, kind="ask", organization=BODY)) == 1
    assert [(item.id, item.attempts) for item in due(database, outbox)] == [(row_id, 0)]
