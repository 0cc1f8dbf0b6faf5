# SPDX-License-Identifier: Apache-2.0
"""A deadline that has passed means no work; one that passes meanwhile is counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from chukan.edge import EdgeConfig, PoolSize, PoolSizes
from chukan.edge.identity import deadline_of
from chukan.edge.local_context import LocalContext
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import FULL_NAME, METADATA, Edge, Start

if TYPE_CHECKING:
    from types import SimpleNamespace


def test_a_call_whose_deadline_passes_in_the_queue_never_reaches_its_handler(
    start: Start, echo: SimpleNamespace
) -> None:
    edge = start(EdgeConfig("127.0.0.1:0", pools=PoolSizes(unary=PoolSize(1, 10))))
    first = edge.stub.Say.future(echo.SayRequest(what="block"), metadata=METADATA)
    assert edge.behaviour.entered.acquire(timeout=5)

    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(echo.SayRequest(text="late"), metadata=METADATA, timeout=0.1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    edge.behaviour.gate.set()
    first.result(5)
    edge.stub.Say(echo.SayRequest(), metadata=METADATA, timeout=5)

    assert edge.behaviour.calls == 2


def test_an_expired_call_is_refused_before_identity_and_handler() -> None:
    with pytest.raises(ChukanError) as caught:
        deadline_of(LocalContext((), 0.0))

    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_the_caller_knows_how_long_it_has(edge: Edge, echo: SimpleNamespace) -> None:
    limited = edge.stub.Say(echo.SayRequest(what="caller"), metadata=METADATA, timeout=5).text
    unlimited = edge.stub.Say(echo.SayRequest(what="caller"), metadata=METADATA).text

    assert "deadline=None" in unlimited
    assert "deadline=None" not in limited


def test_work_done_after_the_deadline_is_counted(start: Start, echo: SimpleNamespace) -> None:
    edge = start()

    with pytest.raises(grpc.RpcError):
        edge.stub.Say(echo.SayRequest(what="sleep"), metadata=METADATA, timeout=0.1)

    labels = {"grpc_type": "unary", "grpc_service": FULL_NAME, "grpc_method": "Say"}
    for _ in range(100):
        if edge.sample("chukan_late_answers_total", **labels):
            return
        threading.Event().wait(0.02)
    pytest.fail("the late answer was not counted")
