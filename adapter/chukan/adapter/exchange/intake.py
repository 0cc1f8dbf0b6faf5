# SPDX-License-Identifier: Apache-2.0
"""The input of a run, chunk by chunk, judged: the same rows in the same order every time it is read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from chukan.adapter.exchange.lines import read_lines
from chukan.adapter.exchange.record_ids import entry_key, file_prefix, record_id
from chukan.adapter.exchange.requests import line_digest
from chukan.adapter.exchange.rows import Problem, Row, RowReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chukan.adapter.exchange.input_profile import InputProfile
    from chukan.adapter.exchange.ledger import LedgerFile
    from chukan.adapter.exchange.lines import InputFile

__all__ = ["CHUNK_ROWS", "Chunk", "Intake", "Source"]

CHUNK_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Source:
    """An input file and what the ledger calls it."""

    file: InputFile
    known: LedgerFile


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of a file."""

    source: Source
    rows: list[Row]

    def record_id(self, row: Row) -> str:
        """Return the record identification number the row has by its place."""
        return record_id(file_prefix(self.source.file.digest), self.source.known.generation, row.line.row)

    def key(self, row: Row) -> int:
        """Return what the ledger keeps the row under."""
        return entry_key(self.source.known.id, self.source.known.generation, row.line.row)

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last row."""
        return self.rows[0].line.row, self.rows[-1].line.row


class Intake:
    """Reads all files of a run."""

    def __init__(self, sources: Sequence[Source], profile: InputProfile, *, caller: str) -> None:
        self._sources = sources
        self._profile = profile
        self._caller = caller

    def chunks(self) -> Iterator[Chunk]:
        """Yield every row of every file once; a row that stood before is marked."""
        seen: dict[bytes, tuple[str, int]] = {}
        for source in self._sources:
            reader = RowReader(self._profile, source.file.name, caller=self._caller)
            lines = read_lines(source.file, self._profile.longest_row)
            while some := list(islice(lines, CHUNK_ROWS)):
                yield Chunk(source, [self._once(reader.read(line), source, seen) for line in some])

    def _once(self, row: Row, source: Source, seen: dict[bytes, tuple[str, int]]) -> Row:
        if row.fields is None or row.problems:
            return row
        place = source.file.name, row.line.row
        first = seen.setdefault(line_digest(row.line.raw), place)
        if first == place:
            return row
        rule = f"same as row {first[1]}" + (f" of {first[0]}" if first[0] != place[0] else "")
        return row._replace(problems=(Problem(source.file.name, row.line.row, 0, "", rule, "RECORD_DUPLICATE"),))
