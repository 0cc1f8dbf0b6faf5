# SPDX-License-Identifier: Apache-2.0
"""Provisions (情報提供): the sealed batches they went out in, the nonces that were used, what waits for a person.

Who asked for what stands in the exchange record of the same number. A batch is kept
verbatim and once, however many answers it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.provision import AnswerBatchRow, ProvisionRow, WaitingRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from chukan.server.domain.provision import UsedNonce

__all__ = ["ProvisionStore"]

_table: Final = Table(
    "provision",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("permit_digest", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False),
    Column("answer_kind", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("provided", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),  # sealed, row key = permit_digest
    Index("provision_change", "organization", "change_seq"),
    sqlite_with_rowid=False,
)
_batch: Final = Table(
    "answer_batch",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("inquirer", String(16), nullable=False),
    Column("batch", LargeBinary, nullable=False),
    Column("group_keys", LargeBinary, nullable=False),  # sealed, row key = root
    Column("created", BigInteger, nullable=False),
)
_nonce: Final = Table(
    "permit_nonce",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("nonce", LargeBinary, primary_key=True),
    Column("permit_digest", LargeBinary, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("permit_nonce_expiry", "expires"),
    sqlite_with_rowid=False,
)
_waiting: Final = Table(
    "provision_waiting",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("approver", String(64), nullable=False),
)
_c = _table.c
_HERE: Final = _c.organization == bindparam("organization_")
_ROW: Final = sqlalchemy.select(_table)
_BY_IDS: Final = Lookup(_ROW.where(_HERE), _c.id)
_SET: Final = tuple(column.name for column in _c)[2:]
_SETTLE: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"))
    .values({name: bindparam(f"{name}_") for name in _SET})
)
_b = _batch.c
_BATCHES: Final = Lookup(sqlalchemy.select(_batch).where(_b.organization == bindparam("organization_")), _b.id)
_n = _nonce.c
_NONCES: Final = Lookup(
    sqlalchemy.select(_n.nonce, _n.permit_digest).where(_n.organization == bindparam("organization_")), _n.nonce
)
_PURGE: Final = Statement(
    sqlalchemy.delete(_nonce).where(
        sqlalchemy.tuple_(_n.organization, _n.nonce).in_(
            sqlalchemy.select(_n.organization, _n.nonce)
            .where(_n.expires < bindparam("before"))
            .order_by(_n.expires)
            .limit(bindparam("most", type_=Integer))
        )
    )
)
_EXPIRED: Final = Statement(sqlalchemy.select(_n.nonce).where(_n.expires < bindparam("before")).limit(1))
_w = _waiting.c
_W_HERE: Final = (_w.organization == bindparam("organization_"), _w.id == bindparam("id_"))
_WAITING: Final = Statement(sqlalchemy.select(_waiting).where(*_W_HERE))
_DROP: Final = Statement(sqlalchemy.delete(_waiting).where(*_W_HERE))


class ProvisionStore:
    """The tables of provisions."""

    def add(self, connection: Connection, rows: Iterable[ProvisionRow]) -> None:
        """Insert provisions."""
        bulk_insert(connection, _table, ProvisionRow._fields, list(rows))

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, ProvisionRow]:
        """Return provisions by number."""
        rows = _BY_IDS.all(connection, ids, organization_=organization)
        return {row[1]: ProvisionRow._make(row) for row in rows}

    def page(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[ProvisionRow]:
        """Return provisions in order of arrival."""
        query = _ROW.where(_c.organization == organization, _c.id > after)
        if states:
            query = query.where(_c.state.in_(states))
        return [ProvisionRow._make(row) for row in connection.execute(query.order_by(_c.id).limit(most))]

    def changed(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[ProvisionRow]:
        """Return provisions changed after a position, in commit order."""
        query = _ROW.where(_c.organization == organization, _c.change_seq > after)
        if states:
            query = query.where(_c.state.in_(states))
        return [ProvisionRow._make(row) for row in connection.execute(query.order_by(_c.change_seq).limit(most))]

    def settle(self, connection: Connection, row: ProvisionRow) -> None:
        """Replace a provision's state, answer, batch and change."""
        values: dict[str, Any] = {f"{name}_": getattr(row, name) for name in _SET}
        _SETTLE.run(connection, organization_=row.organization, id_=row.id, **values)

    def add_batch(self, connection: Connection, row: AnswerBatchRow) -> None:
        """Insert a sealed batch."""
        bulk_insert(connection, _batch, AnswerBatchRow._fields, [row])

    def batches(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, AnswerBatchRow]:
        """Return sealed batches by number."""
        rows = _BATCHES.all(connection, ids, organization_=organization)
        return {row[1]: AnswerBatchRow._make(row) for row in rows}

    def nonces(self, connection: Connection, organization: str, nonces: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the permit digests under which nonces were used."""
        rows = _NONCES.all(connection, nonces, organization_=organization)
        return {row[0]: row[1] for row in rows}

    def use_nonces(self, connection: Connection, organization: str, rows: Iterable[UsedNonce]) -> None:
        """Note nonces as used."""
        columns = ("organization", "nonce", "permit_digest", "expires")
        bulk_insert(connection, _nonce, columns, [(organization, *row) for row in rows])

    def any_expired(self, connection: Connection, *, before: int) -> bool:
        """Whether a nonce's permit ran out."""
        return _EXPIRED.first(connection, before=before) is not None

    def purge_nonces(self, connection: Connection, *, before: int, most: int) -> int:
        """Forget nonces of permits that ran out; return how many."""
        return _PURGE.run(connection, before=before, most=most)

    def add_waiting(self, connection: Connection, rows: Iterable[WaitingRow]) -> None:
        """Insert what waits for a person."""
        bulk_insert(connection, _waiting, WaitingRow._fields, list(rows))

    def waiting(self, connection: Connection, organization: str, id_: int) -> WaitingRow | None:
        """Return what waits under a provision."""
        row = _WAITING.first(connection, organization_=organization, id_=id_)
        return None if row is None else WaitingRow._make(row)

    def replace_waiting(self, connection: Connection, row: WaitingRow) -> None:
        """Replace what waits."""
        bulk_insert(connection, _waiting, WaitingRow._fields, [row], on_conflict="replace")

    def drop_waiting(self, connection: Connection, organization: str, id_: int) -> None:
        """Drop what no longer waits."""
        _DROP.run(connection, organization_=organization, id_=id_)
