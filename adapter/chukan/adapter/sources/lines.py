# SPDX-License-Identifier: Apache-2.0
"""Reads a file as raw lines, a block at a time: lines stay bytes, so that an unchanged row is never parsed.

A row with a quoted line break is joined to one; an unclosed quote or a line without end costs that row only.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from chukan.adapter.sources.faults import RowFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["LONGEST_ROW", "Chunk", "read_lines"]

LONGEST_ROW: Final = 131_072
"""Bytes of the longest row taken: what Python's csv module takes as a field."""

_BLOCK: Final = 262_144
_MOST_JOINED: Final = 50
_END_OF_FILE: Final = b"\x1a"


class Chunk(NamedTuple):
    """Lines of one block without their line ends; numbers are their lines in the file, from 1."""

    lines: list[bytes]
    numbers: Sequence[int]
    faults: list[RowFault]
    position: int
    """Bytes of the file read so far."""


class _Open(NamedTuple):
    """Lines that wait for their closing quote."""

    lines: list[tuple[int, bytes]]


def read_lines(file: BinaryIO, *, is_row: Callable[[bytes], bool], first_number: int = 1) -> Iterator[Chunk]:
    """Yield the lines of a file from where it stands; blank ones are left out.

    is_row says whether lines joined at a quoted line break make one row.
    """
    rest, number, skipping = b"", first_number, False
    waiting = _Open([])
    while True:
        block = file.read(_BLOCK)
        data = rest + block
        lines = data.replace(b"\r\n", b"\n").split(b"\n")
        rest = lines.pop() if block else b""
        faults: list[RowFault] = []
        first = number
        number += len(lines)
        if skipping and lines:
            faults.append(RowFault(first, "ROW_TOO_LARGE", rule=f"max_bytes={LONGEST_ROW}"))
            lines[0] = b""
            skipping = False
        if skipping or len(rest) > LONGEST_ROW:
            rest, skipping = b"", True
        if not block and skipping:
            faults.append(RowFault(number, "ROW_TOO_LARGE", rule=f"max_bytes={LONGEST_ROW}"))
        chunk = Chunk(lines, range(first, number), faults, file.tell())
        if b'"' in data or waiting.lines:
            chunk, waiting = _join(chunk, waiting, is_row=is_row, last=not block)
        yield _without_unusable(chunk)
        if not block:
            return


def _without_unusable(chunk: Chunk) -> Chunk:
    """Drop blank lines and an end-of-file mark; lines that are too large or hold a NUL become faults."""
    lines, numbers = chunk.lines, chunk.numbers
    joined = b"".join(lines)
    if (
        b"" not in lines
        and b"\0" not in joined
        and b"\x1a" not in joined
        and max(map(len, lines), default=0) <= LONGEST_ROW
    ):
        return chunk
    kept: list[tuple[int, bytes]] = []
    faults = chunk.faults
    for number, line in zip(numbers, lines, strict=True):
        if len(line) > LONGEST_ROW:
            faults.append(RowFault(number, "ROW_TOO_LARGE", rule=f"max_bytes={LONGEST_ROW}"))
        elif b"\0" in line:
            faults.append(RowFault(number, "FILE_BINARY", rule=f"NUL, byte={line.index(0) + 1}"))
        elif line.strip(_END_OF_FILE):
            kept.append((number, line))
    return Chunk([line for _, line in kept], [number for number, _ in kept], faults, chunk.position)


def _join(chunk: Chunk, waiting: _Open, *, is_row: Callable[[bytes], bool], last: bool) -> tuple[Chunk, _Open]:
    """Join lines whose quotes are open; what can't be joined to a row is a fault of its first line."""
    queue = deque(waiting.lines)
    queue.extend(zip(chunk.numbers, chunk.lines, strict=True))
    done: list[tuple[int, bytes]] = []
    faults = chunk.faults
    while queue:
        if queue[0][1].count(b'"') % 2 == 0:
            done.append(queue.popleft())
            continue
        joined = _closed(queue, is_row)
        if joined:
            number = queue[0][0]
            done.append((number, b"\n".join(queue.popleft()[1] for _ in range(joined))))
        elif not last and len(queue) < _MOST_JOINED:
            break
        else:
            faults.append(RowFault(queue.popleft()[0], "ROW_QUOTING"))
    lines = [line for _, line in done]
    return Chunk(lines, [number for number, _ in done], faults, chunk.position), _Open(list(queue))


def _closed(queue: deque[tuple[int, bytes]], is_row: Callable[[bytes], bool]) -> int:
    """Return how many lines from the first on make one row, 0 if none do."""
    count = size = 0
    parts: list[bytes] = []
    for index, (_, line) in enumerate(queue):
        size += len(line)
        if index == _MOST_JOINED or size > LONGEST_ROW:
            return 0
        parts.append(line)
        count += line.count(b'"')
        if index and count % 2 == 0:
            return index + 1 if is_row(b"\n".join(parts)) else 0
    return 0
