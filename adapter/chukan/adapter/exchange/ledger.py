# SPDX-License-Identifier: Apache-2.0
"""The ledger of inquiries: what became of every row of every file, durable at every step.

A row is written here before its request leaves, with the number it asks about: whatever is killed when, the next run
knows what was sent under which record identification number. SQLite, WAL, every commit synced. One file per
organization (and world); the folder is readable by its owner only.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chukan.adapter.exchange.messages import RowStatus
from chukan.standard.reasons import ChukanError

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
  record_id TEXT PRIMARY KEY, file_id INTEGER NOT NULL, row INTEGER NOT NULL, line BLOB, number TEXT NOT NULL,
  receipt TEXT NOT NULL DEFAULT '', state INTEGER NOT NULL, row_status TEXT NOT NULL DEFAULT '',
  row_message TEXT NOT NULL DEFAULT '', information_status TEXT NOT NULL DEFAULT '',
  information_message TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', answer_kind INTEGER NOT NULL DEFAULT 0,
  expires INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX entry_open ON entry (file_id, state) WHERE state IN (1, 2, 3);
CREATE INDEX entry_line ON entry (line) WHERE state IN (1, 2, 3);
CREATE TABLE link (
  file_id INTEGER NOT NULL, row INTEGER NOT NULL, record_id TEXT NOT NULL,
  PRIMARY KEY (file_id, row)) WITHOUT ROWID;
CREATE TABLE watch (target TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID;
"""


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
    row: int
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
    is_new: bool
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
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._create()
        except sqlite3.DatabaseError:
            self._connection.close()
            raise ChukanError("CHECKPOINT_UNREADABLE", params={"file": str(path)}) from None

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
            new = self._connection.execute(
                "INSERT INTO file (digest, name, generation, first_seen) VALUES (?, ?, 0, ?) ON CONFLICT DO NOTHING",
                (digest, name, now),
            ).rowcount
            row = self._connection.execute(
                "SELECT id, digest, generation, output FROM file WHERE digest = ?", (digest,)
            ).fetchone()
        return LedgerFile(row[0], row[1], row[2], bool(new), row[3])

    def ask_again(self, file: LedgerFile, reason: str, now: int) -> LedgerFile:
        """Begin a new generation of a file, with the reason; what was open is superseded."""
        generation = file.generation + 1
        with self.step():
            execute = self._connection.execute
            execute("UPDATE file SET generation = ? WHERE id = ?", (generation, file.id))
            execute("INSERT INTO again VALUES (?, ?, ?, ?)", (file.id, generation, reason, now))
            execute(
                "UPDATE entry SET state = ?, line = NULL, changed = ? WHERE state IN (1, 2, 3) AND (file_id = ? OR "
                "record_id IN (SELECT record_id FROM link WHERE file_id = ?))",
                (EntryState.SUPERSEDED, now, file.id, file.id),
            )
            execute("DELETE FROM link WHERE file_id = ?", (file.id,))
        return file._replace(generation=generation)

    def entries(self, file: LedgerFile, prefix: str, rows: Sequence[int]) -> dict[int, Entry]:
        """Return the entries of consecutive rows, those continued from another file included."""
        bounds = f"{prefix}{rows[0]:08d}", f"{prefix}{rows[-1]:08d}"
        found = self._select("SELECT row, {columns} FROM entry WHERE record_id BETWEEN ? AND ?", bounds)
        linked = self._select(
            "SELECT link.row, {columns} FROM link JOIN entry USING (record_id) "
            "WHERE link.file_id = ? AND link.row BETWEEN ? AND ?",
            (file.id, rows[0], rows[-1]),
        )
        return linked | found

    def has_open(self, file: LedgerFile) -> bool:
        """Whether rows of other files are open."""
        found = self._query("SELECT 1 FROM entry WHERE state IN (1, 2, 3) AND file_id <> ? LIMIT 1", (file.id,))
        return bool(found)

    def continue_rows(self, file: LedgerFile, lines: Sequence[tuple[int, bytes]]) -> dict[int, Entry]:
        """Recognise rows of another file that are open under their old record ids, and keep them linked."""
        by_line = {line: row for row, line in lines}
        marks = ",".join("?" * len(by_line))
        rows = self._query(
            f"SELECT line, record_id FROM entry WHERE state IN (1, 2, 3) AND file_id <> ? AND line IN ({marks})",  # noqa: S608  # question marks only
            (file.id, *by_line),
        )
        if not rows:
            return {}
        with self.step():
            self._connection.executemany(
                "INSERT INTO link VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(file.id, by_line[line], record) for line, record in rows],
            )
        return self._select(
            "SELECT link.row, {columns} FROM link JOIN entry USING (record_id) WHERE link.file_id = ? "
            "AND link.row BETWEEN ? AND ?",
            (file.id, lines[0][0], lines[-1][0]),
        )

    def add_pending(self, file: LedgerFile, rows: Iterable[tuple[str, int, bytes, str]], now: int) -> None:
        """Note requests (record id, row, line, number) before they leave."""
        self._connection.executemany(
            "INSERT INTO entry (record_id, file_id, row, line, number, state, changed) VALUES (?, ?, ?, ?, ?, 1, ?) "
            "ON CONFLICT (record_id) DO UPDATE SET line = excluded.line, number = excluded.number, state = 1, "
            "receipt = '', reason = '', changed = excluded.changed",
            [(record, file.id, row, line, number, now) for record, row, line, number in rows],
        )

    def add_failed(self, file: LedgerFile, rows: Iterable[tuple[str, int, str, RowStatus, str]], now: int) -> None:
        """Note rows (record id, row, number, status, reason) that did not reach the middle server."""
        self._connection.executemany(
            "INSERT INTO entry (record_id, file_id, row, number, state, row_status, row_message, information_status, "
            "information_message, reason, changed) VALUES (?, ?, ?, ?, 6, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (record_id) DO UPDATE SET line = NULL, state = 6, row_status = excluded.row_status, "
            "row_message = excluded.row_message, information_status = excluded.information_status, "
            "information_message = excluded.information_message, reason = excluded.reason, changed = excluded.changed",
            [(record, file.id, row, number, *status, reason, now) for record, row, number, status, reason in rows],
        )

    def note_receipts(self, receipts: Iterable[tuple[str, str]], now: int) -> None:
        """Note receipt numbers by record id; what is finished already keeps its state."""
        self._connection.executemany(
            "UPDATE entry SET receipt = ?, state = max(state, 2), changed = ? WHERE record_id = ?",
            [(receipt, now, record) for record, receipt in receipts],
        )

    def note_not_taken(self, rows: Iterable[tuple[str, RowStatus, str]], now: int) -> None:
        """Note requests (record id, status, reason) that the middle server did not take in, or does not know."""
        self._connection.executemany(
            "UPDATE entry SET state = 6, line = NULL, row_status = ?, row_message = ?, information_status = ?, "
            "information_message = ?, reason = ?, changed = ? WHERE record_id = ? AND state IN (1, 2)",
            [(*status, reason, now, record) for record, status, reason in rows],
        )

    def note_finished(self, finished: Iterable[Finished], now: int) -> None:
        """Note how inquiries ended; those of others are passed over."""
        self._connection.executemany(
            "UPDATE entry SET state = 3, receipt = ?, row_status = ?, row_message = ?, information_status = ?, "
            "information_message = ?, reason = ?, answer_kind = ?, expires = ?, changed = ? "
            "WHERE record_id = ? AND state IN (1, 2)",
            [
                (each.receipt, *each.status, each.reason, each.answer_kind, each.expires, now, each.record_id)
                for each in finished
            ],
        )

    def note_delivered(self, records: Iterable[str], now: int) -> None:
        """Note rows that stand in a durable result file; what is not needed any more is dropped."""
        self._connection.executemany(
            "UPDATE entry SET state = 4, line = NULL, number = CASE answer_kind WHEN 0 THEN number ELSE '' END, "
            "changed = ? WHERE record_id = ? AND state = 3",
            [(now, record) for record in records],
        )

    def note_acknowledged(self, records: Iterable[str], now: int) -> None:
        """Note rows whose delivery the middle server knows of."""
        self._connection.executemany(
            "UPDATE entry SET state = 5, changed = ? WHERE record_id = ? AND state = 4",
            [(now, record) for record in records],
        )

    def note_output(self, files: Iterable[LedgerFile], output: str) -> None:
        """Note where the results of files were written."""
        self._connection.executemany("UPDATE file SET output = ? WHERE id = ?", [(output, file.id) for file in files])

    def open_records(self, files: Sequence[LedgerFile], state: EntryState) -> list[str]:
        """Return the record ids of these files, and of rows continued in them, that are in a state."""
        marks = ",".join("?" * len(files))
        ids = [file.id for file in files]
        rows = self._query(
            f"SELECT record_id FROM entry WHERE state = ? AND file_id IN ({marks}) UNION "  # noqa: S608  # question marks only
            f"SELECT record_id FROM link JOIN entry USING (record_id) WHERE state = ? AND link.file_id IN ({marks})",
            (int(state), *ids, int(state), *ids),
        )
        return [row[0] for row in rows]

    def count(self, files: Sequence[LedgerFile], state: EntryState) -> int:
        """Return how many rows of these files are in a state."""
        marks = ",".join("?" * len(files))
        ids = [file.id for file in files]
        own = self._query(
            f"SELECT count(*) FROM entry WHERE state = ? AND state IN (1, 2, 3) AND file_id IN ({marks})",  # noqa: S608  # likewise
            (int(state), *ids),
        )
        linked = self._query(
            f"SELECT count(*) FROM link JOIN entry USING (record_id) WHERE state = ? AND link.file_id IN ({marks})",  # noqa: S608  # likewise
            (int(state), *ids),
        )
        return int(own[0][0]) + int(linked[0][0])

    def token(self, target: str) -> str:
        """Return where the watch at a server goes on; "" from the beginning."""
        rows = self._query("SELECT token FROM watch WHERE target = ?", (target,))
        return str(rows[0][0]) if rows else ""

    def note_token(self, target: str, token: str) -> None:
        """Note where the watch goes on, together with what it brought."""
        self._connection.execute(
            "INSERT INTO watch VALUES (?, ?) ON CONFLICT DO UPDATE SET token = excluded.token", (target, token)
        )

    def expiring(self, before: int) -> tuple[int, int]:
        """Return how many results nobody took over expire before an instant, and the earliest of them."""
        rows = self._query(
            "SELECT count(*), coalesce(min(expires), 0) FROM entry WHERE state = 3 AND expires > 0 AND expires < ?",
            (before,),
        )
        return int(rows[0][0]), int(rows[0][1])

    def summaries(self) -> list[FileSummary]:
        """Return how every file stands, oldest first."""
        states: dict[int, dict[EntryState, int]] = {}
        for file_id, state, count in self._query("SELECT file_id, state, count(*) FROM entry GROUP BY 1, 2", ()):
            states.setdefault(file_id, {})[EntryState(state)] = count
        expires = dict(
            self._query("SELECT file_id, min(expires) FROM entry WHERE state = 3 AND expires > 0 GROUP BY 1", ())
        )
        files = self._query(
            "SELECT id, name, first_seen, file.generation, coalesce(reason, '') FROM file LEFT JOIN again "
            "ON file_id = id AND again.generation = file.generation ORDER BY id",
            (),
        )
        return [
            FileSummary(name, seen, generation, reason, states.get(id_, {}), expires.get(id_, 0))
            for id_, name, seen, generation, reason in files
        ]

    def _create(self) -> None:
        with self.step():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        if version > _VERSION:
            raise ChukanError("DATABASE_VERSION", params={"file": str(self._path)})

    def _query(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _select(self, statement: str, values: Sequence[object]) -> dict[int, Entry]:
        columns = (
            "record_id, number, receipt, state, row_status, row_message, information_status, information_message, "
            "reason, answer_kind, expires"
        )
        return {
            row: Entry(record, row, number, receipt, state, RowStatus(*status), reason, kind, expires)
            for row, record, number, receipt, state, *status, reason, kind, expires in self._query(
                statement.format(columns=columns), values
            )
        }
