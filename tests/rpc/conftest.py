# SPDX-License-Identifier: Apache-2.0
"""The emulator over real gRPC on a file database: once with the network in the same process, once as its own server.

One contract suite runs over both. An emulator lives as long as a test file; tests use people of their own
(`builders.fresh_serial`).
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from chukan.edge.server import EdgeConfig, build_server
from chukan.network.v1 import network_service_pb2 as network_pb2
from chukan.server.app import ServerApp, build
from chukan.server.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.standard.clock import Clock


def _load_builders() -> object:
    """Make tests/builders.py importable as `builders`: test folders are no packages."""
    spec = importlib.util.spec_from_file_location("builders", Path(__file__).parents[1] / "builders.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["builders"] = module
    spec.loader.exec_module(module)
    return module


if "builders" not in sys.modules:
    _load_builders()
sys.modules.setdefault("chukan_rpc_conftest", sys.modules[__name__])  # for tests that start servers of their own

from builders import SETAGAYA, SHINJUKU, Body, eventually  # noqa: E402  # found by the lines above


@dataclass
class Running:
    """One server process's worth: an app behind a port."""

    app: ServerApp
    address: str


@contextmanager
def serve(config: Config, *, clock: Clock | None = None, listen: str = "127.0.0.1:0") -> Iterator[Running]:
    """Serve a role, on a free port of this machine if none is given."""
    app = build(config, clock=clock)
    try:
        edge = EdgeConfig(listen, unvalidated=app.unvalidated)
        server = build_server(edge, app.services, metrics=app.metrics, clock=app.clock, ready=app.ready)
        address = f"127.0.0.1:{server.port}"
        server.start()
        app.start(address)
        yield Running(app, address)
        server.stop(1.0)
    finally:
        app.stop()


@dataclass
class Emulator:
    """What a test talks to. middle and network are the same where both are in one process."""

    middle: Running
    network: Running
    channel: grpc.Channel
    network_channel: grpc.Channel

    @property
    def separate(self) -> bool:
        """Whether the network is a server of its own."""
        return self.middle is not self.network

    def body(self, organization: str) -> Body:
        """Return an organization's systems."""
        return Body(organization, self.channel, self.network_channel)

    @property
    def shinjuku(self) -> Body:
        """新宿区, the provider of most tests."""
        return self.body(SHINJUKU)

    @property
    def setagaya(self) -> Body:
        """世田谷区, the inquirer of most tests."""
        return self.body(SETAGAYA)


@contextmanager
def emulate(directory: Path, *, separate: bool, clock: Clock | None = None) -> Iterator[Emulator]:
    """Serve everything in one process, or the network apart from the middle servers."""
    quick = {"synchronous": "OFF", "control": "", "metrics": ""}
    with ExitStack() as stack:
        if separate:
            core = Config(data=directory / "core", role="network", authority=directory / "middle" / "keys", **quick)
            network = stack.enter_context(serve(core, clock=clock))
            config = Config(data=directory / "middle", role="middle", network=network.address, **quick)
            middle = stack.enter_context(serve(config, clock=clock))
        else:
            middle = network = stack.enter_context(serve(Config(data=directory, **quick), clock=clock))
        channel = stack.enter_context(grpc.insecure_channel(middle.address))
        network_channel = stack.enter_context(grpc.insecure_channel(network.address))
        emulator = Emulator(middle, network, channel, network_channel)
        if separate:
            _await_members(emulator)
        yield emulator


def _await_members(emulator: Emulator) -> None:
    """Wait until every middle server has announced itself to the network."""
    body = emulator.setagaya
    request = network_pb2.PullMasterRequest()
    most = len(emulator.middle.app.foundation.organizations)
    eventually(lambda: len(body.network.PullMaster(request, metadata=body.metadata).members) == most)


@pytest.fixture(scope="module", params=["in_process", "separate"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Yield the emulator with the network in process, and with the network as its own server."""
    with emulate(tmp_path_factory.mktemp("emulator"), separate=request.param == "separate") as running:
        yield running
