# SPDX-License-Identifier: Apache-2.0
"""Changed rows of a file on their way through a lane: raw, then parsed into columns, with line numbers and digests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chukan.adapter.sources import DelimitedFile, RowFault
    from chukan.adapter.sync.memory import Memory

__all__ = ["RawRows", "Rows", "by_value", "changed_rows", "parse"]


class RawRows(NamedTuple):
    """Raw lines, their numbers in the file and their digests."""

    lines: list[bytes]
    numbers: list[int]
    digests: list[bytes]

    def part(self, start: int, end: int) -> RawRows:
        """Return the rows from start to before end."""
        return RawRows(self.lines[start:end], self.numbers[start:end], self.digests[start:end])


@dataclass(frozen=True, slots=True)
class Rows:
    """Parsed rows of one file; columns by name are made when asked for."""

    file: DelimitedFile
    cells: list[Sequence[str]]
    numbers: list[int]
    digests: list[bytes]

    def __len__(self) -> int:
        return len(self.cells)

    def columns(self, names: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the named columns."""
        if not self.cells:
            return dict.fromkeys(names, ())
        every = list(zip(*self.cells, strict=True))
        return {name: every[self.file.columns.index(name)] for name in names}

    def take(self, indexes: Sequence[int]) -> Rows:
        """Return some of the rows, in the order given."""
        if len(indexes) == len(self.cells):
            return self
        return Rows(
            self.file,
            [self.cells[index] for index in indexes],
            [self.numbers[index] for index in indexes],
            [self.digests[index] for index in indexes],
        )


def changed_rows(
    file: DelimitedFile,
    memory: Memory,
    *,
    salt: bytes,
    most: int,
    tell: Callable[[int, int, Sequence[RowFault], int], None],
) -> Iterator[RawRows]:
    """Yield the rows that were not met as remembered, up to most at a time.

    tell is told of every block: rows read, rows unchanged, faults, bytes read so far.
    """
    waiting = RawRows([], [], [])
    for chunk in file.chunks():
        digests = memory.row_digests(chunk.lines, salt)
        fresh = memory.unmatched(digests)
        tell(len(chunk.lines) + len(chunk.faults), len(chunk.lines) - len(fresh), chunk.faults, chunk.position)
        if len(fresh) == len(chunk.lines):
            waiting.lines.extend(chunk.lines)
            waiting.numbers.extend(chunk.numbers)
            waiting.digests.extend(digests)
        else:
            waiting.lines.extend([chunk.lines[index] for index in fresh])
            waiting.numbers.extend([chunk.numbers[index] for index in fresh])
            waiting.digests.extend([digests[index] for index in fresh])
        start = 0
        while len(waiting.lines) - start >= most:
            yield waiting.part(start, start + most)
            start += most
        if start:
            waiting = waiting.part(start, len(waiting.lines))
    if waiting.lines:
        yield waiting


def parse(file: DelimitedFile, raw: RawRows) -> tuple[Rows, list[RowFault]]:
    """Parse raw rows; those that can't be parsed become faults."""
    cells, kept, faults = file.parse(raw.lines, raw.numbers)
    if len(kept) == len(raw.lines):
        return Rows(file, cells, raw.numbers, raw.digests), faults
    return (
        Rows(file, cells, [raw.numbers[index] for index in kept], [raw.digests[index] for index in kept]),
        faults,
    )


def by_value(column: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each value of a column."""
    groups: dict[str, list[int]] = {}
    for row, value in enumerate(column):
        groups.setdefault(value, []).append(row)
    return groups
