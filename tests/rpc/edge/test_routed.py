# SPDX-License-Identifier: Apache-2.0
"""One service, many homes: a call is answered where its caller's world is, and is told when that ends under it."""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from chukan.edge import InProcessTransport
from chukan.edge.guard import Guard
from chukan.edge.identity import Identity
from chukan.edge.local_context import CallEnded, LocalContext
from chukan.edge.routed import routed
from chukan.edge.validation import Validation
from chukan.monitoring import Metrics
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import CALLER, FULL_NAME, Behaviour

if TYPE_CHECKING:
    from types import SimpleNamespace

    from chukan.edge import Caller


@dataclass
class House:
    """A world of the echo service."""

    behaviour: Behaviour
    ended: bool = False
    servicers: dict[str, Any] = field(default_factory=dict)

    def visited(self) -> nullcontext[None]:
        """Count nothing."""
        return nullcontext()

    def __post_init__(self) -> None:
        self.servicers = {FULL_NAME: self.behaviour.service().servicer}


class Ends:
    """Remembers the reasons calls ended with."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def enter(self, _method: str, _caller: Caller, *, peer: str = "") -> Ends:
        assert not peer
        return self

    def message(self, message: object) -> None:
        """Let it pass."""

    def answer(self, answer: object) -> None:
        """Let it pass."""

    def end(self, _code: str, reason: str) -> None:
        self.reasons.append(reason)


class Town:
    """The echo service in its own home and in one world."""

    def __init__(self, echo: SimpleNamespace) -> None:
        self.own = Behaviour(echo, None)
        self.world = House(Behaviour(echo, None))
        service = routed(self.own.service(), self._home)
        metrics = Metrics(CollectorRegistry())
        self.counted: list[str] = []
        self.ends = Ends()
        metrics.note_refused = lambda reason, _count=1: self.counted.append(reason)  # type: ignore[method-assign]
        identity = Identity(tls=False, worlds=True)
        guard = Guard(metrics=metrics, identity=identity, validation=Validation(), interposer=self.ends)
        self._handlers = guard.handlers(service)

    def _home(self, caller: Caller) -> House | None:
        if not caller.world:
            return None
        if caller.world != "w":
            raise ChukanError("WORLD_UNKNOWN")
        return self.world

    def call(self, method: str, request: Any, world: str) -> tuple[Any, LocalContext]:
        """Call as a server would, on a thread of its own as far as contexts go: who calls is kept in one."""
        handler = self._handlers[f"/{FULL_NAME}/{method}"]
        context, thread = LocalContext(replace(CALLER, world=world).metadata(), 10.0), copy_context()
        if not handler.response_streaming:
            return thread.run(handler.unary_unary, request, context), context
        answers = thread.run(handler.unary_stream, request, context)
        return iter(lambda: thread.run(next, answers), None), context


@pytest.fixture
def town(echo: SimpleNamespace) -> Town:
    return Town(echo)


def test_a_call_is_answered_in_its_callers_world(town: Town, echo: SimpleNamespace) -> None:
    for world in ("", "w", "w"):
        town.call("Say", echo.SayRequest(text="1"), world)

    assert (town.own.calls, town.world.behaviour.calls) == (1, 2)


def test_a_world_nobody_made_is_unknown(town: Town, echo: SimpleNamespace) -> None:
    with pytest.raises(CallEnded):
        town.call("Say", echo.SayRequest(), "x")

    assert town.own.calls == 0
    assert town.ends.reasons == ["WORLD_UNKNOWN"]


def test_a_stream_that_is_open_when_its_world_ends_is_told_so(town: Town, echo: SimpleNamespace) -> None:
    answers, context = town.call("Watch", echo.SayRequest(text="1"), "w")
    assert next(answers).text == "1"

    town.world.ended = True
    town.world.behaviour.gate.set()
    with pytest.raises(CallEnded):
        next(answers)

    assert context.code() is grpc.StatusCode.ABORTED
    assert town.ends.reasons == ["WORLD_RESET"]


def test_what_breaks_because_a_world_ended_is_said_to_be_that(town: Town, echo: SimpleNamespace) -> None:
    town.world.ended = True

    with pytest.raises(CallEnded):
        town.call("Say", echo.SayRequest(what="crash"), "w")

    assert town.world.behaviour.calls == 1
    assert town.ends.reasons == ["WORLD_RESET"]


def test_what_is_refused_in_a_world_is_no_figure_of_the_server(town: Town, echo: SimpleNamespace) -> None:
    """Tests provoke refusals; whoever watches the server must not be called for them."""
    for world in ("w", "", "x"):
        with pytest.raises(CallEnded):
            town.call("Say", echo.SayRequest(what="refuse"), world)

    assert len(town.ends.reasons) == 3
    assert town.counted == town.ends.reasons[1:2]


def test_what_is_done_when_its_world_ends_is_not_said_to_be_done(town: Town, echo: SimpleNamespace) -> None:
    town.world.ended = True

    with pytest.raises(CallEnded):
        town.call("Say", echo.SayRequest(text="1"), "w")

    assert (town.world.behaviour.calls, town.ends.reasons) == (1, ["WORLD_RESET"])


def test_what_no_world_offers_is_said_by_its_name(town: Town, echo: SimpleNamespace) -> None:
    service = routed(town.own.service(), lambda _caller: town.world)
    local = InProcessTransport([service], metrics=Metrics(CollectorRegistry()))

    with pytest.raises(ChukanError) as caught:
        local.call(f"/{FULL_NAME}/Later", echo.SayRequest(), echo.SayResponse, caller=CALLER)

    assert (caught.value.code, caught.value.feature) == ("FEATURE_NOT_AVAILABLE", "later answers")
