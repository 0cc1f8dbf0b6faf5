# SPDX-License-Identifier: Apache-2.0
"""Rows that go back in the input's own format, byte for byte, so they can be fed again: the remainder and the rejected.

Split where the profile splits. A row that lacks its line end closes its file: nothing may follow it in one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.adapter.exchange.durable_files import DurableFile

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange.lines import InputFile, Line

__all__ = ["ReturnedRows"]

_BLOCK = 1 << 20


class ReturnedRows:
    """Writes `<stem>.<kind>_0001.DAT` and so on; no rows, no file."""

    def __init__(self, out: Path, kind: str, *, rows_per_file: int) -> None:
        self._out = out
        self._kind = kind
        self._most = rows_per_file
        self._files: list[DurableFile] = []
        self._rows = 0
        self._complete = True
        self.count = 0

    def add(self, source: InputFile, line: Line) -> None:
        """Take a row over as it came."""
        if not self._files or self._rows >= self._most or not self._complete:
            self._files.append(DurableFile(self._path(len(self._files) + 1)))
            self._rows = 0
        stream = self._files[-1].stream
        if line.is_whole:
            stream.write(line.raw)
            self._complete = line.raw.endswith(b"\n")
        else:
            self._complete = self._copy(source, line)
        self._rows += 1
        self.count += 1

    def keep(self) -> list[Path]:
        """Make all files durable and return them; files an earlier run left behind them go."""
        kept = [file.keep() for file in self._files]
        number = len(kept) + 1
        while (stale := self._path(number)).exists():
            stale.unlink()
            number += 1
        return kept

    def abandon(self) -> None:
        """Drop what is not kept."""
        for file in self._files:
            file.__exit__()

    def _path(self, number: int) -> Path:
        return self._out.with_name(f"{self._out.stem}.{self._kind}_{number:04d}.DAT")

    def _copy(self, source: InputFile, line: Line) -> bool:
        left, last = line.length, b""
        with source.path.open("rb") as stream:
            stream.seek(line.offset)
            while left and (block := stream.read(min(left, _BLOCK))):
                self._files[-1].stream.write(block)
                left -= len(block)
                last = block
        return last.endswith(b"\n")
