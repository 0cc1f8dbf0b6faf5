# SPDX-License-Identifier: Apache-2.0
"""Items: the quick check of a whole column says the same as the check of each value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.standard import layouts
from chukan.standard.items import ITEM_TYPES, NIL_REASONS, Item
from chukan.standard.rules import all_rules, rule

VALUES = {
    "text": ["新宿区", "﨑", "a\tb", "🍣", "長い" * 10, "ABC"],
    "code": ["001", "A1", "-1", "０１", "123456789", "a b"],
    "number": ["0", "-5", "12345678", "1.5", "1-", "--1", "１", "+1", "005", "00", "-0", "10"],
    "date": ["20260531", "20260229", "20240229", "2026053", "2026-5-1", "99991231", "00000000"],
    "year_month": ["202605", "202613", "2026", "20260531"],
    "year": ["2026", "26", "20260", "２０２６"],
    "flag": ["0", "1", "2", "10"],
}


def item(kind: str = "number", **changes: object) -> Item:
    length = layouts.FIXED_LENGTHS.get(kind, 8)
    return Item(**{"code": "TK90000000000001", "name": "見本", "type": kind, "max_length": length, **changes})  # type: ignore[arg-type]


@st.composite
def columns(draw: st.DrawFn) -> tuple[Item, list[str]]:
    kind = draw(st.sampled_from(sorted(ITEM_TYPES)))
    flags = st.booleans()
    signs = kind == "number" and draw(flags)
    made = item(kind, required=draw(flags), void=draw(st.sampled_from([False, False, True])), negative=signs)
    values = st.one_of(
        st.just(""), st.sampled_from(VALUES[kind]), st.text(max_size=9), st.sampled_from(VALUES[kind][:1])
    )
    return made, draw(st.lists(values, max_size=12))


@given(columns())
def test_a_column_fails_exactly_where_its_values_fail(case: tuple[Item, list[str]]) -> None:
    made, column = case

    expected = [(row, made.check(value)) for row, value in enumerate(column) if made.check(value)]

    assert made.check_column(column) == expected
    assert made.check_column(tuple(column)) == expected


@pytest.mark.parametrize(
    ("kind", "value", "broken"),
    [
        ("text", "新宿区西新宿二丁目", "max_length"),
        ("text", "a\tb", "characters"),
        ("code", "0-1", "code"),
        ("number", "1.5", "number"),
        ("number", "１", "number"),
        ("number", "-5", "negative"),
        ("number", "-05", "number"),
        ("number", "005", "number"),
        ("number", "00", "number"),
        ("number", "0", ""),
        ("number", "100", ""),
        ("date", "20260229", "date"),
        ("date", "20240229", ""),
        ("date", "202402291", "max_length"),
        ("year_month", "202613", "year_month"),
        ("year", "26", "year"),
        ("flag", "2", "flag"),
        ("flag", "1", ""),
    ],
)
def test_a_value_must_have_the_form_of_its_type(kind: str, value: str, broken: str) -> None:
    assert item(kind).check(value) == broken
    assert item(kind).check_column([value]) == ([(0, broken)] if broken else [])


def test_a_number_is_written_in_one_way_and_negative_only_where_the_layout_says_so() -> None:
    """Else one amount would be two values to whoever compares them."""
    assert item(negative=True).check_column(["-5", "0", "5", "-0", "-05", "05"]) == [
        (3, "number"),
        (4, "number"),
        (5, "number"),
    ]
    assert item().check_column(["-5", "0", "10"]) == [(0, "negative")]


def test_a_value_must_be_one_of_the_listed_codes() -> None:
    listed = item("code", values=("01", "02"), value_names=("甲", "乙"))

    assert listed.check_column(["01", "02", "03", ""]) == [(2, "values")]


def test_the_empty_string_is_refused_where_required_and_absent_where_optional() -> None:
    assert item(required=True).check_column(["1", ""]) == [(1, "required")]
    assert item().check_column(["1", ""]) == []


def test_a_void_item_takes_nothing() -> None:
    void = item(void=True)

    assert void.check_column(["", ""]) == []
    assert void.check_column(["", "1"]) == [(1, "void")]
    assert void.check_column(["", ""], nil_rows=[0]) == [(0, "nil_not_allowed")]


def test_a_nil_row_stands_in_for_a_required_value() -> None:
    made = item(required=True, nil_allowed=True)

    assert made.check_column(["1", "", "0"], nil_rows=[1], nil_reason_codes=["01"]) == []
    assert made.check_column(["1", "", ""], nil_rows=[1], nil_reason_codes=["01"]) == [(2, "required")]


def test_each_way_a_nil_can_be_wrong_has_its_rule() -> None:
    made = item(required=True, nil_allowed=True)

    assert item(required=True).check_column(["", "1"], nil_rows=[0]) == [(0, "nil_not_allowed")]
    assert made.check_column(["1"], nil_rows=[0]) == [(0, "nil_with_value")]
    assert made.check_column([""], nil_rows=[0], nil_reason_codes=["77"]) == [(0, "nil_reason")]
    assert made.check_column([""], nil_rows=[0], nil_reason_codes=[]) == [(0, "nil_reason")]
    assert made.check_column([""], nil_rows=[0, 0]) == [(0, "nil_row")]
    assert made.check_column(["1"], nil_rows=[1]) == [(1, "nil_row")]
    assert made.check_column(["1"], nil_rows=[-1]) == [(-1, "nil_row")]


def test_a_bad_nil_does_not_hide_another_rows_failure() -> None:
    made = item(required=True, nil_allowed=True)

    failures = made.check_column(["x", "", "", "5"], nil_rows=[1, 3], nil_reason_codes=["01", "01"])

    assert failures == [(0, "number"), (2, "required"), (3, "nil_with_value")]


def test_nil_reasons_are_named_in_both_languages() -> None:
    assert NIL_REASONS["01"].japanese == "未申告"
    assert all(reason.japanese and reason.english for reason in NIL_REASONS.values())


def test_every_rule_is_named_once_in_both_languages() -> None:
    rules = all_rules()

    assert len({found.name for found in rules}) == len(rules)
    assert all(found.english and found.japanese for found in rules)
    assert rule("max_length").group == "value"
    with pytest.raises(LookupError, match="rules"):
        rule("no such rule")


@pytest.mark.parametrize("layout", layouts.layouts(), ids=lambda layout: f"{layout.information_code}-{layout.edition}")
def test_the_listed_codes_of_every_layout_pass_its_own_check(layout: layouts.Layout) -> None:
    for data_set in layout.data_sets:
        for found in data_set.items:
            if found.values and not found.void:
                assert found.check_column(found.values) == []
