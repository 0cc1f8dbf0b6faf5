# SPDX-License-Identifier: Apache-2.0
"""Group commit: one write at a time, one COMMIT for all who wait.

Whoever finds the writer free serves a group on its own thread (no hand-over when alone), the rest queue up for a
thread that waits for them. A group runs its functions one after another, each in a savepoint, takes in what arrives
meanwhile up to a limit of members and of time, commits once and only then replies. When the COMMIT fails, or an error
took the whole transaction, its members run again one by one in transactions of their own, so that the guilty one fails
alone. A function therefore reads, checks and writes through the connection it is given, has no other effect and may be
run again. What this gives up: one slow function delays the neighbours of its group.
"""

from __future__ import annotations

import logging
import threading
from _thread import LockType, allocate_lock, get_ident
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chukan.durable.notices import Notices, Publisher, attach
from chukan.durable.sqlite import Link, storage_trouble
from chukan.durable.statements import translated
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Observer", "Writer"]

T = TypeVar("T")
Observer = Callable[[int, float], None]
"""Told of every group after its replies: how many members, how many seconds from BEGIN to COMMIT."""

_MEMBERS: Final = 256
_SECONDS: Final = 0.02
_RETRY_AFTER: Final = 0.2

_log = logging.getLogger(__name__)


class _Call:
    """One function to be committed, and how its caller hears of it (not at all: the caller serves it itself)."""

    __slots__ = ("error", "function", "future", "latch", "notices", "value")

    def __init__(self, function: Callable[[Connection], Any]) -> None:
        self.function = function
        self.future: Future[Any] | None = None
        self.latch: LockType | None = None
        self.notices: Notices = {}
        self.value: Any = None
        self.error: BaseException | None = None

    def reply(self) -> None:
        """Let the waiting caller go on."""
        if self.latch is not None:
            self.latch.release()
        elif self.future is None:
            return
        elif self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class _GroupLostError(Exception):
    """The transaction of the group is gone, with what earlier members wrote."""


