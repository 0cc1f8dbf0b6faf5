# SPDX-License-Identifier: Apache-2.0
"""A world on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.exchange.world import SETAGAYA, SHINJUKU, World, build_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Yield a world in memory, and one on files."""
    made = build_world(None if request.param == "memory" else tmp_path)
    yield made
    made.foundation.database.close()


@pytest.fixture
def moved(world: World) -> str:
    """Return the number of a person who moved from 新宿区 to 世田谷区, with one tax record left there."""
    own = world.person(SETAGAYA, SHINJUKU)
    world.register(SHINJUKU, own)
    return own
