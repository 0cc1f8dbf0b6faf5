# SPDX-License-Identifier: Apache-2.0
"""What every call is handed: durable state, stores, vault, time, names, figures, and the turn of an organization."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from chukan.durable.idempotency import once
from chukan.durable.instants import to_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from chukan.address_system.ports import ResidentNetwork
    from chukan.address_system.storage.access_records import AccessRecordStore
    from chukan.address_system.storage.counters import CounterStore
    from chukan.address_system.storage.local_numbers import LocalNumberStore
    from chukan.address_system.storage.mismatches import MismatchStore
    from chukan.address_system.storage.people import PersonStore
    from chukan.durable.database import Database
    from chukan.durable.outbox import Outbox
    from chukan.durable.vault import Vault
    from chukan.monitoring import Metrics
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["Actor", "Environment", "Stores", "Turns"]

T = TypeVar("T")


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


class Surrogates:
    """Surrogates of people: one row of numbers for all organizations, gaps harmless."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return the next surrogate."""
        with self._lock:
            self._last += 1
            return self._last


@dataclass(frozen=True, slots=True)
class Environment:
    """What the composition hands to every call. test: organizations are in test mode, numbers must be dummies."""

    database: Database
    outbox: Outbox
    vault: Vault
    stores: Stores
    network: ResidentNetwork
    clock: Clock
    ids: Ids
    metrics: Metrics
    surrogates: Surrogates
    test: bool = True
    turns: Turns = field(default_factory=Turns)

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
