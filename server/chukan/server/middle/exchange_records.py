# SPDX-License-Identifier: Apache-2.0
"""情報提供等記録 (TKM): listing, tracing and exporting one side's records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import Outcome
from chukan.server.domain.exchange_record import ExchangeRecord, RecordSide
from chukan.server.domain.inquiry import receipt_id
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.exchange_record import RecordRow
    from chukan.server.ports import Connection, Environment
    from chukan.server.ports.exchange_stores import AddresseeFinder, ExchangeRecords

__all__ = ["ExchangeRecordDesk", "exchange_of"]

_DIGEST: Final = 32


class ExchangeRecordDesk:
    """Records of every organization served here, as their own staff read them."""

    def __init__(
        self,
        environment: Environment,
        *,
        records: ExchangeRecords,
        addressees: AddresseeFinder,
    ) -> None:
        self._environment = environment
        self._records = records
        self._addressees = addressees

    @property
    def generation(self) -> str:
        """World generation that positions belong to."""
        return self._environment.master.world_generation

    def last_change(self) -> int:
        """Return the last position there is."""
        return self._environment.database.changes.last()

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
        receipt: str = "",
    ) -> list[tuple[int, ExchangeRecord]]:
        """Return (number of the row, record) in order of writing; number, receipt: only of this addressee, inquiry."""
        inquiry = receipt_id(receipt)
        if receipt and inquiry is None:
            return []
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
                receipt=None if inquiry is None else (inquiry, receipt),
            )
            return [
                (row.id, record) for row, record in zip(rows, self.shown(connection, organization, rows), strict=True)
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
        exchange = exchange_of(exchange_id)
        with self._environment.database.read() as connection:
            found = self._records.by_exchanges(connection, organization, [exchange], side=side)
            if exchange not in found:
                raise ChukanError("RECORD_UNKNOWN")
            return self.shown(connection, organization, [found[exchange]])[0]

    def changed(self, organization: str, *, after: int, until: int, most: int) -> list[ExchangeRecord]:
        """Return records last changed after a position and up to another, in commit order."""
        with self._environment.database.read() as connection:
            rows = self._records.changed(connection, organization, after=after, most=most)
            rows = [row for row in rows if row.change_seq <= until]
            return self.shown(connection, organization, rows)

    def shown(self, connection: Connection, organization: str, rows: Sequence[RecordRow]) -> list[ExchangeRecord]:
        """Return stored records as their own staff read them, in the same order."""
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
        inquirer_delegator=row.inquirer_delegator,
        provider_delegator=row.provider_delegator,
        mode=row.mode,
        change_seq=row.change_seq,
        permit_digest=row.permit_digest.hex(),
    )


def exchange_of(exchange_id: str) -> bytes:
    """Return the digest an id names. Errors: RECORD_UNKNOWN."""
    try:
        exchange = bytes.fromhex(exchange_id)
    except ValueError:
        exchange = b""
    if len(exchange) != _DIGEST:
        raise ChukanError("RECORD_UNKNOWN", field="exchange_id")
    return exchange
