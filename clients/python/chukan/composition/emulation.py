# SPDX-License-Identifier: Apache-2.0
"""What only an emulator has, around the persistent world: other worlds, their clocks, faults.

Nothing of it is loaded before the first call to the control port asks for it: a start doesn't wait for what most
servers never use, and a call in the persistent world pays one comparison until then.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.edge.routed import routed
from chukan.server.middle.replicas import usual_send_cap
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.composition.world import World
    from chukan.edge import Caller, Service
    from chukan.edge.interposition import Interposer, Passage
    from chukan.server.config import Config
    from chukan.server.emulator.faults import Faults
    from chukan.server.emulator.world import World as Home
    from chukan.server.emulator.worlds import Worlds
    from chukan.server.rpc.emulator_service import EmulatorServicer

__all__ = ["Emulation"]

_NAMED: Final = "chukan-world"
"""Where a caller names its world."""


class _Loaded(NamedTuple):
    worlds: Worlds
    faults: Faults
    arriving: Interposer
    leaving: Interposer
    servicer: EmulatorServicer


class Emulation:
    """Worlds and faults of one process. `around` is called once, when the persistent world is built.

    seed_people: records of each resident register of the standard seed, if not as many as usual.
    """

    def __init__(self, config: Config, *, seed_people: int = 0) -> None:
        self._config = config
        self._seed_people = seed_people
        self._world: World | None = None
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        self.arriving: Interposer = _Gate(self._struck_arriving)
        """Stands before every call that arrives."""
        self.leaving: Interposer = _Gate(self._struck_leaving)
        """Stands at the persistent world's ways to peers."""

    def around(self, world: World) -> list[Service]:
        """Return the services of the persistent world, which answer in every other world as well."""
        self._world = world
        return [routed(each, self._home_of) for each in world.services]

    def servicer(self) -> EmulatorServicer:
        """Return what answers on the control port."""
        return self._load().servicer

    def send_cap(self, organization: str, information: str) -> int:
        """Return how many rows the persistent world takes at once."""
        usual, loaded = usual_send_cap(organization, information), self._loaded
        return loaded.faults.send_cap(organization, information, usual) if loaded else usual

    def stop(self) -> None:
        """End the other worlds."""
        if self._loaded is not None:
            self._loaded.worlds.stop()

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._make()
            return self._loaded

    def _make(self) -> _Loaded:
        from chukan.composition.worlds import WorldMaker, all_worlds
        from chukan.server.rpc.emulator_service import EmulatorServicer
        from chukan.server.rpc.fault_interposer import FaultInterposer

        if self._world is None:
            raise ChukanError("NOT_READY")
        maker = WorldMaker(self._config, people=self._seed_people)
        worlds = all_worlds(self._world, maker, kept=self._config.data is not None)
        faults = worlds.get("").faults
        return _Loaded(
            worlds=worlds,
            faults=faults,
            arriving=FaultInterposer(lambda world: worlds.get(world, field=_NAMED).faults),
            leaving=FaultInterposer(lambda _world: faults),
            servicer=EmulatorServicer(worlds),
        )

    def _home_of(self, caller: Caller) -> Home | None:
        if not caller.world:
            return None
        if self._config.role != "all":
            raise ChukanError("WORLDS_NOT_OFFERED", field=_NAMED)
        if self._loaded is None:  # nobody made one
            raise ChukanError("WORLD_UNKNOWN", field=_NAMED)
        return self._loaded.worlds.called(caller.world, field=_NAMED)

    def _struck_arriving(self) -> Interposer | None:
        return self._loaded.arriving if self._loaded else None

    def _struck_leaving(self) -> Interposer | None:
        return self._loaded.leaving if self._loaded else None


@dataclass(frozen=True, slots=True)
class _Gate:
    """An `Interposer` that lets everything pass until there is one."""

    find: Callable[[], Interposer | None]

    def enter(self, full_method: str, caller: Caller, *, peer: str = "") -> Passage | None:
        """See `Interposer`."""
        found = self.find()
        return None if found is None else found.enter(full_method, caller, peer=peer)
