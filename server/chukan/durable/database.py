# SPDX-License-Identifier: Apache-2.0
"""One database: snapshots to read, one writer that commits for all who wait, numbers and notices in commit order.

What is acknowledged is durable: ``write`` returns after the COMMIT and its sync. SQLite files and memory are served;
on PostgreSQL the same functions would each run in a transaction of their own behind these same methods.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final, Self, TypeVar

from sqlalchemy.engine import URL, make_url

from chukan.durable.changes import TOPIC, Changes, change_table
from chukan.durable.migrations import Schema, bring_up_to_date
from chukan.durable.notices import Listener, Publisher
from chukan.durable.readers import FileReaders, MemoryReaders, Reads
from chukan.durable.sqlite import Synchronous, connect, engine_for, file_of, named_trouble, take_image, with_image
from chukan.durable.writer import Observer, Writer
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy import Connection, MetaData

    from chukan.standard.clock import Clock

__all__ = ["Database"]

T = TypeVar("T")
_QUEUE: Final = 1_024
_FIRST_SCHEMA: Final = Schema()


class Database:
    """A database of this process alone; a second process is refused.

    url: ``sqlite:///path`` or ``sqlite://`` (memory). synchronous: less than FULL gives up that acknowledged means
    durable. queue: how many writes may wait before OVERLOADED. observe: told of every committed group. image: what a
    database in memory holds at first, as `image` of this same program gave it: a private copy is made (3 ms for 13 MB).
    """

    def __init__(
        self,
        url: str | URL,
        *,
        metadata: MetaData,
        clock: Clock,
        synchronous: Synchronous = "FULL",
        schema: Schema = _FIRST_SCHEMA,
        queue: int = _QUEUE,
        observe: Observer | None = None,
        image: bytes | None = None,
    ) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            raise ChukanError("SETTING_INVALID", field="database", params={"expected": "sqlite:///path or sqlite://"})
        self.metadata = metadata
        self.clock = clock
        self.changes = Changes()
        change_table(metadata)
        self._schema = schema
        self._is_copy = image is not None
        path = file_of(parsed)
        if image is not None and path is not None:
            message = "got an image for a database file, expected one for memory"
            raise ValueError(message)
        self._lock = None if path is None else _lock(path)
        try:
            engine = engine_for(parsed)
            with named_trouble():
                self._link = connect(engine, synchronous=synchronous)
                if image is not None:
                    with_image(self._link, image)
        except BaseException:
            self._unlock()
            raise
        self._publisher = Publisher()
        self._publisher.subscribe(TOPIC, self.changes.announce)
        self._writer = Writer(self._link, self._publisher, limit=queue, observe=observe)
        self._reads = Reads(
            MemoryReaders(self._link, self._writer.turn)
            if path is None
            else FileReaders(lambda: connect(engine, synchronous=synchronous, reader=True)),
        )
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many writes wait for a group."""
        return self._writer.waiting

    def create_or_upgrade(self) -> None:
        """Make the tables of a fresh database, upgrade an older one, refuse a newer one; a copy's are right already."""
        with self._writer.turn, named_trouble():
            if not self._is_copy:
                bring_up_to_date(self._link, self.metadata, self._schema)
            self.changes.load(self._link.connection)

    def image(self) -> bytes:
        """Return everything committed so far, as bytes that a database in memory can start from."""
        if self._closed:
            raise ChukanError("SHUTTING_DOWN")
        with self._writer.turn, named_trouble():
            return take_image(self._link)

    def read(self) -> AbstractContextManager[Connection]:
        """Lend a connection that sees one snapshot and cannot write; keep it short."""
        if self._closed:
            raise ChukanError("SHUTTING_DOWN")
        if self._writer.owned():
            message = "got a read inside a write, expected the connection the write was given to be used"
            raise RuntimeError(message)
        return self._reads.read()

    def write(self, organization: str, function: Callable[[Connection], T]) -> T:
        """Run the function in the next group and return its value once it is durable; raises what it raises.

        The function works through its connection only, never ends its transaction, and may run more than once.
        organization: whose order it belongs to (one writer keeps the order of all).
        """
        self._refuse_inside_read()
        del organization
        return self._writer.write(function)

    def write_later(self, organization: str, function: Callable[[Connection], T]) -> Future[T]:
        """Queue the function; the future is done once it is durable."""
        del organization
        return self._writer.write_later(function)

    def subscribe(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Tell the listener what committed writes note on the topic; returns what ends it."""
        return self._publisher.subscribe(topic, listener)

    def close(self) -> None:
        """Commit what waits, wake who waits for changes, and let go of the database."""
        if self._closed:
            return
        self._closed = True
        self._writer.close()
        self.changes.close()
        self._reads.close()
        with self._writer.turn:
            self._link.close()
        self._unlock()

    def __enter__(self) -> Self:
        """Use the database until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _refuse_inside_read(self) -> None:
        if self._reads.holds():
            message = "got a write inside a read, expected the read to end first"
            raise RuntimeError(message)

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(path: Path) -> int:
    """Hold the lock file beside a database file; the operating system lets go of it with the process."""
    held = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise ChukanError("DATABASE_IN_USE", params={"file": path.name}) from None
    return held
