# SPDX-License-Identifier: Apache-2.0
"""Exchange records (情報提供等記録) of the organizations served here, and what the network holds about the same.

A record has the number of its inquiry or provision. This table carries the one index by
exchange digest that both sides look up by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.exchange_record import RecordMark, RecordRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from chukan.server.domain.exchange_record import RecordEnd

__all__ = ["ExchangeRecordStore"]

_items: Final = Table(
    "item_set",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("codes", String, nullable=False, unique=True),  # item codes, space between
)
_table: Final = Table(
    "exchange_record",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("side", Integer, nullable=False),
    Column("exchange", LargeBinary, nullable=False),
    Column("permit_digest", LargeBinary, nullable=False),
    Column("inquirer", String(16), nullable=False),
    Column("provider", String(16), nullable=False),
    Column("affair", String(16), nullable=False),
    Column("procedure", String(16), nullable=False),
    Column("information", String(16), nullable=False),
    Column("inquirer_delegator", String(16), nullable=False),
    Column("provider_delegator", String(16), nullable=False),
    Column("mode", Integer, nullable=False),
    Column("addressee", BigInteger, nullable=False),
    Column("inquired", BigInteger, nullable=False),
    Column("provided", BigInteger, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("undisclosable", Integer, nullable=False),
    Column("items", Integer, nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("permission_row", String(64), nullable=False),
    Column("receipt", String(20), nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    Index("exchange_record_exchange", "organization", "exchange"),
    Index("exchange_record_addressee", "organization", "addressee"),
    Index("exchange_record_change", "organization", "change_seq"),
)  # with row ids: without them SQLite would read a whole organization to find an exchange
_network: Final = Table(
    "network_record_copy",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("exchange", LargeBinary, primary_key=True),
    Column("record", LargeBinary, nullable=False),  # as the network showed it; empty: it has none
    Column("fetched", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),  # the network's number of it; 0: it has none
    Index("network_record_copy_place", "organization", "place"),
    sqlite_with_rowid=False,
)
_listing: Final = Table(
    "network_record_listing",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("generation", String(64), nullable=False),  # of the world the token belongs to
    Column("token", String, nullable=False),  # of the last page there is
    Column("listed", BigInteger, nullable=False),  # when the end was last seen; 0 = never
    sqlite_with_rowid=False,
)
_c = _table.c
_LAST_CHANGE: Final = 2**63 - 1
_COLUMNS: Final = tuple(column.name for column in _c)
_HERE: Final = _c.organization == bindparam("organization_")
_ROW: Final = sqlalchemy.select(_table)
_MARKS: Final = Lookup(
    sqlalchemy.select(_c.id, _c.side, _c.exchange, _c.permit_digest, _c.provider).where(_HERE), _c.exchange
)
_BY_IDS: Final = Lookup(_ROW.where(_HERE), _c.id)
_CHANGED: Final = Statement(
    _ROW.where(_HERE, _c.change_seq > bindparam("after"))
    .order_by(_c.change_seq)
    .limit(bindparam("most", type_=Integer))
)
_PERMIT: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"))
    .values(
        permit_digest=bindparam("permit_digest_"),
        legal_basis=bindparam("legal_basis_"),
        permission_row=bindparam("permission_row_"),
        change_seq=bindparam("change_seq_"),
    )
)
_END: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"))
    .values(
        outcome=bindparam("outcome_"),
        reason=bindparam("reason_"),
        provided=bindparam("provided_"),
        undisclosable=_c.undisclosable.op("|")(bindparam("undisclosable_", type_=Integer)),
        items=bindparam("items_"),
        change_seq=bindparam("change_seq_"),
    )
)
_END_NAMES: Final = ("provided_", "outcome_", "reason_", "undisclosable_", "items_", "change_seq_")
_FIND_ITEMS: Final = Statement(sqlalchemy.select(_items.c.id).where(_items.c.codes == bindparam("codes_")))
_ADD_ITEMS: Final = Statement(sqlalchemy.insert(_items).returning(_items.c.id), ("codes",))
_READ_ITEMS: Final = Lookup(sqlalchemy.select(_items.c.id, _items.c.codes), _items.c.id)
_COPIES: Final = Lookup(
    sqlalchemy.select(_network.c.exchange, _network.c.record).where(
        _network.c.organization == bindparam("organization_")
    ),
    _network.c.exchange,
)
_COPIES_AFTER: Final = Statement(
    sqlalchemy.select(_network.c.place, _network.c.exchange, _network.c.record)
    .where(_network.c.organization == bindparam("organization_"), _network.c.place > bindparam("after"))
    .order_by(_network.c.place)
    .limit(bindparam("most", type_=Integer))
)
_LISTED: Final = Statement(
    sqlalchemy.select(_listing.c.token, _listing.c.listed).where(
        _listing.c.organization == bindparam("organization_"), _listing.c.generation == bindparam("generation_")
    )
)


class ExchangeRecordStore:
    """The tables of records."""

    def __init__(self) -> None:
        self._item_sets: dict[str, int] = {"": 0}

    def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert records, as RecordRow orders their columns."""
        bulk_insert(connection, _table, _COLUMNS, list(rows))

    def marks(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes], *, side: int = 0
    ) -> list[RecordMark]:
        """Return what tells the records of exchanges apart, oldest first: replays make further ones."""
        rows = _MARKS.all(connection, exchanges, organization_=organization)
        found = [RecordMark._make(row) for row in rows if not side or row[1] == side]
        found.sort()
        return found

    def by_exchanges(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes], *, side: int = 0
    ) -> dict[bytes, RecordRow]:
        """Return the first record of each exchange; of one side, or of either."""
        first: dict[bytes, int] = {}
        for mark in self.marks(connection, organization, exchanges, side=side):
            first.setdefault(mark.exchange, mark.id)
        rows = self.by_ids(connection, organization, list(first.values())) if first else {}
        return {exchange: rows[id_] for exchange, id_ in first.items()}

    def by_sides(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes]
    ) -> dict[tuple[bytes, int], RecordRow]:
        """Return the first record of each exchange and side."""
        first: dict[tuple[bytes, int], int] = {}
        for mark in self.marks(connection, organization, exchanges):
            first.setdefault((mark.exchange, mark.side), mark.id)
        rows = self.by_ids(connection, organization, list(first.values())) if first else {}
        return {key: rows[id_] for key, id_ in first.items()}

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, RecordRow]:
        """Return records by the number of their inquiry or provision."""
        rows = _BY_IDS.all(connection, ids, organization_=organization)
        return {row[1]: RecordRow._make(row) for row in rows}

    def page(
        self,
        connection: Connection,
        organization: str,
        *,
        after: int,
        most: int,
        side: int = 0,
        addressee: int = 0,
        outcomes: Sequence[int] = (),
        information: str = "",
        receipt: tuple[int, str] | None = None,
    ) -> list[RecordRow]:
        """Return records in order of writing; receipt: the number of its inquiry and the receipt number itself."""
        query = _ROW.where(_c.organization == organization, _c.id > after)
        if side:
            query = query.where(_c.side == side)
        if addressee:
            query = query.where(_c.addressee == addressee)
        if outcomes:
            query = query.where(_c.outcome.in_(outcomes))
        if information:
            query = query.where(_c.information == information)
        if receipt:
            query = query.where(_c.id == receipt[0], _c.receipt == receipt[1])
        return [RecordRow._make(row) for row in connection.execute(query.order_by(_c.id).limit(most))]

    def changed(self, connection: Connection, organization: str, *, after: int, most: int) -> list[RecordRow]:
        """Return records changed after a position, in commit order."""
        rows = _CHANGED.all(connection, organization_=organization, after=min(after, _LAST_CHANGE), most=most)
        return [RecordRow._make(row) for row in rows]

    def permit(
        self, connection: Connection, organization: str, rows: Iterable[tuple[int, bytes, str, str, int]]
    ) -> None:
        """Set (id, permit digest, legal basis, permission row, change)."""
        names = ("permit_digest_", "legal_basis_", "permission_row_", "change_seq_", "organization_", "id_")
        _PERMIT.many(connection, names, [(*row[1:], organization, row[0]) for row in rows])

    def end(self, connection: Connection, organization: str, rows: Iterable[RecordEnd]) -> None:
        """Set what took place."""
        names = (*_END_NAMES, "organization_", "id_")
        _END.many(connection, names, [(*row[1:], organization, row[0]) for row in rows])

    # --- item sets: the item codes of an answer, once for all answers that bear the same ---

    def item_sets(self, connection: Connection, code_sets: Iterable[str]) -> dict[str, int]:
        """Return the number of each set of item codes, adding new ones; 0 is the empty set."""
        found: dict[str, int] = {}
        for codes in set(code_sets):
            number = self._item_sets.get(codes)
            if number is None:
                row = _FIND_ITEMS.first(connection, codes_=codes)
                if row is not None:
                    number = self._item_sets[codes] = row[0]  # committed before: safe to remember
                else:
                    row = _ADD_ITEMS.first(connection, codes=codes)
                    number = row[0] if row else 0
            found[codes] = number
        return found

    def item_codes(self, connection: Connection, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the item codes of sets."""
        rows = _READ_ITEMS.all(connection, list(set(ids)))
        return {0: (), **{row[0]: tuple(row[1].split()) for row in rows}}

    # --- the network's records, as last fetched ---

    def keep_copies(
        self, connection: Connection, organization: str, rows: Iterable[tuple[bytes, bytes, int]], *, now: int
    ) -> None:
        """Replace (exchange, record as shown or empty, the network's number of it)."""
        bulk_insert(
            connection,
            _network,
            ("organization", "exchange", "record", "fetched", "place"),
            [(organization, exchange, record, now, place) for exchange, record, place in rows],
            on_conflict="replace",
        )

    def copies(self, connection: Connection, organization: str, exchanges: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the network's records by exchange; absent = never fetched."""
        rows = _COPIES.all(connection, exchanges, organization_=organization)
        return {row[0]: row[1] for row in rows}

    def copies_after(
        self, connection: Connection, organization: str, *, after: int, most: int
    ) -> list[tuple[int, bytes, bytes]]:
        """Return (the network's number, exchange, record) after a number, in its order."""
        rows = _COPIES_AFTER.all(connection, organization_=organization, after=min(after, _LAST_CHANGE), most=most)
        return [(row[0], row[1], row[2]) for row in rows]

    def listing(self, connection: Connection, organization: str, generation: str) -> tuple[str, int]:
        """Return the token the network's list goes on from, and when its end was last seen, 0 = never."""
        row = _LISTED.first(connection, organization_=organization, generation_=generation)
        return (row[0], row[1]) if row else ("", 0)

    def keep_listing(
        self, connection: Connection, organization: str, generation: str, *, token: str, listed: int
    ) -> None:
        """Replace how far the network's list was read."""
        names = ("organization", "generation", "token", "listed")
        rows = [(organization, generation, token, listed)]
        bulk_insert(connection, _listing, names, rows, on_conflict="replace")
