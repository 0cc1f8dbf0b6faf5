# SPDX-License-Identifier: Apache-2.0
"""The worlds of one process: made from images, each with its own time, names and faults, dropped and made anew.

The persistent world is the one without an id. Who builds the others is injected: this module knows neither databases
nor servers. A reset makes the next generation first and puts it in the former one's place; what was open in the former
one ends with WORLD_RESET.
"""

from __future__ import annotations

import gc
import logging
import secrets
import threading
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from chukan.server.emulator.clock import ClockMode, WorldClock
from chukan.server.emulator.faults import Faults
from chukan.server.emulator.world import World
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.server.emulator.world import Parts, Plan
    from chukan.standard.clock import Clock

__all__ = ["BUDGET", "Worlds"]

_log = logging.getLogger(__name__)

DEFAULT: Final = ""
_TICK: Final = 1.0
_COLLECT_EVERY: Final = 32
"""Worlds that have ended before their memory is looked for; that takes some 30 ms."""
BUDGET: Final = 1 << 30


class Maker(Protocol):
    """Builds worlds."""

    def __call__(self, world_id: str, plan: Plan, clock: WorldClock, faults: Faults) -> tuple[Parts, int]:
        """Build one and say how many bytes it took."""

    def prepare(self, seed: str) -> None:
        """Have at hand what worlds of a seed begin with; it may take seconds the first time."""


class Worlds:
    """All worlds but the persistent one's data; safe for threads.

    home: the persistent world.
    """

    def __init__(
        self,
        maker: Maker,
        home: World,
        *,
        real: Clock | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._maker = maker
        self._real = real or SystemClock()
        self._budget = budget
        self._worlds = {DEFAULT: home}
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._enders: list[threading.Thread] = []
        self._ending = threading.Lock()
        self._taken_down = 0

    @property
    def budget(self) -> int:
        """Bytes all worlds may take."""
        return self._budget

    def get(self, world_id: str, *, field: str = "world_id") -> World:
        """Return a world as it is now, or WORLD_UNKNOWN; field: where it was named."""
        world = self._worlds.get(world_id)
        if world is None:
            raise ChukanError("WORLD_UNKNOWN", field=field)
        return world

    def called(self, world_id: str, *, field: str = "world_id") -> World:
        """Return a world somebody calls in."""
        world = self.get(world_id, field=field)
        world.called = monotonic()
        world.last_call = self._real.now()
        return world

    def all(self) -> list[World]:
        """Return all of them in order of id; the persistent one is first."""
        return [world for _, world in sorted(self._worlds.items())]

    def create(self, world_id: str, plan: Plan) -> World:
        """Make a world; the same again is the one that is there."""
        self._maker.prepare(plan.seed)
        with self._changing:
            known = self._worlds.get(world_id) if world_id else None
            if known is not None:
                if known.asked != plan:
                    raise ChukanError("WORLD_EXISTS", field="world_id")
                return self.called(world_id)
            world_id = world_id or f"w-{secrets.token_hex(8)}"
            world = self._worlds[world_id] = self._made(world_id, plan, self._clock(plan, fresh=True), generation=1)
        self._keep_time()
        return world

    def reset(self, world_id: str, *, seed: str = "", keep_clock: bool = False, keep_faults: bool = False) -> World:
        """Put a new generation in a world's place; seed: what it starts from, if not what the world was made from."""
        seed = seed or self._droppable(world_id).asked.seed
        self._maker.prepare(seed)
        with self._changing:
            former = self._droppable(world_id)
            plan = replace(former.asked, seed=seed)
            clock = former.clock.copy() if keep_clock else self._clock(plan)
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

    def _delete_idle(self, world: World) -> None:
        """Drop a world nobody called in, unless somebody did meanwhile, or reset it."""
        with self._changing:
            if self._worlds.get(world.id) is not world or not world.is_idle():
                return
            del self._worlds[world.id]
        self._end(world)

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
        parts, size = self._maker(world_id, plan, clock, faults)
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
        world.faults.end()
        thread = threading.Thread(target=self._take_down, args=(world,), name="chukan-world-end", daemon=True)
        with self._ending:
            self._enders = [each for each in self._enders if each.is_alive()]
            self._enders.append(thread)
        thread.start()

    def _take_down(self, world: World) -> None:
        world.parts.stop()
        with self._ending:
            self._taken_down += 1
            is_time = self._taken_down % _COLLECT_EVERY == 0
        if is_time:  # the parts of a world know each other in circles, which are seldom looked for
            gc.collect()

    def _keep_time(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._tick, name="chukan-worlds", daemon=True)
            self._keeper.start()

    def _tick(self) -> None:
        """Do what time has made due where it runs, and drop what nobody called for long."""
        while not self._stopping.wait(_TICK):
            for world in self.all()[1:]:
                if world.is_idle():
                    self._delete_idle(world)
                elif world.clock.mode is not ClockMode.FROZEN and not world.ended:
                    self._run_due(world)

    @staticmethod
    def _run_due(world: World) -> None:
        try:
            world.parts.run_due()
        except Exception as error:  # noqa: BLE001 the next tick finds the same again
            if not world.ended:  # else its database was closed under us
                _log.warning("timers of a world: %s", type(error).__name__)
