# SPDX-License-Identifier: Apache-2.0
"""Code acquisition (符号取得) as the network sees it: processing numbers (処理通番) and what becomes of each.

In law one number per acquisition, neither individual number nor resident record code, kept by nobody beyond it
(番号法21条, 21条の2). That 処理通番 is the law's 取得番号 is [?]; the form is [own] (docs/divergences "Processing
numbers"): 12 digits that name a row and 12 random ones.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

__all__ = [
    "PROCESSING_NUMBER_DIGITS",
    "Acquisition",
    "AcquisitionState",
    "IssuedNumbers",
    "LinkageCodeRow",
    "SubmissionOutcome",
    "processing_number",
    "split_processing_number",
]

PROCESSING_NUMBER_DIGITS: Final = 24
_HALF: Final = 12


class AcquisitionState(IntEnum):
    """Where one acquisition stands at the network."""

    ISSUED = 1
    SUBMITTED = 2
    REFUSED = 3
    DELIVERED = 4


class Acquisition(NamedTuple):
    """One acquisition; secret is the random half of its number, empty once purged. expire: milliseconds since 1970."""

    id: int
    organization: str
    token: str
    secret: str
    state: int
    resident: int
    reason: str
    expire: int

    @property
    def number(self) -> str:
        """The processing number, empty once purged."""
        return processing_number(self.id, self.secret) if self.secret else ""


class LinkageCodeRow(NamedTuple):
    """One organization's code (符号) of one resident, sealed under its digest."""

    resident: int
    digest: bytes
    sealed: bytes


class IssuedNumbers(NamedTuple):
    """Numbers in the order of their tokens (empty: that acquisition is over), and when the first expires."""

    numbers: list[str]
    expire_time_ms: int


class SubmissionOutcome(NamedTuple):
    """What became of one submitted row: a reason refuses it; changed is False where it stood already."""

    reason: str = ""
    changed: bool = True


def processing_number(row: int, secret: str) -> str:
    """Return the number of a row with this random half."""
    return f"{row:012d}{secret}"


def split_processing_number(number: str) -> tuple[int, str] | None:
    """Return row and random half, None for what can't be a processing number."""
    if len(number) != PROCESSING_NUMBER_DIGITS or not (number.isascii() and number.isdigit()):
        return None
    return int(number[:_HALF]), number[_HALF:]
