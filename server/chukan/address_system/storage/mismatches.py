# SPDX-License-Identifier: Apache-2.0
"""Registrations held for a person (不一致): the whole registration sealed, until somebody decides and ever after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.address_system.storage.look_up import LookUp
from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement, bulk_insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from chukan.durable.vault import Vault

__all__ = ["MismatchRow", "MismatchStore"]

_mismatch: Final = Table(
    "mismatch",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False),
    Column("name", String(32), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("local_digest", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("held", LargeBinary, nullable=False),  # sealed registration, row key = name
    Column("candidates", String, nullable=False),  # surrogates, space between
    Column("differing", String, nullable=False),  # attributes, space between
    Column("created", BigInteger, nullable=False),
    Column("resolved", BigInteger, nullable=False),
    Column("decision", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Index("mismatch_name", "organization", "name", unique=True),
    Index("mismatch_open", "local_digest", sqlite_where=sqlalchemy.text("resolved = 0")),
    Index("mismatch_list", "organization", "id"),
    Index("mismatch_waiting", "organization", "id", sqlite_where=sqlalchemy.text("resolved = 0")),
)
_c: Final = _mismatch.c
_COLUMNS: Final = tuple(column.name for column in _c)
_OF: Final = _c.organization == bindparam("organization")
_OPEN: Final = LookUp(
    _c.organization,
    _c.local_digest,
    _c.local_digest,
    _c.id,
    _c.name,
    _c.kind,
    _c.content,
    where=_c.resolved == sqlalchemy.literal_column("0"),
)
_BY_NAME: Final = Statement(sqlalchemy.select(_mismatch).where(_OF, _c.name == bindparam("name_")))
_ALL: Final = sqlalchemy.select(_mismatch).where(_OF, _c.id > bindparam("after")).order_by(_c.id)
_PAGE: Final = Statement(_ALL.limit(bindparam("most", type_=Integer)))
_OPEN_PAGE: Final = Statement(
    _ALL.where(_c.resolved == sqlalchemy.literal_column("0")).limit(bindparam("most", type_=Integer))
)
_RESOLVE: Final = Statement(
    sqlalchemy.update(_mismatch)
    .where(_c.id == bindparam("id_"))
    .values(resolved=bindparam("resolved_"), decision=bindparam("decision_"), person=bindparam("person_"))
)


class MismatchRow(NamedTuple):
    """One mismatch as stored."""

    id: int
    organization: str
    name: str
    kind: int
    local_digest: bytes
    content: bytes
    held: bytes
    candidates: str
    differing: str
    created: int
    resolved: int
    decision: int
    person: int


class MismatchStore:
    """The table of mismatches."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, organization: str, names: Sequence[str], packed: Sequence[bytes]) -> list[bytes]:
        """Seal registrations."""
        return self._vault.seal_many(organization, "mismatch", "held", names, packed)

    def open(self, organization: str, rows: Sequence[MismatchRow]) -> list[bytes]:
        """Open registrations."""
        names = [row.name for row in rows]
        return self._vault.open_many(organization, "mismatch", "held", names, [row.held for row in rows])

    def open_for(
        self, connection: Connection, organization: str, digests: Iterable[bytes]
    ) -> dict[bytes, tuple[int, str, int, bytes]]:
        """Return (id, name, kind, content) of open mismatches by local key digest, the latest of each."""
        rows = sorted(_OPEN.rows(connection, organization, digests), key=lambda row: row[1])
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}

    def by_name(self, connection: Connection, organization: str, name: str) -> MismatchRow | None:
        """Return one mismatch."""
        row = _BY_NAME.first(connection, organization=organization, name_=name)
        return None if row is None else MismatchRow._make(row)

    def page(
        self, connection: Connection, organization: str, *, after: int, most: int, resolved: bool
    ) -> list[MismatchRow]:
        """Return mismatches, oldest first; resolved ones only if asked for."""
        statement = _PAGE if resolved else _OPEN_PAGE
        return list(
            map(MismatchRow._make, statement.all(connection, organization=organization, after=after, most=most))
        )

    def insert(self, connection: Connection, rows: Sequence[MismatchRow]) -> None:
        """Add mismatches; their ids are given here."""
        bulk_insert(connection, _mismatch, _COLUMNS[1:], [row[1:] for row in rows])

    def resolve(self, connection: Connection, rows: Sequence[tuple[int, int, int]], *, now: int) -> None:
        """Set (id, decision, person or 0)."""
        names = ("resolved_", "decision_", "person_", "id_")
        _RESOLVE.many(connection, names, [(now, row[1], row[2], row[0]) for row in rows])
