# SPDX-License-Identifier: Apache-2.0
"""One world: middle servers, network and address systems that know each other and nobody else.

`chukan serve` builds one. A process can hold any number: nothing is kept in modules, and a world in memory that begins
with the image of another costs 3 ms and its bytes' copy instead of making its tables.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, cast

from chukan.server.app import Given, ServerApp, build

if TYPE_CHECKING:
    from collections import Counter
    from datetime import datetime
    from typing import Unpack

    from chukan.address_system.app import AddressSystem
    from chukan.durable.image import Image
    from chukan.durable.sqlite import Synchronous
    from chukan.edge import Service
    from chukan.server.config import Config

__all__ = ["World", "WorldImage", "build_world", "in_memory"]


@dataclass(frozen=True, slots=True)
class WorldImage:
    """What a world holds, for others to begin with."""

    server: Image
    address: Image | None

    @property
    def size(self) -> int:
        """How many bytes a world that begins with it copies."""
        return len(self.server.content) + (len(self.address.content) if self.address else 0)


@dataclass(frozen=True, slots=True)
class World:
    """A world's parts. Without an address system where only the network is."""

    server: ServerApp
    address: AddressSystem | None

    @property
    def services(self) -> list[Service]:
        """What it serves on the listen port."""
        if self.address is None:
            return list(self.server.services)
        callers = self.server.foundation.organizations
        return [*self.server.services, *(replace(each, callers=callers) for each in self.address.services)]

    def start(self, endpoint: str = "") -> None:
        """Begin to carry on what waits."""
        self.server.start(endpoint)
        if self.address is not None:
            self.address.start()

    def run_due(self) -> Counter[str]:
        """Do at once what has become due; return how often, by kind of job."""
        ran = self.server.run_due()
        return ran if self.address is None else ran + self.address.run_due()

    def next_due(self) -> datetime | None:
        """Return when the next thing falls due by its clock; None when nothing waits for time."""
        found = [self.server.next_due(), self.address.next_due() if self.address else None]
        return min((each for each in found if each is not None), default=None)

    def drain(self, timeout: float) -> bool:
        """Wait (real seconds) until nothing that is due is left to do, in any part; False when time was over before.

        What one part does may give another something to do, so all must be quiet at one look.
        """
        until = monotonic() + timeout
        parts = (self.server, self.address) if self.address else (self.server,)
        while not all(part.drain(0.0) for part in parts):
            for part in parts:
                if not part.drain(max(0.0, until - monotonic())):
                    return False
        return True

    def image(self) -> WorldImage:
        """Return everything committed so far, part by part: take it while nothing is under way."""
        return WorldImage(self.server.image(), self.address.image() if self.address else None)

    def stop(self) -> None:
        """End what runs, commit what waits, let go of the databases."""
        if self.address is not None:
            self.address.stop()
        self.server.stop()


def build_world(config: Config, *, image: WorldImage | None = None, **given: Unpack[Given]) -> World:
    """Build a world; nothing listens or runs yet."""
    server = build(config, image=image.server if image else None, **given)
    if config.role == "network":
        return World(server, None)
    try:
        from chukan.address_system.app import build as build_address_system

        address = build_address_system(
            network=lambda: server.network,
            data=config.data,
            clock=server.clock,
            ids=server.foundation.ids,
            metrics=server.metrics,
            mode=config.mode,
            production=config.production_organizations,
            first_numbers=dict(config.first_integrated_numbers),
            synchronous=cast("Synchronous", config.synchronous),
            image=image.address if image else None,
            resting=server.foundation.resting,
        )
    except BaseException:
        server.stop()
        raise
    return World(server, address)


def in_memory(config: Config) -> Config:
    """Return the settings of a world beside the persistent one: the same, but nothing of it is on disk."""
    return replace(config, data=None, keys=None, master_key=None)