class Writer:
    """The one writer of an SQLite database; turn is held by whoever uses its connection."""

    def __init__(self, link: Link, publisher: Publisher, *, limit: int, observe: Observer | None) -> None:
        self.turn = threading.Lock()
        self._link = link
        self._publisher = publisher
        self._limit = limit
        self._observe = observe
        self._collect = attach(link.connection)
        self._queue: deque[_Call] = deque()  # only who holds the turn takes from it, so the order is kept
        self._queuing = threading.Lock()
        self._queued = allocate_lock()
        self._queued.acquire()
        self._closed = False
        self._owner = 0
        self._thread = threading.Thread(target=self._work, name="chukan-writer", daemon=True)  # begins when one waits

    @property
    def waiting(self) -> int:
        """How many writes wait in the queue."""
        return len(self._queue)

    def owned(self) -> bool:
        """Whether the calling thread is running a write."""
        return self._owner == get_ident()

    def write(self, function: Callable[[Connection], T]) -> T:
        """Run the function in the next group and return its value once that is committed."""
        if self._owner == get_ident():
            message = "got a write inside a write, expected the connection the write was given to be used"
            raise RuntimeError(message)
        call = _Call(function)
        if not self._queue and self.turn.acquire(blocking=False):
            self._lead(call)
        else:
            call.latch = allocate_lock()
            call.latch.acquire()
            self._enqueue(call)
            call.latch.acquire()
        if call.error is not None:
            raise call.error
        value: T = call.value
        return value

    def write_later(self, function: Callable[[Connection], T]) -> Future[T]:
        """Queue the function and return a future that is done once it is committed."""
        call = _Call(function)
        call.future = Future()
        call.future.set_running_or_notify_cancel()
        self._enqueue(call)
        return call.future

    def close(self) -> None:
        """Commit what is queued, then refuse."""
        with self._queuing:
            self._closed = True
            self._signal()
        if self._thread.ident is not None:
            self._thread.join()

    def _enqueue(self, call: _Call) -> None:
        with self._queuing:
            if self._closed:
                raise ChukanError("SHUTTING_DOWN")
            if len(self._queue) >= self._limit:
                raise ChukanError("OVERLOADED", retry_after=_RETRY_AFTER)
            self._queue.append(call)
            self._signal()
            if self._thread.ident is None:
                self._thread.start()

    def _signal(self) -> None:
        if self._queued.locked():
            self._queued.release()

    def _lead(self, call: _Call) -> None:
        try:
            if self._closed:
                raise ChukanError("SHUTTING_DOWN")
            self._serve(call)
        finally:
            self.turn.release()

    def _work(self) -> None:
        while not self._closed or self._queue:
            self._queued.acquire()
            with self.turn:
                while self._queue:
                    self._serve(self._queue.popleft())

    def _serve(self, first: _Call) -> None:
        """Run one group that begins with this call; the calling thread holds the turn."""
        members = [first]
        started = perf_counter()
        self._owner = get_ident()
        try:
            self._run(members, started + _SECONDS)
            self._tell(members, perf_counter() - started)
        except BaseException as error:  # noqa: BLE001 nobody may be left waiting, whatever broke
            for member in members:
                member.error = error
            self._abandon()
        finally:
            self._owner = 0
            for member in members:
                member.reply()

    def _run(self, members: list[_Call], until: float) -> None:
        execute = self._link.raw.execute
        try:
            execute("BEGIN IMMEDIATE")
            self._attempt(members[0], savepoint=False)
            while self._queue and len(members) < _MEMBERS and perf_counter() < until:
                members.append(self._queue.popleft())
                self._attempt(members[-1], savepoint=True)
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 whatever the guilty member raises
            self._abandon()
            if len(members) == 1 and not isinstance(error, _GroupLostError):
                members[0].error = self._reason(error)
                return
            for member in members:
                self._alone(member)

    def _attempt(self, call: _Call, *, savepoint: bool) -> None:
        """Run one member; what it wrote is undone when it fails, and only that."""
        execute = self._link.raw.execute
        call.notices = {}
        self._collect(call.notices)
        if savepoint:
            execute("SAVEPOINT member")
        try:
            call.value = call.function(self._link.connection)
            call.error = None
        except BaseException as error:  # noqa: BLE001 it belongs to the member, not to its neighbours
            call.error = self._reason(error)
            call.notices = {}
            self._link.recover()
            if not self._link.raw.in_transaction:
                raise _GroupLostError from None
            execute("ROLLBACK TO member" if savepoint else "ROLLBACK")
            if not savepoint:
                execute("BEGIN IMMEDIATE")
        if not self._link.raw.in_transaction:
            raise _GroupLostError
        if savepoint:
            execute("RELEASE member")

    def _alone(self, call: _Call) -> None:
        """Run one member in a transaction of its own."""
        execute = self._link.raw.execute
        call.error, call.notices = None, {}
        self._collect(call.notices)
        try:
            execute("BEGIN IMMEDIATE")
            call.value = call.function(self._link.connection)
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 whatever the guilty member raises
            self._abandon()
            call.error = self._reason(error)
            call.notices = {}

    def _abandon(self) -> None:
        self._link.recover()
        if self._link.raw.in_transaction:
            self._link.raw.execute("ROLLBACK")

    def _tell(self, members: list[_Call], seconds: float) -> None:
        told: Notices = {}
        for member in members:
            for topic, values in member.notices.items():
                told.setdefault(topic, []).extend(values)
        try:
            if told:
                self._publisher.publish(told)
            if self._observe is not None:
                self._observe(len(members), seconds)
        except Exception as error:  # noqa: BLE001 what is committed is acknowledged, whoever fails to listen
            _log.error("a listener of committed writes failed: %s", type(error).__name__)

    def _reason(self, error: BaseException) -> BaseException:
        if not isinstance(error, Exception):
            return error
        error = translated(error, self._link.connection.dialect)
        return storage_trouble(error) or error
