# SPDX-License-Identifier: Apache-2.0
"""What both sides stand on: database, vault, outbox, masters, codec, clock, ids, metrics.

A fresh directory is made ready here: database `middle.db`, the vault's master key in a file of its own, and the world
generation, drawn once and new with every new database.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from chukan.durable.database import Database
from chukan.durable.image import Image
from chukan.durable.outbox import Outbox
from chukan.durable.vault import Vault
from chukan.durable.vault_keys import master_key_of
from chukan.edge.transport import InterposedTransport
from chukan.edge.validation import Validation
from chukan.monitoring import Metrics
from chukan.server.domain.exchange import NETWORK, Mode
from chukan.server.domain.masters import DEFAULT_WORLD, Masters
from chukan.server.middle.replicas import usual_send_cap
from chukan.server.ports import Environment
from chukan.server.rpc.codec import ProtoCodec
from chukan.server.storage.network_members import GenerationStore
from chukan.server.storage.schema import metadata, outbox
from chukan.standard.clock import SystemClock
from chukan.standard.ids import SystemIds
from chukan.standard.organizations import all_organizations

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.durable.sqlite import Synchronous
    from chukan.edge.interposition import Interposer
    from chukan.edge.transport import Transport
    from chukan.server.config import Config
    from chukan.server.ports import Connection
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["DATABASE_FILE", "Foundation", "lay_foundation"]

DATABASE_FILE: Final = "middle.db"
_MODES: Final = {"test": Mode.TEST, "production": Mode.PRODUCTION}
_GENERATION_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Foundation:
    """What the sides are built on; environments of the two sides differ in their masters only."""

    config: Config
    clock: Clock
    ids: Ids
    metrics: Metrics
    database: Database
    vault: Vault
    outbox: Outbox
    codec: ProtoCodec
    organizations: frozenset[str]
    master_key: bytes = field(repr=False)
    validation: Validation
    interposer: Interposer | None = None
    resting: bool = False
    send_cap: Callable[[str, str], int] = usual_send_cap

    def image(self) -> Image:
        """Return everything committed so far, for a world in memory to start from."""
        return Image(self.database.image(), self.master_key)

    def way_to(self, peer: str, transport: Transport) -> Transport:
        """Return the transport to a peer, with what stands in the way."""
        return transport if self.interposer is None else InterposedTransport(transport, self.interposer, peer=peer)

    def masters(self, world_generation: str) -> Masters:
        """Return one side's copy of the masters."""
        modes = dict.fromkeys(self.config.production_organizations, Mode.PRODUCTION)
        return Masters(world_generation=world_generation, mode=_MODES[self.config.mode], modes=modes)

    def mode_of(self, organization: str) -> str:
        """Return the mode an organization is set to, as a call says it."""
        return "production" if organization in self.config.production_organizations else self.config.mode

    def environment(self, masters: Masters) -> Environment:
        """Return what use cases of one side are handed."""
        return Environment(
            database=self.database,
            vault=self.vault,
            clock=self.clock,
            ids=self.ids,
            metrics=self.metrics,
            master=masters,
            settings=self.config,
        )

    def world_generation(self, *, draw: bool) -> str:
        """Return the world's generation as this database knows it; draw makes the first."""
        store = GenerationStore()
        with self.database.read() as connection:
            known = store.get(connection, DEFAULT_WORLD)
        if known or not draw:
            return known
        drawn = _new_generation()
        self.keep_world_generation(drawn)
        return drawn

    def keep_world_generation(self, generation: str) -> None:
        """Remember a generation over restarts."""

        def write(connection: Connection) -> None:
            GenerationStore().put(connection, DEFAULT_WORLD, generation)

        self.database.write("", write)


def lay_foundation(
    config: Config,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    metrics: Metrics | None = None,
    image: Image | None = None,
    validation: Validation | None = None,
    interposer: Interposer | None = None,
    resting: bool = False,
    send_cap: Callable[[str, str], int] = usual_send_cap,
) -> Foundation:
    """Open (or make) database and vault.

    image: what a world in memory starts from; its generation is new. validation: shared by the worlds of a process.
    interposer: stands at the ways to peers. resting: one of many worlds that mostly rest: its threads begin with its
    first work, its owner keeps its time, and nobody scrapes it. send_cap: rows of an information an organization may
    send at once.
    """
    clock = clock or SystemClock()
    directory = config.data
    if directory is not None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    synchronous: Synchronous = config.synchronous  # type: ignore[assignment]  # one of its three, config has checked
    database = Database(
        "sqlite://" if directory is None else f"sqlite:///{directory / DATABASE_FILE}",
        metadata=metadata,
        clock=clock,
        synchronous=synchronous,
        image=None if image is None else image.content,
    )
    organizations = frozenset(config.organizations or (each.code for each in all_organizations()))
    try:
        database.create_or_upgrade()
        master_key = master_key_of(database, config.master_key_file) if image is None else image.master_key
        vault = Vault(master_key, database)
        vault.prepare([NETWORK, *sorted(organizations)])
    except BaseException:
        database.close()
        raise
    foundation = Foundation(
        config=config,
        clock=clock,
        ids=ids or SystemIds(clock),
        metrics=metrics or Metrics(CollectorRegistry()),
        database=database,
        vault=vault,
        outbox=Outbox(outbox, clock=clock),
        codec=ProtoCodec(),
        organizations=organizations,
        master_key=master_key,
        validation=validation or Validation(),
        interposer=interposer,
        resting=resting,
        send_cap=send_cap,
    )
    if image is not None:
        foundation.keep_world_generation(_new_generation())
    return foundation


def _new_generation() -> str:
    return secrets.token_hex(_GENERATION_BYTES)
