# SPDX-License-Identifier: Apache-2.0
"""Linkage codes (符号): one per resident and organization, sealed, found by keyed digest.

The core alone can lead from one organization's code to another's; nothing derives one code from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import bulk_insert
from chukan.server.domain.acquisition import LinkageCodeRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["NetworkLinkageCodeStore"]

_table: Final = Table(
    "network_linkage_code",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("resident", BigInteger, primary_key=True, autoincrement=False),
    Column("code_digest", LargeBinary, nullable=False),
    Column("code", LargeBinary, nullable=False),  # sealed
    Index("network_linkage_code_digest", "code_digest", unique=True),
    sqlite_with_rowid=False,
)
_columns: Final = ("organization", "resident", "code_digest", "code")
_c = _table.c
_OWN: Final = sqlalchemy.select(_c.code_digest, _c.resident, _c.code).where(
    _c.organization == bindparam("organization")
)
_RESIDENTS: Final = Lookup(_OWN, _c.code_digest)
_CODES: Final = Lookup(_OWN, _c.resident)


class NetworkLinkageCodeStore:
    """The table of codes."""

    def residents(self, connection: Connection, organization: str, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Return whose codes these are, by the codes' digests."""
        rows = _RESIDENTS.all(connection, digests, organization=organization)
        return {row[0]: row[1] for row in rows}

    def codes(self, connection: Connection, organization: str, residents: Sequence[int]) -> dict[int, LinkageCodeRow]:
        """Return the organization's codes of these residents."""
        rows = _CODES.all(connection, residents, organization=organization)
        return {row[1]: LinkageCodeRow(row[1], row[0], row[2]) for row in rows}

    def add(self, connection: Connection, organization: str, rows: Sequence[LinkageCodeRow]) -> None:
        """Add codes of residents who have none at this organization."""
        bulk_insert(connection, _table, _columns, [(organization, *row) for row in rows])
