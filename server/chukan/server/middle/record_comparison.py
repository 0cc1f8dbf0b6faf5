# SPDX-License-Identifier: Apache-2.0
"""Comparing one side's exchange records (情報提供等記録) with the network's, both ways.

The comparison answers from what the dispatcher fetched last: asking schedules a fetch of what is not known yet or may
have moved on, so the first answer may be UNKNOWN; an unreachable network leaves it UNKNOWN, never "agrees". Without
named exchanges it walks the own records in commit order, then the network's list in the network's order, which alone
can show what is missing here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NetworkRecord, Outcome, milliseconds
from chukan.server.domain.exchange_record import (
    Listing,
    Reconciliation,
    ReconciliationState,
    RecordSide,
    bound_sides,
    reconcile,
)
from chukan.server.middle.exchange_records import exchange_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.exchange_record import ExchangeRecord
    from chukan.server.middle.exchange_records import ExchangeRecordDesk
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.exchange import ExchangeNetwork
    from chukan.server.ports.exchange_stores import ExchangeRecords

__all__ = ["PULL_NETWORK_RECORDS", "Compared", "Place", "RecordComparison"]

PULL_NETWORK_RECORDS: Final = "pull_network_records"
"""Outbox kind: fetch the network's records of exchanges. Payload: their digests, 32 bytes each; empty: list all."""
_DIGEST: Final = 32
_MOST: Final = 1_000
_Side = tuple[bytes, int]


class Place(NamedTuple):
    """How far a comparison of all came.

    own: position in the commit order. network: number in the network's list. open: the first number this walk met whose
    exchange was not finished, 0 = none: the next walk looks at it again.
    """

    own: int = 0
    network: int = 0
    open: int = 0


class Compared(NamedTuple):
    """What was found, where to go on, whether there is more now, and when the network's list was last read (ms)."""

    found: list[Reconciliation]
    place: Place
    more: bool
    listed: int


