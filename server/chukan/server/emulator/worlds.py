# SPDX-License-Identifier: Apache-2.0
"""The worlds of one process: made from images, each with its own time, names and faults, dropped and made anew.

The persistent world is the one without an id. Who builds the others is injected: this module knows neither databases
nor servers. A reset makes the next generation first and puts it in the former one's place; what was open in the former
one ends with WORLD_RESET.
"""

from __future__ import annotations

import logging
import secrets
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from chukan.server.emulator.clock import ClockMode, WorldClock
from chukan.server.emulator.faults import Faults
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chukan.standard.clock import Clock

__all__ = ["BUDGET", "Parts", "Plan", "World", "Worlds"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

DEFAULT: Final = ""
_IDLE: Final = timedelta(hours=1)
_TICK: Final = 1.0
BUDGET: Final = 1 << 30
_SAME_INSTANT: Final = 8
"""Rounds at one instant before time moves on: what is due again at once would hold the clock for ever."""


class Parts(Protocol):
    """What a world is made of, as its owner sees it."""

    @property
    def servicers(self) -> Mapping[str, object]:
        """What answers in it, by the full name of the service."""

    @property
    def generation(self) -> str:
        """Name of this generation, as statements made in it carry it."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def run_due(self) -> None:
        """Do what has become due."""

    def next_due(self) -> datetime | None:
        """Return when something falls due."""

    def drain(self, timeout: float) -> bool:
        """Wait until nothing due is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a world starts from; the same plan under the same id is the same world."""

    seed: str
    snapshot: str = ""
    random_seed: int = 0
    clock_mode: ClockMode | None = None
    clock_now: datetime | None = None
    idle: timedelta = _IDLE


@dataclass(slots=True, kw_only=True)
class World:
    """One generation of one world."""

    id: str
    generation: int
    asked: Plan
    """What it was made of at first; `plan`: what this generation was."""
    plan: Plan
    clock: WorldClock
    faults: Faults
    size: int
    parts: Parts
    created: datetime
    last_call: datetime
    called: float = field(default_factory=monotonic)
    ended: bool = False
    """Nothing answers in it any more: what was open there was reset."""
    kept: bool = False
    """Whether it is on disk."""
    moving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def servicers(self) -> Mapping[str, object]:
        """What answers in it."""
        return self.parts.servicers

    @property
    def name(self) -> str:
        """Name of this generation, as statements made in it carry it; empty once it has ended."""
        return self._of_parts(lambda: self.parts.generation) or ""

    def next_due(self) -> datetime | None:
        """Return when something falls due; nothing does once it has ended."""
        return self._of_parts(self.parts.next_due)

    def drain(self, seconds: float) -> bool:
        """Wait until nothing due is left, or raise WORLD_RESET."""
        idle = self._of_parts(lambda: self.parts.drain(seconds))
        if idle is None:
            raise ChukanError("WORLD_RESET")
        return idle

    def _of_parts(self, ask: Callable[[], _T]) -> _T | None:
        """Ask the parts, whose databases are closed at any moment once the world has ended."""
        try:
            return ask()
        except Exception:
            if not self.ended:
                raise
            return None

    def advance(self, until: datetime | None, deadline: float) -> None:
        """Move the clock on, doing everything at its hour; None: up to the next thing due."""
        try:
            self._advance(until, deadline)
        except Exception:
            if self.ended:
                raise ChukanError("WORLD_RESET") from None
            raise

    def _advance(self, until: datetime | None, deadline: float) -> None:
        with self.moving:
            if until is None:
                until = self.parts.next_due()
                if until is None:
                    return
            rounds, last = 0, None
            while (due := self.parts.next_due()) is not None and due <= until:
                rounds = rounds + 1 if due == last else 0
                last = due
                if rounds >= _SAME_INSTANT:
                    break
                self._reach(due, deadline)
            self._reach(until, deadline)

    def _reach(self, instant: datetime, deadline: float) -> None:
        if monotonic() > deadline:
            raise ChukanError("DEADLINE_EXCEEDED")
        self.clock.move_to(instant)
        self.parts.run_due()
        if not self.parts.drain(max(0.0, deadline - monotonic())):
            raise ChukanError("DEADLINE_EXCEEDED")


class Worlds:
    """All worlds but the persistent one's data; safe for threads.

    make: builds a world of a plan and says how many bytes it took. home: the persistent world.
    """

    def __init__(
        self,
        make: Callable[[str, Plan, WorldClock, Faults], tuple[Parts, int]],
        home: World,
        *,
        real: Clock | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._make = make
        self._real = real or SystemClock()
        self._budget = budget
        self._worlds = {DEFAULT: home}
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._enders: list[threading.Thread] = []

    @property
    def budget(self) -> int:
        """Bytes all worlds may take."""
        return self._budget

    def get(self, world_id: str) -> World:
        """Return a world as it is now, or WORLD_UNKNOWN."""
        world = self._worlds.get(world_id)
        if world is None:
            raise ChukanError("WORLD_UNKNOWN", field="world_id", params={"world": world_id})
        return world

    def called(self, world_id: str) -> World:
        """Return a world somebody calls in."""
        world = self.get(world_id)
        world.called = monotonic()
        world.last_call = self._real.now()
        return world

    def all(self) -> list[World]:
        """Return all of them in order of id; the persistent one is first."""
        return [world for _, world in sorted(self._worlds.items())]

    def create(self, world_id: str, plan: Plan) -> World:
        """Make a world; the same again is the one that is there."""
        with self._changing:
            known = self._worlds.get(world_id) if world_id else None
            if known is not None:
                if known.asked != plan:
                    raise ChukanError("WORLD_EXISTS", field="world_id")
                return known
            world_id = world_id or f"w-{secrets.token_hex(8)}"
            world = self._worlds[world_id] = self._made(world_id, plan, self._clock(plan, fresh=True), generation=1)
        self._keep_time()
        return world

    def reset(self, world_id: str, *, seed: str = "", keep_clock: bool = False, keep_faults: bool = False) -> World:
        """Put a new generation in a world's place; seed: what it starts from, if not from what it did."""
        with self._changing:
            former = self._droppable(world_id)
            plan = replace(former.plan, seed=seed) if seed else former.plan
            clock = former.clock if keep_clock else self._clock(plan)
            faults = former.faults.again(clock) if keep_faults else None
            world = self._made(
                world_id, plan, clock, generation=former.generation + 1, faults=faults, asked=former.asked
            )
            self._worlds[world_id] = world
        self._end(former)
        return world

    def delete(self, world_id: str) -> None:
        """Drop a world; an unknown one is dropped already."""
        with self._changing:
            if world_id and world_id not in self._worlds:
                return
            former = self._droppable(world_id)
            del self._worlds[world_id]
        self._end(former)

    def stop(self) -> None:
        """End all but the persistent one, which its owner ends."""
        self._stopping.set()
        with self._changing:
            ended = [self._worlds.pop(world_id) for world_id in list(self._worlds) if world_id]
        for world in ended:
            self._end(world)
        for thread in [*self._enders, self._keeper]:
            if thread is not None:
                thread.join(30.0)

    def _droppable(self, world_id: str) -> World:
        if not world_id:
            raise ChukanError("DEFAULT_WORLD_KEPT", field="world_id")
        return self.get(world_id)

    def _clock(self, plan: Plan, *, fresh: bool = False) -> WorldClock:
        """Return a plan's clock; at a reset not before real time, which may have passed the plan's meanwhile."""
        clock = WorldClock(self._real)
        now = plan.clock_now if fresh or plan.clock_now is None else max(plan.clock_now, clock.now())
        clock.set(plan.clock_mode, now)
        return clock

    def _made(
        self,
        world_id: str,
        plan: Plan,
        clock: WorldClock,
        *,
        generation: int,
        faults: Faults | None = None,
        asked: Plan | None = None,
    ) -> World:
        if self._stopping.is_set():
            raise ChukanError("SHUTTING_DOWN")
        faults = faults or Faults(clock, seed=f"{world_id}/{plan.random_seed}")
        parts, size = self._make(world_id, plan, clock, faults)
        taken = sum(world.size for world in self._worlds.values() if world.id != world_id)
        if taken + size > self._budget:
            parts.stop()
            raise ChukanError("WORLD_BUDGET_EXHAUSTED", params={"limit": str(self._budget)})
        parts.start()
        created = self._real.now()
        return World(
            id=world_id,
            generation=generation,
            asked=asked or plan,
            plan=plan,
            clock=clock,
            faults=faults,
            size=size,
            parts=parts,
            created=created,
            last_call=created,
        )

    def _end(self, world: World) -> None:
        """End a world nobody finds any more, on a thread of its own: its running steps may take a while."""
        world.ended = True
        world.faults.clear()
        thread = threading.Thread(target=world.parts.stop, name="chukan-world-end", daemon=True)
        self._enders = [each for each in self._enders if each.is_alive()]
        self._enders.append(thread)
        thread.start()

    def _keep_time(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._tick, name="chukan-worlds", daemon=True)
            self._keeper.start()

    def _tick(self) -> None:
        """Do what time has made due where it runs, and drop what nobody called for long."""
        while not self._stopping.wait(_TICK):
            for world in self.all()[1:]:
                if monotonic() - world.called > world.plan.idle.total_seconds():
                    self.delete(world.id)
                elif world.clock.mode is not ClockMode.FROZEN and not world.ended:
                    self._run_due(world)

    @staticmethod
    def _run_due(world: World) -> None:
        try:
            world.parts.run_due()
        except Exception as error:  # noqa: BLE001 the next tick finds the same again
            if not world.ended:  # else its database was closed under us
                _log.warning("timers of a world: %s", type(error).__name__)
