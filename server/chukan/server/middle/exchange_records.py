# SPDX-License-Identifier: Apache-2.0
"""情報提供等記録 (TKM): listing, tracing and comparing one side's records with the network's.

The comparison answers from what the dispatcher fetched last: asking schedules a fetch of
what is not known yet or may have moved on, so the first answer may be UNKNOWN; an
unreachable network leaves it UNKNOWN, never "agrees".
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import NetworkRecord, Outcome, milliseconds
from chukan.server.domain.exchange_record import (
    ExchangeRecord,
    Reconciliation,
    ReconciliationState,
    RecordSide,
    reconcile,
)
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.exchange_record import RecordRow
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.exchange import ExchangeNetwork
    from chukan.server.ports.exchange_stores import AddresseeFinder, ExchangeRecords

__all__ = ["PULL_NETWORK_RECORDS", "ExchangeRecordDesk"]

PULL_NETWORK_RECORDS: Final = "pull_network_records"
"""Outbox kind: fetch the network's records of exchanges. Payload: their digests, 32 bytes each."""
_DIGEST: Final = 32
_MOST: Final = 1_000


class ExchangeRecordDesk:
    """Records of every organization served here, as their own staff read them."""

    def __init__(
        self,
        environment: Environment,
        *,
        records: ExchangeRecords,
        addressees: AddresseeFinder,
        outbox: Outbox,
        network: ExchangeNetwork,
    ) -> None:
        self._environment = environment
        self._records = records
        self._addressees = addressees
        self._outbox = outbox
        self._network = network

    def page(
        self,
        organization: str,
        *,
        after: int,
        most: int,
        side: int = 0,
        number: str = "",
        outcomes: Sequence[int] = (),
        information: str = "",
    ) -> list[tuple[int, ExchangeRecord]]:
        """Return (number of the row, record) in order of writing; number: only this addressee."""
        with self._environment.database.read() as connection:
            addressee = 0
            if number:
                person = self._addressees.find(connection, organization, [number]).get(number)
                if person is None:
                    return []
                addressee = person.id
            rows = self._records.page(
                connection,
                organization,
                after=after,
                most=most,
                side=side,
                addressee=addressee,
                outcomes=outcomes,
                information=information,
            )
            return [
                (row.id, record) for row, record in zip(rows, self._shown(connection, organization, rows), strict=True)
            ]

    def trace(
        self, organization: str, number: str, *, information: str, after: int, most: int
    ) -> list[tuple[int, ExchangeRecord]]:
        """Return who received records of a person. Errors: ADDRESSEE_UNKNOWN."""
        with self._environment.database.read() as connection:
            if number not in self._addressees.find(connection, organization, [number]):
                raise ChukanError("ADDRESSEE_UNKNOWN")
        return self.page(
            organization,
            after=after,
            most=most,
            side=int(RecordSide.PROVIDER),
            number=number,
            outcomes=(int(Outcome.PROVIDED),),
            information=information,
        )

    def get(self, organization: str, exchange_id: str, side: int) -> ExchangeRecord:
        """Return one record. Errors: RECORD_UNKNOWN."""
        exchange = _exchange(exchange_id)
        with self._environment.database.read() as connection:
            found = self._records.by_exchanges(connection, organization, [exchange], side=side)
            if exchange not in found:
                raise ChukanError("RECORD_UNKNOWN")
            return self._shown(connection, organization, [found[exchange]])[0]

    def changed(self, organization: str, *, after: int, most: int) -> list[ExchangeRecord]:
        """Return records changed after a position, in commit order."""
        with self._environment.database.read() as connection:
            rows = self._records.changed(connection, organization, after=after, most=most)
            return self._shown(connection, organization, rows)

    # --- comparing with the network ---

    def reconcile(
        self, organization: str, *, exchange_ids: Sequence[str], after: int
    ) -> tuple[list[Reconciliation], int]:
        """Compare records, at most a thousand; return what was found and the position to go on from."""
        with self._environment.database.read() as connection:
            if exchange_ids:
                wanted = [_exchange(each) for each in dict.fromkeys(exchange_ids)]
                rows = self._records.by_exchanges(connection, organization, wanted)
                last = max((row.change_seq for row in rows.values()), default=after)
            else:
                changed = self._records.changed(connection, organization, after=after, most=_MOST)
                rows = {}
                for row in changed:
                    rows.setdefault(row.exchange, row)
                wanted, last = list(rows), max((row.change_seq for row in changed), default=after)
            copies = self._records.copies(connection, organization, wanted) if wanted else {}
            shown = self._shown(connection, organization, list(rows.values()))
        own = dict(zip(rows, shown, strict=True))
        found = [
            reconcile(
                exchange.hex(),
                own.get(exchange),
                _decode(copies[exchange]) if copies.get(exchange) else None,
                asked=exchange in copies,
            )
            for exchange in wanted
        ]
        unsettled = [
            exchange
            for exchange, each in zip(wanted, found, strict=True)
            if each.state is not ReconciliationState.AGREES
        ]
        if unsettled:  # what the network said may have moved on since
            self._schedule(organization, unsettled)
        return found, last

    def pull(self, items: Sequence[OutboxItem]) -> None:
        """Fetch the network's records and keep them; called by the dispatcher."""
        organization = items[0].organization
        wanted = list(
            dict.fromkeys(
                item.payload[at : at + _DIGEST] for item in items for at in range(0, len(item.payload), _DIGEST)
            )
        )
        copies: dict[bytes, bytes] = dict.fromkeys(wanted, b"")
        for start in range(0, len(wanted), _MOST):
            asked = [each.hex() for each in wanted[start : start + _MOST]]
            for record in self._network.network_records(organization, asked):
                copies[bytes.fromhex(record.exchange_id)] = _encode(record)
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> None:
            self._records.keep_copies(connection, organization, copies.items(), now=now)
            self._outbox.done(connection, [item.id for item in items])

        self._environment.database.write(organization, step)

    def _schedule(self, organization: str, exchanges: Sequence[bytes]) -> None:
        payload = b"".join(dict.fromkeys(exchanges))
        self._environment.database.write(
            organization,
            lambda connection: self._outbox.add(
                connection, kind=PULL_NETWORK_RECORDS, organization=organization, payload=payload
            ),
        )

    def _shown(self, connection: Connection, organization: str, rows: Sequence[RecordRow]) -> list[ExchangeRecord]:
        people = sorted({row.addressee for row in rows if row.addressee})
        numbers = self._addressees.number(connection, organization, people) if people else {}
        sets = self._records.item_codes(connection, _sets(rows)) if rows else {}
        return [_record(row, numbers.get(row.addressee, ""), sets[row.items]) for row in rows]


