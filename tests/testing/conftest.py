# SPDX-License-Identifier: Apache-2.0
"""One emulator for each test file, a world for each test, made by hand: the plugin itself is tested from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chukan.testing import Emulator, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.in_process() as running:
        yield running


@pytest.fixture
def world(emulator: Emulator) -> Iterator[World]:
    with emulator.new_world() as made:
        yield made
