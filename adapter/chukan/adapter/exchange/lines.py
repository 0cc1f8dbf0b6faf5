# SPDX-License-Identifier: Apache-2.0
"""Input files as lines of bytes, whatever is in them: bounded memory, nothing lost, every line with its place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["InputFile", "Line", "find_files", "read_lines", "take_file"]

_BLOCK: Final = 1 << 20


class Line(NamedTuple):
    """A line with its end. Of a line longer than the limit only the beginning is kept; length tells its size."""

    row: int
    offset: int
    length: int
    raw: bytes

    @property
    def is_whole(self) -> bool:
        """Whether raw is all of the line."""
        return len(self.raw) == self.length


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it was when the run began."""

    path: Path
    digest: str
    size: int
    rows: int

    @property
    def name(self) -> str:
        """The name without folders."""
        return self.path.name


def find_files(inputs: Sequence[Path], pattern: str) -> list[Path]:
    """Return files named, and those in folders named whose names fit the pattern. Errors: FOLDER_WITHOUT_FILES."""
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            within = sorted(each for each in path.iterdir() if each.is_file() and each.match(pattern))
            if not within:
                raise ChukanError("FOLDER_WITHOUT_FILES", params={"folder": str(path), "rule": pattern})
            found += within
        else:
            found.append(path)
    return found


def take_file(path: Path) -> InputFile:
    """Note a file's digest and size. Errors: FILE_NOT_FOUND."""
    digest = hashlib.sha256()
    size = rows = 0
    last = b""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
                rows += block.count(b"\n")
                last = block
    except OSError as error:
        raise ChukanError("FILE_NOT_FOUND", params={"file": str(path), "rule": error.strerror or ""}) from None
    return InputFile(path, digest.hexdigest(), size, rows + (not last.endswith(b"\n") if last else 0))


def read_lines(file: InputFile, longest: int) -> Iterator[Line]:
    """Yield the lines; a file that is not as it was when the run began ends in FILE_CHANGED."""
    digest = hashlib.sha256()
    offset = row = 0
    with file.path.open("rb") as stream:
        while raw := stream.readline(longest):
            digest.update(raw)
            length = len(raw)
            part = raw
            while not part.endswith(b"\n") and (part := stream.readline(_BLOCK)):
                digest.update(part)
                length += len(part)
            row += 1
            yield Line(row, offset, length, raw)
            offset += length
    if digest.hexdigest() != file.digest:
        raise ChukanError("FILE_CHANGED", params={"file": file.name})
