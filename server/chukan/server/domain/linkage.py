# SPDX-License-Identifier: Apache-2.0
"""Addressees (宛名) and their linkage codes (符号) as a middle server knows them: values and states, no names.

The middle server links 団体内統合宛名番号 with 符号; it never holds 個人番号 (docs/divergences "Linkage codes").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CODE_SIZE",
    "WHOLE_BATCH",
    "Acquiring",
    "AddresseeBatch",
    "AddresseeRow",
    "AddresseeState",
    "BatchAnswer",
    "CodeDelivery",
    "LinkageState",
    "LinkageUpdate",
    "NewAddressee",
    "Outcome",
    "RowFailure",
]

CODE_SIZE: Final = 32
"""Bytes of a linkage code [own]: random, see docs/divergences "Linkage codes"."""


WHOLE_BATCH: Final = -1
"""The row of a failure that is no single row's."""


class AddresseeState(IntEnum):
    """State of an addressee; numbers as stored and as in the contract."""

    ACTIVE = 1
    CLOSED = 2
    MERGED = 3


class LinkageState(IntEnum):
    """Where the acquisition of a code (符号取得) stands; numbers as stored and as in the contract."""

    NOT_REQUESTED = 1
    REQUESTED = 2
    PROCESSING_NUMBER_ISSUED = 3
    LINKED = 4
    FAILED = 5


class Outcome(IntEnum):
    """What became of one row; numbers as in the contract."""

    COMMITTED = 1
    UNCHANGED = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True)
class RowFailure:
    """Why one row, or the WHOLE_BATCH, was refused; never bears a personal value."""

    row: int
    reason: str
    field: str = ""
    item_code: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of a batch: one outcome per row."""

    outcomes: Sequence[int]
    failures: Sequence[RowFailure] = ()
    repeated: bool = False
    asked: int = 0
    """Codes newly asked for."""


class CodeDelivery(NamedTuple):
    """A linkage code (符号) the network delivers for a processing number, or the reason why there is none."""

    processing_number: str
    linkage_code: bytes = b""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AddresseeBatch:
    """Addressees to register, by columns.

    The sets hold row numbers and speak for every row; None says nothing: what stands stays.
    """

    numbers: Sequence[str]
    closed: frozenset[int] | None = None
    nondisclosure: frozenset[int] | None = None
    self_information_disabled: frozenset[int] | None = None
    auto_response_disabled: dict[int, frozenset[str]] | None = None
    code_rows: frozenset[int] = frozenset()


_NO_CODES: Final[frozenset[str]] = frozenset()


class AddresseeRow(NamedTuple):
    """One addressee as stored, opened; instants in microseconds since 1970, 0 where there is none."""

    id: int
    number: str
    state: AddresseeState = AddresseeState.ACTIVE
    linkage_state: LinkageState = LinkageState.NOT_REQUESTED
    linkage_code: bytes | None = None
    nondisclosure: bool = False
    self_information_disabled: bool = False
    auto_response_disabled: frozenset[str] = _NO_CODES
    merged_into: int = 0
    processing_number: str = ""
    processing_number_expires: int = 0
    failure_reason: str = ""
    requested: int = 0
    linked: int = 0
    created: int = 0
    updated: int = 0
    change_seq: int = 0


class Acquiring(NamedTuple):
    """What the steps of an acquisition need of an addressee; nothing of it is sealed."""

    id: int
    number_digest: bytes
    state: int
    linkage_state: int
    processing_number_expires: int
    requested: int


class NewAddressee(NamedTuple):
    """An addressee to insert: what is sealed was sealed outside the write."""

    number_digest: bytes
    number: bytes
    state: int
    nondisclosure: bool
    self_information_disabled: bool
    auto_response_disabled: str
    asked: bool = False
    """Whether its code is asked for at once."""


class LinkageUpdate(NamedTuple):
    """The linkage columns of one addressee after a step; sealed values were sealed outside the write."""

    id: int
    linkage_state: int
    processing_digest: bytes | None = None
    processing_number: bytes | None = None
    processing_expires: int = 0
    failure_reason: str = ""
    code_digest: bytes | None = None
    code: bytes | None = None
    requested: int = 0
    linked: int = 0
