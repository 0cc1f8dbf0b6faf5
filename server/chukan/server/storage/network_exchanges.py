# SPDX-License-Identifier: Apache-2.0
"""Exchanges as the network records them (番号法23条), with the permits it issued and the commitments it holds.

Of an exchange there stay: who asked whom for what and when, on which legal basis, and how it ended; the inquirer's
signed request, the provider's signed answer statement and the inquirer's signed receipt. Permits bear the provider's
linkage code, so they are sealed in a table of their own. Content never comes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.changes import next_change_seq
from chukan.durable.lookups import Lookup
from chukan.durable.statements import Row, Statement, bulk_insert
from chukan.server.domain.network_exchange import (
    Commitment,
    ExchangeMark,
    ExchangeStanding,
    NetworkExchange,
    NewExchange,
)
from chukan.server.storage.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

__all__ = ["ExchangeStore"]

_SEQUENCE: Final = "network.exchange"
_BigId: Final = BigInteger().with_variant(Integer, "sqlite")

_request: Final = Table(
    "network_request",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=False),
    Column("inquirer", String(16), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
)
_exchange: Final = Table(
    "network_exchange",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("request", BigInteger, nullable=False),
    Column("inquirer", String(16), nullable=False),
    Column("provider", String(16), nullable=False),
    Column("affair", String(16), nullable=False),
    Column("procedure", String(16), nullable=False),
    Column("information", String(16), nullable=False),
    Column("inquiry_time", BigInteger, nullable=False),  # milliseconds, as all instants here
    Column("expire_time", BigInteger, nullable=False),
    Column("provision_time", BigInteger, nullable=False),
    Column("outcome", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("undisclosable", Integer, nullable=False),
    Column("permission_row", String(64), nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("permit_digest", LargeBinary, nullable=False),
    Column("provider_commitment", BigInteger, nullable=False),  # 0 = none held
    Column("inquirer_commitment", BigInteger, nullable=False),
    Index("network_exchange_digest", "digest", unique=True),
    Index("network_exchange_inquirer", "inquirer", "id"),
    Index("network_exchange_provider", "provider", "id"),
    Index(
        "network_exchange_half",
        "id",
        sqlite_where=sqlalchemy.text("provider_commitment <> 0 AND inquirer_commitment = 0"),
    ),
)
_permit: Final = Table(
    "network_permit",
    metadata,
    Column("exchange", _BigId, primary_key=True, autoincrement=False),
    Column("expire", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),  # sealed
    Index("network_permit_expire", "expire"),
)
_commitment: Final = Table(
    "network_commitment",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=False),
    Column("organization", String(16), nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("leaves", LargeBinary, nullable=False),
)

_exchange_columns: Final = tuple(column.name for column in _exchange.columns)
_c = _exchange.c
_ALL = [_c[name] for name in _exchange_columns]
_BY_DIGEST: Final = Lookup(sqlalchemy.select(*_ALL), _c.digest)
_STANDINGS: Final = Lookup(sqlalchemy.select(*[_c[name] for name in ExchangeStanding._fields]), _c.digest)
_KNOWN: Final = Lookup(sqlalchemy.select(_c.digest), _c.digest)
_BY_ID: Final = Lookup(sqlalchemy.select(*_ALL).order_by(_c.id), _c.id)
_LEAVES: Final = Lookup(sqlalchemy.select(_permit.c.exchange, _permit.c.leaf), _permit.c.exchange)
_REQUESTS: Final = Lookup(sqlalchemy.select(_request.c.id, _request.c.digest), _request.c.id)
_DROP_PERMITS: Final = Statement(
    sqlalchemy.delete(_permit).where(
        _permit.c.exchange.in_(
            sqlalchemy.select(_permit.c.exchange)
            .where(_permit.c.expire < bindparam("before"))
            .order_by(_permit.c.expire)
            .limit(bindparam("most", type_=Integer))
        )
    )
)
_MARK: Final = Statement(
    sqlalchemy.update(_exchange)
    .where(_c.id == bindparam("id_"))
    .values(
        outcome=bindparam("outcome_"),
        reason=bindparam("reason_"),
        provision_time=bindparam("provision_time_"),
        undisclosable=_c.undisclosable.op("|")(bindparam("undisclosable_", type_=Integer)),
        provider_commitment=bindparam("provider_commitment_"),
        inquirer_commitment=bindparam("inquirer_commitment_"),
    )
)
_OUTCOME: Final = Statement(
    sqlalchemy.update(_exchange)
    .where(_c.id == bindparam("id_"))
    .values(outcome=bindparam("outcome_"), reason=bindparam("reason_"))
)
_ACKNOWLEDGED: Final = Statement(
    sqlalchemy.update(_exchange).where(_c.id == bindparam("id_")).values(inquirer_commitment=bindparam("commitment"))
)
_HALF: Final = Statement(
    sqlalchemy.select(sqlalchemy.func.count())
    .select_from(_exchange)
    .with_hint(_exchange, "INDEXED BY network_exchange_half", "sqlite")  # a scrape must not read the whole table
    .where(sqlalchemy.text("provider_commitment <> 0 AND inquirer_commitment = 0"))  # as the index has it, not bound
)


def _page_of(side: str) -> Statement:
    return Statement(
        sqlalchemy.select(*_ALL)
        .where(_c[side] == bindparam("organization"), _c.id > bindparam("after"))
        .order_by(_c.id)
        .limit(bindparam("most", type_=Integer))
    )


_PAGES: Final = (_page_of("inquirer"), _page_of("provider"))


class ExchangeStore:
    """The tables of requests, exchanges, permits and commitments."""

    def by_digests(self, connection: Connection, digests: Sequence[bytes]) -> dict[bytes, NetworkExchange]:
        """Return the exchanges with these digests."""
        return {exchange.digest: exchange for exchange in map(_exchange_of, _BY_DIGEST.all(connection, digests))}

    def standings(self, connection: Connection, digests: Sequence[bytes]) -> dict[bytes, ExchangeStanding]:
        """Return where the exchanges with these digests stand."""
        return {row[0]: ExchangeStanding._make(row) for row in _STANDINGS.all(connection, digests)}

    def known(self, connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
        """Return which of these digests have an exchange."""
        return {row[0] for row in _KNOWN.all(connection, digests)}

    def by_ids(self, connection: Connection, ids: Iterable[int]) -> list[NetworkExchange]:
        """Return the exchanges of these rows, in order."""
        return [_exchange_of(row) for row in _BY_ID.all(connection, list(ids))]

    def permit_leaves(self, connection: Connection, exchanges: Sequence[int]) -> dict[int, bytes]:
        """Return the sealed permits of exchanges that have one."""
        return {row[0]: row[1] for row in _LEAVES.all(connection, exchanges)}

    def request_digests(self, connection: Connection, requests: Iterable[int]) -> dict[int, bytes]:
        """Return the digests of request statements."""
        return {row[0]: row[1] for row in _REQUESTS.all(connection, list(requests))}

    def add(
        self,
        connection: Connection,
        *,
        inquirer: str,
        request_digest: bytes,
        request_statement: bytes,
        exchanges: Sequence[NewExchange],
    ) -> list[int]:
        """Add what one request brought; return the rows of its exchanges."""
        first = next_change_seq(connection, _SEQUENCE, len(exchanges) + 1)
        bulk_insert(
            connection,
            _request,
            ("id", "inquirer", "digest", "statement"),
            [(first, inquirer, request_digest, request_statement)],
        )
        ids = list(range(first + 1, first + 1 + len(exchanges)))
        bulk_insert(
            connection,
            _exchange,
            _exchange_columns,
            [(row, new.digest, first, *new.record, 0, 0) for row, new in zip(ids, exchanges, strict=True)],
        )
        permits = [
            (row, new.record.expire_time, new.sealed_permit)
            for row, new in zip(ids, exchanges, strict=True)
            if new.sealed_permit
        ]
        if permits:
            bulk_insert(connection, _permit, ("exchange", "expire", "leaf"), permits)
        return ids

    def commit(self, connection: Connection, commitments: Sequence[Commitment]) -> list[int]:
        """Keep signed statements of the sides; return their rows."""
        first = next_change_seq(connection, _SEQUENCE, len(commitments))
        bulk_insert(
            connection,
            _commitment,
            ("id", "organization", "statement", "leaves"),
            [(first + at, *commitment) for at, commitment in enumerate(commitments)],
        )
        return list(range(first, first + len(commitments)))

    def mark(self, connection: Connection, marks: Iterable[ExchangeMark]) -> None:
        """Set what an answer says about its exchange."""
        names = [f"{name}_" for name in (*ExchangeMark._fields[1:], "id")]
        _MARK.many(connection, names, [(*mark[1:], mark.id) for mark in marks])

    def acknowledge(self, connection: Connection, rows: Iterable[int], commitment: int) -> None:
        """Note that the inquirer's receipt for these exchanges is held."""
        _ACKNOWLEDGED.many(connection, ("commitment", "id_"), [(commitment, row) for row in rows])

    def end(self, connection: Connection, rows: Iterable[tuple[int, int, str]]) -> None:
        """Set (row, outcome, reason) of exchanges that end without an answer."""
        _OUTCOME.many(connection, ("outcome_", "reason_", "id_"), [(end[1], end[2], end[0]) for end in rows])

    def drop_permits(self, connection: Connection, *, before: int, most: int) -> int:
        """Delete permits that ran out before an instant, at most so many; return how many. Records stay."""
        return _DROP_PERMITS.run(connection, before=before, most=most)

    def half(self, connection: Connection) -> int:
        """Return of how many exchanges the provider's signed answer is held and the inquirer's receipt is not."""
        row = _HALF.first(connection)
        return int(row[0]) if row else 0

    def page(self, connection: Connection, organization: str, *, after: int, most: int) -> list[NetworkExchange]:
        """Return the organization's exchanges after a row, on either side, in order."""
        found: dict[int, NetworkExchange] = {}
        for statement in _PAGES:
            rows = statement.all(connection, organization=organization, after=after, most=most)
            found.update((row[0], _exchange_of(row)) for row in rows)
        return [found[row] for row in sorted(found)[:most]]


def _exchange_of(row: Row) -> NetworkExchange:
    return NetworkExchange(*row)
