# SPDX-License-Identifier: Apache-2.0
"""Carries an outbox's rows to their handlers: bounded workers, batches per lane, repetition, nothing lost.

A COMMIT that added rows wakes a worker directly; only repetitions wait for time, which is the injected clock's. What is
not done after its handler returned or raised is repeated later; what a batch fails on is found by halving it, so one
bad row never holds up its lane; after the last attempt a row goes to the kind's ``gave_up`` handler, or is parked.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.durable.instants import from_micros, to_micros
from chukan.durable.lanes import Lane, Lanes
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import datetime

    from chukan.durable.database import Database
    from chukan.durable.outbox import Backlog, Item, Outbox
    from chukan.standard.clock import Clock

__all__ = ["RETRY", "Backoff", "Dispatcher", "Handler"]

RETRY: Final = "retry"
"""What waking a lane is called among the jobs time sets going."""

Handler = Callable[[list["Item"]], None]

_PEER_TROUBLE: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "CANCELLED"})
_BATCH_BYTES: Final = 2 << 20
_LEFT: Final = "NOT_DONE"
_UNFORESEEN: Final = "INTERNAL_ERROR"
_LONGEST_REST: Final = 0.05

_log = logging.getLogger(__name__)


class Backoff(NamedTuple):
    """Seconds before the second attempt, doubled for each further one up to most; attempts in all."""

    first: float = 0.2
    most: float = 60.0
    attempts: int = 30

    def seconds(self, failed: int) -> float:
        """Return how long to wait after so many failed attempts."""
        return min(self.most, self.first * 2.0 ** min(failed - 1, 30))


_BACKOFF: Final = Backoff()


class Dispatcher:
    """The workers of one outbox and some of its kinds.

    handlers: called with the due rows of one (organization, kind), oldest first, never two at once for the same lane;
    they complete rows with ``outbox.done`` inside their own write. A ChukanError of a peer that is away, busy or late
    pauses the lane; any other exception is the batch's fault. gave_up: called with rows after their last attempt.
    on_demand: its threads begin with its first row, not with ``start``, for one of many that mostly rest.
    note_failed: told the reason and how many rows each time an attempt failed.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        workers: int = 8,
        batch: int = 1_000,
        batch_bytes: int = _BATCH_BYTES,
        backoff: Backoff = _BACKOFF,
        gave_up: Mapping[str, Handler] | None = None,
        on_demand: bool = False,
        note_failed: Callable[[str, int], None] | None = None,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._handlers = dict(handlers)
        self._gave_up = dict(gave_up or {})
        self._clock = clock
        self._note_failed = note_failed
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._backoff = backoff
        self._lanes = Lanes(now=lambda: to_micros(clock.now()), workers=workers, batch=batch)
        self._undone: set[int] = set()
        self._ends: list[Callable[[], None]] = []
        names = [f"chukan-outbox-{number}" for number in range(workers)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        self._threads.append(threading.Thread(target=self._keep_time, name="chukan-outbox-time", daemon=True))
        self._waiting = self._threads
        self._beginning = threading.Lock()
        self._on_demand = on_demand

    def start(self) -> None:
        """Take up what the outbox holds, then follow its commits."""
        self._ends = [
            self._database.subscribe(self._outbox.finished, self._note_finished),
            self._database.subscribe(self._outbox.added, self._note_added),
        ]
        with self._database.read() as connection:
            waiting = self._outbox.lanes(connection)
        self._note_added(waiting)
        if not self._on_demand:
            self._begin()

    def stop(self, timeout: float = 30.0) -> bool:
        """Let running handlers end, start no more; return whether all ended in time. Rows left stay in the outbox."""
        self._lanes.close()
        with self._beginning:
            self._waiting = []
        until = monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - monotonic()))
        for end in self._ends:  # only now: a handler that ends meanwhile is heard
            end()
        return not any(thread.is_alive() for thread in self._threads)

    def run_due(self) -> int:
        """Wake the lanes the clock has made due (after it was advanced) and return how many; a job of kind `RETRY`."""
        return self._lanes.fire()

    def next_due(self) -> datetime | None:
        """Return when the next lane that rests falls due by the clock; None when none waits for time."""
        due = self._lanes.next_due()
        return None if due is None else from_micros(due)

    def drain(self, timeout: float | None = None) -> bool:
        """Wait (real seconds) until nothing that is due is left to do, with all that follows from it."""
        return self._lanes.quiet(timeout)

    def backlog(self) -> dict[str, Backlog]:
        """Return rows and oldest age that wait, by kind."""
        with self._database.read() as connection:
            return self._outbox.backlog(connection)

    def _note_added(self, rows: list[tuple[str, str, int]]) -> None:
        ours = [row for row in rows if row[1] in self._handlers]
        if ours:
            self._lanes.touch(ours)
            self._begin()

    def _begin(self) -> None:
        """Let the threads begin, once."""
        if not self._waiting:
            return
        with self._beginning:
            threads, self._waiting = self._waiting, []
            for thread in threads:
                thread.start()

    def _note_finished(self, groups: list[Sequence[int]]) -> None:
        for ids in groups:
            self._undone.difference_update(ids)

    def _keep_time(self) -> None:
        while self._lanes.sleep():
            self._lanes.fire()

    def _work(self) -> None:
        while (lane := self._lanes.take()) is not None:
            was_suspect, more, next_due = lane.suspect, False, None
            begun = monotonic()
            try:
                more = self._turn(lane)
                if not more:
                    # Under load one batch of ten costs a third of ten batches of one: rest as long as the turn took.
                    self._lanes.rest(lane, min(_LONGEST_REST, monotonic() - begun))
                if not more and lane.later:
                    next_due = self._next_due(lane)
            except Exception as error:  # noqa: BLE001 the database's trouble: the rows are still there
                _log.warning("outbox %s of %s: %s", lane.kind, lane.organization, _reason_of(error))
                self._lanes.pause(lane, self._micros_after(self._backoff.seconds(4)))
            self._lanes.release(lane, was_suspect=was_suspect, more=more, next_due=next_due)

    def _turn(self, lane: Lane) -> bool:
        """Run one batch and return whether the lane may have more."""
        with self._database.read() as connection:
            items, more = self._outbox.due(
                connection,
                lane.organization,
                lane.kind,
                most=lane.limit,
                most_bytes=self._batch_bytes,
            )
        if not items:
            lane.later = True  # rows a step of the machine's clock made due later
            return False
        left, error = self._handle(self._handlers[lane.kind], items)
        if not left:
            lane.suspect, lane.limit = False, min(self._batch, lane.limit * 2)
            return more
        return self._repeat_later(lane, left, error)

    def _handle(self, handler: Handler, items: list[Item]) -> tuple[list[Item], Exception | None]:
        """Run a handler and return what it did not complete, and why."""
        ids = [item.id for item in items]
        self._undone.update(ids)
        failure: Exception | None = None
        try:
            handler(items)
        except Exception as error:  # noqa: BLE001 a handler's failure is its rows' failed attempt
            failure = error
        left = [item for item in items if item.id in self._undone]
        self._undone.difference_update(ids)
        return left, failure

    def _repeat_later(self, lane: Lane, left: list[Item], error: Exception | None) -> bool:
        """Arrange the next attempt of rows that were not completed; return whether to go on at once."""
        trouble = isinstance(error, ChukanError) and error.reason.status in _PEER_TROUBLE
        reason = _LEFT if error is None else _reason_of(error)
        if error is not None and not trouble and len(left) > 1:
            lane.limit = max(1, len(left) // 2)
            return True
        _log.warning("outbox %s of %s: %d rows not done: %s", lane.kind, lane.organization, len(left), reason)
        if self._note_failed is not None:
            self._note_failed(error.code if isinstance(error, ChukanError) else _UNFORESEEN, len(left))
        exhausted = [item for item in left if item.attempts + 1 >= self._backoff.attempts]
        waiting = [item for item in left if item.attempts + 1 < self._backoff.attempts]
        if exhausted:
            self._give_up(lane, exhausted, reason)
        if waiting:
            seconds = self._backoff.seconds(max(item.attempts for item in waiting) + 1)
            if isinstance(error, ChukanError) and error.retry_after is not None:
                seconds = max(seconds, error.retry_after)
            due = self._clock.now() + timedelta(seconds=seconds)
            self._postpone(lane, waiting, due, reason)
            if trouble:
                self._lanes.pause(lane, to_micros(due))
        lane.later = True
        return not trouble

    def _give_up(self, lane: Lane, items: list[Item], reason: str) -> None:
        handler = self._gave_up.get(lane.kind)
        if handler is not None:
            items, error = self._handle(handler, items)
            reason = reason if error is None else _reason_of(error)
        if items:
            _log.error("outbox %s of %s: %d rows parked: %s", lane.kind, lane.organization, len(items), reason)
            self._postpone(lane, items, None, reason)

    def _postpone(self, lane: Lane, items: list[Item], due: datetime | None, reason: str) -> None:
        ids = [item.id for item in items]
        self._database.write(
            lane.organization,
            lambda connection: self._outbox.postpone(connection, ids, due=due, reason=reason),
        )

    def _next_due(self, lane: Lane) -> int | None:
        with self._database.read() as connection:
            due = self._outbox.next_due(connection, lane.organization, lane.kind)
        lane.later = due is not None
        return due

    def _micros_after(self, seconds: float) -> int:
        return to_micros(self._clock.now() + timedelta(seconds=seconds))


def _reason_of(error: Exception) -> str:
    return error.code if isinstance(error, ChukanError) else type(error).__name__
