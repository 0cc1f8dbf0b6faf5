# SPDX-License-Identifier: Apache-2.0
"""SQLite connections as this project wants them: WAL, synced, private, and with transactions begun by hand.

Files: one connection writes, any number read their own snapshot. Memory: one connection does both, under the writer's
turn. SQLAlchemy never begins or commits here (a Core BEGIN/SAVEPOINT/COMMIT costs 90 µs, a direct one 2 µs); an
attempt to commit through it inside a write is refused.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL

__all__ = [
    "Link",
    "Synchronous",
    "connect",
    "engine_for",
    "file_of",
    "named_trouble",
    "storage_trouble",
    "take_image",
    "with_image",
]

Synchronous = Literal["FULL", "NORMAL", "OFF"]

_BUSY_MS: Final = 10_000
_CACHED_STATEMENTS: Final = 512
_WRITER_CACHE_KIB: Final = 32_768
_READER_CACHE_KIB: Final = 4_096
_CHECKPOINT_PAGES: Final = 10_000
"""40 MB: bulk loading writes pages of random indexes with every batch, and copies them once for several."""
_WAL_KEPT_BYTES: Final = 64 << 20
_PRIMARY_CODE: Final = 0xFF
_FORMAT: Final = slice(18, 20)
"""Where a database file's header says how its journal is kept: 2 is WAL, which memory hasn't, 1 is everything else."""
_NO_WAL: Final = b"\x01\x01"
_DAMAGED: Final = "DATABASE_DAMAGED"
_TROUBLE: Final = {
    sqlite3.SQLITE_FULL: "STORAGE_FULL",
    sqlite3.SQLITE_IOERR: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_CANTOPEN: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_READONLY: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_BUSY: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_LOCKED: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_NOMEM: "STORAGE_UNAVAILABLE",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


class Link(NamedTuple):
    """A Core connection and the driver's connection under it."""

    connection: Connection
    raw: sqlite3.Connection

    def recover(self) -> None:
        """Make the Core connection usable again after a function left it in the middle of something."""
        while (nested := self.connection.get_nested_transaction()) is not None:
            nested.rollback()
        transaction = self.connection.get_transaction()
        if transaction is not None and not transaction.is_active:
            transaction.rollback()

    def close(self) -> None:
        """Close both, dropping whatever was not committed."""
        self.connection.invalidate()


def file_of(url: URL) -> Path | None:
    """Return the database file an SQLite URL names, None for memory."""
    return Path(url.database) if url.database not in {None, "", ":memory:"} else None


def engine_for(url: URL) -> Engine:
    """Return the engine of an SQLite URL; a new file is readable by its owner only.

    All databases in memory have one engine, though nothing of each other: every connection is a database of its own,
    and what the engine keeps is how statements are spelled in SQL.
    """
    path = file_of(url)
    if path is None:
        return _memory_engine()
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return _make_engine(url)


@cache
def _memory_engine() -> Engine:
    return _make_engine("sqlite://")


def _make_engine(url: URL | str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=NullPool,
        connect_args={
            "isolation_level": None,
            "check_same_thread": False,
            "cached_statements": _CACHED_STATEMENTS,
        },
    )
    event.listen(engine, "commit", _refuse)
    event.listen(engine, "rollback", _refuse)
    return engine


def connect(engine: Engine, *, synchronous: Synchronous, reader: bool = False) -> Link:
    """Open a connection with the project's pragmas; a reader cannot write."""
    connection = engine.connect()
    raw: Any = connection.connection.driver_connection
    pragmas = [
        f"busy_timeout = {_BUSY_MS}",
        "journal_mode = WAL",
        f"synchronous = {synchronous}",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        f"cache_size = -{_READER_CACHE_KIB if reader else _WRITER_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_WAL_KEPT_BYTES}",
    ]
    if reader:
        pragmas.append("query_only = ON")
    for pragma in pragmas:
        raw.execute(f"PRAGMA {pragma}")
    return Link(connection, raw)


def take_image(link: Link) -> bytes:
    """Return the whole database as it stands between two transactions."""
    content = bytearray(link.raw.serialize())
    content[_FORMAT] = _NO_WAL
    return bytes(content)


def with_image(link: Link, image: bytes) -> None:
    """Fill a connection in memory with a private copy of an image."""
    link.raw.deserialize(image)
    link.raw.execute("ANALYZE sqlite_schema")  # the planner's figures are read when a database is opened


def storage_trouble(error: BaseException) -> ChukanError | None:
    """Return the reason when an error is the disk's or another process's fault, None when it is the statement's."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    reason = _TROUBLE.get(code & _PRIMARY_CODE) if isinstance(code, int) else None
    if reason is None:
        return None
    return ChukanError(reason, retry_after=None if reason == _DAMAGED else 1.0)


@contextmanager
def named_trouble() -> Iterator[None]:
    """Raise the disk's or another process's fault by its reason."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        trouble = storage_trouble(error)
        if trouble is None:
            raise
        raise trouble from error


def _refuse(connection: Connection) -> None:
    del connection
    message = "got a commit or rollback inside a read or write, expected the database to end its own transactions"
    raise RuntimeError(message)