class RecordComparison:
    """Compares records of every organization served here with the network's."""

    def __init__(
        self,
        environment: Environment,
        *,
        desk: ExchangeRecordDesk,
        records: ExchangeRecords,
        outbox: Outbox,
        network: ExchangeNetwork,
    ) -> None:
        self._environment = environment
        self._desk = desk
        self._records = records
        self._outbox = outbox
        self._network = network

    def named(self, organization: str, exchange_ids: Sequence[str]) -> list[Reconciliation]:
        """Compare these exchanges, at most a thousand. Errors: RECORD_UNKNOWN for what is no id."""
        wanted = [exchange_of(each) for each in dict.fromkeys(exchange_ids)]
        with self._environment.database.read() as connection:
            own = self._own(connection, organization, wanted)
            copies = self._records.copies(connection, organization, wanted)
        held: dict[bytes, set[int]] = {}
        for exchange, side in own:
            held.setdefault(exchange, set()).add(side)
        found: list[Reconciliation] = []
        for exchange in wanted:
            network = _decode(copies[exchange]) if copies.get(exchange) else None
            asked = exchange in copies
            sides = held.get(exchange, set()) | set(bound_sides(organization, network) if network else ())
            found += [
                reconcile(exchange.hex(), own.get((exchange, side)), network, asked=asked, side=side)
                for side in sorted(sides)
            ] or [_without_record(exchange, network)]
        self._schedule(organization, _unsettled(found))
        return found

    def walk(self, organization: str, place: Place) -> Compared:
        """Compare what came or changed after a place: own records, then what only the network may have."""
        with self._environment.database.read() as connection:
            changed = self._records.changed(connection, organization, after=place.own, most=_MOST)
            found = self._compare_own(connection, organization, [(row.exchange, row.side) for row in changed])
            own = max((row.change_seq for row in changed), default=place.own)
            full = len(changed) == _MOST
            generation = self._environment.master.world_generation
            read = self._records.listing(connection, organization, generation)
            listed = [] if full else self._records.copies_after(
                connection, organization, after=place.network, until=read.place, most=_MOST
            )  # fmt: skip
            missing, still_open = self._missing(connection, organization, listed)
        more = full or len(listed) == _MOST
        opened = place.open or min(still_open, default=0)
        last = listed[-1][0] if listed else place.network
        unsettled = [*_unsettled(found), *(exchange for number, exchange, _ in listed if number in still_open)]
        self._schedule(organization, unsettled)
        if not more:
            self._list(organization)
            last, opened = (opened - 1, 0) if opened else (last, 0)
        return Compared(found + missing, Place(own, last, opened), more, read.listed)

    def _compare_own(self, connection: Connection, organization: str, sides: Sequence[_Side]) -> list[Reconciliation]:
        wanted = list(dict.fromkeys(exchange for exchange, _ in sides))
        if not wanted:
            return []
        own = self._own(connection, organization, wanted)
        copies = self._records.copies(connection, organization, wanted)
        return [
            reconcile(
                exchange.hex(),
                own[exchange, side],
                _decode(copies[exchange]) if copies.get(exchange) else None,
                asked=exchange in copies,
            )
            for exchange, side in dict.fromkeys(sides)
        ]

    def _missing(
        self, connection: Connection, organization: str, listed: Sequence[tuple[int, bytes, bytes]]
    ) -> tuple[list[Reconciliation], set[int]]:
        """Return what the network has and this side has not, and the numbers of what is not finished there."""
        if not listed:
            return [], set()
        held = {
            (mark.exchange, mark.side)
            for mark in self._records.marks(connection, organization, [exchange for _, exchange, _ in listed])
        }
        found: list[Reconciliation] = []
        still_open: set[int] = set()
        for number, exchange, kept in listed:
            network = _decode(kept)
            if network.outcome is Outcome.PENDING:
                still_open.add(number)
            found += [
                reconcile(exchange.hex(), None, network, asked=True, side=side)
                for side in bound_sides(organization, network)
                if (exchange, side) not in held
            ]
        return found, still_open

    def _own(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes]
    ) -> dict[_Side, ExchangeRecord]:
        rows = self._records.by_sides(connection, organization, exchanges)
        shown = self._desk.shown(connection, organization, list(rows.values()))
        return dict(zip(rows, shown, strict=True))

    # --- fetching, by the dispatcher ---

    def pull(self, items: Sequence[OutboxItem]) -> None:
        """Fetch the network's records and keep them."""
        organization = items[0].organization
        wanted = list(
            dict.fromkeys(
                item.payload[at : at + _DIGEST] for item in items for at in range(0, len(item.payload), _DIGEST)
            )
        )
        for start in range(0, len(wanted), _MOST):
            self._read_named(organization, wanted[start : start + _MOST])
        if not all(item.payload for item in items):
            self._read_list(organization)
        done = [item.id for item in items]
        self._environment.database.write(organization, lambda connection: self._outbox.done(connection, done))

    def _read_named(self, organization: str, wanted: Sequence[bytes]) -> None:
        records = self._network.network_records(organization, [each.hex() for each in wanted])
        now = milliseconds(self._environment.clock.now())
        copies = {**dict.fromkeys(wanted, (b"", 0)), **_kept(records)}

        def step(connection: Connection) -> None:
            self._records.keep_copies(connection, organization, _rows(copies), now=now)

        self._environment.database.write(organization, step)

    def _read_list(self, organization: str) -> None:
        """Read the network's list on from where it ended, a page per commit."""
        generation = self._environment.master.world_generation
        with self._environment.database.read() as connection:
            listing = self._records.listing(connection, organization, generation)
        while True:
            records, following = self._network.list_network_records(organization, listing.token)
            now = milliseconds(self._environment.clock.now())
            place = max((record.change_seq for record in records), default=listing.place)
            listing = Listing(following or listing.token, place, listing.listed if following else now)
            step = partial(self._keep_page, organization, records, (generation, listing), now)
            self._environment.database.write(organization, step)
            if not following:
                return

    def _keep_page(
        self,
        organization: str,
        records: Sequence[NetworkRecord],
        read: tuple[str, Listing],
        now: int,
        connection: Connection,
    ) -> None:
        generation, listing = read
        self._records.keep_copies(connection, organization, _rows(_kept(records)), now=now)
        self._records.keep_listing(connection, organization, generation, listing)

    def _schedule(self, organization: str, exchanges: Iterable[bytes]) -> None:
        """Have the network asked about exchanges; what it said may have moved on since."""
        payload = b"".join(dict.fromkeys(exchanges))
        if payload:
            self._add(organization, payload)

    def _list(self, organization: str) -> None:
        """Have the network's list read on."""
        self._add(organization, b"")

    def _add(self, organization: str, payload: bytes) -> None:
        """Add what does not wait yet: a walk that comes again sooner than the network answers asks nothing new."""
        key = hashlib.sha256(payload).hexdigest()

        def step(connection: Connection) -> None:
            kind = PULL_NETWORK_RECORDS
            if not self._outbox.waits(connection, kind=kind, organization=organization, key=key):
                self._outbox.add(connection, kind=kind, organization=organization, payload=payload, key=key)

        self._environment.database.write(organization, step)


def _unsettled(found: Iterable[Reconciliation]) -> list[bytes]:
    return [bytes.fromhex(each.exchange_id) for each in found if each.state is not ReconciliationState.AGREES]


def _without_record(exchange: bytes, network: NetworkRecord | None) -> Reconciliation:
    """Say how an exchange stands of which this side has no record, and need not have one."""
    if network is None:
        return Reconciliation(exchange.hex(), ReconciliationState.UNKNOWN)
    pending = network.outcome is Outcome.PENDING  # the provider was not reached yet
    state = ReconciliationState.PENDING if pending else ReconciliationState.AGREES
    return Reconciliation(exchange.hex(), state, (), int(RecordSide.PROVIDER))


def _kept(records: Iterable[NetworkRecord]) -> dict[bytes, tuple[bytes, int]]:
    return {bytes.fromhex(record.exchange_id): (_encode(record), record.change_seq) for record in records}


def _rows(copies: dict[bytes, tuple[bytes, int]]) -> list[tuple[bytes, bytes, int]]:
    return [(exchange, record, place) for exchange, (record, place) in copies.items()]


def _encode(record: NetworkRecord) -> bytes:
    """Return the network's record as kept; it bears no personal value."""
    return json.dumps(asdict(record), separators=(",", ":")).encode()


def _decode(kept: bytes) -> NetworkRecord:
    fields = json.loads(kept)
    fields["outcome"] = Outcome(fields["outcome"])
    return NetworkRecord(**fields)
