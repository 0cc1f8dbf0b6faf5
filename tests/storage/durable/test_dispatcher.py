# SPDX-License-Identifier: Apache-2.0
"""The dispatcher: everything promised is done, once or again, and nobody waits for somebody else's trouble."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from sqlalchemy import Connection

from chukan.durable import Backoff, Database, Dispatcher, Item, Outbox
from chukan.standard.clock import FixedClock, SystemClock
from chukan.standard.reasons import ChukanError

from .conftest import BODY, OTHER, Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chukan.durable.dispatcher import Handler

SOON = 10.0


class Desk:
    """Adds work, and does it by writing a note per row in the transaction that completes the row."""

    def __init__(self, database: Database, outbox: Outbox, tables: Tables) -> None:
        self._database = database
        self._outbox = outbox
        self._tables = tables
        self.batches: list[list[bytes]] = []

    def add(self, *payloads: bytes, organization: str = BODY, kind: str = "ask", due: timedelta | None = None) -> None:
        when = None if due is None else self._outbox._clock.now() + due
        self._database.write(
            organization,
            lambda connection: self._outbox.add_many(
                connection,
                kind=kind,
                organization=organization,
                payloads=payloads,
                due=when,
            ),
        )

    def do(self, items: list[Item]) -> None:
        self.batches.append([item.payload for item in items])
        self.complete(items)

    def complete(self, items: list[Item]) -> None:
        def effect(connection: Connection) -> None:
            for item in items:
                connection.execute(self._tables.note.insert(), {"text": f"{item.kind} {item.payload.decode()}"})
            self._outbox.done(connection, [item.id for item in items])

        self._database.write(items[0].organization, effect)

    def effects(self) -> list[str]:
        with self._database.read() as connection:
            return list(connection.scalars(sqlalchemy.select(self._tables.note.c.text)))


@pytest.fixture
def desk(database: Database, outbox: Outbox, tables: Tables) -> Desk:
    return Desk(database, outbox, tables)


@pytest.fixture
def dispatch(database: Database, outbox: Outbox, clock: FixedClock) -> Iterator[Callable[..., Dispatcher]]:
    started: list[Dispatcher] = []

    def start(handlers: dict[str, Handler], **settings: object) -> Dispatcher:
        settings.setdefault("workers", 2)
        dispatcher = Dispatcher(database, outbox, handlers, clock, **settings)  # type: ignore[arg-type]
        started.append(dispatcher)
        dispatcher.start()
        return dispatcher

    yield start
    for dispatcher in started:
        assert dispatcher.stop(SOON)


def test_a_commit_wakes_the_handler_and_the_effect_completes_the_row(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
) -> None:
    dispatcher = dispatch({"ask": desk.do})

    desk.add(b"1")

    assert dispatcher.drain(SOON)
    assert desk.effects() == ["ask 1"]
    assert dispatcher.backlog() == {}


def test_work_that_follows_from_work_is_done_before_the_dispatcher_is_quiet(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
) -> None:
    def ask(items: list[Item]) -> None:
        for item in items:
            desk.add(item.payload, kind="answer", organization=OTHER)
        desk.do(items)

    dispatcher = dispatch({"ask": ask, "answer": desk.do})

    for number in range(20):
        desk.add(b"%d" % number)

    assert dispatcher.drain(SOON)
    assert sorted(desk.effects()) == sorted(f"{kind} {number}" for kind in ("ask", "answer") for number in range(20))


def test_rows_of_a_lane_travel_together_up_to_a_batch(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    desk.add(*(b"%d" % number for number in range(25)))
    desk.add(b"other", organization=OTHER)

    dispatcher = dispatch({"ask": desk.do}, batch=10, workers=1)

    assert dispatcher.drain(SOON)
    assert sorted(map(len, desk.batches)) == [1, 5, 10, 10]


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ChukanError("SIGNATURE_INVALID"), "SIGNATURE_INVALID"), (ValueError("unforeseen"), "INTERNAL_ERROR")],
    ids=["foreseen", "unforeseen"],
)
def test_a_failed_attempt_is_told_with_its_reason(
    desk: Desk, dispatch: Callable[..., Dispatcher], error: Exception, reason: str
) -> None:
    """Nobody else sees it: no caller waits for an answer. What nobody foresaw has one name, never its text."""
    told: list[tuple[str, int]] = []

    def fail_once(items: list[Item]) -> None:
        if not told:
            raise error
        desk.do(items)

    dispatcher = dispatch(
        {"ask": fail_once}, backoff=Backoff(first=0.0), note_failed=lambda *failed: told.append(failed)
    )
    desk.add(b"1")

    assert dispatcher.drain(SOON)
    assert told == [(reason, 1)]


def test_a_stuck_lane_does_not_hold_up_another(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    freed = threading.Event()

    def handle(items: list[Item]) -> None:
        if items[0].organization == BODY:
            freed.wait(SOON)
        desk.do(items)

    dispatcher = dispatch({"ask": handle})
    desk.add(b"stuck")
    for number in range(10):
        desk.add(b"%d" % number, organization=OTHER)

    until = time.monotonic() + SOON
    while len(desk.effects()) < 10 and time.monotonic() < until:
        time.sleep(0.005)
    assert "ask stuck" not in desk.effects()
    freed.set()
    assert dispatcher.drain(SOON)
    assert len(desk.effects()) == 11


def test_unreachable_peers_take_at_most_half_of_the_workers(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    """Once they failed, lanes of dead peers queue for each other; the living get through."""
    slow, freed = threading.Event(), threading.Event()

    def handle(items: list[Item]) -> None:
        if items[0].organization.startswith("dead"):
            if slow.is_set():
                freed.wait(SOON)
            raise ChukanError("PEER_UNREACHABLE")
        desk.do(items)

    dispatcher = dispatch({"ask": handle}, workers=4)
    for number in range(8):
        desk.add(b"dead %d" % number, organization=f"dead{number}")
    assert dispatcher.drain(SOON)

    slow.set()
    clock.advance(timedelta(minutes=1))
    assert dispatcher.run_due() == 8
    desk.add(b"alive", organization=OTHER)
    until = time.monotonic() + SOON
    while desk.effects() != ["ask alive"] and time.monotonic() < until:
        time.sleep(0.005)
    assert desk.effects() == ["ask alive"]
    freed.set()


def test_a_peer_in_trouble_pauses_its_lane_until_the_clock_has_passed_the_backoff(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    tries: list[int] = []

    def handle(items: list[Item]) -> None:
        tries.append(len(items))
        if len(tries) < 3:
            raise ChukanError("PEER_UNREACHABLE")
        desk.do(items)

    dispatcher = dispatch({"ask": handle}, backoff=Backoff(first=1.0))
    desk.add(b"1", b"2")
    assert dispatcher.drain(SOON)
    desk.add(b"3")
    assert dispatcher.drain(SOON)
    assert tries == [2]

    clock.advance(timedelta(seconds=1))
    assert dispatcher.run_due() == 1
    assert dispatcher.drain(SOON)
    clock.advance(timedelta(seconds=1))
    assert dispatcher.run_due() == 0
    clock.advance(timedelta(seconds=1))
    assert dispatcher.run_due() == 1
    assert dispatcher.drain(SOON)

    assert tries == [2, 3, 3]
    assert len(desk.effects()) == 3


def test_a_peer_that_says_when_to_come_back_is_left_alone_until_then(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    answers: list[Exception | None] = [ChukanError("OVERLOADED", retry_after=30.0), None]

    def handle(items: list[Item]) -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        desk.do(items)

    dispatcher = dispatch({"ask": handle})
    desk.add(b"1")
    assert dispatcher.drain(SOON)

    clock.advance(timedelta(seconds=29))
    assert dispatcher.run_due() == 0
    clock.advance(timedelta(seconds=1))
    assert dispatcher.run_due() == 1
    assert dispatcher.drain(SOON)
    assert desk.effects() == ["ask 1"]


def test_one_bad_row_in_a_batch_fails_alone(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    def handle(items: list[Item]) -> None:
        if any(item.payload == b"13" for item in items):
            raise LookupError
        desk.do(items)

    dispatcher = dispatch({"ask": handle})
    desk.add(*(b"%d" % number for number in range(50)))

    assert dispatcher.drain(SOON)
    assert len(desk.effects()) == 49
    assert dispatcher.backlog()["ask"].rows == 1


def test_rows_a_handler_leaves_are_tried_again_and_completed_ones_are_not(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    def handle(items: list[Item]) -> None:
        desk.batches.append([item.payload for item in items])
        desk.complete(items[:2])

    dispatcher = dispatch({"ask": handle}, backoff=Backoff(first=1.0))
    desk.add(b"1", b"2", b"3")
    assert dispatcher.drain(SOON)
    clock.advance(timedelta(seconds=1))
    dispatcher.run_due()
    assert dispatcher.drain(SOON)

    assert desk.batches == [[b"1", b"2", b"3"], [b"3"]]


def test_after_the_last_attempt_a_row_is_given_up_or_parked(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
    database: Database,
    outbox: Outbox,
) -> None:
    def fail(items: list[Item]) -> None:
        tries.append(items[0].attempts)
        raise LookupError

    tries: list[int] = []
    given_up: list[bytes] = []

    def give_up(items: list[Item]) -> None:
        given_up.extend(item.payload for item in items)
        desk.complete(items)

    dispatcher = dispatch(
        {"ask": fail, "parked": fail},
        backoff=Backoff(first=1.0, most=1.0, attempts=3),
        gave_up={"ask": give_up},
    )
    desk.add(b"1")
    desk.add(b"2", kind="parked")
    for _ in range(5):
        assert dispatcher.drain(SOON)
        clock.advance(timedelta(seconds=1))
        dispatcher.run_due()

    assert sorted(tries) == [0, 0, 1, 1, 2, 2]
    assert given_up == [b"1"]
    assert list(dispatcher.backlog()) == ["parked"]
    database.write(BODY, lambda connection: outbox.revive(connection, kind="parked", organization=BODY))
    assert dispatcher.drain(SOON)
    assert len(tries) == 7


def test_work_for_later_waits_for_the_clock(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    dispatcher = dispatch({"ask": desk.do})
    desk.add(b"third", due=timedelta(hours=2))
    desk.add(b"second", due=timedelta(hours=1))
    desk.add(b"first")

    assert dispatcher.drain(SOON)
    assert desk.effects() == ["ask first"]
    for expected in (2, 3):
        clock.advance(timedelta(hours=1))
        dispatcher.run_due()
        assert dispatcher.drain(SOON)
        assert len(desk.effects()) == expected


def test_it_says_when_the_next_row_falls_due(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
    clock: FixedClock,
) -> None:
    dispatcher = dispatch({"ask": desk.do, "tell": desk.do})
    begun = clock.now()
    desk.add(b"second", due=timedelta(hours=2))
    desk.add(b"first", kind="tell", due=timedelta(hours=1))
    assert dispatcher.drain(SOON)

    assert dispatcher.next_due() == begun + timedelta(hours=1)
    clock.advance(timedelta(hours=1))
    dispatcher.run_due()
    assert dispatcher.drain(SOON)
    assert dispatcher.next_due() == begun + timedelta(hours=2)
    clock.advance(timedelta(hours=1))
    dispatcher.run_due()
    assert dispatcher.drain(SOON)
    assert dispatcher.next_due() is None


def test_on_demand_its_threads_begin_with_the_first_row(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    before = threading.active_count()
    dispatcher = dispatch({"ask": desk.do}, on_demand=True)
    assert threading.active_count() == before

    desk.add(b"1")
    assert dispatcher.drain(SOON)

    assert desk.effects() == ["ask 1"]
    assert threading.active_count() > before


def test_on_the_machines_clock_repetitions_come_by_themselves(
    database: Database,
    desk: Desk,
    tables: Tables,
) -> None:
    outbox = Outbox(tables.outbox, clock=SystemClock())
    done = threading.Event()

    def handle(items: list[Item]) -> None:
        if items[0].attempts < 2:
            raise ChukanError("PEER_UNREACHABLE")
        desk.do(items)
        done.set()

    dispatcher = Dispatcher(database, outbox, {"ask": handle}, SystemClock(), backoff=Backoff(first=0.02))
    dispatcher.start()
    database.write(BODY, lambda connection: outbox.add(connection, kind="ask", organization=BODY, payload=b"1"))

    assert done.wait(SOON)
    assert dispatcher.stop(SOON)


def test_a_restart_takes_up_what_was_left(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    """Also rows that are due later, and of lanes nobody touches again."""
    desk.add(b"1", b"2")
    desk.add(b"3", organization=OTHER)

    dispatcher = dispatch({"ask": desk.do})

    assert dispatcher.drain(SOON)
    assert sorted(desk.effects()) == ["ask 1", "ask 2", "ask 3"]


def test_kinds_of_another_dispatcher_are_left_to_it(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    first = dispatch({"ask": desk.do})
    second = dispatch({"answer": desk.do})

    desk.add(b"1")
    desk.add(b"2", kind="answer")

    assert first.drain(SOON)
    assert second.drain(SOON)
    assert sorted(desk.effects()) == ["answer 2", "ask 1"]


def test_stopping_lets_running_handlers_end_and_starts_no_more(
    desk: Desk,
    dispatch: Callable[..., Dispatcher],
) -> None:
    entered, freed = threading.Event(), threading.Event()

    def handle(items: list[Item]) -> None:
        entered.set()
        freed.wait(SOON)
        desk.do(items)

    dispatcher = dispatch({"ask": handle}, batch=1, workers=1)
    desk.add(b"1", b"2")
    assert entered.wait(SOON)

    assert not dispatcher.stop(0.01)
    freed.set()
    assert dispatcher.stop(SOON)
    assert desk.effects() == ["ask 1"]


def test_a_row_is_picked_up_within_milliseconds(desk: Desk, dispatch: Callable[..., Dispatcher]) -> None:
    """There is no polling to wait for; the bound is generous for a busy machine."""
    picked: list[float] = []
    arrived = threading.Semaphore(0)

    def handle(items: list[Item]) -> None:
        picked.append(time.perf_counter())
        desk.do(items)
        arrived.release()

    dispatcher = dispatch({"ask": handle})
    delays = []
    for number in range(30):
        desk.add(b"%d" % number)
        committed = time.perf_counter()
        assert arrived.acquire(timeout=SOON)
        delays.append(picked[-1] - committed)

    assert dispatcher.drain(SOON)
    assert sorted(delays)[15] < 0.01
