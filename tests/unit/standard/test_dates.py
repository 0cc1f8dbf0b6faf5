# SPDX-License-Identifier: Apache-2.0
"""Dates: eight digits, unknown parts, eras."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.standard import dates
from chukan.standard.reasons import ChukanError

MODERN = st.dates(date(1868, 10, 23), date(2099, 12, 31))


@given(st.dates())
def test_a_date_survives_writing_and_reading(day: date) -> None:
    assert dates.parse_date(dates.format_date(day)) == day


@pytest.mark.parametrize("text", ["", "2026053", "20260231", "20261301", "２０２６０５３１", "2026-5-1", "20260500"])
def test_what_is_no_existing_date_of_eight_digits_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ChukanError) as caught:
        dates.parse_date(text)

    assert caught.value.code == "DATE_INVALID"
    assert not text or text not in str(caught.value)


def test_a_blank_optional_date_is_absent() -> None:
    assert dates.parse_optional_date("  ") is None
    assert dates.format_date(None) == ""


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("19500415", date(1950, 4, 15), date(1950, 4, 15)),
        ("19500400", date(1950, 4, 1), date(1950, 4, 30)),
        ("19520200", date(1952, 2, 1), date(1952, 2, 29)),
        ("19500000", date(1950, 1, 1), date(1950, 12, 31)),
        ("00000000", None, None),
    ],
)
def test_a_birth_date_may_be_partly_unknown(text: str, earliest: date | None, latest: date | None) -> None:
    birth = dates.parse_birth_date(text)

    assert (birth.earliest, birth.latest) == (earliest, latest)
    assert str(birth) == text
    assert birth.is_complete == (earliest is not None and earliest == latest)


@pytest.mark.parametrize("text", ["19501301", "19500231", "19500015", "00000401", "1950", "1950040x"])
def test_an_impossible_birth_date_is_refused(text: str) -> None:
    with pytest.raises(ChukanError, match="BIRTH_DATE_INVALID"):
        dates.parse_birth_date(text)


def test_birth_dates_agree_where_both_are_known() -> None:
    known = dates.parse_birth_date("19500415")

    assert known.agrees_with(dates.parse_birth_date("19500400"))
    assert not known.agrees_with(dates.parse_birth_date("19510000"))


@given(MODERN, st.integers(0, 40_000))
def test_the_age_is_known_only_if_every_possible_birthday_gives_the_same(birth: date, days: int) -> None:
    day = birth + timedelta(days=days)
    complete = dates.PartialDate(birth.year, birth.month, birth.day)
    partial = dates.PartialDate(birth.year, birth.month)

    exact = complete.age_on(day)
    assert exact is not None
    assert exact >= 0
    assert partial.age_on(day) in (None, exact)


@given(MODERN)
def test_an_era_date_survives_writing_and_reading(day: date) -> None:
    assert dates.parse_era(dates.format_era(day)) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("平成31年4月30日", date(2019, 4, 30)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("S64.1.7", date(1989, 1, 7)),
        ("r7/6/1", date(2025, 6, 1)),
        ("3-640107", date(1989, 1, 7)),
        ("5070601", date(2025, 6, 1)),
        ("令和７年６月１日", date(2025, 6, 1)),
    ],
)
def test_era_dates_are_read_in_the_ways_files_write_them(text: str, day: date) -> None:
    assert dates.parse_era(text) == day


@pytest.mark.parametrize(
    "text", ["昭和64年1月8日", "平成元年1月7日", "令和0年1月1日", "慶応3年1月1日", "X1.1.1", "R7.2.30", ""]
)
def test_a_date_outside_its_era_is_refused(text: str) -> None:
    with pytest.raises(ChukanError, match="DATE_INVALID"):
        dates.parse_era(text)


def test_a_date_before_the_first_era_has_no_era() -> None:
    with pytest.raises(ChukanError, match="DATE_INVALID"):
        dates.format_era(date(1868, 10, 22))


def test_the_fiscal_year_begins_in_april() -> None:
    assert dates.fiscal_year(date(2026, 3, 31)) == 2025
    assert dates.fiscal_year(date(2026, 4, 1)) == 2026
