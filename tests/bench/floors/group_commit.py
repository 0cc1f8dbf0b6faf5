# SPDX-License-Identifier: Apache-2.0
"""Group commit with nothing but sqlite3: one connection writes, one COMMIT serves all who wait.

WAL, synchronous FULL, the product's checkpoint interval and cache. No savepoints, no checks, no repetition of a
failed group: a floor's writes don't fail.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "temp_store = MEMORY",
    "wal_autocheckpoint = 10000",
    "cache_size = -32768",
)


class _Call:
    __slots__ = ("done", "function", "latch", "value")

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.latch = threading.Lock()
        self.latch.acquire()
        self.done = False
        self.value: Any = None


class Store:
    """One database file."""

    def __init__(self, path: Path, tables: str) -> None:
        self._path = path
        self._connection = self._open()
        self._connection.executescript(tables)
        self._turn = threading.Lock()
        self._queue: deque[_Call] = deque()
        self._local = threading.local()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @property
    def reader(self) -> sqlite3.Connection:
        """The calling thread's connection for reading."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
        return connection

    def write(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run the function in the next group and return its value once that is committed."""
        call = _Call(function)
        self._queue.append(call)
        self._lead()
        call.latch.acquire()
        return call.value

    def _lead(self) -> None:
        """Serve groups while there are any and nobody else does."""
        while self._queue and self._turn.acquire(blocking=False):
            try:
                self._serve()
            finally:
                self._turn.release()

    def _serve(self) -> None:
        execute = self._connection.execute
        members: list[_Call] = []
        execute("BEGIN IMMEDIATE")
        for call in self._taken():
            call.value = call.function(self._connection)
            members.append(call)
        execute("COMMIT")
        for call in members:
            call.latch.release()

    def _taken(self) -> Iterator[_Call]:
        for _ in range(256):
            try:
                yield self._queue.popleft()
            except IndexError:
                return


def next_seq(connection: sqlite3.Connection, name: str, count: int) -> int:
    """Allot numbers in commit order, as a durable sequence."""
    (last,) = connection.execute(
        "UPDATE change_sequence SET last = last + ? WHERE name = ? RETURNING last", (count, name)
    ).fetchone()
    return int(last) - count + 1
