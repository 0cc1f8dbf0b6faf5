# SPDX-License-Identifier: Apache-2.0
"""How a world's clock is moved on: from one thing due to the next, and no longer than the caller waits."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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

    def __init__(self, clock: WorldClock, seconds: float, *, begun: datetime = FAR) -> None:
        self._begun = begun
        self.servicers: dict[str, object] = {}
        self.done: list[datetime] = []
        self._clock = clock
        self._seconds = seconds

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def run_due(self) -> Counter[str]:
        self.done.append(self._clock.now())
        sleep(self._seconds)
        return Counter(minute=1)

    def next_due(self) -> datetime:
        return (self.done[-1] if self.done else self._begun) + MINUTE

    def drain(self, _timeout: float) -> bool:
        return True


def made(seconds: float = 0.0) -> tuple[World, EveryMinute]:
    clock = WorldClock(SystemClock())
    clock.set(ClockMode.FROZEN, FAR)
    parts = EveryMinute(clock, seconds)
    return made_of(clock, parts), parts


def made_of(clock: WorldClock, parts: EveryMinute) -> World:
    plan = Plan(seed="EMPTY")
    return World(
        id="w",
        generation=1,
        asked=plan,
        plan=plan,
        clock=clock,
        faults=Faults(clock, seed=""),
        size=0,
        parts=parts,
        created=FAR,
        last_call=FAR,
    )


@dataclass
class Waits:
    """A caller who waits for so many seconds."""

    seconds: float = 10.0
    since: float = field(default_factory=monotonic)

    def left(self) -> float:
        return max(0.0, self.since + self.seconds - monotonic())


def test_everything_is_done_at_its_instant() -> None:
    world, parts = made()

    ran = world.advance_by(3.5 * MINUTE, Waits())

    assert ran == {"minute": 4}
    assert parts.done == [FAR + MINUTE, FAR + 2 * MINUTE, FAR + 3 * MINUTE, FAR + 3.5 * MINUTE]


def test_the_clock_stands_where_the_callers_time_was_over() -> None:
    """Nothing behind it is done, and what is done is not done again."""
    world, parts = made(seconds=0.02)

    with pytest.raises(ChukanError, match="DEADLINE_EXCEEDED"):
        world.advance_to(FAR + 10_000 * MINUTE, Waits(0.1), named="until")

    assert 1 <= len(parts.done) < 20
    assert world.clock.now() == parts.done[-1]


def test_each_of_many_who_move_a_clock_at_once_moves_it() -> None:
    world, parts = made()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.advance_by(5 * MINUTE, Waits()), range(8)))

    assert world.clock.now() == FAR + 40 * MINUTE
    assert parts.done == sorted(parts.done)


def test_who_waits_for_another_to_move_it_waits_no_longer_than_he_said() -> None:
    world, _ = made(seconds=0.05)
    long = threading.Thread(target=world.advance_by, args=(20 * MINUTE, Waits()))
    long.start()
    sleep(0.02)
    begun = monotonic()

    with pytest.raises(ChukanError, match="DEADLINE_EXCEEDED"):
        world.advance_by(MINUTE, Waits(0.1))

    assert monotonic() - begun < 0.5
    long.join()


def test_a_world_that_ends_is_moved_no_further() -> None:
    """Its next generation may go on by a copy of its clock, which stays where it was."""
    world, parts = made(seconds=0.02)
    kept = world.clock.copy()
    ending = threading.Timer(0.1, lambda: setattr(world, "ended", True))
    ending.start()

    with pytest.raises(ChukanError, match="WORLD_RESET"):
        world.advance_by(10_000 * MINUTE, Waits())

    assert len(parts.done) < 20
    assert (kept.now(), kept.mode) == (FAR, ClockMode.FROZEN)


def test_a_clock_that_falls_in_with_real_time_does_what_was_due_until_then() -> None:
    """And not what is due later, though it is asked at once."""
    clock = WorldClock(SystemClock())
    begun = clock.now() - 2.5 * MINUTE
    clock._place(ClockMode.FROZEN, begun)  # one made two minutes ago
    parts = EveryMinute(clock, 0.0, begun=begun)
    world = made_of(clock, parts)

    world.set_mode(ClockMode.SYSTEM, Waits())

    assert parts.done[:2] == [begun + MINUTE, begun + 2 * MINUTE]
    assert (len(parts.done), clock.mode) == (3, ClockMode.SYSTEM)


@pytest.mark.parametrize("step", [timedelta(days=3660 * 1000), timedelta.max])
def test_no_clock_goes_where_dates_end(step: timedelta) -> None:
    world, parts = made()

    with pytest.raises(ChukanError, match="INVALID_FIELD"):
        world.advance_by(step, Waits())

    assert not parts.done


def test_what_is_due_again_at_once_does_not_hold_the_clock_for_ever() -> None:
    world, parts = made()
    parts.next_due = lambda: FAR + MINUTE  # type: ignore[method-assign]

    world.advance_by(2 * MINUTE, Waits())

    assert world.clock.now() == FAR + 2 * MINUTE
    assert len(parts.done) < 20


def test_a_clock_is_not_moved_on_while_what_is_due_is_not_done() -> None:
    world, parts = made()
    parts.drain = lambda _timeout: False  # type: ignore[method-assign]

    with pytest.raises(ChukanError, match="DEADLINE_EXCEEDED"):
        world.advance_by(2 * MINUTE, Waits())

    assert world.clock.now() == FAR + MINUTE
