# SPDX-License-Identifier: Apache-2.0
"""Inquiry files about people who moved in from a linked municipality: the 18-field DAT.

A file has at most 10,000 rows. Each row asks the former municipality for this fiscal year's 地方税関係情報. A blank
field is empty, not padded, as in the files seen. [own]: 照会側不開示コード is "1" for disclosable and "2" for
undisclosable; the fiscal year's first and last day are the dates, with 照会条件区分 and 照会年度区分 "0"
(docs/divergences "Inquiry files").
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.households import compact
from chukan.people.town import tax_year
from chukan.standard.organizations import by_municipality

if TYPE_CHECKING:
    from chukan.people.records import Person

ROWS_PER_FILE: Final = 10_000

_AFFAIR: Final = "JM01000000121000"
_PROCEDURE: Final = "JT01010000000214"
_INFORMATION: Final = "TM00000000000002"
_DEPARTMENT_WIDTH: Final = 20
_USER_WIDTH: Final = 20
_PROVIDER_WIDTH: Final = 16
_ASKED_AGE: Final = 15
_MILLISECONDS_A_DAY: Final = 86_400_000
_NINE: Final = 9 * 3_600_000


class InquiryRows:
    """Makes the rows of one municipality's inquiry files."""

    def __init__(self, *, municipality: str, reference_date: date) -> None:
        self._year = tax_year(reference_date)
        self._new_year = date(self._year, 1, 1)
        self._reference_date = reference_date
        self._department = f"{municipality[:5]}0101".ljust(_DEPARTMENT_WIDTH)
        self._user = "DUMMY0001".ljust(_USER_WIDTH)
        self._inquirer = by_municipality(municipality).code
        self._asked = 0

    def name(self, number: int) -> str:
        """Return the name of the number-th file, from 1."""
        return f"P640R110_{compact(self._reference_date)}090000_{number:04d}.DAT"

    def row(self, person: Person) -> tuple[str, ...] | None:
        """Return the row about a person; None for people the procedure does not ask about."""
        if not person.linked_former or person.age_on(self._new_year) < _ASKED_AGE:
            return None
        self._asked += 1
        return (
            codes.RESIDENT_SYSTEM,
            person.local_address_number,
            "",
            self._moment(),
            self._department,
            self._user,
            self._inquirer,
            "2" if person.nondisclosure else "1",
            _AFFAIR,
            _PROCEDURE,
            "",
            "",
            person.linked_former.ljust(_PROVIDER_WIDTH),
            _INFORMATION,
            "0",
            "0",
            f"{self._year}0401",
            f"{self._year + 1}0331",
        )

    def _moment(self) -> str:
        """照会依頼日時: a millisecond apart, from nine in the morning of the reference date."""
        days, rest = divmod(_NINE + self._asked, _MILLISECONDS_A_DAY)
        seconds, millisecond = divmod(rest, 1000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        day = compact(self._reference_date + timedelta(days=days))
        return f"{day}{hour:02d}{minute:02d}{second:02d}{millisecond:03d}"
