# SPDX-License-Identifier: Apache-2.0
"""Counts of an organization's waiting work, read from the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy
from sqlalchemy import Integer, bindparam, func

from chukan.durable.statements import Statement
from chukan.server.domain.operation import Queue
from chukan.server.storage.schema import outbox

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["OperationStore"]

_c = outbox.c
_QUEUES: Final = Statement(
    sqlalchemy.select(
        _c.kind,
        func.count(),
        func.sum(sqlalchemy.case((_c.attempts > 0, 1), else_=0), type_=Integer),
        func.min(_c.created),
        func.max(_c.last_reason),
    )
    .where(_c.organization == bindparam("organization_"))
    .group_by(_c.kind)
    .order_by(_c.kind)
)


class OperationStore:
    """What waits, by kind."""

    def queues(self, connection: Connection, organization: str) -> list[Queue]:
        """Return the organization's queues in order of kind; empty ones are absent."""
        return [Queue(*row) for row in _QUEUES.all(connection, organization_=organization)]
