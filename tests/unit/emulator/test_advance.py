# SPDX-License-Identifier: Apache-2.0
"""How a world's clock is moved on: from one thing due to the next, and no longer than the caller waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest

from chukan.server.emulator.clock import ClockMode, WorldClock
from chukan.server.emulator.faults import Faults
from chukan.server.emulator.world import Plan, World
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

FAR = datetime(2040, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class EveryMinute:
    """A world in which something falls due each minute and takes a while."""

    generation = "g"

    def __init__(self, clock: WorldClock, seconds: float) -> None:
        self.servicers: dict[str, object] = {}
        self.done: list[datetime] = []
        self._clock = clock
        self._seconds = seconds

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def run_due(self) -> None:
        self.done.append(self._clock.now())
        sleep(self._seconds)

    def next_due(self) -> datetime:
        return (self.done[-1] if self.done else FAR) + MINUTE

    def drain(self, _timeout: float) -> bool:
        return True


def made(seconds: float = 0.0) -> tuple[World, EveryMinute]:
    clock = WorldClock(SystemClock())
    clock.set(ClockMode.FROZEN, FAR)
    parts = EveryMinute(clock, seconds)
    world = World(
        id="w",
        generation=1,
        asked=Plan(seed="EMPTY"),
        plan=Plan(seed="EMPTY"),
        clock=clock,
        faults=Faults(clock, seed=""),
        size=0,
        parts=parts,
        created=FAR,
        last_call=FAR,
    )
    return world, parts


def test_everything_is_done_at_its_instant() -> None:
    world, parts = made()

    world.advance(FAR + 3.5 * MINUTE, monotonic() + 10)

    assert parts.done == [FAR + MINUTE, FAR + 2 * MINUTE, FAR + 3 * MINUTE, FAR + 3.5 * MINUTE]


def test_the_clock_stands_where_the_callers_time_was_over() -> None:
    """Nothing behind it is done, and what is done is not done again."""
    world, parts = made(seconds=0.02)

    with pytest.raises(ChukanError, match="DEADLINE_EXCEEDED"):
        world.advance(FAR + 10_000 * MINUTE, monotonic() + 0.1)

    assert 1 <= len(parts.done) < 20
    assert world.clock.now() == parts.done[-1]
