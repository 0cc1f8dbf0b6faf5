# SPDX-License-Identifier: Apache-2.0
"""Local address numbers (宛名番号) and whom they belong to.

The key is (number system, business id, number), looked up by keyed digest; the number itself is sealed, for the way
back, which is one-to-many. content is the digest of what was registered under it last, so that a resend of the same
record costs one look-up; NULL until it was registered itself. superseded: it has a successor
(naturalised, returned) and speaks for the past. Digests are keyed per organization, so their index needs
no other column.
"""

from __future__ import annotations

from operator import itemgetter
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

__all__ = ["LocalKey", "LocalNumberStore", "StoredLink"]

_local: Final = Table(
    "local_number",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("number", LargeBinary, nullable=False),  # sealed, row key = digest
    Column("content", LargeBinary),
    Column("superseded", Integer, nullable=False),
    Index("local_number_key", "digest", unique=True),
    Index("local_number_person", "person"),
)
_c: Final = _local.c
_OF: Final = _c.organization == bindparam("organization")
_INSERT: Final = ("organization", "digest", "person", "number", "content", "superseded")
_FIND: Final = LookUp(_c.organization, _c.digest, _c.digest, _c.person, _c.content, _c.superseded)
_OF_PEOPLE: Final = LookUp(_c.organization, _c.person, _c.id, _c.person, _c.digest, _c.number)
_SET: Final = Statement(
    sqlalchemy.update(_local)
    .where(_OF, _c.digest == bindparam("digest_"))
    .values(person=bindparam("person_"), content=bindparam("content_"), superseded=bindparam("superseded_"))
)
_MOVE: Final = Statement(
    sqlalchemy.update(_local).where(_OF, _c.person == bindparam("gone")).values(person=bindparam("into"))
)
_SEPARATOR: Final = "\x1f"


class LocalKey(NamedTuple):
    """The key of a local address number: 番号体系, 業務ID, 宛名番号."""

    number_system: str
    business_id: str
    local_address_number: str


class StoredLink(NamedTuple):
    """Whom a local number is linked to, the digest of what was registered, whether the number has a successor."""

    person: int
    content: bytes | None
    superseded: bool = False


class LocalNumberStore:
    """The table of local address numbers."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def digests(self, organization: str, keys: Iterable[LocalKey | tuple[str, str, str]]) -> list[bytes]:
        """Return the look-up digests of keys."""
        return self._vault.index_digest_many(organization, "local_number", map(_SEPARATOR.join, keys))

    def contents(self, organization: str, packed: Iterable[str]) -> list[bytes]:
        """Return the digests of what is registered under numbers."""
        return self._vault.index_digest_many(organization, "local_number.content", packed)

    def seal(
        self, organization: str, digests: Sequence[bytes], keys: Iterable[LocalKey | tuple[str, str, str]]
    ) -> list[bytes]:
        """Seal keys."""
        plain = [_SEPARATOR.join(key).encode() for key in keys]
        return self._vault.seal_many(organization, "local_number", "number", digests, plain)

    def find(self, connection: Connection, organization: str, digests: Iterable[bytes]) -> dict[bytes, StoredLink]:
        """Return whom numbers are linked to, by key digest."""
        rows = _FIND.rows(connection, organization, digests)
        return {row[0]: StoredLink(row[1], row[2], bool(row[3])) for row in rows}

    def of_people(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, list[LocalKey]]:
        """Return the local numbers of people, in order of registration."""
        rows = sorted(_OF_PEOPLE.rows(connection, organization, ids), key=itemgetter(0))
        opened = self._vault.open_many(
            organization, "local_number", "number", [row[2] for row in rows], [row[3] for row in rows]
        )
        found: dict[int, list[LocalKey]] = {}
        for row, packed in zip(rows, opened, strict=True):
            found.setdefault(row[1], []).append(LocalKey(*packed.decode().split(_SEPARATOR)))
        return found

    def insert(
        self, connection: Connection, organization: str, rows: Sequence[tuple[bytes, bytes, StoredLink]]
    ) -> None:
        """Link (key digest, sealed key, link)."""
        values = [(organization, digest, link[0], sealed, link[1], int(link[2])) for digest, sealed, link in rows]
        bulk_insert(connection, _local, _INSERT, values)

    def set(self, connection: Connection, organization: str, rows: Sequence[tuple[bytes, StoredLink]]) -> None:
        """Change the links of numbers that are linked."""
        names = ("person_", "content_", "superseded_", "organization", "digest_")
        _SET.many(connection, names, [(link[0], link[1], int(link[2]), organization, key) for key, link in rows])

    def move(self, connection: Connection, organization: str, gone: int, into: int) -> None:
        """Give all numbers of a person to another."""
        _MOVE.run(connection, organization=organization, gone=gone, into=into)
