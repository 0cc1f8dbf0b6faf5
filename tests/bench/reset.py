# SPDX-License-Identifier: Apache-2.0
"""`reset`: worlds with 3,000 residents made, written to for the first time and set back, against copying their bytes.

Over gRPC, the client in the server's process: one waits for the other anyway. Each write is checked to be there, and to
be gone after the reset.
"""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from chukan.client import Client
from chukan.composition.running import start
from chukan.composition.seeds import standard_seed
from chukan.composition.world import in_memory
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.server.config import Config
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage

from .report import VoidRunError, ratio_row
from .seed import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .report import Context, Row

__all__ = ["bench"]

_PEOPLE = 1_500
"""Records of each of the seed's two registers."""
_RUNS = 30
_NUMBER = "9" * 15
_UNUSED = {"listen": "127.0.0.1:0", "control": "127.0.0.1:0", "metrics": ""}


def bench(context: Context) -> list[Row]:
    """Alternate the bytes' copies and what is done with a world."""
    people = 100 if context.quick else _PEOPLE
    runs = 1 if context.quick else max(_RUNS, context.runs)
    image = standard_seed(in_memory(Config(**_UNUSED)), people)
    databases = [each.content for each in (image.server, image.address) if each is not None]
    context.say(f"a world of {people} + {people} residents has {image.size / 1e6:.1f} MB")
    found: dict[str, list[float]] = {"floor": [], "create": [], "write": [], "reset": []}
    running = start(Config(**_UNUSED), seed_people=people)
    try:
        _Round(running.listen, running.control, running.control_token).run({name: [] for name in found}, databases)
        for _ in range(runs):
            _Round(running.listen, running.control, running.control_token).run(found, databases)
    finally:
        running.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        ratio_row(f"reset.{name}", "ms", values=found[name], floors=found["floor"], peak_rss_mb=round(peak), n=1)
        for name in ("create", "write", "reset")
    ]


class _Round:
    """One world from its making to its end."""

    def __init__(self, listen: str, control: str, token: str) -> None:
        self._listen = listen
        self._control = Client(control, organization=PROVIDER, token=token)

    def run(self, found: dict[str, list[float]], databases: Sequence[bytes]) -> None:
        """Time each step in milliseconds."""
        controls = self._control.emulator
        found["floor"].append(_milliseconds(lambda: _copy(databases))[0])
        took, made = _milliseconds(lambda: controls.CreateWorld(pb.CreateWorldRequest()))
        found["create"].append(took)
        world = made.world.world_id
        with self._control, Client(self._listen, organization=PROVIDER, world=world) as client:
            if _known(client):  # opens the channel, which is no part of a write
                raise VoidRunError("a world is made with what another one was given")
            found["write"].append(_milliseconds(lambda: _write(client))[0])
            if not _known(client):
                raise VoidRunError("what was written is not there")
            reset = pb.ResetWorldRequest(world_id=world)
            found["reset"].append(_milliseconds(lambda: controls.ResetWorld(reset))[0])
            if _known(client):
                raise VoidRunError("what was written is there after a reset")
            controls.DeleteWorld(pb.DeleteWorldRequest(world_id=world))


def _milliseconds(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = act()
    return (time.perf_counter() - begun) * 1e3, result


def _copy(databases: Sequence[bytes]) -> None:
    for content in databases:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(content)
            database.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _write(client: Client) -> None:
    request = linkage.RegisterAddresseesRequest(batch_id="first", integrated_address_numbers=[_NUMBER])
    list(client.linkage_codes.RegisterAddressees(iter([request])))


def _known(client: Client) -> bool:
    try:
        client.linkage_codes.GetAddressee(linkage.GetAddresseeRequest(integrated_address_number=_NUMBER))
    except ChukanError as error:
        if error.code != "ADDRESSEE_UNKNOWN":
            raise
        return False
    return True
