# SPDX-License-Identifier: Apache-2.0
"""Inquiries of the organizations served here, and the opened answers until they expire.

What is asked and the statement leaf lie sealed in one value; rows are numbered in commit
order. An inquiry's exchange record has the same number, and carries the only index by
exchange digest, because a random-order index on a bulk table costs a third of its speed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement, bulk_insert
from chukan.server.domain.inquiry import (
    OPEN_STATES,
    AcceptedInquiry,
    InquiryEnd,
    InquiryRow,
    InquiryStanding,
    InquiryState,
    StoredResult,
)
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

__all__ = ["InquiryStore"]

_LAST_OPEN: Final = int(max(OPEN_STATES))

_table: Final = Table(
    "inquiry",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", String(64), nullable=False),
    Column("spec_digest", LargeBinary, nullable=False),  # keyed
    Column("sealed", LargeBinary, nullable=False),  # what is asked and the leaf, row key = record_id
    Column("addressee", BigInteger, nullable=False),
    Column("exchange", LargeBinary, nullable=False),
    Column("state", Integer, nullable=False),
    Column("answer_kind", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("permission_row", String(64), nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("permit_digest", LargeBinary, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("finished", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("result_expires", BigInteger, nullable=False),
    Column("acknowledged", BigInteger, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    Index("inquiry_record", "organization", "record_id", unique=True),
    Index("inquiry_change", "organization", "change_seq"),
    Index(
        "inquiry_due",
        "due",
        sqlite_where=sqlalchemy.text(f"state <= {_LAST_OPEN}"),  # postgresql_where would load that dialect: 50 ms
    ),
    sqlite_with_rowid=False,
)
_result: Final = Table(
    "inquiry_result",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),  # the opened answer, sealed for rest; row key = id
    Column("provided", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Index("inquiry_result_expiry", "expires"),
)
_c = _table.c
_COLUMNS: Final = tuple(column.name for column in _c)
_HERE: Final = _c.organization == bindparam("organization_")
_ROW: Final = sqlalchemy.select(_table)
_BY_IDS: Final = Lookup(_ROW.where(_HERE), _c.id)
_KNOWN: Final = Lookup(sqlalchemy.select(_c.record_id, _c.spec_digest, _c.id, _c.accepted).where(_HERE), _c.record_id)
_CHANGED: Final = (
    _ROW.where(_HERE, _c.change_seq > bindparam("after"))
    .order_by(_c.change_seq)
    .limit(bindparam("most", type_=Integer))
)
_FINISHED: Final = _c.state > _LAST_OPEN
_UNACKNOWLEDGED: Final = _c.acknowledged == 0
_WATCHES: Final = {
    (False, False): Statement(_CHANGED),
    (True, False): Statement(_CHANGED.where(_FINISHED)),
    (False, True): Statement(_CHANGED.where(_UNACKNOWLEDGED)),
    (True, True): Statement(_CHANGED.where(_FINISHED, _UNACKNOWLEDGED)),
}
_PAGE: Final = Statement(
    _ROW.where(_HERE, _c.id > bindparam("after")).order_by(_c.id).limit(bindparam("most", type_=Integer))
)
_STANDINGS: Final = Lookup(sqlalchemy.select(_c.id, _c.state, _c.accepted, _c.acknowledged).where(_HERE), _c.id)
_ASKED: Final = Lookup(
    sqlalchemy.select(_c.id, _c.record_id, _c.sealed, _c.exchange).where(
        _HERE, sqlalchemy.text(f"inquiry.state = {int(InquiryState.ACCEPTED)}")
    ),
    _c.id,
)
_STATES: Final = Lookup(sqlalchemy.select(_c.id, _c.state).where(_HERE), _c.id)
_OPEN: Final = sqlalchemy.text(f"inquiry.state <= {_LAST_OPEN}")  # as the partial index has it, not bound
_PERMIT: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"), sqlalchemy.text(f"inquiry.state = {int(InquiryState.ACCEPTED)}"))
    .values(
        state=sqlalchemy.literal_column(str(int(InquiryState.PERMITTED))),
        permission_row=bindparam("permission_row_"),
        legal_basis=bindparam("legal_basis_"),
        permit_digest=bindparam("permit_digest_"),
        change_seq=bindparam("change_seq_"),
    )
)
_END: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"), _OPEN)
    .values(
        state=bindparam("state_"),
        answer_kind=bindparam("answer_kind_"),
        reason=bindparam("reason_"),
        finished=bindparam("finished_"),
        result_expires=bindparam("result_expires_"),
        change_seq=bindparam("change_seq_"),
    )
)
_END_NAMES: Final = (
    "state_",
    "answer_kind_",
    "reason_",
    "finished_",
    "result_expires_",
    "change_seq_",
    "organization_",
    "id_",
)
_POSTPONE: Final = Statement(
    sqlalchemy.update(_table).where(_HERE, _c.id == bindparam("id_")).values(due=bindparam("due_"))
)
_ACKNOWLEDGE: Final = Statement(
    sqlalchemy.update(_table)
    .where(_HERE, _c.id == bindparam("id_"))
    .values(acknowledged=bindparam("acknowledged_"), change_seq=bindparam("change_seq_"))
)
_DUE: Final = Statement(
    sqlalchemy.select(_c.organization, _c.id)
    .where(_OPEN, _c.due <= bindparam("now"))
    .order_by(_c.due)
    .limit(bindparam("most", type_=Integer))
)
_NEXT_DUE: Final = Statement(sqlalchemy.select(_c.due).where(_OPEN).order_by(_c.due).limit(1))
_COUNTS: Final = sqlalchemy.select(_c.state, sqlalchemy.func.count()).group_by(_c.state)
_OLDEST_OPEN: Final = (
    sqlalchemy.select(_c.state, sqlalchemy.func.min(_c.accepted))
    .with_hint(_table, "INDEXED BY inquiry_due", "sqlite")  # a scrape looks at open ones only
    .where(_OPEN)
    .group_by(_c.state)
)
_r = _result.c
_RESULTS: Final = Lookup(
    sqlalchemy.select(_r.id, _r.content, _r.provided, _r.expires).where(_r.organization == bindparam("organization_")),
    _r.id,
)
_ERASE: Final = Statement(
    sqlalchemy.delete(_result).where(
        sqlalchemy.tuple_(_r.organization, _r.id).in_(
            sqlalchemy.select(_r.organization, _r.id)
            .where(_r.expires <= bindparam("now"))
            .order_by(_r.expires)
            .limit(bindparam("most", type_=Integer))
        )
    )
)


_EXPIRED: Final = Statement(sqlalchemy.select(_r.id).where(_r.expires <= bindparam("now")).limit(1))


class InquiryStore:
    """The tables of inquiries and results."""

    def known(
        self, connection: Connection, organization: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[bytes, int, int]]:
        """Return (digest of what was asked, id, acceptance) by record identification number."""
        rows = _KNOWN.all(connection, record_ids, organization_=organization)
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert inquiries, as InquiryRow orders their columns."""
        bulk_insert(connection, _table, _COLUMNS, list(rows))

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, InquiryRow]:
        """Return inquiries by number."""
        rows = _BY_IDS.all(connection, ids, organization_=organization)
        return {row[1]: InquiryRow._make(row) for row in rows}

    def states(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, int]:
        """Return the states of inquiries, nothing else read."""
        rows = _STATES.all(connection, ids, organization_=organization)
        return {row[0]: row[1] for row in rows}

    def standings(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, InquiryStanding]:
        """Return where inquiries stand, nothing sealed read."""
        rows = _STANDINGS.all(connection, ids, organization_=organization)
        return {row[0]: InquiryStanding._make(row[1:]) for row in rows}

    def accepted(self, connection: Connection, organization: str, ids: Sequence[int]) -> list[AcceptedInquiry]:
        """Return those of these inquiries that wait for their permit."""
        rows = _ASKED.all(connection, ids, organization_=organization)
        return [AcceptedInquiry._make(row) for row in rows]

    def page(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[InquiryRow]:
        """Return inquiries in order of receipt."""
        if not states:
            rows: list[Any] = _PAGE.all(connection, organization_=organization, after=after, most=most)
        else:
            query = _ROW.where(_c.organization == organization, _c.id > after, _c.state.in_(states))
            rows = list(connection.execute(query.order_by(_c.id).limit(most)))
        return [InquiryRow._make(row) for row in rows]

    def changed(
        self,
        connection: Connection,
        organization: str,
        *,
        after: int,
        most: int,
        finished_only: bool,
        unacknowledged_only: bool,
    ) -> list[InquiryRow]:
        """Return inquiries changed after a position, in commit order, each as it stands now."""
        statement = _WATCHES[finished_only, unacknowledged_only]
        rows = statement.all(connection, organization_=organization, after=after, most=most)
        return [InquiryRow._make(row) for row in rows]

    def permit(
        self, connection: Connection, organization: str, rows: Iterable[tuple[int, str, str, bytes, int]]
    ) -> None:
        """Set (id, permission row, legal basis, permit digest, change) of accepted inquiries."""
        names = (
            "permission_row_",
            "legal_basis_",
            "permit_digest_",
            "change_seq_",
            "organization_",
            "id_",
        )
        _PERMIT.many(connection, names, [(*row[1:], organization, row[0]) for row in rows])

    def end(self, connection: Connection, organization: str, rows: Iterable[InquiryEnd]) -> None:
        """Move open inquiries on; those that ended otherwise meanwhile stay as they are."""
        _END.many(connection, _END_NAMES, [(*row[1:], organization, row[0]) for row in rows])

    def postpone(self, connection: Connection, organization: str, rows: Iterable[tuple[int, int]]) -> None:
        """Set (id, instant) when an open inquiry is to be looked at again."""
        _POSTPONE.many(connection, ("due_", "organization_", "id_"), [(due, organization, id_) for id_, due in rows])

    def acknowledge(
        self, connection: Connection, organization: str, ids: Iterable[int], *, now: int, first_seq: int
    ) -> None:
        """Note that results were taken over."""
        names = ("acknowledged_", "change_seq_", "organization_", "id_")
        _ACKNOWLEDGE.many(connection, names, [(now, first_seq + at, organization, id_) for at, id_ in enumerate(ids)])

    def due(self, connection: Connection, *, now: int, most: int) -> dict[str, list[int]]:
        """Return open inquiries to be looked at, by organization."""
        found: dict[str, list[int]] = {}
        for organization, id_ in _DUE.all(connection, now=now, most=most):
            found.setdefault(organization, []).append(id_)
        return found

    def next_due(self, connection: Connection) -> int | None:
        """Return when the next open inquiry is to be looked at; None when none is open."""
        row = _NEXT_DUE.first(connection)
        return None if row is None else int(row[0])

    def counts(self, connection: Connection) -> dict[int, int]:
        """Return how many inquiries stand in each state."""
        return {row[0]: row[1] for row in connection.execute(_COUNTS)}

    def oldest_open(self, connection: Connection) -> dict[int, int]:
        """Return when the oldest inquiry of each open state that has any was accepted (milliseconds)."""
        return {row[0]: int(row[1]) for row in connection.execute(_OLDEST_OPEN)}

    # --- results ---

    def keep(self, connection: Connection, organization: str, results: Iterable[StoredResult]) -> None:
        """Insert opened answers, sealed for rest."""
        rows = [(organization, *result) for result in results]
        if rows:
            bulk_insert(connection, _result, ("organization", "id", "content", "provided", "expires"), rows)

    def results(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, StoredResult]:
        """Return opened answers that are still kept."""
        rows = _RESULTS.all(connection, ids, organization_=organization)
        return {row[0]: StoredResult._make(row) for row in rows}

    def any_expired(self, connection: Connection, *, now: int) -> bool:
        """Whether an answer's time is over."""
        return _EXPIRED.first(connection, now=now) is not None

    def erase_expired(self, connection: Connection, *, now: int, most: int) -> int:
        """Delete answers whose time is over; return how many."""
        return _ERASE.run(connection, now=now, most=most)
