# SPDX-License-Identifier: Apache-2.0
"""Imports (取込結果), sends and lanes of replicas: what came, what of it was refused, and which kind is held."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.statements import Statement
from chukan.server.domain.replica_rows import ImportRow, LaneAges, LaneRow
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = ["ImportStore"]

_import: Final = Table(
    "replica_import",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False),
    Column("system", String(64), nullable=False),
    Column("batch_id", String(64), nullable=False),
    Column("information", String(16), nullable=False),
    Column("data_set", String(4), nullable=False),
    Column("edition", String(4), nullable=False),
    Column("body_digest", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False),
    Column("outcomes", LargeBinary, nullable=False),  # one byte per row
    Column("failures", String, nullable=False),  # JSON, no personal values
    Column("created", BigInteger, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    Index("replica_import_batch", "organization", "system", "batch_id", unique=True),
)
_lane: Final = Table(
    "replica_lane",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("information", String(16), primary_key=True),
    Column("state", Integer, nullable=False),
    Column("hold_reason", String(64), nullable=False),
    Column("replica_count", BigInteger, nullable=False),
    Column("last_success", BigInteger, nullable=False),
    Column("last_refusal", BigInteger, nullable=False),
    Column("refused_count", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("stuck", BigInteger, nullable=False),
)
_send: Final = Table(
    "replica_send",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("information", String(16), primary_key=True),
    Column("send_id", String(64), primary_key=True),
    Column("row_count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_i = _import.c
_FIND: Final = Statement(
    sqlalchemy.select(*_import.c).where(
        _i.organization == bindparam("organization_"),
        _i.system == bindparam("system_"),
        _i.batch_id == bindparam("batch"),
    )
)
_INSERT: Final = Statement(sqlalchemy.insert(_import), tuple(column.name for column in _import.c)[1:])
_LANE: Final = Statement(
    sqlalchemy.select(*_lane.c).where(
        _lane.c.organization == bindparam("organization_"), _lane.c.information == bindparam("information_")
    )
)
_PUT_LANE: Final = Statement(
    sqlalchemy.insert(_lane).prefix_with("OR REPLACE", dialect="sqlite"), tuple(column.name for column in _lane.c)
)
_HELD: Final = Statement(
    sqlalchemy.select(_lane.c.information, sqlalchemy.func.sum(_lane.c.replica_count)).group_by(_lane.c.information)
)
_AGES: Final = Statement(
    sqlalchemy.select(
        _lane.c.information,
        *(
            sqlalchemy.func.coalesce(sqlalchemy.func.min(sqlalchemy.func.nullif(since, 0)), 0)
            for since in (_lane.c.held, _lane.c.stuck, _lane.c.last_success)
        ),
    ).group_by(_lane.c.information)
)
_SENT: Final = Statement(
    sqlalchemy.select(_send.c.row_count).where(
        _send.c.organization == bindparam("organization_"),
        _send.c.information == bindparam("information_"),
        _send.c.send_id == bindparam("send"),
    )
)
_PUT_SEND: Final = Statement(
    sqlalchemy.insert(_send).prefix_with("OR REPLACE", dialect="sqlite"),
    ("organization", "information", "send_id", "row_count"),
)


class ImportStore:
    """The tables of imports, sends and lanes."""

    def find(self, connection: Connection, organization: str, system: str, batch_id: str) -> ImportRow | None:
        """Return the import of a batch id."""
        row = _FIND.first(connection, organization_=organization, system_=system, batch=batch_id)
        return None if row is None else _import_row(row)

    def by_batch(self, connection: Connection, organization: str, batch_id: str) -> ImportRow | None:
        """Return the newest import of a batch id, whatever system sent it."""
        query = (
            sqlalchemy.select(*_import.c)
            .where(_i.organization == organization, _i.batch_id == batch_id)
            .order_by(_i.id.desc())
            .limit(1)
        )
        row = connection.execute(query).first()
        return None if row is None else _import_row(row)

    def page(
        self, connection: Connection, organization: str, *, information: str, before: int, most: int
    ) -> list[ImportRow]:
        """Return imports, newest first, older than an id (0 = all)."""
        query = sqlalchemy.select(*_import.c).where(_i.organization == organization)
        if information:
            query = query.where(_i.information == information)
        if before:
            query = query.where(_i.id < before)
        return [_import_row(row) for row in connection.execute(query.order_by(_i.id.desc()).limit(most))]

    def add(self, connection: Connection, organization: str, system: str, row: ImportRow) -> None:
        """Add an import."""
        _INSERT.run(
            connection,
            organization=organization,
            system=system,
            batch_id=row.batch_id,
            information=row.information,
            data_set=row.data_set,
            edition=row.edition,
            body_digest=row.body_digest,
            state=row.state,
            outcomes=bytes(row.outcomes),
            failures=json.dumps(row.failures, separators=(",", ":")),
            created=row.created,
            change_seq=row.change_seq,
        )

    def lane(self, connection: Connection, organization: str, information: str) -> LaneRow:
        """Return a lane; one that nothing went through is open and empty."""
        row = _LANE.first(connection, organization_=organization, information_=information)
        return LaneRow(information, 1, "", 0, 0, 0, 0) if row is None else LaneRow(*row[1:])

    def put_lane(self, connection: Connection, organization: str, row: LaneRow) -> None:
        """Write a lane."""
        _PUT_LANE.run(
            connection,
            organization=organization,
            information=row.information,
            state=row.state,
            hold_reason=row.hold_reason,
            replica_count=row.replica_count,
            last_success=row.last_success,
            last_refusal=row.last_refusal,
            refused_count=row.refused_count,
            held=row.held,
            stuck=row.stuck,
        )

    def lanes(self, connection: Connection, organization: str) -> list[LaneRow]:
        """Return an organization's lanes in order of information."""
        query = sqlalchemy.select(*_lane.c).where(_lane.c.organization == organization).order_by(_lane.c.information)
        return [LaneRow(*row[1:]) for row in connection.execute(query)]

    def held(self, connection: Connection) -> dict[str, int]:
        """Return how many current replicas of each information all organizations hold together."""
        return {row[0]: int(row[1]) for row in _HELD.all(connection)}

    def ages(self, connection: Connection) -> dict[str, LaneAges]:
        """Return since when the worst lane of each information is held or stuck, and when it last took something."""
        return {row[0]: LaneAges(*map(int, row[1:])) for row in _AGES.all(connection)}

    def sent(self, connection: Connection, organization: str, information: str, send_id: str) -> int:
        """Return how many rows a send has brought so far."""
        row = _SENT.first(connection, organization_=organization, information_=information, send=send_id)
        return 0 if row is None else int(row[0])

    def put_sent(self, connection: Connection, key: tuple[str, str, str], rows: int) -> None:
        """Write how many rows a send (organization, information, send id) has brought."""
        _PUT_SEND.run(connection, organization=key[0], information=key[1], send_id=key[2], row_count=rows)


def _import_row(row: Sequence[Any]) -> ImportRow:
    return ImportRow(
        id=row[0],
        batch_id=row[3],
        information=row[4],
        data_set=row[5],
        edition=row[6],
        body_digest=row[7],
        state=row[8],
        outcomes=list(row[9]),
        failures=json.loads(row[10]),
        created=row[11],
        change_seq=row[12],
    )
