# SPDX-License-Identifier: Apache-2.0
"""The same request twice has one effect and one answer.

The answer is kept in the transaction of the effect, under organization, system, method and request id, with a keyed
digest of the body; a world is a database of its own, so it is not part of the key. Two at once run one after the other
in the writer, so the second finds the first one's answer.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, bindparam

from chukan.durable.instants import to_micros
from chukan.durable.statements import Statement
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

    from chukan.durable.database import Database
    from chukan.standard.clock import Clock

__all__ = ["answered", "forget", "forget_old", "idempotency_table", "once"]

_KEPT: Final = timedelta(days=62)
"""Twice as long as anything is waited for (an inquiry 30 days, a permit 31): no resend comes later than that."""

_KEY: Final = ("organization", "system", "method", "request_id")
_TABLE: Final = Table(
    "idempotency",
    MetaData(),
    Column("organization", String(16), primary_key=True),
    Column("system", String(64), primary_key=True),
    Column("method", String(128), primary_key=True),
    Column("request_id", String(128), primary_key=True),
    Column("body_digest", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Index("idempotency_stored", "stored"),
)
_SAME: Final = [_TABLE.c[name] == bindparam(f"{name}_") for name in _KEY]
_FIND: Final = Statement(sqlalchemy.select(_TABLE.c.body_digest, _TABLE.c.response).where(*_SAME))
_KEEP: Final = Statement(sqlalchemy.insert(_TABLE), (*_KEY, "body_digest", "response", "stored"))
_OLD: Final = Statement(
    sqlalchemy.select(*(_TABLE.c[name] for name in _KEY))
    .where(_TABLE.c.stored < bindparam("before"))
    .order_by(_TABLE.c.stored)
    .limit(bindparam("most", type_=Integer)),
)
_OLDEST: Final = Statement(sqlalchemy.select(_TABLE.c.stored).order_by(_TABLE.c.stored).limit(1))
_DELETE: Final = Statement(sqlalchemy.delete(_TABLE).where(*_SAME))


def idempotency_table(metadata: MetaData) -> Table:
    """Return the table of kept answers in the metadata, adding it when it is not there."""
    return metadata.tables[_TABLE.name] if _TABLE.name in metadata.tables else _TABLE.to_metadata(metadata)


def answered(
    connection: Connection, *, organization: str, system: str, method: str, request_id: str, body_digest: bytes
) -> bytes | None:
    """Return the kept answer of this request, None if it was not made; inside a read or a write.

    The same id with another body is IDEMPOTENCY_CONFLICT.
    """
    found = _FIND.first(connection, organization_=organization, system_=system, method_=method, request_id_=request_id)
    if found is None:
        return None
    if not hmac.compare_digest(found[0], body_digest):
        raise ChukanError("IDEMPOTENCY_CONFLICT", field="chukan-request-id")
    return bytes(found[1])


def once(
    connection: Connection,
    *,
    organization: str,
    system: str,
    method: str,
    request_id: str,
    body_digest: bytes,
    clock: Clock,
    fn: Callable[[Connection], bytes],
) -> bytes:
    """Inside a write: return the kept answer of this request, or run fn and keep what it returns.

    The same id with another body is IDEMPOTENCY_CONFLICT. When fn raises, nothing is kept; a refusal that must be kept
    is returned. The answer is stored as given: references, or sealed.
    """
    kept = answered(
        connection,
        organization=organization,
        system=system,
        method=method,
        request_id=request_id,
        body_digest=body_digest,
    )
    if kept is not None:
        return kept
    response = fn(connection)
    _KEEP.run(
        connection,
        organization=organization,
        system=system,
        method=method,
        request_id=request_id,
        body_digest=body_digest,
        response=response,
        stored=to_micros(clock.now()),
    )
    return response


def forget(connection: Connection, *, before: datetime, most: int = 1_000) -> int:
    """Inside a write: delete the oldest answers kept before an instant, at most so many; return how many."""
    old = _OLD.all(connection, before=to_micros(before), most=most)
    if old:
        _DELETE.many(connection, [f"{name}_" for name in _KEY], old)
    return len(old)


def forget_old(database: Database, clock: Clock) -> int:
    """Delete, in short writes, the answers no resend can ask for any more; return how many."""
    before = clock.now() - _KEPT
    with database.read() as connection:
        oldest = _OLDEST.first(connection)
    if oldest is None or oldest[0] >= to_micros(before):
        return 0
    forgotten = 0
    while some := database.write("", lambda connection: forget(connection, before=before)):
        forgotten += some
    return forgotten
