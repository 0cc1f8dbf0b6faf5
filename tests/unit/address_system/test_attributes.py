# SPDX-License-Identifier: Apache-2.0
"""Forms in which attributes are compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.address_system.domain.attributes import (
    PersonAttributes,
    birth_dates_agree,
    birth_dates_match,
    name_key,
    residential_address_key,
)
from chukan.standard.individual_numbers import are_individual_numbers, has_check_digit
from chukan.standard.numbers import is_individual_number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("２丁目１番地２号", "2-1-2"),
        ("二丁目1番2号", "2丁目1-2"),
        ("十二丁目3", "12丁目３"),
        ("例町8－17", "例町8-17"),
        ("例町8−17", "例町8番17号"),
    ],
)
def test_ways_to_write_a_residential_address_agree(one: Any, other: Any) -> None:
    assert residential_address_key(one) == residential_address_key(other)


def test_other_block_numbers_differ() -> None:
    assert residential_address_key("例町1-12") != residential_address_key("例町11-2")


@pytest.mark.parametrize(
    ("one", "other"), [("見本　太郎", "見本 太郎"), ("ＳＡＭＰＬＥ Taro", "sample taro"), ("ﾐﾎﾝ", "ミホン")]
)
def test_ways_to_write_a_name_agree(one: Any, other: Any) -> None:
    assert name_key(one) == name_key(other)


def test_unknown_parts_agree_but_are_not_shared() -> None:
    assert birth_dates_agree("19800000", "19800102")
    assert not birth_dates_agree("19800000", "19810102")
    assert birth_dates_match("19800000", "19800102")
    assert not birth_dates_match("00000000", "19800102")


@given(
    st.builds(
        PersonAttributes,
        *[st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=5)]
        * len(PersonAttributes._fields),
    )
)
def test_attributes_come_back_as_they_were_packed(attributes: Any) -> None:
    assert PersonAttributes.unpack(attributes.pack()) == attributes


@given(st.integers(0, 10**12 - 1))
def test_check_digits_of_columns_agree_with_the_standard(number: Any) -> None:
    assert has_check_digit(number) == is_individual_number(f"{number:012d}")


def test_a_column_with_another_length_is_no_column_of_individual_numbers() -> None:
    assert are_individual_numbers(["123456789018", "", "983205673214"])
    assert not are_individual_numbers(["12345678901", "1234567890189"])
    assert not are_individual_numbers(["123456789017"])
