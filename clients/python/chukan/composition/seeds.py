# SPDX-License-Identifier: Apache-2.0
"""The standard seed: what a world holds that is made with people in it.

The dummy people of 新宿区 and 世田谷区, each registered with codes and replicas as the demo does it, by the adapter
over gRPC. Made once in a process, when it is first asked for.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from chukan.composition.world import build_world
from chukan.edge import EdgeConfig, build_server
from chukan.standard.ids import SeededIds
from chukan.standard.organizations import by_municipality
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.composition.world import World, WorldImage
    from chukan.server.config import Config

__all__ = ["SEED_DATE", "STANDARD_PEOPLE", "standard_seed"]

STANDARD_PEOPLE: Final = 300
"""Records of each body's resident register."""
_BODIES: Final = ("131041", "131121")
_SEED: Final = 1
SEED_DATE: Final = date(2026, 11, 1)
"""The day the extracts are of: as fixed as the people, so that files written for them fit every day."""
_PATIENCE: Final = 60.0


def standard_seed(config: Config, people: int = STANDARD_PEOPLE) -> WorldImage:
    """Make the image; config: of a world in memory. Errors: PEOPLE_TABLES_MISSING, FEATURE_NOT_AVAILABLE."""
    served = config.organizations
    bodies = [each for each in _BODIES if not served or by_municipality(each).code in served]
    if not bodies:
        raise ChukanError("FEATURE_NOT_AVAILABLE", feature="standard seed where neither 新宿区 nor 世田谷区 is served")
    world = build_world(config, ids=SeededIds("standard"))
    try:
        with TemporaryDirectory(prefix="chukan-seed-") as folder:
            _populate(world, config, bodies, Path(folder), people)
        return world.image()
    finally:
        world.stop()


def _populate(world: World, config: Config, bodies: list[str], folder: Path, people: int) -> None:
    server = world.server
    edge = build_server(
        EdgeConfig("127.0.0.1:0", unvalidated=server.unvalidated),
        world.services,
        metrics=server.metrics,
        clock=server.clock,
        ready=server.ready,
    )
    edge.start()
    try:
        world.start()
        for body in bodies:
            _load(body, folder / body, f"127.0.0.1:{edge.port}", config, people)
        world.drain(_PATIENCE)
    finally:
        edge.stop(0)


def _load(body: str, folder: Path, target: str, config: Config, people: int) -> None:
    """Write one body's dummy extracts and load them."""
    from chukan.adapter.sync import LoadOptions, load

    try:
        from chukan.people import write

        others = [each for each in _BODIES if each != body]
        write(
            folder,
            municipality=body,
            count=people,
            seed=_SEED,
            reference_date=SEED_DATE,
            linked=others,
            encoding="utf-8",
        )
    except ModuleNotFoundError as error:
        raise ChukanError("PEOPLE_TABLES_MISSING", params={"package": error.name or ""}) from None
    code = by_municipality(body).code
    options = LoadOptions(
        target=target,
        organization=code,
        people=(folder / "residents.csv", folder / "non_residents.csv"),
        extracts=folder / "extracts",
        state=folder / "state",
        mode="production" if code in config.production_organizations else config.mode,
    )
    load(options)
