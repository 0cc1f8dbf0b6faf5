# SPDX-License-Identifier: Apache-2.0
"""Counters that only rise: one per organization and name, advanced in the write that uses the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, String, Table, bindparam

from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement, bulk_insert

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["CounterStore"]

_counter: Final = Table(
    "counter",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("last", BigInteger, nullable=False),
)
_LAST: Final = Statement(
    sqlalchemy.select(_counter.c.last).where(
        _counter.c.organization == bindparam("organization"), _counter.c.name == bindparam("name_")
    )
)


class CounterStore:
    """The table of counters."""

    def last(self, connection: Connection, organization: str, name: str) -> int:
        """Return the last number used, 0 before the first."""
        row = _LAST.first(connection, organization=organization, name_=name)
        return 0 if row is None else int(row[0])

    def advance(self, connection: Connection, organization: str, name: str, last: int) -> None:
        """Note the last number used."""
        values = [(organization, name, last)]
        bulk_insert(connection, _counter, ("organization", "name", "last"), values, on_conflict="replace")
