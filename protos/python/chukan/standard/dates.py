# SPDX-License-Identifier: Apache-2.0
"""Dates as administration writes them: yyyymmdd, birth dates with unknown parts, Japanese eras, fiscal years.

Unknown parts of a birth date are 00 [P]; that an unknown month leaves the day unknown is [own]. Eras begin on the days
of the orders that named them; 明治 is counted from 1868-10-23, before 1873 by the later Gregorian dates [own]
(docs/divergences "Dates").
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, NamedTuple

from chukan.standard._data import read_rows
from chukan.standard.reasons import ChukanError

__all__ = [
    "Era",
    "PartialDate",
    "eras",
    "fiscal_year",
    "format_date",
    "format_era",
    "parse_birth_date",
    "parse_date",
    "parse_era",
    "parse_optional_date",
]

_YYYYMMDD: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_ERA_LONG: Final = re.compile(r"(\D+?)(元|[0-9]{1,2})年([0-9]{1,2})月([0-9]{1,2})日")
_ERA_SHORT: Final = re.compile(r"([A-Za-z])(元|[0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{1,2})")
_ERA_DIGITS: Final = re.compile(r"([1-5])-?([0-9]{2})([0-9]{2})([0-9]{2})")
_FULL_WIDTH: Final = {ord("０") + digit: ord("0") + digit for digit in range(10)}
_FISCAL_YEAR_START: Final = 4


class Era(NamedTuple):
    """An era (元号) from its first day; code is the digit files use for it."""

    code: str
    letter: str
    name: str
    first: date


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A date of which the day, the month and day, or everything may be unknown (0)."""

    year: int
    month: int = 0
    day: int = 0

    def __post_init__(self) -> None:
        if not self._is_possible():
            raise ChukanError("BIRTH_DATE_INVALID")

    @property
    def is_complete(self) -> bool:
        """Whether nothing is unknown."""
        return self.day != 0

    @property
    def earliest(self) -> date | None:
        """The first day it can be; None if the year is unknown."""
        return date(self.year, self.month or 1, self.day or 1) if self.year else None

    @property
    def latest(self) -> date | None:
        """The last day it can be; None if the year is unknown."""
        if not self.year:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def agrees_with(self, other: PartialDate) -> bool:
        """Whether both can be the same day: equal wherever both are known. Never enough to link people by itself."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(mine == theirs or 0 in (mine, theirs) for mine, theirs in pairs)

    def age_on(self, day: date) -> int | None:
        """Return the age on a day if every possible birthday gives the same; else None. Ages rise on the birthday."""
        ages = {_age(birth, day) for birth in (self.earliest, self.latest) if birth is not None}
        return ages.pop() if len(ages) == 1 else None

    def __str__(self) -> str:
        """Return the eight digits files carry."""
        return f"{self.year:04d}{self.month:02d}{self.day:02d}"

    def _is_possible(self) -> bool:
        if not self.year or not self.month:
            return self.month == self.day == 0
        try:
            date(self.year, self.month, self.day or 1)
        except ValueError:
            return False
        return True


def parse_date(text: str) -> date:
    """Return the date of eight digits. Errors: DATE_INVALID."""
    parts = _YYYYMMDD.fullmatch(text)
    try:
        if parts is not None:
            return date(*map(int, parts.groups()))
    except ValueError:
        pass
    raise ChukanError("DATE_INVALID")


def parse_optional_date(text: str) -> date | None:
    """Return the date of eight digits, None for a blank. Errors: DATE_INVALID."""
    return parse_date(text) if text.strip() else None


def format_date(day: date | None) -> str:
    """Return eight digits, the empty string for None."""
    return "" if day is None else f"{day.year:04d}{day.month:02d}{day.day:02d}"


def parse_birth_date(text: str) -> PartialDate:
    """Return a birth date of eight digits, unknown parts 00. Errors: BIRTH_DATE_INVALID."""
    parts = _YYYYMMDD.fullmatch(text)
    if parts is None:
        raise ChukanError("BIRTH_DATE_INVALID")
    return PartialDate(*map(int, parts.groups()))


@cache
def eras() -> tuple[Era, ...]:
    """Return the eras since 明治, oldest first."""
    rows = read_rows("eras.csv")
    return tuple(Era(row["code"], row["letter"], row["name"], date.fromisoformat(row["from"])) for row in rows)


def format_era(day: date) -> str:
    """Return a date in its era: 令和元年5月1日. Errors: DATE_INVALID before 明治."""
    era = next((era for era in reversed(eras()) if era.first <= day), None)
    if era is None:
        raise ChukanError("DATE_INVALID")
    year = day.year - era.first.year + 1
    return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def parse_era(text: str) -> date:
    """Return the date of 昭和64年1月7日, S64.1.7, s64/01/07 or the digits 3640107; it must lie within its era.

    Errors: DATE_INVALID.
    """
    plain = text.translate(_FULL_WIDTH)
    parts = _ERA_LONG.fullmatch(plain) or _ERA_SHORT.fullmatch(plain) or _ERA_DIGITS.fullmatch(plain)
    if parts is not None:
        name, year, month, day = parts.groups()
        for index, era in enumerate(eras()):
            if name.upper() in (era.name, era.letter, era.code):
                return _within(index, 1 if year == "元" else int(year), int(month), int(day))
    raise ChukanError("DATE_INVALID")


def fiscal_year(day: date) -> int:
    """Return the fiscal year (年度) of a day: it begins in April."""
    return day.year if day.month >= _FISCAL_YEAR_START else day.year - 1


def _within(index: int, year: int, month: int, day: int) -> date:
    found = eras()[index]
    after = eras()[index + 1].first if index + 1 < len(eras()) else date.max
    try:
        result = date(found.first.year + year - 1, month, day)
    except ValueError:
        raise ChukanError("DATE_INVALID") from None
    if year < 1 or not found.first <= result < after:
        raise ChukanError("DATE_INVALID")
    return result


def _age(birth: date, day: date) -> int:
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
