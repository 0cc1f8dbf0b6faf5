# SPDX-License-Identifier: Apache-2.0
"""Which encoding a file of a business system is in: UTF-8 (with or without a mark) or CP932.

Both hold commas, quotes and line ends as single ASCII bytes, so lines are split before they are decoded. A header of
Japanese column names is never valid in both; files without one are told by their first block.
"""

from __future__ import annotations

import codecs
from typing import Final, Literal, NamedTuple

from chukan.standard.reasons import ChukanError

__all__ = ["Encoding", "FileEncoding", "decode_rows", "detect"]

Encoding = Literal["auto", "cp932", "utf-8"]

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CONTROL: Final = frozenset(range(32)) - {9, 10, 13, 26}
_CONTROL_SHARE: Final = 0.05
_FIRST_LINE: Final = 256


class FileEncoding(NamedTuple):
    """The codec to read with, and how many bytes of mark to skip."""

    codec: str
    mark: int


def detect(head: bytes, *, file: str, wanted: Encoding = "auto", block: bytes = b"") -> FileEncoding:
    """Return the encoding of a file that begins with these bytes: its header, or its first block cut at a line end.

    block: more of the file, where that is at hand, to tell a binary file.
    Errors: FILE_EMPTY, FILE_BINARY, FILE_ENCODING with file, encoding, line and byte.
    """
    if not head.strip(b"\xef\xbb\xbf\r\n \x1a"):
        raise ChukanError("FILE_EMPTY", params={"file": file})
    if head.startswith(_UTF_16):
        raise ChukanError("FILE_ENCODING", params={"file": file, "encoding": "UTF-16", "line": "1", "byte": "1"})
    block = block or head
    if b"\0" in head[:_FIRST_LINE] or sum(block.count(byte) for byte in _CONTROL) > len(block) * _CONTROL_SHARE:
        raise ChukanError("FILE_BINARY", params={"file": file})
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    tried: tuple[str, ...] = ("utf-8", "cp932") if wanted == "auto" else (wanted,)
    if mark and wanted == "auto":
        tried = ("utf-8",)
    failures: list[tuple[str, int]] = []
    for codec in tried:
        at = _first_bad_byte(head[mark:], codec)
        if at is None:
            return FileEncoding(codec, mark)
        failures.append((codec, at + mark))
    at = max(place for _, place in failures)
    raise ChukanError(
        "FILE_ENCODING",
        params={
            "file": file,
            "encoding": " or ".join(codec.upper() for codec, _ in failures),
            "line": str(head.count(b"\n", 0, at) + 1),
            "byte": str(at + 1),
        },
    )


def decode_rows(lines: list[bytes], codec: str) -> tuple[list[str], list[tuple[int, str]]]:
    """Return lines as text, and (index, rule) of those that are not in the encoding (they are left empty)."""
    if not lines:
        return [], []
    try:
        text = b"\n".join(lines).decode(codec)
    except UnicodeDecodeError:
        pass
    else:
        rows = text.split("\n")
        if len(rows) == len(lines):
            return rows, []
    rows, failures = [], []
    for index, line in enumerate(lines):
        at = _first_bad_byte(line, codec)
        if at is not None:
            failures.append((index, f"{codec.upper()}, byte={at + 1}"))
        rows.append("" if at is not None else line.decode(codec))
    return rows, failures


def _first_bad_byte(data: bytes, codec: str) -> int | None:
    try:
        data.decode(codec)
    except UnicodeDecodeError as error:
        return error.start
    return None
