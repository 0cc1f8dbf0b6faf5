# SPDX-License-Identifier: Apache-2.0
"""What the kit shows of an exchange: numbers of people in no width and no grouping, codes as they are."""

from __future__ import annotations

import pytest

from chukan.conformance.masking import MASK, masked, masked_text
from chukan.conformance.numbers import dummy_individual_number
from chukan.standard import numbers

INDIVIDUAL = dummy_individual_number(4711)
WIDE = INDIVIDUAL.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


@pytest.mark.parametrize(
    "text",
    [
        INDIVIDUAL,
        WIDE,
        f"got {INDIVIDUAL}!",
        f"{INDIVIDUAL[:4]}-{INDIVIDUAL[4:8]}-{INDIVIDUAL[8:]}",
        "9" * 15,
        "9" * 11,
        f"{INDIVIDUAL}99999",
        f"{INDIVIDUAL}{INDIVIDUAL}",
    ],
)
def test_a_number_of_a_person_is_masked_wherever_it_stands(text: str) -> None:
    assert MASK in masked_text(text)
    assert not any(digit.isdigit() for digit in masked_text(text))


@pytest.mark.parametrize("text", ["TM00000000000002", "0220113104101700", "1" * 20, "20260601", "ＡＢＣ", ""])
def test_codes_dates_and_receipts_stay_readable(text: str) -> None:
    assert masked_text(text) == text


def test_values_of_records_are_masked_by_their_field() -> None:
    document = {"items": [{"item_code": "TK90002010000003", "value": "123400"}], "values": ["1", ""], "row": 3}

    assert masked(document) == {
        "items": [{"item_code": "TK90002010000003", "value": MASK}],
        "values": [MASK, ""],
        "row": 3,
    }


@pytest.mark.parametrize("serial", [0, 1, 4711, 99_999_999])
def test_the_kit_and_the_product_come_to_the_same_check_digit_each_by_itself(serial: int) -> None:
    assert dummy_individual_number(serial) == numbers.dummy_individual_number(serial)
