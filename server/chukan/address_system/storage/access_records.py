# SPDX-License-Identifier: Apache-2.0
"""Who read or changed whom (アクセス記録): committed before the answer goes out; holds no attribute and no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, bindparam

from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement, bulk_insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["AccessRecord", "AccessRecordStore"]

_record: Final = Table(
    "access_record",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("action", String(64), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("system", String(128), nullable=False),
    Column("terminal", String(128), nullable=False),
    Column("department", String(128), nullable=False),
    Column("user", String(128), nullable=False),
    Index("access_record_list", "organization", "id"),
)
_COLUMNS: Final = tuple(column.name for column in _record.c)[1:]
_PAGE: Final = Statement(
    sqlalchemy.select(*(_record.c[name] for name in _COLUMNS))
    .where(_record.c.organization == bindparam("organization"), _record.c.id > bindparam("after"))
    .order_by(_record.c.id)
    .limit(bindparam("most", type_=Integer))
)


class AccessRecord(NamedTuple):
    """One access: when (microseconds), what, to whom (surrogate, 0 = a search or a list), by whom."""

    organization: str
    at: int
    action: str
    person: int
    system: str
    terminal: str
    department: str
    user: str


class AccessRecordStore:
    """The table of access records."""

    def add(self, connection: Connection, records: Sequence[AccessRecord]) -> None:
        """Add records."""
        bulk_insert(connection, _record, _COLUMNS, records)

    def page(self, connection: Connection, organization: str, *, after: int, most: int) -> list[AccessRecord]:
        """Return records in order."""
        rows = _PAGE.all(connection, organization=organization, after=after, most=most)
        return list(map(AccessRecord._make, rows))
