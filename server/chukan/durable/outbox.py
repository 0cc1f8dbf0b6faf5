# SPDX-License-Identifier: Apache-2.0
"""Work that a write promises: rows added with the state they belong to, deleted with the effect they caused.

A row is done only in the transaction of its effect, so nothing is lost when the process dies in between; the effect may
then be tried again and must know a repetition. Payloads are references or sealed: they lie in the database as given.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    text,
)

from chukan.durable.instants import from_micros, to_micros
from chukan.durable.notices import note
from chukan.durable.statements import Statement, bulk_insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from chukan.standard.clock import Clock

__all__ = ["Backlog", "Item", "Outbox", "outbox_table"]

_PARKED: Final = 1 << 62
"""Due instant of a row that was given up and waits for ``revive``."""


class Item(NamedTuple):
    """One row as its handler gets it; attempts counts the failed ones."""

    id: int
    organization: str
    kind: str
    key: str
    payload: bytes
    attempts: int
    created: int

    @property
    def created_at(self) -> datetime:
        """When the row was added."""
        return from_micros(self.created)


class Backlog(NamedTuple):
    """What waits of one kind: rows, and the age of the oldest in seconds."""

    rows: int
    oldest_seconds: float


def outbox_table(metadata: MetaData, name: str = "outbox") -> Table:
    """Declare an outbox; ids are never used twice."""
    return Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("organization", String(16), nullable=False),
        Column("kind", String(64), nullable=False),
        Column("key", String(255), nullable=False),
        Column("payload", LargeBinary, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("last_reason", String(64), nullable=False),
        Index(f"{name}_lane", "organization", "kind", "due", "id", "created"),
        Index(f"{name}_key", "organization", "kind", "key", "due", sqlite_where=text("key <> ''")),
        sqlite_autoincrement=True,
    )


class _Statements:
    """An outbox table's statements, compiled once for all databases that have such a table."""

    def __init__(self, table: Table) -> None:
        row = table.c
        lane = (row.organization == bindparam("organization"), row.kind == bindparam("kind"))
        item = (row.id, row.organization, row.kind, row.key, row.payload, row.attempts, row.created)
        self.columns = ("organization", "kind", "key", "payload", "attempts", "created", "due", "last_reason")
        self.add = Statement(sqlalchemy.insert(table).returning(row.id), self.columns)
        self.delete = Statement(sqlalchemy.delete(table).where(row.id == bindparam("id_")))
        self.postpone = Statement(
            sqlalchemy.update(table)
            .where(row.id == bindparam("id_"))
            .values(attempts=row.attempts + 1, due=bindparam("due_"), last_reason=bindparam("reason")),
        )
        self.due = Statement(
            sqlalchemy.select(*item)
            .where(*lane, row.due <= bindparam("now"))
            .order_by(row.due, row.id)
            .limit(bindparam("most", type_=Integer)),
        )
        self.waits = Statement(
            sqlalchemy.select(row.id)
            .where(*lane, row.due < _PARKED, row.key == bindparam("key"), row.key != literal_column("''"))
            .limit(bindparam("most", type_=Integer)),
        )
        self.next = Statement(sqlalchemy.select(func.min(row.due)).where(*lane, row.due < _PARKED))
        self.lanes = Statement(
            sqlalchemy.select(row.organization, row.kind, func.min(row.due))
            .where(row.due < _PARKED)
            .group_by(row.organization, row.kind),
        )
        self.backlog = Statement(
            sqlalchemy.select(row.kind, func.count(), func.min(row.created)).group_by(row.kind),
        )
        self.revive = Statement(
            sqlalchemy.update(table).where(*lane, row.due == _PARKED).values(due=bindparam("now"), attempts=0),
        )


@cache
def _statements(table: Table) -> _Statements:
    return _Statements(table)


