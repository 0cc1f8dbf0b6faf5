# SPDX-License-Identifier: Apache-2.0
"""The echo service's generated code, and servers that end with their test."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from grpc_tools import protoc

from tests.rpc.edge.servers import Edge

HERE = Path(__file__).parent
PROTOS = HERE.parents[2] / "protos"
WELL_KNOWN = Path(protoc.__file__).parent / "_proto"


@pytest.fixture(scope="session")
def echo(tmp_path_factory):
    """The generated code of echo.proto."""
    out = tmp_path_factory.mktemp("echo")
    arguments = ["protoc", f"-I{HERE}", f"-I{PROTOS}", f"-I{WELL_KNOWN}", f"--python_out={out}", f"--grpc_python_out={out}", "echo.proto"]
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
def start(echo):
    """Start servers; they end with the test."""
    running = []

    def begin(config=None, **options):
        running.append(Edge(echo, config, **options))
        return running[-1]

    yield begin
    for edge in running:
        edge.close()


@pytest.fixture(scope="module")
def edge(echo):
    """One server for tests that leave nothing behind."""
    running = Edge(echo)
    yield running
    running.close()
