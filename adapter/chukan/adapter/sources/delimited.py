# SPDX-License-Identifier: Apache-2.0
"""A comma-separated file: header, raw rows in blocks, and rows parsed when somebody asks for them."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from chukan.adapter.sources.encoding import decode_rows, detect
from chukan.adapter.sources.faults import RowFault
from chukan.adapter.sources.lines import read_lines
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chukan.adapter.sources.encoding import Encoding
    from chukan.adapter.sources.lines import Chunk

__all__ = ["DelimitedFile"]

_HEAD: Final = 65_536


class DelimitedFile:
    """One file, whose header (or first block) has been read.

    columns: the column names of a file without a header; else the first row names them. needed: columns a file with a
    header must have. label: how messages name the file, its name if not given.
    Errors: FILE_NOT_FOUND, FILE_EMPTY, FILE_BINARY, FILE_ENCODING, HEADER_MISSING, COLUMN_MISSING, COLUMN_DUPLICATE.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: Encoding = "auto",
        columns: Sequence[str] | None = None,
        needed: Sequence[str] = (),
        label: str = "",
    ) -> None:
        self.path = path
        self.label = label or path.name
        with self._open() as file:
            self.size = file.seek(0, 2)
            file.seek(0)
            block = head = file.read(_HEAD)
        end = head.find(b"\n") + 1 if columns is None else head.rfind(b"\n") + 1
        head = head[:end] if end else head
        self.codec, mark = detect(head, file=self.label, wanted=encoding, block=block)
        self._start = mark if columns is not None else len(head)
        self._first_number = 1 if columns is not None else 2
        self.columns: tuple[str, ...] = tuple(columns) if columns is not None else self._header(head[mark:])
        self._check_header(needed)
        self._count = len(self.columns)

    def chunks(self) -> Iterator[Chunk]:
        """Yield the raw rows, block by block."""
        with self._open() as file:
            file.seek(self._start)
            yield from read_lines(file, is_row=self._is_row, first_number=self._first_number)

    def parse(
        self, lines: Sequence[bytes], numbers: Sequence[int]
    ) -> tuple[list[Sequence[str]], list[int], list[RowFault]]:
        """Return the cells of good rows, the index of each in lines, and the faults of the others."""
        texts, undecodable = decode_rows(list(lines), self.codec)
        faults = [RowFault(numbers[index], "FILE_ENCODING", rule=rule) for index, rule in undecodable]
        rows = self._cells(texts, quoted=b'"' in b"".join(lines))
        if rows is not None and not faults and set(map(len, rows)) <= {self._count}:
            return rows, list(range(len(rows))), faults
        return self._parse_each(texts, numbers, faults, {index for index, _ in undecodable})

    @staticmethod
    def _cells(texts: list[str], *, quoted: bool) -> list[Sequence[str]] | None:
        if not quoted:
            return [text.split(",") for text in texts]
        try:
            rows: list[Sequence[str]] = [next(csv.reader([text], strict=True)) for text in texts]
        except (csv.Error, StopIteration):
            return None
        return rows

    def _parse_each(
        self, texts: list[str], numbers: Sequence[int], faults: list[RowFault], undecodable: set[int]
    ) -> tuple[list[Sequence[str]], list[int], list[RowFault]]:
        rows: list[Sequence[str]] = []
        kept: list[int] = []
        for index, text in enumerate(texts):
            if index in undecodable:
                continue
            found = self._cells([text], quoted='"' in text)
            if found is None:
                faults.append(RowFault(numbers[index], "ROW_QUOTING"))
            elif len(found[0]) != self._count:
                reason = "ROW_SHORT" if len(found[0]) < self._count else "ROW_LONG"
                faults.append(RowFault(numbers[index], reason, rule=f"fields={self._count}, got {len(found[0])}"))
            else:
                rows.append(found[0])
                kept.append(index)
        return rows, kept, faults

    def _is_row(self, joined: bytes) -> bool:
        texts, failures = decode_rows([joined], self.codec)
        if failures:
            return False
        try:
            rows = list(csv.reader(texts[0].splitlines(keepends=True), strict=True))
        except csv.Error:
            return False
        return len(rows) == 1 and len(rows[0]) == self._count

    def _header(self, line: bytes) -> tuple[str, ...]:
        text = line.decode(self.codec).rstrip("\r\n")
        try:
            names = next(csv.reader([text]), [])
        except csv.Error:  # a bare carriage return, or a name without end: no line of names
            return ()
        return tuple(name.strip() for name in names)

    def _check_header(self, needed: Sequence[str]) -> None:
        missing = [name for name in needed if name not in self.columns]
        if needed and len(missing) == len(set(needed)):
            expected = ", ".join(needed[:3])
            raise ChukanError(
                "HEADER_MISSING", params={"file": self.label, "expected": expected, "read_as": self.codec.upper()}
            )
        if missing:
            raise ChukanError("COLUMN_MISSING", params={"file": self.label, "column": ", ".join(missing)})
        doubled = sorted({name for name in needed if self.columns.count(name) > 1})
        if doubled:
            raise ChukanError("COLUMN_DUPLICATE", params={"file": self.label, "column": ", ".join(doubled)})

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise ChukanError("FILE_NOT_FOUND", params={"file": self.label}) from error
        with file:
            yield file
