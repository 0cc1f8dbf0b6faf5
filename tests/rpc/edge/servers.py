# SPDX-License-Identifier: Apache-2.0
"""Real servers on 127.0.0.1 with a service of every shape of RPC."""

from __future__ import annotations

import threading
import time
from typing import Any

import grpc
from chukan.edge import Caller, EdgeConfig, Service, build_server, current_caller, unimplemented
from chukan.monitoring import Metrics
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError
from prometheus_client import CollectorRegistry

ORGANIZATION = "0220113104101700"
OTHER_ORGANIZATION = "0220113112101700"
FULL_NAME = "chukan_test.v1.EchoService"
CALLER = Caller(organization=ORGANIZATION)
METADATA = CALLER.metadata()
#: Looks like a person's number in an exception's text; must never be seen outside.
CANARY = "canary-123456789018"
POOLS = {"Pour": "bulk", "Gather": "bulk", "Watch": "watch", "Relay": "member"}


class Behaviour:
    """What the echo service does; each server has its own, so that a test can hold it up and let it go."""

    def __init__(self, echo, relay=None) -> None:
        self.echo = echo
        self.relay = relay
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.calls = 0

    def answer(self, request, context):
        self.calls += 1
        match request.what:
            case "caller":
                return self.echo.SayResponse(text=repr(current_caller()))
            case "refuse":
                raise ChukanError("ADDRESSEE_UNKNOWN", field="number", params={"row": "3"}, retry_after=1.5)
            case "refuse-many":
                raise ChukanError("INVALID_FIELD", violations=[(f"rows[{n}].code", "a rule") for n in range(5000)])
            case "refuse-record":
                raise ChukanError("ROW_SHORT")
            case "crash":
                secret = CANARY
                raise KeyError(secret)
            case "crash-with-cause":
                try:
                    int(CANARY)
                except ValueError as error:
                    raise RuntimeError(CANARY) from error
            case "sleep":
                time.sleep(0.3)
            case "block":
                self.entered.release()
                assert self.gate.wait(20)
            case "abort":
                context.abort(grpc.StatusCode.DATA_LOSS, "a servicer of somebody else")
            case "wrong-type":
                return object()
        return self.echo.SayResponse(text=request.text)

    def service(self) -> Service:
        behaviour = self

        class Servicer(self.echo.Servicer):
            def Say(self, request, context):
                return behaviour.answer(request, context)

            def Relay(self, request, context):
                if behaviour.relay is not None and request.text != "0":
                    return behaviour.relay(request)
                return behaviour.answer(request, context)

            Later = unimplemented("later answers")

            def Pour(self, requests, context):
                for request in requests:
                    yield behaviour.answer(request, context)

            def Gather(self, requests, context):
                return behaviour.echo.SayResponse(text=",".join(request.text for request in requests))

            def Watch(self, request, context):
                yield behaviour.answer(request, context)
                while context.is_active() and not behaviour.gate.wait(0.02):
                    pass

        return Service(Servicer(), self.echo.add, FULL_NAME, "unary", POOLS)


class Edge:
    """One running server, its behaviour and its metrics."""

    def __init__(self, echo, config=None, *, ready=lambda: True, relay=None) -> None:
        self.behaviour = Behaviour(echo, relay)
        self.echo = echo
        self.metrics = Metrics(CollectorRegistry())
        self.server = build_server(
            config or EdgeConfig("127.0.0.1:0"),
            [self.behaviour.service()],
            metrics=self.metrics,
            clock=SystemClock(),
            ready=ready,
        )
        self.target = f"localhost:{self.server.port}"
        self.channel = grpc.insecure_channel(self.target)
        self.stub = echo.Stub(self.channel)
        self.server.start()

    def sample(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)

    def close(self) -> None:
        self.behaviour.gate.set()
        self.channel.close()
        self.server.stop(None)
