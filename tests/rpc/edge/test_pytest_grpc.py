# SPDX-License-Identifier: Apache-2.0
"""pytest-grpc, in its real-server mode, works over the edge when its server is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

    import grpc

    from tests.rpc.edge.servers import Edge

from tests.rpc.edge.servers import METADATA


@pytest.fixture(scope="module")
def grpc_server(edge: Edge) -> Edge:
    """Take the place of the plug-in's own server."""
    return edge


@pytest.fixture(scope="module")
def grpc_addr(edge: Edge) -> str:
    return edge.target


@pytest.fixture(scope="module")
def grpc_stub_cls(echo: SimpleNamespace) -> Any:
    return echo.Stub


@pytest.fixture(scope="module")
def grpc_channel(grpc_create_channel: Any) -> Iterator[grpc.Channel]:
    with grpc_create_channel() as channel:
        yield channel


def test_a_stub_of_the_plug_in_reaches_our_server(grpc_stub: Any, echo: SimpleNamespace) -> None:
    assert grpc_stub.Say(echo.SayRequest(text="t"), metadata=METADATA).text == "t"


def test_so_does_health(grpc_channel: grpc.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(grpc_channel)

    assert stub.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
