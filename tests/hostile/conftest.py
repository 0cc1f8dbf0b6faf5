# SPDX-License-Identifier: Apache-2.0
"""One real server process for all hostile tests; after each it must be alive and have been surprised by nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
import pytest

from chukan.command.demo.stage import ServerProcess
from tests.builders import SETAGAYA, SHINJUKU, Body, address_number, fresh_serial
from tests.hostile.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Stage:
    """The server, both bodies' systems, and two people whom both know: their numbers at each body."""

    world: World
    shinjuku: Body
    setagaya: Body
    provided: tuple[str, str]
    asked: tuple[str, str]

    @property
    def channel(self) -> grpc.Channel:
        """A channel to the server."""
        return self.world.channel

    def fresh(self, *, rows: int = 1) -> list[str]:
        """Return numbers of new addressees of 新宿区."""
        numbers = [address_number(fresh_serial()) for _ in range(rows)]
        self.shinjuku.register(numbers)
        return numbers


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Start the server."""
    server = ServerProcess(tmp_path_factory.mktemp("hostile"))
    with grpc.insecure_channel(server.target, [("grpc.max_send_message_length", -1)]) as channel:
        yield World(server, channel)
    code = server.stop()
    assert code == 0, server.last_words()


@pytest.fixture(scope="session")
def stage(world: World) -> Stage:
    """Let both bodies know two people, and 新宿区 hold a replica of each."""
    shinjuku, setagaya = Body(SHINJUKU, world.channel), Body(SETAGAYA, world.channel)
    serials = [fresh_serial(), fresh_serial()]
    provided, asked = shinjuku.link(serials), setagaya.link(serials)
    shinjuku.replicas(provided)
    return Stage(world, shinjuku, setagaya, (provided[0], provided[1]), (asked[0], asked[1]))


@pytest.fixture(autouse=True)
def _unsurprised(request: pytest.FixtureRequest) -> Iterator[None]:
    """Look at the server after each test that used it."""
    yield
    if "world" in request.fixturenames or "stage" in request.fixturenames:
        request.getfixturevalue("world").check()
