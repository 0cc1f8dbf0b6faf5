# SPDX-License-Identifier: Apache-2.0
"""The same request has one effect and one answer, however often and however many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from sqlalchemy import Connection

from chukan.durable import Database, forget, forget_old, once
from chukan.standard.reasons import ChukanError

from .conftest import BODY, OTHER, Tables

if TYPE_CHECKING:
    from chukan.standard.clock import FixedClock


class Requests:
    """Adds a note once per request id."""

    def __init__(self, database: Database, tables: Tables, clock: FixedClock) -> None:
        self._database = database
        self._tables = tables
        self._clock = clock

    def send(
        self,
        request_id: str,
        body: bytes = b"body",
        *,
        organization: str = BODY,
        method: str = "Create",
        fails: bool = False,
    ) -> bytes:
        def effect(connection: Connection) -> bytes:
            connection.execute(self._tables.note.insert(), {"text": f"{organization} {method} {request_id}"})
            if fails:
                raise LookupError
            return f"answer to {request_id}".encode()

        def write(connection: Connection) -> bytes:
            return once(
                connection,
                organization=organization,
                system="welfare",
                method=method,
                request_id=request_id,
                body_digest=body,
                clock=self._clock,
                fn=effect,
            )

        return self._database.write(organization, write)

    def effects(self) -> int:
        with self._database.read() as connection:
            return int(connection.scalar(sqlalchemy.select(sqlalchemy.func.count(self._tables.note.c.id))) or 0)


@pytest.fixture
def requests(database: Database, tables: Tables, clock: FixedClock) -> Requests:
    return Requests(database, tables, clock)


def test_a_repeated_request_gets_the_first_answer_and_no_second_effect(requests: Requests) -> None:
    assert requests.send("r1") == requests.send("r1") == b"answer to r1"
    assert requests.effects() == 1


def test_duplicates_at_once_have_one_effect(requests: Requests) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: requests.send(f"r{n % 4}"), range(64)))

    assert answers == [f"answer to r{n % 4}".encode() for n in range(64)]
    assert requests.effects() == 4


def test_the_same_id_with_another_body_is_refused(requests: Requests) -> None:
    requests.send("r1", b"one")

    with pytest.raises(ChukanError, match="IDEMPOTENCY_CONFLICT"):
        requests.send("r1", b"two")


def test_ids_of_other_organizations_and_methods_are_others(requests: Requests) -> None:
    requests.send("r1")
    requests.send("r1", b"other", organization=OTHER)
    requests.send("r1", b"other", method="Delete")

    assert requests.effects() == 3


def test_a_failed_request_keeps_nothing_and_may_be_sent_again(requests: Requests) -> None:
    with pytest.raises(LookupError):
        requests.send("r1", fails=True)

    assert requests.send("r1") == b"answer to r1"
    assert requests.effects() == 1


def test_answers_are_forgotten_oldest_first(requests: Requests, database: Database, clock: FixedClock) -> None:
    for number in range(5):
        requests.send(f"r{number}")
        clock.advance(timedelta(hours=1))
    before = clock.now() - timedelta(hours=2, minutes=30)

    assert database.write(BODY, lambda connection: forget(connection, before=before, most=2)) == 2
    assert database.write(BODY, lambda connection: forget(connection, before=before)) == 1
    requests.send("r4", b"body")
    with pytest.raises(ChukanError, match="IDEMPOTENCY_CONFLICT"):
        requests.send("r4", b"other")


def test_answers_are_kept_for_two_months_and_forgotten_then(
    requests: Requests, database: Database, clock: FixedClock
) -> None:
    """A resend comes within a month; what is kept longer only grows."""
    requests.send("old")
    clock.advance(timedelta(days=61))
    requests.send("new")
    early = forget_old(database, clock)
    clock.advance(timedelta(days=2))

    assert (early, forget_old(database, clock), forget_old(database, clock)) == (0, 1, 0)
    with pytest.raises(ChukanError, match="IDEMPOTENCY_CONFLICT"):
        requests.send("new", b"other")
