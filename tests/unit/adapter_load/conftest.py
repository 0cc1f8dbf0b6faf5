# SPDX-License-Identifier: Apache-2.0
"""A small dummy population's files, written once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from chukan.people.writing import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of 600 dummy residents of 新宿区 in CP932."""
    folder = tmp_path_factory.mktemp("town")
    write(folder, municipality="131041", count=600, seed=7, reference_date=date(2026, 10, 1), encoding="cp932")
    return folder
