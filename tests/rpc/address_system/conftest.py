# SPDX-License-Identifier: Apache-2.0
"""One address system for tests that use people of their own; `fresh` for those that need one to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rpc.address_system.body import Body, RunningSystem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    system = RunningSystem(tmp_path_factory.mktemp("address"))
    yield system
    system.close()


@pytest.fixture
def body(running: RunningSystem) -> Body:
    return running.body()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningSystem]:
    system = RunningSystem(tmp_path / "data")
    yield system
    system.close()
