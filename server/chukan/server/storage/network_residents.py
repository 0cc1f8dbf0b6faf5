# SPDX-License-Identifier: Apache-2.0
"""Residents as the simulated resident network (住基ネット) knows them: sealed, found by keyed digests only.

An individual number is looked up by its keyed digest; the four basic attributes (基本4情報) by two 64-bit keyed
digests, of the name and of birth date with residential address: any three of the four have one of them whole. Digests
only propose candidates; whoever searches opens them and compares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, bindparam

from chukan.durable.changes import next_change_seq
from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.resident import KnownResident, ResidentRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

__all__ = ["ResidentStore"]

_SEQUENCE: Final = "network.resident"
_MOST_CANDIDATES: Final = 100

_table: Final = Table(
    "network_resident",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("number_digest", LargeBinary, nullable=False),
    Column("content_digest", LargeBinary, nullable=False),
    Column("name_key", BigInteger, nullable=False),
    Column("place_key", BigInteger, nullable=False),
    Column("has_record_code", Integer, nullable=False),
    Column("identity", LargeBinary, nullable=False),  # sealed
    Index("network_resident_number", "number_digest", unique=True),
    Index("network_resident_name", "name_key"),
    Index("network_resident_place", "place_key"),
)
_columns: Final = (
    "id",
    "number_digest",
    "content_digest",
    "name_key",
    "place_key",
    "has_record_code",
    "identity",
)
_c = _table.c
_KNOWN: Final = Lookup(
    sqlalchemy.select(_c.number_digest, _c.id, _c.content_digest, _c.has_record_code), _c.number_digest
)
_BY_NAME: Final = Statement(
    sqlalchemy.select(_c.number_digest, _c.identity)
    .where(_c.name_key == bindparam("key"))
    .order_by(_c.id)
    .limit(_MOST_CANDIDATES)
)
_BY_PLACE: Final = Statement(
    sqlalchemy.select(_c.number_digest, _c.identity)
    .where(_c.place_key == bindparam("key"))
    .order_by(_c.id)
    .limit(_MOST_CANDIDATES)
)
_CHANGE: Final = Statement(
    sqlalchemy.update(_table)
    .where(_c.number_digest == bindparam("number_digest_"))
    .values(
        content_digest=bindparam("content_digest_"),
        name_key=bindparam("name_key_"),
        place_key=bindparam("place_key_"),
        has_record_code=bindparam("has_record_code_"),
        identity=bindparam("identity_"),
    )
)


class ResidentStore:
    """The table of residents."""

    def known(self, connection: Connection, digests: Sequence[bytes]) -> dict[bytes, KnownResident]:
        """Return the residents with these digests of individual numbers."""
        rows = _KNOWN.all(connection, digests)
        return {row[0]: KnownResident(row[1], row[2], bool(row[3])) for row in rows}

    def add(self, connection: Connection, rows: Sequence[ResidentRow]) -> None:
        """Add residents whose numbers are new."""
        first = next_change_seq(connection, _SEQUENCE, len(rows))
        bulk_insert(connection, _table, _columns, [(first + at, *row) for at, row in enumerate(rows)])

    def change(self, connection: Connection, rows: Iterable[ResidentRow]) -> None:
        """Replace what is known of residents by their numbers' digests."""
        _CHANGE.many(
            connection,
            (
                "content_digest_",
                "name_key_",
                "place_key_",
                "has_record_code_",
                "identity_",
                "number_digest_",
            ),
            [(*row[1:], row.number_digest) for row in rows],
        )

    def candidates(
        self, connection: Connection, *, name_key: int | None = None, place_key: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """Return (number digest, sealed identity) of those with the name's key, else with the place's."""
        if name_key is not None:
            found = _BY_NAME.all(connection, key=name_key)
        else:
            found = _BY_PLACE.all(connection, key=place_key)
        return [(row[0], row[1]) for row in found]
