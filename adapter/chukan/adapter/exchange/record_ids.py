# SPDX-License-Identifier: Apache-2.0
"""Record identification numbers (レコード識別番号), which the inquiry file does not have.

They are made here [own] of the file's digest, the generation (how often the file was asked again) and the row: so the
same file is a resend, rows ascend, and asking again is another inquiry (docs/divergences "Inquiry files").
"""

from __future__ import annotations

from typing import Final

__all__ = ["MOST_GENERATIONS", "entry_key", "file_prefix", "read_record_id", "record_id", "split_key"]

MOST_GENERATIONS: Final = 255
_PREFIX_DIGITS: Final = 20
_ROW_BITS: Final = 32
_FILE_BITS: Final = 40


def file_prefix(digest: str) -> str:
    """Return what the record ids of a file begin with."""
    return digest[:_PREFIX_DIGITS].upper()


def record_id(prefix: str, generation: int, row: int) -> str:
    """Return the record id of a row; ascending within a file."""
    return f"{prefix}-{generation:02d}-{row:08d}"


def read_record_id(record: str) -> tuple[str, int, int] | None:
    """Return (prefix, generation, row), None for a record id of another make."""
    parts = record.split("-")
    if len(parts) != 3 or len(parts[0]) != _PREFIX_DIGITS or not (parts[1] + parts[2]).isdecimal():  # noqa: PLR2004
        return None
    return parts[0], int(parts[1]), int(parts[2])


def entry_key(file_id: int, generation: int, row: int) -> int:
    """Return file, generation and row as one number, in the same order."""
    return file_id << _FILE_BITS | generation << _ROW_BITS | row


def split_key(key: int) -> tuple[int, int, int]:
    """Return file, generation and row."""
    return key >> _FILE_BITS, key >> _ROW_BITS & MOST_GENERATIONS, key & (1 << _ROW_BITS) - 1