class Outbox:
    """The rows of one outbox table."""

    def __init__(self, table: Table, *, clock: Clock) -> None:
        self.table = table
        self.added = f"chukan.outbox.{table.name}.added"
        self.finished = f"chukan.outbox.{table.name}.finished"
        self._clock = clock
        self._statements = _statements(table)

    def add(
        self,
        connection: Connection,
        *,
        kind: str,
        organization: str,
        payload: bytes,
        due: datetime | None = None,
        key: str = "",
    ) -> int:
        """Add a row inside a write and return its id; its lane wakes when the write is committed."""
        now = to_micros(self._clock.now())
        when = now if due is None else to_micros(due)
        row = self._statements.add.first(
            connection,
            organization=organization,
            kind=kind,
            key=key,
            payload=payload,
            attempts=0,
            created=now,
            due=when,
            last_reason="",
        )
        note(connection, self.added, (organization, kind, when))
        assert row is not None  # noqa: S101 narrows the type: RETURNING gives the inserted row
        return int(row[0])

    def add_many(
        self,
        connection: Connection,
        *,
        kind: str,
        organization: str,
        payloads: Iterable[bytes],
        due: datetime | None = None,
    ) -> None:
        """Add rows of one lane inside a write, in order."""
        now = to_micros(self._clock.now())
        when = now if due is None else to_micros(due)
        rows = [(organization, kind, "", payload, 0, now, when, "") for payload in payloads]
        if rows:
            bulk_insert(connection, self.table, self._statements.columns, rows)
            note(connection, self.added, (organization, kind, when))

    def waits(self, connection: Connection, *, kind: str, organization: str, key: str) -> bool:
        """Whether a row of this key is still to be done; what was given up is not."""
        return (
            self._statements.waits.first(connection, organization=organization, kind=kind, key=key, most=1) is not None
        )

    def done(self, connection: Connection, ids: Sequence[int]) -> None:
        """Delete rows inside the write of their effect."""
        if len(ids) == 1:
            self._statements.delete.run(connection, id_=ids[0])
        else:
            self._statements.delete.many(connection, ("id_",), [(row_id,) for row_id in ids])
        note(connection, self.finished, ids)

    def postpone(self, connection: Connection, ids: Sequence[int], *, due: datetime | None, reason: str = "") -> None:
        """Count a failed attempt and set when the next is due; without an instant the rows are parked."""
        when = _PARKED if due is None else to_micros(due)
        self._statements.postpone.many(
            connection, ("due_", "reason", "id_"), [(when, reason, row_id) for row_id in ids]
        )

    def revive(self, connection: Connection, *, kind: str, organization: str) -> int:
        """Make the parked rows of a lane due now, with all their attempts; return how many."""
        now = to_micros(self._clock.now())
        revived = self._statements.revive.run(connection, organization=organization, kind=kind, now=now)
        note(connection, self.added, (organization, kind, now))
        return revived

    def due(
        self,
        connection: Connection,
        organization: str,
        kind: str,
        *,
        most: int,
        most_bytes: int,
    ) -> tuple[list[Item], bool]:
        """Return the due rows of a lane, oldest first, and whether there may be more.

        At most so many rows and, but for one row, so many bytes of payload.
        """
        now = to_micros(self._clock.now())
        rows = self._statements.due.all(connection, organization=organization, kind=kind, now=now, most=most)
        items: list[Item] = []
        size = 0
        for item in map(Item._make, rows):
            size += len(item.payload)
            if items and size > most_bytes:
                return items, True
            items.append(item)
        return items, len(items) == most

    def next_due(self, connection: Connection, organization: str, kind: str) -> int | None:
        """Return when the next row of a lane is due, as stored."""
        row = self._statements.next.first(connection, organization=organization, kind=kind)
        return None if row is None or row[0] is None else int(row[0])

    def lanes(self, connection: Connection) -> list[tuple[str, str, int]]:
        """Return every lane that has rows: organization, kind, when its first row is due."""
        return [(row[0], row[1], row[2]) for row in self._statements.lanes.all(connection)]

    def backlog(self, connection: Connection) -> dict[str, Backlog]:
        """Return what waits (or is parked), by kind."""
        now = to_micros(self._clock.now())
        return {
            kind: Backlog(rows, max(0.0, (now - oldest) / 1_000_000))
            for kind, rows, oldest in self._statements.backlog.all(connection)
        }
