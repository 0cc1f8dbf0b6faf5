# SPDX-License-Identifier: Apache-2.0
"""Read connections: every read sees one snapshot, and nothing that is not committed.

A database file gives each reading thread a connection of its own from a stack of idle ones (WAL: readers and the writer
never wait for each other). Memory has one connection, so a read takes the writer's turn.
"""

from __future__ import annotations

from _thread import get_ident
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from chukan.durable.sqlite import named_trouble
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Lock

    from sqlalchemy import Connection

    from chukan.durable.sqlite import Link

__all__ = ["FileReaders", "MemoryReaders", "Readers", "Reads"]

_IDLE_KEPT: Final = 32


class Readers(Protocol):
    """Where snapshots come from."""

    def take(self) -> Link:
        """Return a connection at the beginning of a snapshot."""

    def give_back(self, link: Link) -> None:
        """End the snapshot."""

    def close(self) -> None:
        """Close what is idle."""


class FileReaders:
    """Connections of their own, the last used first."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._idle: deque[Link] = deque()
        self._closed = False

    def take(self) -> Link:
        """Return an idle connection or a new one."""
        if self._closed:
            raise ChukanError("SHUTTING_DOWN")
        try:
            link = self._idle.pop()
        except IndexError:
            link = self._connect()
        link.raw.execute("BEGIN")
        return link

    def give_back(self, link: Link) -> None:
        """Keep the connection for the next reader, up to a number."""
        link.recover()
        link.raw.rollback()
        if self._closed or len(self._idle) >= _IDLE_KEPT:
            link.close()
        else:
            self._idle.append(link)

    def close(self) -> None:
        """Close the idle connections; one in use closes when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class MemoryReaders:
    """The writer's own connection, made unable to write while it is lent."""

    def __init__(self, link: Link, turn: Lock) -> None:
        self._link = link
        self._turn = turn
        self._closed = False

    def take(self) -> Link:
        """Wait for the writer's turn."""
        self._turn.acquire()
        if self._closed:
            self._turn.release()
            raise ChukanError("SHUTTING_DOWN")
        self._link.raw.execute("PRAGMA query_only = ON")
        return self._link

    def give_back(self, link: Link) -> None:
        """Let the writer go on."""
        link.recover()
        link.raw.execute("PRAGMA query_only = OFF")
        self._turn.release()

    def close(self) -> None:
        """Lend the connection no more."""
        self._closed = True


class Reads:
    """The snapshots threads hold now; a read within a read of the same thread shares its snapshot."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._held: dict[int, Link] = {}

    def holds(self) -> bool:
        """Whether the calling thread is inside a read."""
        return get_ident() in self._held

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Lend a connection that sees one snapshot."""
        thread = get_ident()
        held = self._held.get(thread)
        if held is not None:
            yield held.connection
            return
        with named_trouble():
            link = self._readers.take()
        self._held[thread] = link
        try:
            with named_trouble():
                yield link.connection
        finally:
            del self._held[thread]
            self._readers.give_back(link)

    def close(self) -> None:
        """Close what is idle."""
        self._readers.close()
