# SPDX-License-Identifier: Apache-2.0
"""What the named transforms make of values, and what they refuse."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.adapter.mapping.expression import Expression
from chukan.adapter.mapping.transforms import Refused, transform, transform_names
from chukan.standard.dates import eras, format_era
from chukan.standard.rules import rule

DAYS = st.dates(date(1873, 1, 1), date(2100, 12, 31))
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
WRITTEN = [*(name for name in transform_names() if name != "zero_fill"), "zero_fill:15"]


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("characters", "葛󠄀城", "葛城"),
        ("date", "2026-4-1", "20260401"),
        ("date", "２０２６年４月１日", "20260401"),
        ("date", "2026/04/01", "20260401"),
        ("date", "20260401", "20260401"),
        ("era_date", "令和8年4月1日", "20260401"),
        ("era_date", "R8.4.1", "20260401"),
        ("era_date", "5080401", "20260401"),
        ("era_date", "昭和64年1月7日", "19890107"),
        ("era_date", "20260401", "20260401"),
        ("era_year", "令和8年度", "2026"),
        ("era_year", "R8", "2026"),
        ("era_year", "508", "2026"),
        ("era_year", "２０２６", "2026"),
        ("first_of_fiscal_year", "2026", "20260401"),
        ("last_of_fiscal_year", "2026", "20270331"),
        ("first_of_month", "2026-04", "20260401"),
        ("flag", "有", "1"),
        ("flag", "０", "0"),
        ("half_width", "ＡＢＣ　１２３", "ABC 123"),
        ("number", "１，２３４，５６７円", "1234567"),
        ("number", "▲1,000", "-1000"),
        ("number", "0", "0"),
        ("number", "007", "7"),
        ("number", "-000", "0"),
        ("trim", "  13104　", "13104"),
        ("year_month", "2026年4月", "202604"),
        ("zero_fill:15", "1234", "000000000001234"),
    ],
)
def test_a_value_is_brought_into_the_form_of_the_layout(written: str, value: str, expected: str) -> None:
    assert transform(written).one(value) == expected


@pytest.mark.parametrize(
    ("written", "value", "broken"),
    [
        ("characters", "a\u0007", "characters"),
        ("date", "2026-02-30", "date"),
        ("date", "2026-04", "date"),
        ("date", "202641", "date"),
        ("era_date", "平成32年1月1日", "date"),
        ("era_year", "令和", "year"),
        ("era_year", "令和0年", "year"),
        ("first_of_month", "2026-13", "year_month"),
        ("flag", "多分", "flag"),
        ("number", "1.5", "number"),
        ("number", "-", "number"),
        ("year_month", "4月", "year_month"),
    ],
)
def test_a_value_that_is_refused_names_a_rule_of_the_table_and_not_itself(
    written: str, value: str, broken: str
) -> None:
    with pytest.raises(Refused) as raised:
        transform(written).one(value)

    assert raised.value.rule == broken == rule(broken).name
    assert value not in str(raised.value)


@pytest.mark.parametrize("written", ["zero_fill", "zero_fill:0", "zero_fill:x", "date:8", "nonsense", ""])
def test_a_transform_that_does_not_exist_is_refused_when_the_mapping_is_read(written: str) -> None:
    with pytest.raises(ValueError, match=r"got .*, expected"):
        transform(written)


@given(DAYS)
def test_every_way_to_write_a_day_means_the_same_day(day: date) -> None:
    plain = f"{day:%Y%m%d}"

    for text in (
        plain,
        f"{day.year}-{day.month}-{day.day}",
        f"{day:%Y/%m/%d}",
        format_era(day),
        plain.translate(FULL_WIDTH),
    ):
        assert transform("era_date").one(text) == plain


@given(st.integers(1868, 2100))
def test_an_era_year_and_its_number_are_the_same_year(year: int) -> None:
    for era in eras():
        count = year - era.first.year + 1
        if 1 <= count <= 99:
            assert transform("era_year").one(f"{era.name}{count}年") == str(year)


@given(st.integers(-(10**12), 10**12))
def test_a_number_stays_itself_however_it_is_punctuated(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number:,}円", str(number).translate(FULL_WIDTH)):
        assert transform("number").one(text) == str(number)


VALUES = st.one_of(
    st.text(max_size=12),
    DAYS.map(lambda day: f"{day:%Y%m%d}"),
    st.integers(0, 10**9).map(str),
    st.sampled_from(["", "0", "1", "有", "202604", "2026", " 1 "]),
)


@pytest.mark.parametrize("written", WRITTEN)
@given(column=st.lists(VALUES, max_size=12))
def test_a_column_said_to_be_unchanged_is_what_its_values_would_become(written: str, column: list[str]) -> None:
    """The quick look at a whole column never says something else than the transform, but for what it refuses."""
    step = transform(written)

    if step.unchanged(column):
        for value in filter(None, column):
            with suppress(Refused):  # 8 or 6 digits that are no day or month: the layout's check finds them
                assert step.one(value) == value


@given(st.lists(VALUES, max_size=30))
def test_an_expression_treats_a_column_as_it_treats_its_values(column: list[str]) -> None:
    expression = Expression(column="c", transforms=[transform("half_width"), transform("trim"), transform("number")])

    for _ in range(2):  # the second time from what is known
        values, refused = expression.apply({"c": column}, len(column))

        for row, value in enumerate(column):
            try:
                expected, rule_broken = expression.one(value), None
            except Refused as error:
                expected, rule_broken = "", error.rule
            assert values[row] == expected
            assert dict(refused).get(row) == rule_broken


def test_a_code_table_refuses_what_it_does_not_name_unless_it_names_the_rest() -> None:
    table = {"住民": "1", "転出": "3"}

    strict = Expression(column="c", table=table).apply({"c": ("住民", "", "不明")}, 3)
    lenient = Expression(column="c", table={**table, "*": "9"}).apply({"c": ("住民", "", "不明")}, 3)

    assert (list(strict.values), list(strict.refused)) == (["1", "", ""], [(2, "values")])
    assert (list(lenient.values), list(lenient.refused)) == (["1", "", "9"], [])
