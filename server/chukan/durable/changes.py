# SPDX-License-Identifier: Apache-2.0
"""Change numbers in commit order, and waiting for them.

The writer is alone, so a number allotted inside a write is smaller than every number of a later COMMIT: who has read up
to a number and waits for the next loses nothing. Numbers of a write that failed are given out again.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, MetaData, String, Table, bindparam

from chukan.durable.notices import note
from chukan.durable.statements import Statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["TOPIC", "Changes", "change_table", "next_change_seq"]

TOPIC: Final = "chukan.changes"

_TABLE: Final = Table(
    "change_sequence",
    MetaData(),
    Column("name", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
_ADVANCE: Final = Statement(
    sqlalchemy.update(_TABLE)
    .where(_TABLE.c.name == bindparam("name_"))
    .values(last=_TABLE.c.last + bindparam("count"))
    .returning(_TABLE.c.last),
)
_BEGIN: Final = Statement(sqlalchemy.insert(_TABLE), ("name", "last"))
_ALL: Final = Statement(sqlalchemy.select(_TABLE.c.name, _TABLE.c.last))


def change_table(metadata: MetaData) -> Table:
    """Return the table of sequences in the metadata, adding it when it is not there."""
    return metadata.tables[_TABLE.name] if _TABLE.name in metadata.tables else _TABLE.to_metadata(metadata)


def next_change_seq(connection: Connection, name: str = "change", count: int = 1) -> int:
    """Allot a block of numbers inside a write and return its first; waiters wake when the write is committed."""
    if count < 1:
        message = f"got a block of {count}, expected at least one number"
        raise ValueError(message)
    row = _ADVANCE.first(connection, name_=name, count=count)
    if row is None:
        _BEGIN.run(connection, name=name, last=count)
    last: int = count if row is None else row[0]
    note(connection, TOPIC, (name, last))
    return last - count + 1


class Changes:
    """The last committed number of every sequence."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._last: dict[str, int] = {}
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nobody should wait any more."""
        return self._closed

    def last(self, name: str = "change") -> int:
        """Return the last committed number, 0 when none was allotted."""
        return self._last.get(name, 0)

    def wait(self, after_seq: int, timeout: float | None = None, name: str = "change") -> int:
        """Wait until a number greater than after_seq is committed and return the last one.

        Returns a number not greater than after_seq when the timeout (real seconds) passes or the database is closed.
        """
        with self._moved:
            self._moved.wait_for(lambda: self._closed or self._last.get(name, 0) > after_seq, timeout)
            return self._last.get(name, 0)

    def load(self, connection: Connection) -> None:
        """Take over the numbers a database holds when it is opened."""
        self.announce(_ALL.all(connection))

    def announce(self, numbers: list[Any]) -> None:
        """Take over committed (name, last) pairs, in commit order, and wake who waits."""
        with self._moved:
            self._last.update(numbers)
            self._moved.notify_all()

    def close(self) -> None:
        """Wake everybody for good."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
