# SPDX-License-Identifier: Apache-2.0
"""Processing numbers (処理通番) as the network keeps them: who asked, until when, and what became of each.

A number names its row, so a look-up is one by row. Once the acquisition is over the random half is dropped: the number
can't be told any more, but that it was used still can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, bindparam

from chukan.durable.changes import next_change_seq
from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.acquisition import Acquisition, AcquisitionState
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

__all__ = ["ProcessingNumberStore"]

_SEQUENCE: Final = "network.processing_number"

_table: Final = Table(
    "network_processing_number",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("organization", String(16), nullable=False),
    Column("token", String(64), nullable=False),
    Column("secret", String(12), nullable=False),  # empty once purged
    Column("state", Integer, nullable=False),
    Column("resident", BigInteger, nullable=False),  # 0 = not submitted, or nobody
    Column("reason", String(64), nullable=False),
    Column("expire", BigInteger, nullable=False),  # milliseconds
    Index("network_processing_number_token", "token", "organization", unique=True),
    Index("network_processing_number_expire", "expire", sqlite_where=sqlalchemy.text("secret <> ''")),
)
_columns: Final = ("id", "organization", "token", "secret", "state", "resident", "reason", "expire")
_c = _table.c
_OWN: Final = sqlalchemy.select(*(_c[name] for name in _columns)).where(_c.organization == bindparam("organization"))
_BY_TOKEN: Final = Lookup(_OWN, _c.token)
_BY_ID: Final = Lookup(_OWN, _c.id)
_SETTLE: Final = Statement(
    sqlalchemy.update(_table)
    .where(_c.id == bindparam("id_"))
    .values(state=bindparam("state_"), resident=bindparam("resident_"), reason=bindparam("reason_"))
)
_EXPIRED: Final = Statement(
    sqlalchemy.select(_c.id)
    .where(_c.expire < bindparam("before"), _c.secret != sqlalchemy.literal_column("''"))
    .order_by(_c.expire)
    .limit(bindparam("most", type_=Integer))
)
_PURGE: Final = Statement(
    sqlalchemy.update(_table).where(_c.id == bindparam("id_")).values(state=bindparam("state_"), secret="")
)
_FORGET: Final = Statement(sqlalchemy.update(_table).where(_c.id == bindparam("id_")).values(secret=""))


class ProcessingNumberStore:
    """The table of acquisitions."""

    def by_tokens(self, connection: Connection, organization: str, tokens: Sequence[str]) -> dict[str, Acquisition]:
        """Return the organization's acquisitions by token."""
        rows = _BY_TOKEN.all(connection, tokens, organization=organization)
        return {row[2]: Acquisition._make(row) for row in rows}

    def by_ids(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, Acquisition]:
        """Return the organization's acquisitions by row; another organization's are absent."""
        rows = _BY_ID.all(connection, list(ids), organization=organization)
        return {row[0]: Acquisition._make(row) for row in rows}

    def add(
        self, connection: Connection, organization: str, tokens: Sequence[str], secrets: Sequence[str], expire: int
    ) -> list[Acquisition]:
        """Open one acquisition per token, in order."""
        first = next_change_seq(connection, _SEQUENCE, len(tokens))
        added = [
            Acquisition(first + at, organization, token, secret, AcquisitionState.ISSUED, 0, "", expire)
            for at, (token, secret) in enumerate(zip(tokens, secrets, strict=True))
        ]
        bulk_insert(connection, _table, _columns, added)
        return added

    def settle(self, connection: Connection, rows: Sequence[tuple[int, int, str, int]]) -> None:
        """Set (state, resident, reason, row) of submitted acquisitions."""
        _SETTLE.many(connection, ("state_", "resident_", "reason_", "id_"), rows)

    def expired(self, connection: Connection, *, before: int, most: int) -> list[int]:
        """Return rows whose numbers are still kept and expired before an instant, the oldest first."""
        return [row[0] for row in _EXPIRED.all(connection, before=before, most=most)]

    def forget(self, connection: Connection, ids: Iterable[int]) -> None:
        """Drop the numbers of acquisitions that nobody finished; they stay as they are otherwise."""
        _FORGET.many(connection, ("id_",), [(row,) for row in ids])

    def purge(self, connection: Connection, ids: Iterable[int]) -> None:
        """Drop the numbers themselves: nobody may keep one beyond its acquisition."""
        delivered = int(AcquisitionState.DELIVERED)
        _PURGE.many(connection, ("state_", "id_"), [(delivered, row) for row in ids])
