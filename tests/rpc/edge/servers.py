# SPDX-License-Identifier: Apache-2.0
"""Real servers on 127.0.0.1 with a service of every shape of RPC."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from prometheus_client import CollectorRegistry

from chukan.edge import Caller, EdgeConfig, Service, build_server, current_caller, unimplemented
from chukan.monitoring import Metrics
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import SimpleNamespace

    from chukan.edge import Interposer

ORGANIZATION = "0220113104101700"
OTHER_ORGANIZATION = "0220113112101700"
FULL_NAME = "chukan_test.v1.EchoService"
CALLER = Caller(organization=ORGANIZATION)
METADATA = CALLER.metadata()
#: Looks like a person's number in an exception's text; must never be seen outside.
CANARY = "canary-123456789018"
POOLS = {"Pour": "bulk", "Gather": "bulk", "Watch": "watch", "Relay": "member"}


class Start(Protocol):
    """What the fixture `start` gives: starts a server that ends with the test."""

    def __call__(self, config: EdgeConfig | None = None, **options: Any) -> Edge: ...


def _crash() -> None:
    raise KeyError(CANARY)


def _crash_with_cause() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise RuntimeError(CANARY) from error


def _refuse() -> None:
    raise ChukanError("ADDRESSEE_UNKNOWN", field="number", params={"row": "3"}, retry_after=1.5)


def _refuse_many() -> None:
    raise ChukanError("INVALID_FIELD", violations=[(f"rows[{n}].code", "a rule") for n in range(5000)])


def _refuse_record() -> None:
    raise ChukanError("ROW_SHORT")


class Behaviour:
    """What the echo service does; each server has its own, so that a test can hold it up and let it go."""

    def __init__(self, echo: SimpleNamespace, relay: Callable[[Any], Any] | None) -> None:
        self.echo = echo
        self.relay = relay
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.calls = 0
        self.times: list[float] = []
        self.refusals: list[ChukanError] = []
        self._acts: dict[str, Callable[[], None]] = {
            "": lambda: None,
            "refuse": _refuse,
            "refuse-many": _refuse_many,
            "refuse-record": _refuse_record,
            "crash": _crash,
            "crash-with-cause": _crash_with_cause,
            "sleep": lambda: time.sleep(0.3),
            "block": self._block,
        }

    def _block(self) -> None:
        self.entered.release()
        assert self.gate.wait(20)

    def answer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls += 1
        self.times.append(time.monotonic())
        if self.refusals:
            raise self.refusals.pop(0)
        if request.what == "caller":
            return self.echo.SayResponse(text=repr(current_caller()))
        if request.what == "abort":
            context.abort(grpc.StatusCode.DATA_LOSS, "a servicer of somebody else")
        self._acts[request.what]()
        return self.echo.SayResponse(text=request.text)

    def service(self) -> Service:
        return Service(_servicer(self.echo.Servicer, self), self.echo.add, FULL_NAME, "unary", POOLS)


def _servicer(generated: type, behaviour: Behaviour) -> Any:
    def say(_self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        return behaviour.answer(request, context)

    def relay(_self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        if behaviour.relay is not None and request.text != "0":
            return behaviour.relay(request)
        return behaviour.answer(request, context)

    def pour(_self: Any, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            yield behaviour.answer(request, context)

    def gather(_self: Any, requests: Iterator[Any], _context: grpc.ServicerContext) -> Any:
        return behaviour.echo.SayResponse(text=",".join(request.text for request in requests))

    def watch(_self: Any, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        yield behaviour.answer(request, context)
        while context.is_active() and not behaviour.gate.wait(0.02):
            pass

    methods = {
        "Say": say,
        "Relay": relay,
        "Later": unimplemented("later answers"),
        "Pour": pour,
        "Gather": gather,
        "Watch": watch,
    }
    return type("EchoServicer", (generated,), methods)()


def finished(answer: Any) -> None:
    """Read a stream to its end; one answer is at its end."""
    if hasattr(answer, "__next__"):
        list(answer)


class Edge:
    """One running server, its behaviour and its metrics."""

    def __init__(
        self,
        echo: SimpleNamespace,
        config: EdgeConfig | None = None,
        *,
        ready: Callable[[], bool] = lambda: True,
        relay: Callable[[Any], Any] | None = None,
        mode_of: Callable[[str], str] | None = None,
        interposer: Interposer | None = None,
    ) -> None:
        self.behaviour = Behaviour(echo, relay)
        self.metrics = Metrics(CollectorRegistry())
        self.server = build_server(
            config or EdgeConfig("127.0.0.1:0"),
            [replace(self.behaviour.service(), mode_of=mode_of)],
            metrics=self.metrics,
            clock=SystemClock(),
            ready=ready,
            interposer=interposer,
        )
        self.target = f"localhost:{self.server.port}"
        self.channel = grpc.insecure_channel(self.target)
        self.stub = echo.Stub(self.channel)
        self.server.start()

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    def close(self) -> None:
        self.behaviour.gate.set()
        self.channel.close()
        self.server.stop(None)
