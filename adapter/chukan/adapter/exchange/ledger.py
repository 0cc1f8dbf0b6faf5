# SPDX-License-Identifier: Apache-2.0
"""The ledger of inquiries: what became of every row of every file, durable at every step.

A row is written here before its request leaves, with the number it asks about: whatever is killed when, the next run
knows what was sent under which record identification number. SQLite, WAL, every commit synced. One file per
organization (and world); the folder is readable by its owner only.

An entry's key is (file, generation, row) in one integer, and so is its record identification number (record_ids.py): no
text is searched for, and updates touch no index.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chukan.adapter.exchange.messages import RowStatus
from chukan.adapter.exchange.record_ids import (
    MOST_GENERATIONS,
    entry_key,
    file_prefix,
    read_record_id,
    record_id,
    split_key,
)
from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Entry", "EntryState", "FileSummary", "Finished", "Ledger", "LedgerFile"]

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE file (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL, generation INTEGER NOT NULL,
  first_seen INTEGER NOT NULL, output TEXT NOT NULL DEFAULT '');
CREATE TABLE again (
  file_id INTEGER NOT NULL, generation INTEGER NOT NULL, reason TEXT NOT NULL, asked INTEGER NOT NULL,
  PRIMARY KEY (file_id, generation)) WITHOUT ROWID;
CREATE TABLE entry (
  key INTEGER PRIMARY KEY, line BLOB, number TEXT NOT NULL, receipt TEXT NOT NULL DEFAULT '',
  state INTEGER NOT NULL, row_status TEXT NOT NULL DEFAULT '', row_message TEXT NOT NULL DEFAULT '',
  information_status TEXT NOT NULL DEFAULT '', information_message TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '', answer_kind INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL);
CREATE INDEX entry_line ON entry (line) WHERE line IS NOT NULL;
CREATE TABLE link (
  file_id INTEGER NOT NULL, row INTEGER NOT NULL, key INTEGER NOT NULL,
  PRIMARY KEY (file_id, row)) WITHOUT ROWID;
CREATE TABLE watch (target TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE world (generation TEXT NOT NULL);
"""
_IN_STATE: Final = (
    "SELECT key FROM entry WHERE state = ? AND key BETWEEN ? AND ? UNION "
    "SELECT key FROM link JOIN entry USING (key) WHERE state = ? AND file_id = ?"
)
_NO_KEY: Final = -1


class EntryState(IntEnum):
    """How far a row has come."""

    PENDING = 1
    """Its request is durable here and may have left."""
    SENT = 2
    """The middle server gave a receipt number."""
    FINISHED = 3
    """Answered, refused, timed out or cancelled there."""
    DELIVERED = 4
    """Stands in a durable result file."""
    ACKNOWLEDGED = 5
    """The middle server was told so."""
    FAILED = 6
    """Never reached the middle server; tried anew by the next run."""
    SUPERSEDED = 7
    """Asked again under another number."""


class Entry(NamedTuple):
    """A row of the ledger. expires: milliseconds, 0 = nothing to expire."""

    record_id: str
    number: str
    receipt: str
    state: int
    status: RowStatus
    reason: str
    answer_kind: int
    expires: int


class Finished(NamedTuple):
    """What the middle server says about a finished inquiry."""

    record_id: str
    receipt: str
    status: RowStatus
    reason: str
    answer_kind: int
    expires: int


class LedgerFile(NamedTuple):
    """A file the ledger knows."""

    id: int
    digest: str
    generation: int
    output: str


class FileSummary(NamedTuple):
    """How the rows of a file stand. states: count by state; expires: the earliest of undelivered results."""

    name: str
    first_seen: int
    generation: int
    again_reason: str
    states: dict[EntryState, int]
    expires: int


