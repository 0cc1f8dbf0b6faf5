# SPDX-License-Identifier: Apache-2.0
"""Rules of the dead-letter file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.adapter.sources import RowFault
from chukan.adapter.sync.dead_letters import DeadLetters

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lane_that_outlives_its_run_writes_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    """After Ctrl-C the file is closed while a lane may still be on its way out."""
    with DeadLetters(tmp_path / "dead_letters.csv") as letters:
        letters.add("a.csv", RowFault(1, "VALUE_FORMAT", "name"))

    letters.add("a.csv", RowFault(2, "VALUE_FORMAT", "name"))
    letters.flush()

    assert letters.count == 1
    assert len((tmp_path / "dead_letters.csv").read_text("utf-8-sig").splitlines()) == 2
