# SPDX-License-Identifier: Apache-2.0
"""The echo service's generated code, and servers that end with their test."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from grpc_tools import protoc

from tests.rpc.edge.servers import Edge, Start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.edge import EdgeConfig

HERE = Path(__file__).parent
PROTOS = HERE.parents[2] / "protos"
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Generate the code of echo.proto."""
    out = tmp_path_factory.mktemp("echo")
    arguments = [
        "protoc",
        f"-I{HERE}",
        f"-I{PROTOS}",
        f"-I{WELL_KNOWN}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        "echo.proto",
    ]
    assert protoc.main(arguments) == 0
    sys.path.insert(0, str(out))
    messages, services = importlib.import_module("echo_pb2"), importlib.import_module("echo_pb2_grpc")
    sys.path.remove(str(out))
    return SimpleNamespace(
        SayRequest=messages.SayRequest,
        SayResponse=messages.SayResponse,
        Part=messages.Part,
        Servicer=services.EchoServiceServicer,
        Stub=services.EchoServiceStub,
        add=services.add_EchoServiceServicer_to_server,
    )


@pytest.fixture
def start(echo: SimpleNamespace) -> Iterator[Start]:
    """Start servers; they end with the test."""
    running: list[Edge] = []

    def begin(config: EdgeConfig | None = None, **options: Any) -> Edge:
        running.append(Edge(echo, config, **options))
        return running[-1]

    yield begin
    for one in running:
        one.close()


@pytest.fixture(scope="module")
def edge(echo: SimpleNamespace) -> Iterator[Edge]:
    """One server for tests that leave nothing behind."""
    running = Edge(echo)
    yield running
    running.close()
