# SPDX-License-Identifier: Apache-2.0
"""What every call is handed: durable state, stores, vault, time, names, figures, and the turn of an organization."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from chukan.durable.idempotency import once
from chukan.durable.instants import to_micros
from chukan.standard.numbers import is_integrated_address_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chukan.address_system.ports import ResidentNetwork
    from chukan.address_system.storage.access_records import AccessRecordStore
    from chukan.address_system.storage.counters import CounterStore
    from chukan.address_system.storage.local_numbers import LocalNumberStore
    from chukan.address_system.storage.mismatches import MismatchStore
    from chukan.address_system.storage.people import PersonStore
    from chukan.address_system.storage.tenants import TenantStore
    from chukan.durable import Connection
    from chukan.durable.database import Database
    from chukan.durable.outbox import Outbox
    from chukan.durable.vault import Vault
    from chukan.monitoring import Metrics
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["Actor", "Environment", "Stores", "Tenants", "Turns", "number_of"]

_NUMBERS: Final = 10**15
_PRODUCTION: Final = "production"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls, as access records and idempotency need it."""

    organization: str
    system: str = ""
    terminal: str = ""
    department: str = ""
    user: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables."""

    people: PersonStore
    local_numbers: LocalNumberStore
    mismatches: MismatchStore
    counters: CounterStore
    access_records: AccessRecordStore


class Turns:
    """One change of an organization's people at a time.

    A change looks up, decides and seals outside its write, so nobody else may change the same people meanwhile. What it
    gives up: two streams of one organization take turns per batch; the database belongs to this process alone, so a
    lock in memory is enough.
    """

    def __init__(self) -> None:
        self._locks: dict[str, threading.RLock] = {}
        self._lock = threading.Lock()

    def of(self, organization: str) -> threading.RLock:
        """Return the lock of an organization."""
        with self._lock:
            return self._locks.setdefault(organization, threading.RLock())


class Tenants:
    """Surrogates of people: an organization's place, then the 15 digits of the integrated address number."""

    def __init__(self, database: Database, store: TenantStore) -> None:
        self._database = database
        self._store = store
        self._places: dict[str, int] = {}

    def prepare(self, organization: str) -> None:
        """Give an organization its place."""
        if organization not in self._places:
            place = self._database.write(
                organization, lambda connection: self._store.take_place(connection, organization)
            )
            self._places[organization] = place

    def first(self, organization: str) -> int:
        """Return what an organization's surrogates are counted from."""
        return self._places[organization] * _NUMBERS

    def last(self, organization: str) -> int:
        """Return the greatest surrogate an organization can have."""
        return self.first(organization) + _NUMBERS - 1

    def surrogates(self, organization: str, numbers: Iterable[str]) -> dict[str, int]:
        """Return the surrogates of integrated address numbers; what has another shape has none."""
        first = self.first(organization)
        return {number: first + int(number) for number in numbers if is_integrated_address_number(number)}


def number_of(surrogate: int) -> str:
    """Return the integrated address number of a surrogate."""
    return f"{surrogate % _NUMBERS:015d}"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the composition hands to every call. mode: "test" or "production", of all but those set to production."""

    database: Database
    outbox: Outbox
    vault: Vault
    stores: Stores
    network: ResidentNetwork
    clock: Clock
    ids: Ids
    metrics: Metrics
    tenants: Tenants
    mode: str = "test"
    production: frozenset[str] = frozenset()
    first_numbers: Mapping[str, int] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)

    def mode_of(self, organization: str) -> str:
        """Return what an organization is set to; in test mode it takes dummy individual numbers only."""
        return _PRODUCTION if organization in self.production else self.mode

    def takes_dummies_only(self, organization: str) -> bool:
        """Whether real individual numbers are kept out."""
        return self.mode_of(organization) != _PRODUCTION

    def now(self) -> int:
        """Return the present instant as stored."""
        return to_micros(self.clock.now())

    def once(
        self,
        actor: Actor,
        *,
        method: str,
        request_id: str,
        body_digest: bytes,
        step: Callable[[Connection], bytes],
    ) -> tuple[bytes, bool]:
        """Run a step in one durable write, or return the answer kept of the same request, and whether it was kept."""
        fresh: list[bool] = []

        def write(connection: Connection) -> bytes:
            fresh.clear()

            def noted(inner: Connection) -> bytes:
                fresh.append(True)
                return step(inner)

            return once(
                connection,
                organization=actor.organization,
                system=actor.system,
                method=method,
                request_id=request_id,
                body_digest=body_digest,
                clock=self.clock,
                fn=noted,
            )

        kept = self.database.write(actor.organization, write)
        return kept, not fresh

    def body_digest(self, organization: str, sha256: bytes) -> bytes:
        """Return the keyed digest of a request's body: a bare hash of few attributes could be guessed."""
        return self.vault.index_digest(organization, "request.body", sha256.hex())
