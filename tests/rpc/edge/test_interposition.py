# SPDX-License-Identifier: Apache-2.0
"""What stands between caller and handler sees every call, can end it before anything is done, or lose its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from chukan.edge import CutOffError, InProcessTransport, InterposedTransport
from chukan.monitoring import Metrics
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import CALLER, FULL_NAME, METADATA, ORGANIZATION, Edge, Start, finished

if TYPE_CHECKING:
    from types import SimpleNamespace

    from chukan.edge import Caller

PEER = "0220113112101700"
CUT = CutOffError(grpc.StatusCode.UNAVAILABLE)


@dataclass
class Watcher:
    """Notes what passes, and raises where a test says so: at "enter", or at a message's or an answer's text."""

    raises: dict[str, Exception] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def enter(self, full_method: str, caller: Caller, *, peer: str = "") -> Watcher:
        self._pass("enter", f"{full_method.rpartition('/')[2]} of {caller.organization} to {peer or 'here'}")
        return self

    def message(self, message: Any) -> None:
        self._pass(f"message {message.text}", f"message {message.text}")

    def answer(self, answer: Any) -> None:
        self._pass(f"answer {answer.text}", f"answer {answer.text}")

    def end(self, code: str, reason: str) -> None:
        self.ended.append(f"{code} {reason}".strip())

    def _pass(self, place: str, seen: str) -> None:
        self.seen.append(seen)
        if place in self.raises:
            raise self.raises[place]


def test_messages_and_answers_of_every_shape_are_seen_in_order(start: Start, echo: SimpleNamespace) -> None:
    watcher = Watcher()
    edge = start(interposer=watcher)
    edge.behaviour.gate.set()
    both = [echo.SayRequest(text="1"), echo.SayRequest(text="2")]

    seen = {}
    for name, request in (("Say", both[0]), ("Watch", both[0]), ("Gather", iter(both)), ("Pour", iter(both))):
        finished(getattr(edge.stub, name)(request, metadata=METADATA))
        entered, *seen[name] = watcher.seen
        watcher.seen.clear()
        assert entered == f"{name} of {ORGANIZATION} to here"

    assert seen == {
        "Say": ["message 1", "answer 1"],
        "Watch": ["message 1", "answer 1"],
        "Gather": ["message 1", "message 2", "answer 1,2"],
        "Pour": ["message 1", "answer 1", "message 2", "answer 2"],
    }


@pytest.mark.parametrize(("place", "done"), [("enter", 0), ("message 1", 0), ("answer 1", 1)])
def test_a_call_cut_off_has_a_status_without_a_reason_and_was_done_only_if_its_answer_was_cut(
    start: Start, echo: SimpleNamespace, place: str, done: int
) -> None:
    edge = start(interposer=Watcher({place: CUT}))

    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(echo.SayRequest(text="1"), metadata=METADATA)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not caught.value.details()
    assert edge.behaviour.calls == done


@pytest.mark.parametrize(
    ("name", "what", "expected"),
    [
        ("Say", "", "OK"),
        ("Say", "refuse", "NotFound ADDRESSEE_UNKNOWN"),
        ("Say", "crash", "Internal"),
        ("Say", "abort", "DataLoss"),
        ("Say", "x" * 41, "InvalidArgument INVALID_FIELD"),
        ("Watch", "", "OK"),
        ("Watch", "refuse", "NotFound ADDRESSEE_UNKNOWN"),
    ],
)
def test_it_is_told_how_each_call_ended(
    start: Start, echo: SimpleNamespace, name: str, what: str, expected: str
) -> None:
    watcher = Watcher()
    edge = start(interposer=watcher)
    edge.behaviour.gate.set()
    request = echo.SayRequest(text=what) if len(what) > 40 else echo.SayRequest(what=what)

    try:
        finished(getattr(edge.stub, name)(request, metadata=METADATA))
    except grpc.RpcError:
        assert expected != "OK"

    assert watcher.ended == [expected]


def test_a_batch_in_the_middle_of_a_stream_can_be_done_and_its_answer_lost(start: Start, echo: SimpleNamespace) -> None:
    edge = start(interposer=Watcher({"answer 2": CUT}))
    answers = edge.stub.Pour((echo.SayRequest(text=text) for text in "123"), metadata=METADATA)

    got = [next(answers).text]
    with pytest.raises(grpc.RpcError):
        got.append(next(answers).text)

    assert got == ["1"]
    assert edge.behaviour.calls == 2


def test_an_invalid_message_is_refused_before_it_is_shown(start: Start, echo: SimpleNamespace) -> None:
    watcher = Watcher()
    edge = start(interposer=watcher)

    with pytest.raises(grpc.RpcError):
        edge.stub.Say(echo.SayRequest(text="x" * 41), metadata=METADATA)

    assert len(watcher.seen) == 1


def test_health_is_never_interposed(start: Start) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    watcher = Watcher({"enter": CUT})
    edge = start(interposer=watcher)

    answer = health_pb2_grpc.HealthStub(edge.channel).Check(health_pb2.HealthCheckRequest())

    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert not watcher.seen


@pytest.mark.parametrize(("place", "done"), [("enter", 0), ("message 1", 0), ("answer 1", 1)])
def test_a_call_that_leaves_can_be_ended_on_its_way_to_a_peer_or_back(
    edge: Edge, echo: SimpleNamespace, place: str, done: int
) -> None:
    watcher = Watcher({place: ChukanError("PEER_UNREACHABLE", params={"peer": PEER})})
    local = InProcessTransport([edge.behaviour.service()], metrics=Metrics(CollectorRegistry()))
    before = edge.behaviour.calls

    with pytest.raises(ChukanError) as caught:
        InterposedTransport(local, watcher, peer=PEER).call(
            f"/{FULL_NAME}/Say", echo.SayRequest(text="1"), echo.SayResponse, caller=CALLER
        )

    assert caught.value.code == "PEER_UNREACHABLE"
    assert watcher.seen[0] == f"Say of {ORGANIZATION} to {PEER}"
    assert watcher.ended == ([] if place == "enter" else ["Unavailable PEER_UNREACHABLE"])
    assert edge.behaviour.calls - before == done