def _sets(rows: Iterable[RecordRow]) -> set[int]:
    return {row.items for row in rows if row.items}


def _record(row: RecordRow, number: str, items: tuple[str, ...]) -> ExchangeRecord:
    return ExchangeRecord(
        exchange_id=row.exchange.hex(),
        side=RecordSide(row.side),
        inquirer=row.inquirer,
        provider=row.provider,
        affair=row.affair,
        procedure=row.procedure,
        information=row.information,
        number=number,
        inquiry_time_ms=row.inquired,
        provision_time_ms=row.provided,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        undisclosable=bool(row.undisclosable),
        item_codes=items,
        legal_basis=row.legal_basis,
        permission_row_id=row.permission_row,
        receipt_number=row.receipt,
        change_seq=row.change_seq,
        permit_digest=row.permit_digest.hex(),
    )


def _exchange(exchange_id: str) -> bytes:
    try:
        exchange = bytes.fromhex(exchange_id)
    except ValueError:
        exchange = b""
    if len(exchange) != _DIGEST:
        raise ChukanError("RECORD_UNKNOWN", field="exchange_id")
    return exchange


def _encode(record: NetworkRecord) -> bytes:
    """Return the network's record as kept; it bears no personal value."""
    return json.dumps(asdict(record), separators=(",", ":")).encode()


def _decode(kept: bytes) -> NetworkRecord:
    fields = json.loads(kept)
    fields["outcome"] = Outcome(fields["outcome"])
    return NetworkRecord(**fields)
