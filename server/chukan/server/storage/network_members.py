# SPDX-License-Identifier: Apache-2.0
"""Who takes part: the members' keys and endpoints as they announced them, and the network's own world generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import Column, LargeBinary, String, Table, bindparam

from chukan.durable.statements import Statement, bulk_insert
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["GenerationStore", "MemberStore"]

_COLUMNS: Final = ("organization", "member_keys", "endpoint")

_member: Final = Table(
    "network_member",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("member_keys", LargeBinary, nullable=False),
    Column("endpoint", String(255), nullable=False),
)
_generation: Final = Table(
    "world_generation",
    metadata,
    Column("world", String(64), primary_key=True),
    Column("generation", String(64), nullable=False),
)
_MEMBERS: Final = Statement(
    sqlalchemy.select(_member.c.organization, _member.c.member_keys, _member.c.endpoint).order_by(
        _member.c.organization
    )
)
_GENERATION: Final = Statement(
    sqlalchemy.select(_generation.c.generation).where(_generation.c.world == bindparam("world_"))
)


class MemberStore:
    """The table of members."""

    def all(self, connection: Connection) -> list[tuple[str, bytes, str]]:
        """Return every member in order: organization, encoded keys, endpoint (empty = in process)."""
        return [(row[0], row[1], row[2]) for row in _MEMBERS.all(connection)]

    def put(self, connection: Connection, organization: str, keys: bytes, endpoint: str) -> None:
        """Add a member or replace what it announced before."""
        bulk_insert(connection, _member, _COLUMNS, [(organization, keys, endpoint)], on_conflict="replace")


class GenerationStore:
    """The generation of each world this database knows: set once, new after a reset."""

    def get(self, connection: Connection, world: str) -> str:
        """Return the generation, empty when none was set."""
        row = _GENERATION.first(connection, world_=world)
        return "" if row is None else str(row[0])

    def put(self, connection: Connection, world: str, generation: str) -> None:
        """Set the generation."""
        bulk_insert(connection, _generation, ("world", "generation"), [(world, generation)], on_conflict="replace")
