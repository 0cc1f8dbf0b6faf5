# SPDX-License-Identifier: Apache-2.0
"""An emulator tests call: one inside this process, or one that runs already."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from chukan.client import Client
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.standard.reasons import ChukanError
from chukan.testing.clock import setting
from chukan.testing.world import World
from chukan.v1.operation_service_pb2 import GetStatusRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

__all__ = ["Emulator"]

_FREE: Final = "127.0.0.1:0"
_REACH: Final = 3.0
_MAKING: Final = 120.0
_SEEDS: Final = {"empty": pb.WORLD_SEED_EMPTY, "standard": pb.WORLD_SEED_STANDARD}
_ANYBODY: Final = "0220113104101700"
"""Who calls where a token is asked for and not who calls."""


class Emulator:
    """Where it answers, and worlds in it.

    token: of its control port. stop: ends what was started for it. suffix: told to every world's id, where others may
    make worlds beside these.
    """

    def __init__(
        self, target: str, control: str, token: str, *, stop: Callable[[], None] | None = None, suffix: str = ""
    ) -> None:
        self.target: Final = target
        self.control: Final = control
        self._stop = stop
        self._suffix = suffix
        self._worlds: dict[str, World] = {}
        self._client = Client(control, organization=_ANYBODY, token=token, retries=False)

    @classmethod
    def in_process(cls) -> Self:
        """Start one in this process, in memory, on free ports of this machine. Nothing of it is on disk."""
        from chukan.composition.running import start  # noqa: PLC0415  # loads the server
        from chukan.server.config import Config  # noqa: PLC0415

        config = Config(data=None, listen=_FREE, control=_FREE, metrics="")
        running = start(config)
        return cls(running.listen, running.control, running.control_token, stop=running.stop)

    @classmethod
    def running(cls, target: str, control: str, token_file: str | Path) -> Self:
        """Use one that runs already. Errors: PEER_UNREACHABLE, CONTROL_TOKEN_INVALID, PROFILE_REFUSES; OSError."""
        token = Path(token_file).read_text("ascii").strip()
        if token.split() != [token]:  # no token, and nothing a header may hold
            raise ChukanError("CONTROL_TOKEN_INVALID")
        emulator = cls(target, control, token, suffix=f"-{secrets.token_hex(4)}")
        try:
            emulator.controls.emulator.ListWorlds(pb.ListWorldsRequest(page_size=1), timeout=_REACH)
            with Client(target, organization=_ANYBODY) as client:
                client.wait_until_reachable(_REACH)
                client.operation.GetStatus(GetStatusRequest(), timeout=_REACH)  # a control port has no such service
        except BaseException:
            emulator.close()
            raise
        return emulator

    @property
    def controls(self) -> Client:
        """A client of the control port, for what this package has no method for: `controls.emulator`."""
        return self._client

    def new_world(
        self,
        name: str = "",
        *,
        seed: str = "empty",
        clock: str = "frozen",
        now: datetime | None = None,
        random_seed: int = 0,
    ) -> World:
        """Make a world; `with` deletes it.

        name: begins its id; equal names give equal ids in an emulator of one's own, and so equal numbers and chances.
        seed: empty, or standard with the dummy people docs/emulator.md names. clock: frozen, running or system. now:
        where its clock begins, not before real time. Errors: CLOCK_BACKWARDS, WORLD_EXISTS, WORLD_BUDGET_EXHAUSTED,
        PEOPLE_TABLES_MISSING.
        """
        if seed not in _SEEDS:
            raise ValueError(f"seed: got {seed!r}, expected {', '.join(_SEEDS)}")
        world_id = (name or f"world-{secrets.token_hex(4)}") + self._suffix
        if world_id in self._worlds and not self._worlds[world_id].closed:
            raise ChukanError("WORLD_EXISTS", field="world_id")
        request = pb.CreateWorldRequest(
            world_id=world_id, seed=_SEEDS[seed], clock=setting(clock, now), random_seed=random_seed
        )
        self._client.emulator.CreateWorld(request, timeout=_MAKING)
        made = self._worlds[world_id] = World(self.target, self._client.emulator, world_id)
        return made

    def close(self) -> None:
        """Delete what worlds are left, and stop what was started."""
        with ExitStack() as closing:  # each is closed, whatever becomes of the others
            if self._stop is not None:
                closing.callback(self._stop)
            closing.callback(self._client.close)
            for world in self._worlds.values():
                closing.callback(world.close)
            self._worlds.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
