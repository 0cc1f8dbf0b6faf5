# SPDX-License-Identifier: Apache-2.0
"""What is wrong with one row of a file: where, which rule, never the value."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["RowFault"]


class RowFault(NamedTuple):
    """A row that can't be taken. line counts from 1, the header included; reason is one of the reason table."""

    line: int
    reason: str
    column: str = ""
    item: str = ""
    rule: str = ""
