# SPDX-License-Identifier: Apache-2.0
"""What can become of a registration; numbers as stored and as in the contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CORPORATION",
    "Decided",
    "LinkOutcome",
    "MismatchKind",
    "RegistrationAnswer",
    "ResidentKind",
    "ResidentState",
    "RowFailure",
]


class LinkOutcome(IntEnum):
    """What became of one registration row."""

    NUMBERED = 1
    LINKED = 2
    LINKED_WITH_UPDATE = 3
    HELD = 4
    REFUSED = 5
    UNCHANGED = 6


class MismatchKind(IntEnum):
    """Why a registration waits for a person."""

    BIRTH_DATE_DIFFERS = 1
    NAME_AND_BIRTH_DATE_DIFFER = 2
    HOUSEHOLD_MEMBER_NUMBER = 3
    CANDIDATES_FOUND = 4
    INDIVIDUAL_NUMBER_DIFFERS = 5
    INDIVIDUAL_NUMBER_PROPOSED = 6
    UNEXPLAINED_DIFFERENCE = 7


class Decided(IntEnum):
    """What a person decided about a mismatch; SUPERSEDED: its source sent a registration that needs nobody."""

    LINK = 1
    NEW_PERSON = 2
    DISMISS = 3
    SUPERSEDED = 4


class ResidentKind(IntEnum):
    """Kind of resident (住民種別)."""

    JAPANESE = 1
    FOREIGN = 2
    NON_RESIDENT = 3
    CORPORATION = 4


CORPORATION: Final = str(int(ResidentKind.CORPORATION))
"""The kind of a corporation as attributes hold it."""


class ResidentState(IntEnum):
    """State of a resident (住民状態)."""

    RESIDENT = 1
    MOVING_OUT = 2
    MOVED_OUT = 3
    DIED = 4
    REMOVED = 5


@dataclass(frozen=True, slots=True)
class RowFailure:
    """Why one row was refused; never bears a personal value."""

    row: int
    reason: str
    field: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RegistrationAnswer:
    """What became of a batch: an outcome and a number (empty if held or refused) per row."""

    outcomes: Sequence[int]
    numbers: Sequence[str]
    failures: Sequence[RowFailure]
    unnumbered: Sequence[int]
    substitutions: int
    mismatches: Sequence[str] = ()
    """Id of each held row, in row order."""
    repeated: bool = False
