# SPDX-License-Identifier: Apache-2.0
"""Numbers: check digits against public vectors and python-stdnum, and what counts as an individual number."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.jp import cn, in_

from chukan.standard import numbers

DIGITS = "0123456789"
FULL_WIDTH = str.maketrans(DIGITS, "０１２３４５６７８９")


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


@pytest.mark.parametrize("number", ["123456789018", "983205673214", "111111111118"])
def test_public_individual_numbers_are_valid(number: str) -> None:
    assert numbers.is_individual_number(number)


@given(digits(11))
def test_individual_check_digit_agrees_with_stdnum(eleven: str) -> None:
    assert numbers.individual_number_check_digit(eleven) == in_.calc_check_digit(eleven)


@given(digits(12))
def test_individual_number_validity_agrees_with_stdnum(twelve: str) -> None:
    assert numbers.is_individual_number(twelve) == in_.is_valid(twelve)


@given(digits(12))
def test_corporate_check_digit_agrees_with_stdnum(twelve: str) -> None:
    number = numbers.corporate_number_check_digit(twelve) + twelve

    assert numbers.is_corporate_number(number)
    assert cn.is_valid(number)


def test_public_corporate_number_is_valid_and_another_leading_digit_is_not() -> None:
    assert numbers.is_corporate_number("7000012050002")
    assert not numbers.is_corporate_number("8000012050002")


@pytest.mark.parametrize(
    ("five", "six"),
    [
        ("13104", "131041"),
        ("13112", "131121"),
        ("13103", "131032"),
        ("13101", "131016"),
        ("01100", "011002"),
        ("14100", "141003"),
        ("27100", "271004"),
        ("13000", "130001"),
        ("01101", "011011"),
    ],
)
def test_municipality_code_gets_its_public_check_digit(five: str, six: str) -> None:
    assert numbers.municipality_code(five) == six
    assert numbers.is_municipality_code(six)


@given(digits(5), st.sampled_from(DIGITS))
def test_municipality_code_is_valid_with_one_check_digit_only(five: str, last: str) -> None:
    assert numbers.is_municipality_code(five + last) == (numbers.municipality_check_digit(five) == last)


@given(st.integers(0, 99_999_999))
def test_dummy_numbers_carry_the_prefix_and_a_valid_check_digit(serial: int) -> None:
    number = numbers.dummy_individual_number(serial)

    assert number.startswith(numbers.DUMMY_PREFIX)
    assert numbers.is_individual_number(number)
    assert numbers.is_dummy_individual_number(number)


@given(st.integers(0, 99_999_999))
def test_dummy_numbers_are_invalid_on_request(serial: int) -> None:
    number = numbers.dummy_individual_number(serial, valid=False)

    assert numbers.is_dummy_individual_number(number)
    assert not numbers.is_individual_number(number)


@given(st.sets(st.integers(0, 99_999_999), max_size=20))
def test_dummy_numbers_of_different_serials_differ(serials: set[int]) -> None:
    assert len({numbers.dummy_individual_number(serial) for serial in serials}) == len(serials)


@pytest.mark.parametrize("serial", [-1, 100_000_000])
def test_a_dummy_serial_outside_eight_digits_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        numbers.dummy_individual_number(serial)


@given(st.integers(0, 99_999_999))
def test_full_width_individual_numbers_are_detected(serial: int) -> None:
    """The number is looked for after NFKC, so full-width digits hide nothing."""
    number = numbers.dummy_individual_number(serial).translate(FULL_WIDTH)

    assert numbers.looks_like_individual_number(number)
    assert not numbers.is_individual_number(number)


@pytest.mark.parametrize("text", [" 123456789018", "123456789018\n", "\u3000１２３４５６７８９０１８\t"])
def test_white_space_around_hides_no_individual_number(text: str) -> None:
    assert numbers.looks_like_individual_number(text)
    assert numbers.rows_like_individual_numbers(["1", text]) == [1]


@pytest.mark.parametrize(
    "text",
    ["", "12345678901", "1234567890189", "000123456789018", "123456789019", "12345678901a", "123456 789018", "①②"],
)
def test_what_is_not_exactly_twelve_valid_digits_is_no_individual_number(text: str) -> None:
    assert not numbers.looks_like_individual_number(text)


@given(st.lists(st.one_of(digits(12), digits(15), st.text(max_size=13))))
def test_a_column_names_the_rows_that_look_like_individual_numbers(values: list[str]) -> None:
    expected = [row for row, value in enumerate(values) if in_rule(value)]

    assert numbers.rows_like_individual_numbers(values) == expected


def in_rule(value: str) -> bool:
    plain = unicodedata.normalize("NFKC", value)
    return len(plain) == 12 and all(digit in DIGITS for digit in plain) and bool(in_.is_valid(plain))


@pytest.mark.parametrize("text", ["00000000000000", "0000000000000000", "00000000000000a", "０" * 15, ""])
def test_address_numbers_are_fifteen_ascii_digits(text: str) -> None:
    assert numbers.is_integrated_address_number("123456789012345")
    assert not numbers.is_integrated_address_number(text)
    assert not numbers.is_local_address_number(text)


def test_a_resident_record_code_is_eleven_digits_and_nothing_is_claimed_about_its_check_digit() -> None:
    assert numbers.is_resident_record_code("12345678901")
    assert numbers.is_resident_record_code("12345678902")
    assert not numbers.is_resident_record_code("1234567890")


@pytest.mark.parametrize("bad", ["1234567890", "1234567890a", "１２３４５６７８９０１"])
def test_a_check_digit_is_computed_from_ascii_digits_only_and_the_error_shows_no_value(bad: str) -> None:
    with pytest.raises(ValueError, match="expected 11 digits") as caught:
        numbers.individual_number_check_digit(bad)

    assert bad not in str(caught.value)
