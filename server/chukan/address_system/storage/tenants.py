# SPDX-License-Identifier: Apache-2.0
"""Tenants: the place of each organization among those served here, which begins its people's surrogates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import Column, Integer, String, Table, bindparam

from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["TenantStore"]

_tenant: Final = Table(
    "tenant",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False, unique=True),
)
_FIND: Final = Statement(sqlalchemy.select(_tenant.c.place).where(_tenant.c.organization == bindparam("organization_")))
_ADD: Final = Statement(sqlalchemy.insert(_tenant), ("organization",))


class TenantStore:
    """The table of tenants."""

    def place(self, connection: Connection, organization: str) -> int:
        """Return an organization's place, 0 if it has none."""
        row = _FIND.first(connection, organization_=organization)
        return 0 if row is None else int(row[0])

    def take_place(self, connection: Connection, organization: str) -> int:
        """Return an organization's place inside a write, giving it one if it has none."""
        if not self.place(connection, organization):
            _ADD.run(connection, organization=organization)
        return self.place(connection, organization)
