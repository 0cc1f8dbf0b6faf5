# SPDX-License-Identifier: Apache-2.0
"""Server and adapter killed at random moments: what was acknowledged is there, once. `make chaos` plays it longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.hostile.chaos import Chaos

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_acknowledged_outlives_every_kill_and_stands_once(tmp_path: Path) -> None:
    seed = time.time_ns() % 1_000_000
    chaos = Chaos(tmp_path, seed, rounds=2)

    try:
        said = chaos.play()
    except AssertionError as error:
        error.add_note(f"make chaos ROUNDS=2 SEED={seed}")
        raise

    assert chaos.kills["server"] == 2, said
