# SPDX-License-Identifier: Apache-2.0
"""Residents as the simulated resident network (住基ネット) knows them: sealed, found by keyed digests only.

An individual number is looked up by its keyed digest, one the person no longer has in a table of its own; a
住民票コード by a digest too, for it leads to the same person when the number changes. The four basic attributes
(基本4情報) are looked up by two 64-bit keyed digests, of the name and of birth date with residential address: any three
of the four have one of them whole. Those only propose candidates; whoever searches opens them and compares.
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

    from chukan.durable.statements import Row

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
    Column("code_digest", LargeBinary),
    Column("identity", LargeBinary, nullable=False),  # sealed
    Index("network_resident_number", "number_digest", unique=True),
    Index("network_resident_name", "name_key"),
    Index("network_resident_place", "place_key"),
    Index("network_resident_code", "code_digest", unique=True, sqlite_where=sqlalchemy.text("code_digest IS NOT NULL")),
)
_former: Final = Table(
    "network_resident_former",
    metadata,
    Column("number_digest", LargeBinary, primary_key=True),
    Column("resident", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_columns: Final = (
    "id",
    "number_digest",
    "content_digest",
    "name_key",
    "place_key",
    "code_digest",
    "identity",
)
_c = _table.c
_FOUND: Final = (_c.id, _c.number_digest, _c.content_digest, _c.code_digest)
_KNOWN: Final = Lookup(sqlalchemy.select(_c.number_digest, *_FOUND), _c.number_digest)
_BY_CODE: Final = Lookup(sqlalchemy.select(_c.code_digest, *_FOUND), _c.code_digest)
_BY_FORMER: Final = Lookup(
    sqlalchemy.select(_former.c.number_digest, *_FOUND).select_from(_former.join(_table, _c.id == _former.c.resident)),
    _former.c.number_digest,
)
_IDENTITIES: Final = Lookup(sqlalchemy.select(_c.id, _c.identity), _c.id)
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
    .where(_c.id == bindparam("id_"))
    .values(
        number_digest=bindparam("number_digest_"),
        content_digest=bindparam("content_digest_"),
        name_key=bindparam("name_key_"),
        place_key=bindparam("place_key_"),
        code_digest=bindparam("code_digest_"),
        identity=bindparam("identity_"),
    )
)


class ResidentStore:
    """The table of residents."""

    def known(self, connection: Connection, digests: Sequence[bytes]) -> dict[bytes, KnownResident]:
        """Return the residents with these digests of individual numbers, present or former."""
        found = {row[0]: _known(row, former=True) for row in _BY_FORMER.all(connection, digests)}
        return found | {row[0]: _known(row) for row in _KNOWN.all(connection, digests)}

    def by_codes(self, connection: Connection, digests: Sequence[bytes]) -> dict[bytes, KnownResident]:
        """Return the residents with these digests of 住民票コード."""
        return {row[0]: _known(row) for row in _BY_CODE.all(connection, digests)}

    def identities(self, connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
        """Return sealed identities by row."""
        return {row[0]: row[1] for row in _IDENTITIES.all(connection, ids)}

    def add(self, connection: Connection, rows: Sequence[ResidentRow]) -> None:
        """Add residents whose numbers are new."""
        first = next_change_seq(connection, _SEQUENCE, len(rows))
        bulk_insert(connection, _table, _columns, [(first + at, *row) for at, row in enumerate(rows)])

    def change(self, connection: Connection, rows: Iterable[tuple[int, ResidentRow]]) -> None:
        """Replace what is known of residents, named by their rows."""
        names = tuple(f"{name}_" for name in (*_columns[1:], "id"))
        _CHANGE.many(connection, names, [(*row, id_) for id_, row in rows])

    def note_former(self, connection: Connection, rows: Sequence[tuple[bytes, int]]) -> None:
        """Remember (digest of a number, row) of numbers that residents have no more."""
        bulk_insert(connection, _former, ("number_digest", "resident"), rows)

    def candidates(
        self, connection: Connection, *, name_key: int | None = None, place_key: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """Return (number digest, sealed identity) of those with the name's key, else with the place's."""
        if name_key is not None:
            found = _BY_NAME.all(connection, key=name_key)
        else:
            found = _BY_PLACE.all(connection, key=place_key)
        return [(row[0], row[1]) for row in found]


def _known(row: Row, *, former: bool = False) -> KnownResident:
    return KnownResident(row[1], row[2], row[3], row[4] is not None, former)
