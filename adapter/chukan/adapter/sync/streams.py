# SPDX-License-Identifier: Apache-2.0
"""A stream of batches to the server: a few are under way, answers come in order, a broken stream is taken up again.

Batches are idempotent, so what was not answered is simply sent again on a new stream. Waiting is bounded: a server that
is lost is waited for, one that is silent is given up, so that no lane waits for ever.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from chukan.adapter.patience import STREAM_SECONDS, Pauses
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["BatchStream", "Waiting", "retried"]

Tag = TypeVar("Tag")
T = TypeVar("T")

_GLANCE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait, in seconds; stop ends all waiting at once."""

    stall: float
    patience: float
    stop: threading.Event

    def check(self) -> None:
        """Raise CALL_CANCELLED once everything is to end."""
        if self.stop.is_set():
            raise ChukanError("CALL_CANCELLED")

    def between(self, pauses: Pauses, error: ChukanError) -> None:
        """Wait before the next attempt, or until everything is to end; raise the error if there should be none."""
        self.check()
        self.stop.wait(pauses.after(error))


def retried(call: Callable[[], T], waiting: Waiting) -> T:
    """Return what the call returns, calling again while the server is lost and patience lasts."""
    pauses = Pauses(waiting.patience)
    while True:
        try:
            return call()
        except ChukanError as error:
            waiting.between(pauses, error)


class BatchStream(Generic[Tag]):
    """Requests of one method, each with a tag that comes back with its answer.

    call: the stub's method. depth: how many batches may be under way.
    """

    def __init__(self, call: Callable[..., Any], *, depth: int, waiting: Waiting) -> None:
        self._call = call
        self._depth = depth
        self._waiting = waiting
        self._under_way: deque[tuple[Tag, Any]] = deque()
        self._connection: _Connection | None = None

    @property
    def is_busy(self) -> bool:
        """Whether batches are under way."""
        return bool(self._under_way)

    def send(self, tag: Tag, request: Any) -> list[tuple[Tag, Any]]:  # noqa: ANN401 - of any method
        """Send a batch; return the answered ones, so that no more than depth are under way."""
        self._under_way.append((tag, request))
        if self._connection is None:
            self._reopen()
        else:
            self._connection.put(request)
        done: list[tuple[Tag, Any]] = []
        while len(self._under_way) > self._depth:
            done.append(self._answered())
        return done

    def drain(self) -> Iterator[tuple[Tag, Any]]:
        """Yield the answers of all batches under way."""
        while self._under_way:
            yield self._answered()

    def close(self) -> None:
        """End the stream; what is under way is given up."""
        if self._connection is not None:
            self._connection.close(cancel=bool(self._under_way))
            self._connection = None

    def _answered(self) -> tuple[Tag, Any]:
        pauses = Pauses(self._waiting.patience)
        while True:
            try:
                answer = self._receive()
            except ChukanError as error:
                self.close()
                self._waiting.between(pauses, error)
                self._reopen()
                continue
            tag, request = self._under_way.popleft()
            if answer.batch_id != request.batch_id:
                raise ChukanError("PEER_ANSWER_INVALID", field="batch_id")
            return tag, answer

    def _receive(self) -> Any:  # noqa: ANN401 - of any method
        if self._connection is None:
            raise ChukanError("PEER_UNREACHABLE")
        silent = 0.0
        while True:
            self._waiting.check()
            try:
                return self._connection.receive(_GLANCE)
            except queue.Empty:
                silent += _GLANCE
                if silent >= self._waiting.stall:
                    raise ChukanError("DEADLINE_EXCEEDED", params={"seconds": f"{silent:.0f}"}) from None

    def _reopen(self) -> None:
        self._connection = _Connection(self._call)
        for _, request in self._under_way:
            self._connection.put(request)


class _Connection:
    """One call: requests are taken from a queue, answers put into another by a thread of its own."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._call = call(iter(self._requests.get, None), timeout=STREAM_SECONDS)
        threading.Thread(target=self._read, args=(self._call,), daemon=True, name="chukan-answers").start()

    def put(self, request: Any) -> None:  # noqa: ANN401 - of any method
        self._requests.put(request)

    def receive(self, timeout: float) -> Any:  # noqa: ANN401 - of any method
        answer = self._answers.get(timeout=timeout)
        if isinstance(answer, ChukanError):
            raise answer
        return answer

    def close(self, *, cancel: bool) -> None:
        self._requests.put(None)
        if cancel:
            self._call.cancel()

    def _read(self, answers: Iterable[Any]) -> None:
        try:
            for answer in answers:
                self._answers.put(answer)
        except ChukanError as error:
            over = error.code == "DEADLINE_EXCEEDED"  # of the stream, not of the batch: it is taken up again
            self._answers.put(ChukanError("PEER_UNREACHABLE", params={"status": error.code}) if over else error)
        else:
            self._answers.put(ChukanError("PEER_UNREACHABLE", params={"status": "ENDED"}))
        finally:
            self._requests.put(None)