class Ledger:
    """The ledger in a folder. Safe to be used by several threads of one process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._lock = threading.RLock()
        path.touch(mode=0o600, exist_ok=True)
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        except sqlite3.DatabaseError as error:
            raise storage_error(error, place=str(path)) from None
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._create()
            files = self._connection.execute("SELECT id, digest FROM file")
            self._prefixes: dict[int, str] = {id_: file_prefix(digest) for id_, digest in files}
            self._ids = {prefix: id_ for id_, prefix in self._prefixes.items()}
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise storage_error(error, place=str(path)) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Make everything within durable together, or nothing of it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def open_file(self, digest: str, name: str, now: int) -> LedgerFile:
        """Return what is known of a file; a new one is noted."""
        with self.step():
            self._connection.execute(
                "INSERT INTO file (digest, name, generation, first_seen) VALUES (?, ?, 0, ?) ON CONFLICT DO NOTHING",
                (digest, name, now),
            )
            row = self._connection.execute(
                "SELECT id, digest, generation, output FROM file WHERE digest = ?", (digest,)
            ).fetchone()
        self._prefixes[row[0]] = file_prefix(digest)
        self._ids[file_prefix(digest)] = row[0]
        return LedgerFile(*row)

    def ask_again(self, file: LedgerFile, reason: str, now: int) -> LedgerFile:
        """Begin a new generation of a file, with the reason; what was open is superseded."""
        generation = file.generation + 1
        if generation > MOST_GENERATIONS:
            raise ChukanError("SETTING_INVALID", field="again", params={"rule": f"at most {MOST_GENERATIONS} times"})
        with self.step():
            execute = self._connection.execute
            execute("UPDATE file SET generation = ? WHERE id = ?", (generation, file.id))
            execute("INSERT INTO again VALUES (?, ?, ?, ?)", (file.id, generation, reason, now))
            execute(
                "UPDATE entry SET state = 7, line = NULL, changed = ? WHERE state IN (1, 2, 3) AND "
                "(key BETWEEN ? AND ? OR key IN (SELECT key FROM link WHERE file_id = ?))",
                (now, *_span(file.id), file.id),
            )
            execute("DELETE FROM link WHERE file_id = ?", (file.id,))
        return file._replace(generation=generation)

    def entries(self, file: LedgerFile, first: int, last: int) -> dict[int, Entry]:
        """Return the entries of rows first to last, those continued from another file included."""
        linked = self._select(
            "SELECT link.row, {columns} FROM link JOIN entry USING (key) "
            "WHERE link.file_id = ? AND link.row BETWEEN ? AND ?",
            (file.id, first, last),
        )
        bounds = entry_key(file.id, file.generation, first), entry_key(file.id, file.generation, last)
        return linked | self._select("SELECT key & 0xFFFFFFFF, {columns} FROM entry WHERE key BETWEEN ? AND ?", bounds)

    def open_files(self) -> set[int]:
        """Return the files that have rows not delivered."""
        return {row[0] for row in self._query("SELECT DISTINCT key >> 40 FROM entry WHERE line IS NOT NULL")}

    def continue_rows(self, file: LedgerFile, lines: Sequence[tuple[int, bytes]]) -> dict[int, Entry]:
        """Recognise rows (row, line) of other files that are not delivered, and keep them linked to this one."""
        by_line = {line: row for row, line in lines}
        marks = ",".join("?" * len(by_line))
        rows = self._query(
            f"SELECT line, key FROM entry WHERE line IN ({marks}) AND key NOT BETWEEN ? AND ?",  # noqa: S608  # question marks only
            *by_line,
            *_span(file.id),
        )
        if not rows:
            return {}
        with self.step():
            self._connection.executemany(
                "INSERT INTO link VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(file.id, by_line[line], key) for line, key in rows],
            )
        return self.entries(file, lines[0][0], lines[-1][0])

    def add_pending(self, rows: Iterable[tuple[int, bytes, str]], now: int) -> None:
        """Note requests (key, line, number) before they leave."""
        self._connection.executemany(
            "INSERT INTO entry (key, line, number, state, changed) VALUES (?, ?, ?, 1, ?) "
            "ON CONFLICT DO UPDATE SET line = excluded.line, number = excluded.number, state = 1, "
            "receipt = '', reason = '', changed = excluded.changed",
            [(*row, now) for row in rows],
        )

    def add_failed(self, rows: Iterable[tuple[int, RowStatus, str]], now: int) -> None:
        """Note rows (key, status, reason) that did not reach the middle server."""
        self._connection.executemany(
            "INSERT INTO entry (key, number, state, row_status, row_message, information_status, "
            "information_message, reason, changed) VALUES (?, '', 6, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET line = NULL, state = 6, row_status = excluded.row_status, "
            "row_message = excluded.row_message, information_status = excluded.information_status, "
            "information_message = excluded.information_message, reason = excluded.reason, changed = excluded.changed",
            [(key, *status, reason, now) for key, status, reason in rows],
        )

    def note_receipts(self, receipts: Iterable[tuple[str, str]], now: int) -> None:
        """Note receipt numbers by record id; what is finished already keeps its state."""
        self._connection.executemany(
            "UPDATE entry SET receipt = ?, state = max(state, 2), changed = ? WHERE key = ?",
            [(receipt, now, self._key(record)) for record, receipt in receipts],
        )

    def note_not_taken(self, rows: Iterable[tuple[str, RowStatus, str]], now: int) -> None:
        """Note requests (record id, status, reason) that the middle server did not take in, or does not know."""
        self._connection.executemany(
            "UPDATE entry SET state = 6, line = NULL, row_status = ?, row_message = ?, information_status = ?, "
            "information_message = ?, reason = ?, changed = ? WHERE key = ? AND state IN (1, 2)",
            [(*status, reason, now, self._key(record)) for record, status, reason in rows],
        )

    def note_finished(self, finished: Iterable[Finished], now: int) -> int:
        """Note how inquiries ended, and return how many were open here; those of others are passed over."""
        return self._connection.executemany(
            "UPDATE entry SET state = 3, receipt = ?, row_status = ?, row_message = ?, information_status = ?, "
            "information_message = ?, reason = ?, answer_kind = ?, expires = ?, changed = ? "
            "WHERE key = ? AND state IN (1, 2)",
            [
                (
                    each.receipt,
                    *each.status,
                    each.reason,
                    each.answer_kind,
                    each.expires,
                    now,
                    self._key(each.record_id),
                )
                for each in finished
            ],
        ).rowcount

    def note_delivered(self, records: Iterable[str], now: int) -> None:
        """Note rows that stand in a durable result file; what is not needed any more is dropped."""
        self._connection.executemany(
            "UPDATE entry SET state = 4, line = NULL, number = CASE answer_kind WHEN 0 THEN number ELSE '' END, "
            "changed = ? WHERE key = ? AND state = 3",
            [(now, self._key(record)) for record in records],
        )

    def note_acknowledged(self, records: Iterable[str], now: int) -> None:
        """Note rows whose delivery the middle server knows of."""
        self._connection.executemany(
            "UPDATE entry SET state = 5, changed = ? WHERE key = ? AND state = 4",
            [(now, self._key(record)) for record in records],
        )

    def note_output(self, files: Iterable[LedgerFile], output: str) -> None:
        """Note where the results of files are written."""
        self._connection.executemany("UPDATE file SET output = ? WHERE id = ?", [(output, file.id) for file in files])

    def count(self, files: Iterable[LedgerFile], state: EntryState) -> int:
        """Return how many rows of these files, rows continued in them included, are in a state."""
        return sum(self._query(f"SELECT count(*) FROM ({_IN_STATE})", *_wanted(file, state))[0][0] for file in files)  # noqa: S608  # a constant

    def records(self, files: Iterable[LedgerFile], state: EntryState) -> list[str]:
        """Return the record ids of these rows."""
        return [self._record(key) for file in files for (key,) in self._query(_IN_STATE, *_wanted(file, state))]

    def token(self, target: str) -> str:
        """Return where the watch at a server goes on; "" from the beginning."""
        rows = self._query("SELECT token FROM watch WHERE target = ?", target)
        return str(rows[0][0]) if rows else ""

    def note_token(self, target: str, token: str) -> None:
        """Note where the watch goes on, together with what it brought."""
        self._connection.execute(
            "INSERT INTO watch VALUES (?, ?) ON CONFLICT DO UPDATE SET token = excluded.token", (target, token)
        )

    def world(self) -> str:
        """Return the world generation of the server that was asked; "" if it is not known."""
        rows = self._query("SELECT generation FROM world")
        return str(rows[0][0]) if rows else ""

    def note_world(self, generation: str) -> None:
        """Note whose answers these are from now on."""
        self._connection.execute("DELETE FROM world")
        self._connection.execute("INSERT INTO world VALUES (?)", (generation,))

    def last_record(self) -> str:
        """Return the record id of an inquiry the server took in: of the newest file, the last; "" if there is none."""
        rows = self._query("SELECT key FROM entry WHERE receipt != '' ORDER BY key DESC LIMIT 1")
        return self._record(rows[0][0]) if rows else ""

    def forget_all(self) -> None:
        """Forget everything that was asked; files are still known, with how often they were asked again."""
        for table in ("entry", "link", "watch", "world"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608  # four names of ours
        self._connection.execute("UPDATE file SET output = ''")

    def expiring(self, before: int) -> tuple[int, int]:
        """Return how many results nobody took over expire before an instant, and the earliest of them."""
        rows = self._query(
            "SELECT count(*), coalesce(min(expires), 0) FROM entry "
            "WHERE line IS NOT NULL AND state = 3 AND expires > 0 AND expires < ?",
            before,
        )
        return int(rows[0][0]), int(rows[0][1])

    def summaries(self) -> list[FileSummary]:
        """Return how every file stands, oldest first."""
        states: dict[int, dict[EntryState, int]] = {}
        expires: dict[int, int] = {}
        for file_id, state, count, earliest in self._query(
            "SELECT key >> 40, state, count(*), min(expires) FROM entry GROUP BY 1, 2"
        ):
            states.setdefault(file_id, {})[EntryState(state)] = count
            if state == EntryState.FINISHED:
                expires[file_id] = earliest
        files = self._query(
            "SELECT id, name, first_seen, file.generation, coalesce(reason, '') FROM file LEFT JOIN again "
            "ON file_id = id AND again.generation = file.generation ORDER BY id"
        )
        return [
            FileSummary(name, seen, generation, reason, states.get(id_, {}), expires.get(id_, 0))
            for id_, name, seen, generation, reason in files
        ]

    def _key(self, record: str) -> int:
        """Return the key of a record id; one that is not of this ledger has a key that no entry has."""
        found = read_record_id(record)
        file_id = self._ids.get(found[0]) if found else None
        return _NO_KEY if found is None or file_id is None else entry_key(file_id, found[1], found[2])

    def _record(self, key: int) -> str:
        file_id, generation, row = split_key(key)
        return record_id(self._prefixes[file_id], generation, row)

    def _create(self) -> None:
        with self.step():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        if version > _VERSION:
            raise ChukanError("DATABASE_VERSION", params={"file": str(self._path)})

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _select(self, statement: str, values: Sequence[object]) -> dict[int, Entry]:
        columns = (
            "key, number, receipt, state, row_status, row_message, information_status, information_message, "
            "reason, answer_kind, expires"
        )
        return {
            row: Entry(self._record(key), number, receipt, state, RowStatus(*status), reason, kind, expires)
            for row, key, number, receipt, state, *status, reason, kind, expires in self._query(
                statement.format(columns=columns), *values
            )
        }


def _span(file_id: int) -> tuple[int, int]:
    """Return the first and last key of a file."""
    return entry_key(file_id, 0, 0), entry_key(file_id + 1, 0, 0) - 1


def _wanted(file: LedgerFile, state: EntryState) -> tuple[int, ...]:
    return int(state), *_span(file.id), int(state), file.id
