# SPDX-License-Identifier: Apache-2.0
"""Streams of batches: answers in order, a lost server is waited for, a silent one is given up."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chukan.adapter.sync.streams import BatchStream, Waiting, retried
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUICK = Waiting(stall=1.0, patience=2.0, stop=threading.Event())


@dataclass
class Message:
    batch_id: str


class Server:
    """A method as a stub offers it: `behave` gets the attempt and the requests, and yields or raises."""

    def __init__(self, behave: Callable[[int, Iterator[Message]], Iterator[Message]]) -> None:
        self.attempts = 0
        self.seen: list[str] = []
        self._behave = behave

    def __call__(self, requests: Iterator[Message], *, timeout: float) -> Server.Call:
        assert timeout > 0, "every call has a deadline"
        self.attempts += 1
        return Server.Call(self._behave(self.attempts, self._noted(requests)))

    def _noted(self, requests: Iterator[Message]) -> Iterator[Message]:
        for request in requests:
            self.seen.append(request.batch_id)
            yield request

    class Call:
        """What a stub returns."""

        def __init__(self, answers: Iterator[Message]) -> None:
            self._answers = answers
            self.cancelled = False

        def __iter__(self) -> Iterator[Message]:
            return self._answers

        def cancel(self) -> None:
            self.cancelled = True


def echo(_: int, requests: Iterator[Message]) -> Iterator[Message]:
    yield from requests


def through(stream: BatchStream[int], batches: int) -> list[int]:
    done = [tag for number in range(batches) for tag, _ in stream.send(number, Message(f"b{number}"))]
    done += [tag for tag, _ in stream.drain()]
    stream.close()
    return done


def test_every_batch_comes_back_with_its_tag_in_order() -> None:
    server = Server(echo)

    assert through(BatchStream(server, depth=3, waiting=QUICK), 20) == list(range(20))
    assert server.attempts == 1


def test_no_more_batches_are_under_way_than_the_depth() -> None:
    stream: BatchStream[int] = BatchStream(Server(echo), depth=3, waiting=QUICK)

    done = [len(stream.send(number, Message(f"b{number}"))) for number in range(6)]

    assert done == [0, 0, 0, 1, 1, 1]
    stream.close()


def test_after_a_broken_stream_the_unanswered_batches_are_sent_again_and_no_others() -> None:
    def breaks_once(attempt: int, requests: Iterator[Message]) -> Iterator[Message]:
        for count, request in enumerate(requests):
            if attempt == 1 and count == 5:
                raise ChukanError("PEER_UNREACHABLE")
            yield request

    server = Server(breaks_once)

    assert through(BatchStream(server, depth=2, waiting=QUICK), 10) == list(range(10))
    assert server.attempts == 2
    assert server.seen.count("b4") == 1
    assert server.seen.count("b5") == 2


def test_a_stream_whose_deadline_is_over_is_taken_up_again() -> None:
    """That the server is silent is found out by itself, and sooner."""

    def runs_out(attempt: int, requests: Iterator[Message]) -> Iterator[Message]:
        for count, request in enumerate(requests):
            if attempt == 1 and count == 2:
                raise ChukanError("DEADLINE_EXCEEDED")
            yield request

    server = Server(runs_out)

    assert through(BatchStream(server, depth=2, waiting=QUICK), 6) == list(range(6))
    assert server.attempts == 2


def test_an_error_that_a_repetition_cannot_mend_is_raised_at_once() -> None:
    def refuses(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        next(requests)
        raise ChukanError("IDEMPOTENCY_CONFLICT")
        yield

    server = Server(refuses)

    with pytest.raises(ChukanError) as raised:
        through(BatchStream(server, depth=1, waiting=QUICK), 3)

    assert raised.value.code == "IDEMPOTENCY_CONFLICT"
    assert server.attempts == 1


def test_a_server_that_stays_away_is_given_up_when_patience_ends() -> None:
    def away(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        raise ChukanError("PEER_UNREACHABLE")
        yield from requests

    with pytest.raises(ChukanError) as raised:
        through(BatchStream(Server(away), depth=1, waiting=Waiting(1.0, 0.3, threading.Event())), 3)

    assert raised.value.code == "PEER_UNREACHABLE"


@pytest.mark.parametrize("delay", [8.0, 1e10, 3.15576e11])
def test_a_delay_beyond_the_patience_is_not_waited_for(delay: float) -> None:
    def busy() -> None:
        raise ChukanError("OVERLOADED", retry_after=delay)

    begun = time.monotonic()
    with pytest.raises(ChukanError) as raised:
        retried(busy, QUICK)

    assert (raised.value.code, raised.value.retry_after) == ("OVERLOADED", delay)
    assert time.monotonic() - begun < 0.5


def test_a_delay_within_the_patience_is_waited_for() -> None:
    times: list[float] = []

    def busy_once() -> int:
        times.append(time.monotonic())
        if len(times) == 1:
            raise ChukanError("OVERLOADED", retry_after=0.7)
        return 7

    assert retried(busy_once, QUICK) == 7
    assert times[1] - times[0] >= 0.7


@pytest.mark.parametrize(("status", "attempts"), [("UNAVAILABLE", 2), ("RESOURCE_EXHAUSTED", 2), ("NOT_FOUND", 1)])
def test_a_reason_of_a_newer_server_is_judged_by_its_status(status: str, attempts: int) -> None:
    made = 0

    def newer() -> None:
        nonlocal made
        made += 1
        known = {"reason": "OF_A_NEWER_SERVER", "status": status if made == 1 else "NOT_FOUND"}
        raise ChukanError("PEER_ANSWER_INVALID", params=known)

    with pytest.raises(ChukanError):
        retried(newer, QUICK)

    assert made == attempts


def test_a_stream_whose_deadline_is_over_again_and_again_is_given_up_when_patience_ends() -> None:
    def runs_out(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        next(requests)
        raise ChukanError("DEADLINE_EXCEEDED")
        yield

    server = Server(runs_out)

    with pytest.raises(ChukanError) as raised:
        through(BatchStream(server, depth=1, waiting=Waiting(1.0, 0.5, threading.Event())), 3)

    assert (raised.value.code, raised.value.params) == ("PEER_UNREACHABLE", {"status": "DEADLINE_EXCEEDED"})
    assert server.attempts > 1


def test_a_silent_server_is_given_up_so_that_no_lane_waits_for_ever() -> None:
    stop = threading.Event()

    def silent(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        next(requests)
        stop.wait(10)
        yield from ()

    with pytest.raises(ChukanError) as raised:
        through(BatchStream(Server(silent), depth=1, waiting=Waiting(0.5, 2.0, threading.Event())), 3)

    stop.set()
    assert raised.value.code == "DEADLINE_EXCEEDED"


def test_an_answer_to_another_batch_is_not_believed() -> None:
    def mixes_up(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        for request in requests:
            yield Message(request.batch_id + "x")

    with pytest.raises(ChukanError) as raised:
        through(BatchStream(Server(mixes_up), depth=1, waiting=QUICK), 2)

    assert raised.value.code == "PEER_ANSWER_INVALID"


def test_stopping_ends_every_wait() -> None:
    stop = threading.Event()
    ended = threading.Event()

    def silent(_: int, requests: Iterator[Message]) -> Iterator[Message]:
        next(requests)
        ended.wait(10)
        yield from ()

    threading.Timer(0.2, stop.set).start()
    with pytest.raises(ChukanError) as raised:
        through(BatchStream(Server(silent), depth=1, waiting=Waiting(60.0, 60.0, stop)), 3)

    ended.set()
    assert raised.value.code == "CALL_CANCELLED"
