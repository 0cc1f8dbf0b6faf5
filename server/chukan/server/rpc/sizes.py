# SPDX-License-Identifier: Apache-2.0
"""Responses stay below what gRPC clients receive by default (4 MB), however large the rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

__all__ = ["MOST_BYTES", "that_fit"]

MOST_BYTES: Final = 3_000_000
"""Rows of one response; the rest of 4 MB is for what stands around them."""

_Row = TypeVar("_Row", bound="Message")


def that_fit(rows: Iterable[_Row]) -> list[_Row]:
    """Return the first rows that fit into one response; at least one, so that a listing always goes on."""
    fitting: list[_Row] = []
    room = MOST_BYTES
    for row in rows:
        room -= row.ByteSize()
        if fitting and room < 0:
            break
        fitting.append(row)
    return fitting
