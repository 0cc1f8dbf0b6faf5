# SPDX-License-Identifier: Apache-2.0
"""Replicas (副本) with their versions.

The current version lies in `replica`, clustered by organization, information and addressee, so that loading one
information in the order of addressees appends; former versions lie in `replica_version`. Content is sealed per row by
record id, so a version keeps its seal when it moves. The item codes of a batch are interned as a shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.replica_rows import HeldReplica, NewReplica, ReplicaRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from chukan.durable.vault import Vault

__all__ = ["ReplicaStore"]


def _columns() -> list[Column[Any]]:
    return [
        Column("parent_key", String(64), nullable=False),
        Column("shape", Integer, nullable=False),
        Column("record_id", String(64), nullable=False),
        Column("start_date", String(8), nullable=False),
        Column("end_date", String(8), nullable=False),
        Column("state", Integer, nullable=False),
        Column("delete_reason", String(100), nullable=False),
        Column("ward_code", String(6), nullable=False),
        Column("updated", BigInteger, nullable=False),
        Column("content", LargeBinary, nullable=False),  # sealed, row key = record_id
    ]


_KEY: Final = ("organization", "information", "addressee", "data_set", "record_key")


def _key_columns() -> list[Column[Any]]:
    return [
        Column("organization", String(16), primary_key=True),
        Column("information", String(16), primary_key=True),
        Column("addressee", BigInteger, primary_key=True, autoincrement=False),
        Column("data_set", String(4), primary_key=True),
        Column("record_key", String(64), primary_key=True),
    ]


_replica: Final = Table(
    "replica",
    metadata,
    *_key_columns(),
    Column("version", Integer, nullable=False),
    *_columns(),
    sqlite_with_rowid=False,
)
_version: Final = Table(
    "replica_version",
    metadata,
    *_key_columns(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    *_columns(),
    sqlite_with_rowid=False,
)
_record: Final = Table(
    "replica_record",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("digest", LargeBinary, nullable=False),  # keyed digest of everything the row says
    sqlite_with_rowid=False,
)
_shape: Final = Table(
    "replica_shape",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("edition", String(4), nullable=False),
    Column("item_codes", String, nullable=False),
    sqlalchemy.UniqueConstraint("edition", "item_codes"),
)
_c = _replica.c
_NAMES: Final = tuple(column.name for column in _replica.c)
_ORGANIZATION: Final = _c.organization == bindparam("organization")
_HELD: Final = Lookup(
    sqlalchemy.select(
        _c.addressee, _c.record_key, _c.version, _c.start_date, _c.end_date, _c.state, _c.record_id, _c.shape
    ).where(_ORGANIZATION, _c.information == bindparam("information"), _c.data_set == bindparam("data_set")),
    _c.addressee,
)
_ROW: Final = (
    _c.addressee,
    _c.information,
    _c.data_set,
    _c.record_key,
    _c.parent_key,
    _shape.c.edition,
    _shape.c.item_codes,
    _c.record_id,
    _c.start_date,
    _c.end_date,
    _c.state,
    _c.version,
    _c.delete_reason,
    _c.ward_code,
    _c.updated,
    _c.content,
)
_JOINED: Final = _replica.join(_shape, _shape.c.id == _c.shape)
_ANSWERABLE: Final = Lookup(
    sqlalchemy.select(*_ROW)
    .select_from(_JOINED)
    .where(_ORGANIZATION, _c.information == bindparam("information"), _c.state == 1)
    .order_by(_c.addressee, _c.data_set, _c.record_key),
    _c.addressee,
)
_KNOWN_RECORDS: Final = Lookup(
    sqlalchemy.select(_record.c.record_id, _record.c.digest).where(_record.c.organization == bindparam("organization")),
    _record.c.record_id,
)
_HELD_BETWEEN: Final = Statement(
    sqlalchemy.select(_c.addressee)
    .where(
        _ORGANIZATION,
        _c.information == bindparam("information"),
        _c.addressee >= bindparam("first"),
        _c.addressee <= bindparam("last"),
    )
    .limit(1)
)
_RECORD_BETWEEN: Final = Statement(
    sqlalchemy.select(_record.c.record_id)
    .where(
        _record.c.organization == bindparam("organization"),
        _record.c.record_id >= bindparam("first"),
        _record.c.record_id <= bindparam("last"),
    )
    .limit(1)
)
_KEYED: Final = [_c[name] == bindparam(f"{name}_") for name in _KEY]
_ARCHIVE: Final = Statement(
    sqlalchemy.insert(_version).from_select(_NAMES, sqlalchemy.select(*(_c[name] for name in _NAMES)).where(*_KEYED))
)
_CHANGED: Final = _NAMES[5:]
_UPDATE: Final = Statement(
    sqlalchemy.update(_replica).where(*_KEYED).values({name: bindparam(f"{name}_") for name in _CHANGED})
)
_SAMPLE: Final = 500
_DELETED: Final = ("version", "record_id", "state", "delete_reason", "updated")
_FIND_SHAPE: Final = Statement(
    sqlalchemy.select(_shape.c.id).where(
        _shape.c.edition == bindparam("edition"), _shape.c.item_codes == bindparam("item_codes")
    )
)
_EDITION: Final = Statement(sqlalchemy.select(_shape.c.edition).where(_shape.c.id == bindparam("id")))
_ADD_SHAPE: Final = Statement(sqlalchemy.insert(_shape).returning(_shape.c.id), ("edition", "item_codes"))


class ReplicaStore:
    """The tables of replicas; `vault` seals and opens content."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, organization: str, record_ids: Sequence[str], contents: Sequence[bytes]) -> list[bytes]:
        """Seal packed contents, outside a write."""
        return self._vault.seal_many(organization, "replica", "content", list(record_ids), list(contents))

    def digests(self, organization: str, said: Iterable[bytes]) -> list[bytes]:
        """Return keyed digests of what rows say, outside a write."""
        return self._vault.index_digest_many_bytes(organization, "replica.record", said)

    def shape(self, connection: Connection, edition: str, item_codes: Sequence[str]) -> int:
        """Return the id of a shape, interning it when it is new."""
        codes = " ".join(item_codes)
        row = _FIND_SHAPE.first(connection, edition=edition, item_codes=codes)
        if row is None:
            row = _ADD_SHAPE.first(connection, edition=edition, item_codes=codes)
        return int(row[0]) if row is not None else 0

    def edition(self, connection: Connection, shape: int) -> str:
        """Return the edition of a shape."""
        row = _EDITION.first(connection, id=shape)
        return str(row[0]) if row is not None else ""

    def known_records(self, connection: Connection, organization: str, record_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digests of record ids that were used before.

        Senders number their records in order, so nearly always one look tells that none lies between the batch's first
        and last.
        """
        if (
            _RECORD_BETWEEN.first(connection, organization=organization, first=min(record_ids), last=max(record_ids))
            is None
        ):
            return {}
        rows = _KNOWN_RECORDS.all(connection, record_ids, organization=organization)
        return {row[0]: row[1] for row in rows}

    def held(
        self, connection: Connection, organization: str, information: str, data_set: str, addressees: Sequence[int]
    ) -> dict[int, dict[str, HeldReplica]]:
        """Return current replicas of a data set, by addressee and record key.

        Kinds are loaded in the order of addressees, so nearly always one look tells that none of these has any.
        """
        if (
            not addressees
            or _HELD_BETWEEN.first(
                connection,
                organization=organization,
                information=information,
                first=min(addressees),
                last=max(addressees),
            )
            is None
        ):
            return {}
        rows = _HELD.all(connection, addressees, organization=organization, information=information, data_set=data_set)
        found: dict[int, dict[str, HeldReplica]] = {}
        for row in rows:
            found.setdefault(row[0], {})[row[1]] = HeldReplica._make(row[2:])
        return found

    def add_records(
        self, connection: Connection, organization: str, record_ids: Sequence[str], digests: Sequence[bytes]
    ) -> None:
        """Note record ids as used."""
        rows = [(organization, *pair) for pair in zip(record_ids, digests, strict=True)]
        bulk_insert(connection, _record, ("organization", "record_id", "digest"), rows)

    def insert(self, connection: Connection, rows: Sequence[NewReplica]) -> None:
        """Insert first versions."""
        bulk_insert(connection, _replica, _NAMES, rows)

    def replace(self, connection: Connection, rows: Sequence[NewReplica]) -> None:
        """Put new versions in the place of current ones, which become history."""
        self.archive(connection, [row[:5] for row in rows])
        names = tuple(f"{name}_" for name in (*_CHANGED, *_KEY))
        _UPDATE.many(connection, names, [(*row[5:], *row[:5]) for row in rows])

    def delete(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Delete logically: (key…, version, record id, reason, updated); the content stays with the old version."""
        self.archive(connection, [row[:5] for row in rows])
        for row in rows:
            where = [_c[name] == value for name, value in zip(_KEY, row[:5], strict=True)]
            values = dict(zip(_DELETED, (row[5], row[6], 2, row[7], row[8]), strict=True))
            connection.execute(sqlalchemy.update(_replica).where(*where).values(**values, content=b""))

    def move(
        self, connection: Connection, organization: str, key: tuple[str, str, str], source: int, target: int
    ) -> bool:
        """Move a replica (information, data set, record key) with its versions; return whether there was one."""
        moved = 0
        for table in (_replica, _version):
            where = [
                table.c[name] == value
                for name, value in zip(_KEY, (organization, key[0], source, *key[1:]), strict=True)
            ]
            moved += connection.execute(sqlalchemy.update(table).where(*where).values(addressee=target)).rowcount
        return moved > 0

    def archive(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> None:
        """Copy current versions to history."""
        _ARCHIVE.many(connection, tuple(f"{name}_" for name in _KEY), keys)

    def answerable(
        self, connection: Connection, organization: str, pairs: Sequence[tuple[int, str]]
    ) -> list[ReplicaRow]:
        """Return the current replicas of (addressee, information) pairs with their packed content, opened."""
        by_information: dict[str, dict[int, None]] = {}
        for addressee, information in pairs:
            by_information.setdefault(information, {})[addressee] = None
        rows: list[Any] = []
        for information, addressees in by_information.items():
            rows += _ANSWERABLE.all(connection, list(addressees), organization=organization, information=information)
        return self._open(organization, rows)

    def loaded(self, connection: Connection, organization: str, information: str, *, start: str, end: str) -> bool:
        """Return whether any of the first replicas of the information is published in the period; empty = open.

        A sample, because a year that is loaded is loaded for many, and a full scan would cost seconds.
        """
        sample = (
            sqlalchemy.select(_c.start_date, _c.end_date)
            .where(_c.organization == organization, _c.information == information, _c.state == 1)
            .order_by(_c.organization, _c.information, _c.addressee)
            .limit(_SAMPLE)
        )
        return any(
            (not end or row[0] <= end) and (not start or not row[1] or row[1] >= start)
            for row in connection.execute(sample)
        )

    def versions(
        self, connection: Connection, organization: str, key: tuple[int, str, str, str], *, before: int, most: int
    ) -> list[ReplicaRow]:
        """Return versions of one replica older than `before` (0 = all), newest first, opened."""
        addressee, information, data_set, record_key = key
        rows: list[Any] = []
        for table in (_replica, _version):
            c = table.c
            query = (
                sqlalchemy.select(*_row_of(table))
                .select_from(table.join(_shape, _shape.c.id == c.shape))
                .where(
                    c.organization == organization,
                    c.information == information,
                    c.addressee == addressee,
                    c.data_set == data_set,
                    c.record_key == record_key,
                )
            )
            if before:
                query = query.where(c.version < before)
            rows.extend(connection.execute(query.order_by(c.version.desc()).limit(most)).fetchall())
        return self._open(organization, rows[:most])

    def page(
        self,
        connection: Connection,
        organization: str,
        addressee: int,
        *,
        informations: Sequence[str],
        deleted: bool,
        after: tuple[str, str, str],
        most: int,
    ) -> list[ReplicaRow]:
        """Return an addressee's replicas in order of information, data set and record key, not opened."""
        key = sqlalchemy.tuple_(_c.information, _c.data_set, _c.record_key)
        query = (
            sqlalchemy.select(*_ROW)
            .select_from(_JOINED)
            .where(_c.organization == organization, _c.addressee == addressee, key > sqlalchemy.tuple_(*after))
        )
        query = query.where(_c.information.in_(list(informations)))
        if not deleted:
            query = query.where(_c.state == 1)
        rows = connection.execute(query.order_by(_c.information, _c.data_set, _c.record_key).limit(most)).fetchall()
        return [_row(row, b"") for row in rows]

    def export(
        self, connection: Connection, organization: str, information: str, *, after: tuple[int, str, str], most: int
    ) -> list[ReplicaRow]:
        """Return current replicas of an information in order of addressee, data set and record key, opened."""
        key = sqlalchemy.tuple_(_c.addressee, _c.data_set, _c.record_key)
        query = (
            sqlalchemy.select(*_ROW)
            .select_from(_JOINED)
            .where(_c.organization == organization, _c.information == information, key > sqlalchemy.tuple_(*after))
            .where(_c.state == 1)
            .order_by(_c.addressee, _c.data_set, _c.record_key)
            .limit(most)
        )
        return self._open(organization, connection.execute(query).fetchall())

    def _open(self, organization: str, rows: Sequence[Any]) -> list[ReplicaRow]:
        sealed = [row for row in rows if row[15]]
        contents = self._vault.open_many(
            organization, "replica", "content", [row[7] for row in sealed], [row[15] for row in sealed]
        )
        by_record = {row[7]: content for row, content in zip(sealed, contents, strict=True)}
        return [_row(row, by_record.get(row[7], b"")) for row in rows]


def _row_of(table: Table) -> list[Any]:
    return [column if column.table is _shape else table.c[column.name] for column in _ROW]


def _row(row: Sequence[Any], content: bytes) -> ReplicaRow:
    return ReplicaRow._make((*row[:6], tuple(row[6].split()), *row[7:15], content))
