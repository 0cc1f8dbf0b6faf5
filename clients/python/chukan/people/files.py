# SPDX-License-Identifier: Apache-2.0
"""Writes one extract: rows of cells, CRLF, UTF-8 or CP932, with a digest, in constant memory.

Cells come from this package's tables and never hold a comma, a quote or a line end, so rows are joined, not quoted.
Under CP932 a character it lacks becomes 〓 (a character with its variation selector counts as one).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Encoding = Literal["utf-8", "cp932", "ascii"]

GETA: Final = "〓"
_VARIATION: Final = re.compile(".[\U000e0100-\U000e01ef]")
_ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """What the manifest says about a file."""

    rows: int
    bytes: int
    sha256: str
    encoding: str
    substituted: int


class ExtractFile:
    """A file being written beside its final name; :meth:`close` puts it in place."""

    def __init__(self, path: Path, *, encoding: Encoding, header: Iterable[str] | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self._file = self._partial.open("wb")
        self._encoding = encoding
        self._digest = hashlib.sha256()
        self._lines: list[str] = []
        self._size = 0
        self._substituted = 0
        self.rows = 0
        if header is not None:
            self._lines.append(",".join(header))

    def add(self, cells: Iterable[str]) -> None:
        """Append a row."""
        self._lines.append(",".join(cells))
        self.rows += 1
        if len(self._lines) >= _ROWS_AT_ONCE:
            self._flush()

    def close(self) -> WrittenFile:
        """Finish the file under its final name."""
        self._flush()
        self._file.close()
        self._partial.replace(self._path)
        return WrittenFile(
            rows=self.rows,
            bytes=self._size,
            sha256=self._digest.hexdigest(),
            encoding=self._encoding,
            substituted=self._substituted,
        )

    def abandon(self) -> None:
        """Drop what was written so far."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._lines:
            return
        lines = self._lines
        lines.append("")
        try:
            data = "\r\n".join(lines).encode(self._encoding)
        except UnicodeEncodeError:
            data = "\r\n".join([self._encodable(line) for line in lines]).encode(self._encoding)
        lines.clear()
        self._digest.update(data)
        self._file.write(data)
        self._size += len(data)

    def _encodable(self, line: str) -> str:
        try:
            line.encode(self._encoding)
        except UnicodeEncodeError:
            line, joined = _VARIATION.subn(GETA, line)
            kept = "".join([character if self._has(character) else GETA for character in line])
            self._substituted += joined + kept.count(GETA) - line.count(GETA)
            return kept
        return line

    def _has(self, character: str) -> bool:
        try:
            character.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True
