# SPDX-License-Identifier: Apache-2.0
"""Numbers of dummy people: which serials belong to which municipality.

Dummy individual numbers have room for 10^8 serials. The first 199 blocks of 400,000 are for residents, one block per
municipality (a bigger population runs on into the following blocks); the rest is 797 blocks of 25,000 for the people
who move from one municipality to another, one block per ordered pair. Which block is arithmetic on the five-digit
code, so it never depends on who else is generated. The multiplier is chosen so that the 23 wards of Tokyo and the
twenty designated cities never share a block; others may, and :func:`check_apart` refuses to link those.
All [own] (docs/divergences "Dummy people").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.people.draw import Draw
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESIDENT_BLOCKS = 199
_RESIDENT_BLOCK = 400_000
_RESIDENT_STEP = 42_076
_COHORT_START = _RESIDENT_BLOCKS * _RESIDENT_BLOCK
_COHORT_BLOCKS = 797
_COHORT_BLOCK = 25_000
_COHORT_FROM, _COHORT_TO = 405_133, 643_444
_PRIME = 1_000_003
_SERIALS = 100_000_000
_MOST_PEOPLE = _COHORT_START
_NON_RESIDENT_SHARE = 20

LARGEST_COHORT = _COHORT_BLOCK


def resident_block(five: str) -> int:
    """Return the index of the municipality's block of resident serials."""
    return int(five) * _RESIDENT_STEP % _PRIME % _RESIDENT_BLOCKS


def cohort_block(former: str, new: str) -> int:
    """Return the index of the block of serials of the people who moved from one municipality to another."""
    return (int(former) * _COHORT_FROM + int(new) * _COHORT_TO) % _PRIME % _COHORT_BLOCKS


def check_apart(five: str, linked: Sequence[str], *, count: int) -> None:
    """Refuse linked municipalities whose people would share individual numbers, if all are of this size."""
    most = count + count // _NON_RESIDENT_SHARE
    blocks = [
        (resident_block(code) + more) % _RESIDENT_BLOCKS
        for code in (five, *linked)
        for more in range(1 + most // _RESIDENT_BLOCK)
    ]
    pairs = [cohort_block(a, b) for other in linked for a, b in ((five, other), (other, five))]
    if len(set(blocks)) < len(blocks) or len(set(pairs)) < len(pairs):
        raise ChukanError("PEOPLE_SERIALS_OVERLAP", field="linked", params={"municipality": five})


def resident_code(serial: int) -> str:
    """Return a dummy 住民票コード: prefix 999 and a serial that is another one than the individual number's.

    No claim is made about its check digit, whose formula is not confirmed.
    """
    return f"999{(serial * 48_271 + 12_345_678) % _SERIALS:08d}"


class Numbers:
    """Hands out the numbers of one municipality's population, in order, none twice."""

    def __init__(self, *, five: str, seed: int, valid: bool) -> None:
        self._block = resident_block(five)
        self._shift = Draw(seed, five, "numbers").between(0, _RESIDENT_BLOCK - 1)
        self._valid = valid
        self._identities = 0
        self._residents = 0
        self._households = 0
        self._non_residents = 0
        self._first = (self._block + 1) * 10_000_000

    def identity(self) -> tuple[str, str]:
        """(個人番号, 住民票コード) of a new person."""
        block, offset = divmod(self._identities, _RESIDENT_BLOCK)
        self._identities += 1
        place = (self._block + block) * _RESIDENT_BLOCK + (offset * 77_717 + self._shift) % _RESIDENT_BLOCK
        serial = place % _MOST_PEOPLE
        return dummy_individual_number(serial, valid=self._valid), resident_code(serial)

    def local_address_number(self) -> str:
        """Return the next 宛名番号: ten digits inside, zero-filled to fifteen."""
        self._residents += 1
        return f"{self._first + self._residents:015d}"

    def household_number(self) -> str:
        """Return the next 世帯番号."""
        self._households += 1
        return f"{5_000_000_000 + self._first + self._households:015d}"

    def non_resident_number(self) -> str:
        """Return the next 住登外者宛名番号, of another number system: its digits are some resident's, too."""
        self._non_residents += 1
        return f"{self._first + self._non_residents:015d}"


def cohort_identity(former: str, new: str, index: int, *, valid: bool) -> tuple[str, str]:
    """(個人番号, 住民票コード) of the index-th person who moved from one municipality to another."""
    serial = _COHORT_START + cohort_block(former, new) * _COHORT_BLOCK + index
    return dummy_individual_number(serial, valid=valid), resident_code(serial)
