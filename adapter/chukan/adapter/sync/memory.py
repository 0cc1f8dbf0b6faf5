# SPDX-License-Identifier: Apache-2.0
"""What one lane remembers of what was sent: keyed digests in an SQLite file, nothing of the content.

Of each record: a digest of its raw row (unchanged rows are neither parsed nor sent) and one of its key (a changed row
replaces what was remembered). Rows are met in the order they were remembered, so an unchanged file costs one pass over
both; rows that moved are found by key. What is about to be sent is noted beforehand with its record numbers, so that a
run after a crash sends the same rows under the same record numbers, which the server recognises. Acknowledged notes
are taken over into the table of records many at a time: keys lie anywhere in their index, and a batch alone would write
most of its pages.
"""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from chukan.standard.ids import Ids

__all__ = ["Memory"]

_DIGEST: Final = 16
_AHEAD: Final = 10_000
"""Remembered rows that are looked out for at once: how far a row may have moved and still be met in order."""
_VERSION: Final = "1"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent(id INTEGER PRIMARY KEY, row BLOB NOT NULL, key BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS sent_by_key ON sent(key);
CREATE TABLE IF NOT EXISTS note(id INTEGER PRIMARY KEY, digests BLOB NOT NULL, numbers BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS acknowledged(note INTEGER PRIMARY KEY);
"""
_TOGETHER: Final = 20_000
"""Records acknowledged before they are taken over into the table."""
_LAST_ID: Final = 1 << 62
_EACH: Final = "WITH RECURSIVE each(at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM each WHERE at + 1 < ?2)"
_FIND: Final = f"{_EACH} SELECT key, id, row FROM each JOIN sent ON key = substr(?1, {_DIGEST} * at + 1, {_DIGEST})"  # noqa: S608
_REMEMBER: Final = f"""{_EACH} INSERT INTO sent(key, row)
SELECT substr(?1, {2 * _DIGEST} * at + 1, {_DIGEST}), substr(?1, {2 * _DIGEST} * at + {_DIGEST + 1}, {_DIGEST})
FROM each WHERE true ON CONFLICT(key) DO UPDATE SET row = excluded.row"""  # noqa: S608
"""Whole batches are passed as one blob: a statement per row gives way to other threads a thousand times a batch."""

_TIME: Final = 10
_ENTROPY: Final = 6
"""Characters of a time-ordered id that tell memories apart: its milliseconds, and its end, which counts within one."""


class Memory:
    """The memory of one lane; used by one thread. Opening one that is in use: RUN_IN_PROGRESS."""

    def __init__(self, path: Path, *, secret: bytes, ids: Ids) -> None:
        self.path = path
        self._secret = secret
        self._met: int
        try:
            self.connection = sqlite3.connect(path, timeout=0, isolation_level=None)
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "cache_size=-3000"):
                self.connection.execute(f"PRAGMA {pragma}").fetchall()
            self.connection.executescript(_SCHEMA)
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            raise storage_error(error, place=str(path)) from error
        path.chmod(0o600)
        if self.get("version", _VERSION) != _VERSION:
            raise ChukanError("CHECKPOINT_UNREADABLE", params={"state": str(path)})
        self.put("version", _VERSION)
        self.prefix = self.get("prefix") or _short(ids.next("adapter-state"))
        self.put("prefix", self.prefix)
        self._next_number = int(self.get("next_number", "1"))
        self._unmerged: dict[bytes, bytes] = {}
        self._recover()
        self._reserved = dict(self._noted())
        self.commit()
        self._begin_empty()

    def close(self) -> None:
        """Close the file; what was not committed is dropped."""
        with suppress(sqlite3.Error):
            self.connection.rollback()
        self.connection.close()

    def commit(self) -> None:
        """Make everything so far durable."""
        self.connection.execute("COMMIT")
        self.connection.execute("BEGIN IMMEDIATE")

    def get(self, name: str, default: str = "") -> str:
        """Return a remembered setting."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else str(row[0])

    def put(self, name: str, value: str) -> None:
        """Remember a setting."""
        self.connection.execute("INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)", (name, value))

    # --- digests ---

    def row_digests(self, lines: Iterable[bytes], salt: bytes) -> list[bytes]:
        """Return digests of raw rows; salt: what else their meaning depends on, 16 bytes."""
        secret = self._secret
        return [blake2b(line, digest_size=_DIGEST, key=secret, person=salt).digest() for line in lines]

    def key_digests(self, keys: Iterable[str]) -> list[bytes]:
        """Return digests of record keys."""
        secret = self._secret
        return [blake2b(key.encode(), digest_size=_DIGEST, key=secret, person=b"record key").digest() for key in keys]

    # --- one pass over the files ---

    def begin(self) -> int:
        """Begin a pass; return how many records are remembered."""
        self._merge()
        self._begin_empty()
        count, self._last = self.connection.execute("SELECT COUNT(*), COALESCE(MAX(id), 0) FROM sent").fetchone()
        self._seen = bytearray(self._last + 1)
        self._cursor = self.connection.execute("SELECT row, id FROM sent WHERE id <= ? ORDER BY id", (self._last,))
        self._remembered = int(count)
        return self._remembered

    def unmatched(self, digests: Sequence[bytes]) -> list[int]:
        """Return the indexes of rows that were not met in order: changed, new or moved ones."""
        waiting, seen = self._waiting, self._seen
        if self._reached < self._last:
            self._look_ahead(len(digests))
        if not waiting:
            return list(range(len(digests)))
        fresh: list[int] = []
        met = self._met
        for index, digest in enumerate(digests):
            found = waiting.pop(digest, 0)
            if found:
                seen[found] = 1
                met = found
            else:
                fresh.append(index)
        self._met = met
        return fresh

    def known(self, keys: Sequence[bytes]) -> dict[bytes, tuple[int, bytes]]:
        """Return (id, row digest) of the records remembered under keys."""
        found: dict[bytes, tuple[int, bytes]] = {}
        if self._remembered or self._merged:
            rows = self.connection.execute(_FIND, (b"".join(keys), len(keys)))
            found = {key: (id_, row) for key, id_, row in rows}
        unmerged = self._unmerged
        if unmerged:
            found.update((key, (_LAST_ID, unmerged[key])) for key in keys if key in unmerged)
        return found

    def is_seen(self, id_: int) -> bool:
        """Whether a record was met in this pass, or remembered in it."""
        return id_ > self._last or bool(self._seen[id_])

    def see(self, id_: int) -> None:
        """Note that a record is still there."""
        if id_ <= self._last:
            self._seen[id_] = 1

    def vanished(self) -> Iterator[bytes]:
        """Yield the keys of records no row of this pass stood for."""
        self._merge()
        if sum(self._seen) >= self._remembered:
            return
        for id_, key in self.connection.execute("SELECT id, key FROM sent WHERE id <= ?", (self._last,)).fetchall():
            if not self._seen[id_]:
                yield key

    # --- sending ---

    def reserve(self, keys: Sequence[bytes], rows: Sequence[bytes]) -> tuple[int, list[int]]:
        """Note what is about to be sent; return the note's id and a record number for each row.

        Rows that a broken run had noted keep their numbers. Durable with the next commit.
        """
        digests = b"".join([part for pair in zip(keys, rows, strict=True) for part in pair])
        first = self._next_number
        numbers = array("Q", range(first, first + len(keys)))
        if self._reserved:
            for place, pair in enumerate(zip(keys, rows, strict=True)):
                numbers[place] = self._reserved.get(b"".join(pair), numbers[place])
        self._next_number = first + len(keys)
        self.put("next_number", str(self._next_number))
        cursor = self.connection.execute(
            "INSERT INTO note(digests, numbers) VALUES (?, ?)", (digests, numbers.tobytes())
        )
        return int(cursor.lastrowid or 0), numbers.tolist()

    def acknowledge(self, keys: Sequence[bytes], rows: Sequence[bytes], note: int = 0) -> None:
        """Remember records as sent; note: of the batch they were of, if one was made. Durable with the next commit."""
        digests = b"".join([part for pair in zip(keys, rows, strict=True) for part in pair])
        execute = self.connection.execute
        if not note:
            note = int(execute("INSERT INTO note(digests, numbers) VALUES (?, x'')", (digests,)).lastrowid or 0)
        elif (len(digests),) != execute("SELECT length(digests) FROM note WHERE id = ?", (note,)).fetchone():
            execute("UPDATE note SET digests = ? WHERE id = ?", (digests, note))
        execute("INSERT INTO acknowledged(note) VALUES (?)", (note,))
        self._unmerged.update(zip(keys, rows, strict=True))
        if len(self._unmerged) >= _TOGETHER:
            self._merge()

    def forget(self, keys: Sequence[bytes]) -> None:
        """Forget deleted records."""
        self.connection.executemany("DELETE FROM sent WHERE key = ?", [(key,) for key in keys])

    def forget_all(self) -> None:
        """Forget everything: the server is another one than was remembered."""
        for table in ("sent", "note", "acknowledged"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - three names of ours
        self._unmerged.clear()
        self._reserved = {}
        self.commit()

    def finish(self) -> None:
        """End a pass that went through everything: notes of earlier, broken runs are no longer needed."""
        self._merge()
        self.connection.execute("DELETE FROM note")
        self._reserved = {}
        self.commit()

    def _merge(self) -> None:
        """Take acknowledged records over into the table."""
        if self._unmerged:
            pairs = b"".join([part for pair in self._unmerged.items() for part in pair])
            self.connection.execute(_REMEMBER, (pairs, len(self._unmerged)))
            self._merged += len(self._unmerged)
            self._unmerged.clear()
        self.connection.execute("DELETE FROM note WHERE id IN (SELECT note FROM acknowledged)")
        self.connection.execute("DELETE FROM acknowledged")

    def _recover(self) -> None:
        """Take over what a broken run had acknowledged."""
        query = "SELECT digests FROM note JOIN acknowledged ON note = id ORDER BY id"
        for (digests,) in self.connection.execute(query).fetchall():
            self._unmerged.update((pair[:_DIGEST], pair[_DIGEST:]) for pair in _parts(digests))
        self._merged = 0
        self._merge()

    def _begin_empty(self) -> None:
        self._waiting: dict[bytes, int] = {}
        self._seen = bytearray(1)
        self._last = self._reached = self._remembered = self._merged = 0
        self._met = 0
        self._cursor = self.connection.execute("SELECT row, id FROM sent WHERE 0")

    def _look_ahead(self, coming: int) -> None:
        """Read remembered rows on, to a fixed distance beyond the one met last."""
        wanted = self._met + coming + _AHEAD - self._reached
        if wanted > 0:
            rows = self._cursor.fetchmany(wanted)
            self._waiting.update(rows)
            self._reached = rows[-1][1] if len(rows) == wanted else self._last
        if len(self._waiting) > 4 * _AHEAD:
            oldest = self._met - _AHEAD
            self._waiting = {row: id_ for row, id_ in self._waiting.items() if id_ > oldest}

    def _noted(self) -> Iterator[tuple[bytes, int]]:
        """Yield what a broken run had sent without an answer, with its record numbers."""
        for digests, numbers in self.connection.execute("SELECT digests, numbers FROM note").fetchall():
            each = array("Q")
            each.frombytes(numbers)
            yield from zip(_parts(digests), each, strict=True)


def _parts(digests: bytes) -> list[bytes]:
    return [digests[start : start + 2 * _DIGEST] for start in range(0, len(digests), 2 * _DIGEST)]


def _short(id_: str) -> str:
    return id_[:_TIME] + id_[-_ENTROPY:]
