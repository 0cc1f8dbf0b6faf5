# SPDX-License-Identifier: Apache-2.0
"""Addressees who are to be closed once their linkage codes are there: until then their numbers are kept here.

The only personal identifiers the adapter keeps, and only until the middle server has them closed.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from chukan.adapter.sync.people_messages import Closing, closing_request
from chukan.adapter.sync.streams import BatchStream

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from chukan.adapter.sync.memory import Memory
    from chukan.adapter.sync.streams import Waiting
    from chukan.client import Client

__all__ = ["Closings"]

_BATCH: Final = 1_000
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS closing(number TEXT PRIMARY KEY) WITHOUT ROWID"


class Closings:
    """Kept in a lane's memory; durable with its commits."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        memory.connection.execute(_SCHEMA)

    def note(self, every: Sequence[Closing]) -> None:
        """Note who is closed; who is open in a later row is not closed after all."""
        connection = self._memory.connection
        connection.executemany(
            "INSERT OR REPLACE INTO closing VALUES (?)", [(each.number,) for each in every if each.closed]
        )
        connection.executemany(
            "DELETE FROM closing WHERE number = ?", [(each.number,) for each in every if not each.closed]
        )

    def forget_all(self) -> None:
        """Forget everybody: the numbers are of another server's people."""
        self._memory.connection.execute("DELETE FROM closing")

    def send(self, client: Client, waiting: Waiting, *, but: Collection[str]) -> int:
        """Close everybody noted but those named (whose codes are awaited still); return how many."""
        closed = 0
        stream: BatchStream[list[Closing]] = BatchStream(
            client.linkage_codes.RegisterAddressees, depth=2, waiting=waiting
        )
        try:
            for part in self._parts(frozenset(but)):
                said = "\x1f".join((self._memory.get("run"), *(each.number for each in part)))
                id_ = f"{self._memory.prefix}-close-{blake2b(said.encode(), digest_size=16).hexdigest()}"
                for done, _ in stream.send(part, closing_request(id_, part)):
                    closed += self._closed(done)
            for done, _ in stream.drain():
                closed += self._closed(done)
        finally:
            stream.close()
        self._memory.commit()
        return closed

    def _parts(self, but: frozenset[str]) -> Iterator[list[Closing]]:
        after = ""
        while True:
            rows = self._memory.connection.execute(
                "SELECT * FROM closing WHERE number > ? ORDER BY number LIMIT ?", (after, _BATCH)
            ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            part = [Closing(row[0], closed=True) for row in rows if row[0] not in but]
            if part:
                yield part

    def _closed(self, part: Sequence[Closing]) -> int:
        self._memory.connection.executemany("DELETE FROM closing WHERE number = ?", [(each.number,) for each in part])
        self._memory.commit()
        return len(part)
