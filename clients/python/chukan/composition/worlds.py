# SPDX-License-Identifier: Apache-2.0
"""The worlds beside the one `chukan serve` keeps on disk: how they are made, and what they share.

They share the port, its threads and what validation has learnt; nothing else. Figures of all of them are counted in one
registry that nobody scrapes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from chukan.composition.seeds import STANDARD_PEOPLE, standard_seed
from chukan.composition.world import World, build_world, in_memory
from chukan.edge.validation import Validation
from chukan.monitoring import Metrics
from chukan.server.emulator.clock import WorldClock
from chukan.server.emulator.faults import Faults
from chukan.server.emulator.world import Plan
from chukan.server.emulator.world import World as Home
from chukan.server.emulator.worlds import BUDGET, Worlds
from chukan.server.middle.replicas import usual_send_cap
from chukan.server.rpc.fault_interposer import FaultInterposer
from chukan.standard.clock import SystemClock
from chukan.standard.ids import SeededIds
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chukan.composition.world import WorldImage
    from chukan.server.config import Config

__all__ = ["WorldMaker", "all_worlds"]


class _Parts:
    """A world as its owner sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.servicers: Mapping[str, Any] = {each.full_name: each.servicer for each in world.services}
        self.start, self.run_due, self.next_due = world.start, world.run_due, world.next_due
        self.drain = world.drain
        self.stop = world.stop

    @property
    def generation(self) -> str:
        """Name of this generation, as statements made in it carry it."""
        return self._world.server.foundation.world_generation(draw=True)


class WorldMaker:
    """Makes worlds of a plan; images of seeds are taken once, when they are first wanted.

    people: records of each resident register of the standard seed, 0 for as many as usual.
    """

    def __init__(self, config: Config, *, people: int = 0) -> None:
        self._config = in_memory(config)
        self._people = people or STANDARD_PEOPLE
        self._images: dict[str, WorldImage] = {}
        self._taking = threading.Lock()
        self._metrics = Metrics(CollectorRegistry())
        self._validation = Validation()

    def __call__(self, world_id: str, plan: Plan, clock: WorldClock, faults: Faults) -> tuple[_Parts, int]:
        """Build a world; WORLDS_NOT_OFFERED where its network or its members would be elsewhere."""
        if self._config.role != "all":
            raise ChukanError("WORLDS_NOT_OFFERED")
        image = self._image(plan.seed)
        world = build_world(
            self._config,
            image=image,
            clock=clock,
            ids=SeededIds(f"{world_id}/{plan.random_seed}"),
            metrics=self._metrics,
            validation=self._validation,
            interposer=FaultInterposer(lambda _world: faults),
            resting=True,
            send_cap=lambda organization, information: faults.send_cap(
                organization, information, usual_send_cap(organization, information)
            ),
        )
        return _Parts(world), image.size

    def prepare(self, seed: str) -> None:
        """See `Maker`."""
        if self._config.role == "all":
            self._image(seed)

    def _image(self, seed: str) -> WorldImage:
        with self._taking:
            image = self._images.get(seed)
            if image is None:
                image = self._images[seed] = self._standard() if seed == "STANDARD" else self._empty()
            return image

    def _standard(self) -> WorldImage:
        return standard_seed(self._config, self._people)

    def _empty(self) -> WorldImage:
        """Return the image of a world without people: organizations, lists and layouts are the program's own."""
        world = build_world(self._config, resting=True)
        try:
            return world.image()
        finally:
            world.stop()


def all_worlds(world: World, maker: WorldMaker, *, kept: bool, budget: int = BUDGET) -> Worlds:
    """Return the worlds around the persistent one; kept: whether that is on disk."""
    real = SystemClock()
    clock = WorldClock(real)
    now = real.now()
    home = Home(
        id="",
        generation=1,
        asked=Plan(seed="EMPTY"),
        plan=Plan(seed="EMPTY"),
        clock=clock,
        faults=Faults(clock, seed=""),
        size=0,
        parts=_Parts(world),
        created=now,
        last_call=now,
        kept=kept,
    )
    return Worlds(maker, home, budget=budget)
