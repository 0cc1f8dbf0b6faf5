# SPDX-License-Identifier: Apache-2.0
"""Composes the integrated address system: the one module that knows all the others.

It stands beside the middle servers in `chukan serve`, in a database of its own (DIR/address.db) under a master key of
its own, because it alone holds individual numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from chukan.address.v1.address_service_pb2_grpc import add_AddressServiceServicer_to_server
from chukan.address_system.environment import Environment, Stores, Tenants
from chukan.address_system.numbering.acquisition import SUBMIT, carry_submissions
from chukan.address_system.numbering.lookups import LOOK_UP, carry_look_ups
from chukan.address_system.rpc.address_service import AddressServicer
from chukan.address_system.rpc.resident_network import NetworkResidents
from chukan.address_system.storage.access_records import AccessRecordStore
from chukan.address_system.storage.counters import CounterStore
from chukan.address_system.storage.local_numbers import LocalNumberStore
from chukan.address_system.storage.mismatches import MismatchStore
from chukan.address_system.storage.people import PersonStore
from chukan.address_system.storage.schema import metadata, outbox
from chukan.address_system.storage.tenants import TenantStore
from chukan.durable.database import Database
from chukan.durable.dispatcher import RETRY, Backoff, Dispatcher
from chukan.durable.idempotency import forget_old
from chukan.durable.image import Image
from chukan.durable.outbox import Outbox
from chukan.durable.timer import Timer
from chukan.durable.vault import Vault
from chukan.durable.vault_keys import master_key_of
from chukan.edge.service import Service
from chukan.monitoring import Metrics
from chukan.standard.clock import SystemClock
from chukan.standard.ids import SystemIds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from chukan.durable.sqlite import Synchronous
    from chukan.edge.transport import Transport
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["DATABASE_FILE", "MASTER_KEY_FILE", "AddressSystem", "build"]

DATABASE_FILE: Final = "address.db"
MASTER_KEY_FILE: Final = "address-keys/master.key"
SERVICE: Final = "chukan.address.v1.AddressService"
_UPKEEP_EVERY: Final = 60.0
_REPEAT: Final = Backoff(first=0.2, most=60.0, attempts=50_000)
"""A network that is away for days still gets its rows."""


@dataclass(frozen=True, slots=True)
class AddressSystem:
    """What `chukan serve` starts beside the middle servers: services for the listen port, and what runs behind them."""

    services: list[Service]
    environment: Environment
    dispatcher: Dispatcher
    upkeep: Timer
    """Forgets kept answers."""
    master_key: bytes = field(repr=False)
    resting: bool = False
    """Its owner keeps its time, with `run_due`."""
    unvalidated: frozenset[str] = frozenset()

    @property
    def metrics(self) -> Metrics:
        """The registry of everything measured here."""
        return self.environment.metrics

    def start(self) -> None:
        """Begin to carry on what waits."""
        self.dispatcher.start()
        if not self.resting:
            self.upkeep.start()

    def stop(self, timeout: float = 30.0) -> None:
        """End what runs, commit what waits, close the database. What is left goes on at the next start."""
        self.upkeep.stop()
        self.dispatcher.stop(timeout)
        self.environment.database.close()

    def next_due(self) -> datetime | None:
        """Return when the next thing falls due by the clock; None when nothing waits for time."""
        return self.dispatcher.next_due()

    def drain(self, timeout: float | None = None) -> bool:
        """Wait (real seconds) until nothing that is due is left to do; False when the time was over before."""
        return self.dispatcher.drain(timeout)

    def image(self) -> Image:
        """Return everything committed so far, for a world in memory to start from."""
        return Image(self.environment.database.image(), self.master_key)

    def run_due(self) -> Counter[str]:
        """Do at once what has become due, after a test moved the clock; return how often, by kind of job."""
        return Counter({self.upkeep.kind: self.upkeep.run_due(), RETRY: self.dispatcher.run_due()})


def build(
    *,
    network: Callable[[], Transport],
    data: Path | None = None,
    master_key: Path | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    metrics: Metrics | None = None,
    mode: str = "test",
    production: Collection[str] = (),
    first_numbers: Mapping[str, int] | None = None,
    synchronous: Synchronous = "FULL",
    workers: int = 2,
    image: Image | None = None,
    resting: bool = False,
) -> AddressSystem:
    """Build the address system; nothing listens or runs yet.

    network: gives the transport to ResidentNetworkService, asked for on first use; its owner closes it. data: directory
    of the database, None keeps everything in memory. master_key: file of the vault's master key, by default below data.
    mode: "test" takes dummy individual numbers only; production: organizations set to production all the same.
    first_numbers: where organizations whose migrated numbers would be met begin to number people. image: what a world
    in memory starts from. resting: one of many that mostly rest: its threads begin with its first work.
    """
    clock = clock or SystemClock()
    metrics = metrics or Metrics(CollectorRegistry())
    if data is not None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        master_key = master_key or data / MASTER_KEY_FILE
    url = "sqlite://" if data is None else f"sqlite:///{data / DATABASE_FILE}"
    content = None if image is None else image.content
    database = Database(url, metadata=metadata, clock=clock, synchronous=synchronous, image=content)
    try:
        database.create_or_upgrade()
        key = master_key_of(database, master_key) if image is None else image.master_key
        vault = Vault(key, database)
        stores = _stores(vault)
    except BaseException:
        database.close()
        raise
    environment = Environment(
        database=database,
        outbox=Outbox(outbox, clock=clock),
        vault=vault,
        stores=stores,
        network=NetworkResidents(network, mode_of=lambda organization: _mode(organization, mode, production)),
        clock=clock,
        ids=ids or SystemIds(clock),
        metrics=metrics,
        tenants=Tenants(database, TenantStore()),
        mode=mode,
        production=frozenset(production),
        first_numbers=dict(first_numbers or {}),
    )
    handlers = {SUBMIT: partial(carry_submissions, environment), LOOK_UP: partial(carry_look_ups, environment)}
    dispatcher = Dispatcher(
        database, environment.outbox, handlers, clock, workers=workers, backoff=_REPEAT, on_demand=resting
    )
    servicer = AddressServicer(environment)
    service = Service(
        servicer,
        add_AddressServiceServicer_to_server,
        SERVICE,
        pools={"RegisterPeople": "bulk"},
        mode_of=environment.mode_of,
    )
    upkeep = Timer("tidy_address_systems", lambda: forget_old(database, clock), seconds=_UPKEEP_EVERY)
    return AddressSystem([service], environment, dispatcher, upkeep, key, resting)


def _mode(organization: str, mode: str, production: Collection[str]) -> str:
    return "production" if organization in production else mode


def _stores(vault: Vault) -> Stores:
    return Stores(
        people=PersonStore(vault),
        local_numbers=LocalNumberStore(vault),
        mismatches=MismatchStore(vault),
        counters=CounterStore(),
        access_records=AccessRecordStore(),
    )
