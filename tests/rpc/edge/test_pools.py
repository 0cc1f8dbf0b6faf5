# SPDX-License-Identifier: Apache-2.0
"""A class of RPCs that is full never stops another class, and refuses at once instead of queueing without end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from chukan.edge import ChannelTransport, EdgeConfig, EdgeConfigError, PoolSize, PoolSizes, Service, build_server
from chukan.edge.errors import error_of_call
from chukan.monitoring import Metrics
from chukan.standard.clock import SystemClock
from tests.rpc.edge.servers import CALLER, FULL_NAME, METADATA, Edge, Start

if TYPE_CHECKING:
    from types import SimpleNamespace


def sized(**sizes: PoolSize) -> EdgeConfig:
    return EdgeConfig("127.0.0.1:0", pools=PoolSizes(**sizes))


def test_a_watch_beyond_the_budget_is_refused_and_a_closed_one_makes_room(start: Start, echo: SimpleNamespace) -> None:
    edge = start(sized(watch=PoolSize(2, 0, "WATCHES_EXHAUSTED")))
    watches = [edge.stub.Watch(echo.SayRequest(text="w"), metadata=METADATA) for _ in range(2)]
    assert [next(watch).text for watch in watches] == ["w", "w"]

    with pytest.raises(grpc.RpcError) as caught:
        next(edge.stub.Watch(echo.SayRequest(), metadata=METADATA))
    error = error_of_call(caught.value)
    assert (caught.value.code(), error.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHES_EXHAUSTED")
    assert error.retry_after == 1.0

    watches[0].cancel()
    assert _eventually(lambda: _first(edge, echo) == "again")


def _first(edge: Edge, echo: SimpleNamespace) -> str:
    try:
        text: str = next(edge.stub.Watch(echo.SayRequest(text="again"), metadata=METADATA)).text
    except grpc.RpcError:
        return ""
    return text


def test_full_watches_bulk_streams_and_member_calls_leave_unary_calls_and_health_alone(
    start: Start, echo: SimpleNamespace
) -> None:
    edge = start(
        sized(
            watch=PoolSize(1, 0, "WATCHES_EXHAUSTED"), bulk=PoolSize(1, 0), member=PoolSize(1, 0), unary=PoolSize(1, 0)
        )
    )
    next(edge.stub.Watch(echo.SayRequest(), metadata=METADATA))
    feed = threading.Event()
    poured = edge.stub.Pour(_held_open(echo, feed), metadata=METADATA)
    assert next(poured).text == "first"
    relayed = edge.stub.Relay.future(echo.SayRequest(what="block"), metadata=METADATA)
    assert edge.behaviour.entered.acquire(timeout=5)

    assert edge.stub.Say(echo.SayRequest(text="through"), metadata=METADATA, timeout=5).text == "through"

    said = edge.stub.Say.future(echo.SayRequest(what="block"), metadata=METADATA)
    assert edge.behaviour.entered.acquire(timeout=5)
    check = edge.channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=5) == b"\x08\x01"
    for call in (edge.stub.Say, edge.stub.Relay):
        with pytest.raises(grpc.RpcError) as caught:
            call(echo.SayRequest(), metadata=METADATA, timeout=5)
        assert error_of_call(caught.value).code == "OVERLOADED"
    edge.behaviour.gate.set()
    feed.set()
    assert (relayed.result(5).text, said.result(5).text) == ("", "")
    poured.cancel()


def _held_open(echo: SimpleNamespace, until: threading.Event) -> Any:
    yield echo.SayRequest(text="first")
    until.wait(10)


def test_calls_wait_in_a_pool_as_long_as_there_is_room(start: Start, echo: SimpleNamespace) -> None:
    edge = start(sized(unary=PoolSize(1, 5)))

    held = [edge.stub.Say.future(echo.SayRequest(what="block"), metadata=METADATA) for _ in range(6)]
    assert edge.behaviour.entered.acquire(timeout=5)
    assert _eventually(lambda: _refused(edge, echo))

    edge.behaviour.gate.set()
    assert [call.result(5).text for call in held] == [""] * 6


def _refused(edge: Edge, echo: SimpleNamespace) -> bool:
    try:
        edge.stub.Say(echo.SayRequest(), metadata=METADATA, timeout=0.2)
    except grpc.RpcError as error:
        return error_of_call(error).code == "OVERLOADED"  # type: ignore[arg-type]
    return False


def test_servers_that_call_each_other_finish_with_more_calls_in_flight_than_threads(
    start: Start, echo: SimpleNamespace
) -> None:
    """One asks the other, which asks back (unary → member → member), 32 at once on 8 threads each."""
    eight = sized(unary=PoolSize(8, 100), member=PoolSize(8, 100))
    peers: dict[str, ChannelTransport] = {}

    def onward(request: Any) -> Any:
        return echo.SayResponse(text=_call(peers["core"], echo, "0").text + request.text)

    def asking(_request: Any) -> Any:
        return _call(peers["member"], echo, "1")

    core = start(eight, relay=asking)
    member = start(eight, relay=onward)
    peers["core"], peers["member"] = ChannelTransport(core.target), ChannelTransport(member.target)

    with ThreadPoolExecutor(32) as callers:
        answers = list(callers.map(lambda _: _call(peers["member"], echo, "2").text, range(96)))

    assert answers == ["02"] * 96
    for peer in peers.values():
        peer.close()


def _call(peer: ChannelTransport, echo: SimpleNamespace, text: str) -> Any:
    return peer.call(f"/{FULL_NAME}/Relay", echo.SayRequest(text=text), echo.SayResponse, caller=CALLER, timeout=15)


@pytest.mark.parametrize(
    ("pools", "sentence"),
    [
        (
            {"Pour": "bulk", "Gather": "bulk"},
            "EchoService/Watch streams and can't run in the pool unary",
        ),
        ({"Pour": "member", "Gather": "bulk", "Watch": "watch"}, "can't run in the pool member"),
        ({"Pour": "bulk", "Gather": "bulk", "Watch": "wach"}, "got pool wach, expected one of unary, bulk, watch"),
        ({"Pour": "bulk", "Gather": "bulk", "Watch": "watch", "Sing": "bulk"}, "has no RPC Sing"),
    ],
)
def test_a_wrong_declaration_of_pools_stops_the_start(
    echo: SimpleNamespace, pools: dict[str, str], sentence: str
) -> None:
    service = Service(echo.Servicer(), echo.add, FULL_NAME, "unary", pools)

    with pytest.raises(EdgeConfigError, match=sentence):
        build_server(
            EdgeConfig("127.0.0.1:0"),
            [service],
            metrics=Metrics(CollectorRegistry()),
            clock=SystemClock(),
            ready=lambda: True,
        )


def _eventually(holds: Any) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.02)
    return False
