# SPDX-License-Identifier: Apache-2.0
"""One contract for memory and file: the address system without gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chukan.address_system import app
from chukan.address_system.environment import Actor, Environment
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chukan.edge import Transport

SHINJUKU = "0220113104101700"


def no_network() -> Transport:
    raise ChukanError("PEER_UNREACHABLE")


@pytest.fixture
def actor() -> Actor:
    return Actor(SHINJUKU, system="test")


@pytest.fixture(params=["memory", "file"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Environment]:
    system = app.build(network=no_network, data=tmp_path if request.param == "file" else None, synchronous="OFF")
    system.environment.vault.prepare([SHINJUKU])
    system.environment.tenants.prepare(SHINJUKU)
    yield system.environment
    system.environment.database.close()
