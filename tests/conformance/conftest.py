# SPDX-License-Identifier: Apache-2.0
"""One prepared emulator for all tests of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.stage import Prepared, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the emulator's data and the profile are."""
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="session")
def stage(folder: Path) -> Iterator[Prepared]:
    """Start an emulator and prepare it."""
    with prepared(folder) as ready:
        yield ready
