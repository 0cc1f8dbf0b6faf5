# SPDX-License-Identifier: Apache-2.0
"""Linkage codes (符号): one per resident and organization, sealed, found by keyed digest.

The core alone can lead from one organization's code to another's; nothing derives one code from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, bindparam

from chukan.durable.statements import Statement, bulk_insert
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
    Index("network_linkage_code_digest", "organization", "code_digest", unique=True),
    sqlite_with_rowid=False,
)
_columns: Final = ("organization", "resident", "code_digest", "code")
_c = _table.c
_ONE_RESIDENT: Final = Statement(
    sqlalchemy.select(_c.resident).where(
        _c.organization == bindparam("organization"), _c.code_digest == bindparam("digest")
    )
)
_RESIDENTS: Final = sqlalchemy.select(_c.code_digest, _c.resident).where(
    _c.organization == bindparam("organization"), _c.code_digest.in_(bindparam("digests", expanding=True))
)
_ONE_CODE: Final = Statement(
    sqlalchemy.select(_c.code_digest, _c.code).where(
        _c.organization == bindparam("organization"), _c.resident == bindparam("resident")
    )
)
_CODES: Final = sqlalchemy.select(_c.resident, _c.code_digest, _c.code).where(
    _c.organization == bindparam("organization"), _c.resident.in_(bindparam("residents", expanding=True))
)


class NetworkLinkageCodeStore:
    """The table of codes."""

    def residents(self, connection: Connection, organization: str, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Return whose codes these are, by the codes' digests."""
        if len(digests) == 1:
            row = _ONE_RESIDENT.first(connection, organization=organization, digest=digests[0])
            return {} if row is None else {digests[0]: row[0]}
        rows = connection.execute(_RESIDENTS, {"organization": organization, "digests": list(digests)})
        return {row[0]: row[1] for row in rows}

    def codes(self, connection: Connection, organization: str, residents: Sequence[int]) -> dict[int, LinkageCodeRow]:
        """Return the organization's codes of these residents."""
        if len(residents) == 1:
            row = _ONE_CODE.first(connection, organization=organization, resident=residents[0])
            return {} if row is None else {residents[0]: LinkageCodeRow(residents[0], row[0], row[1])}
        rows = connection.execute(_CODES, {"organization": organization, "residents": list(residents)})
        return {row[0]: LinkageCodeRow(row[0], row[1], row[2]) for row in rows}

    def add(self, connection: Connection, organization: str, rows: Sequence[LinkageCodeRow]) -> None:
        """Add codes of residents who have none at this organization."""
        bulk_insert(connection, _table, _columns, [(organization, *row) for row in rows])
