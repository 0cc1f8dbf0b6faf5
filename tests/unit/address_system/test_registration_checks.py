# SPDX-License-Identifier: Apache-2.0
"""What of a batch is refused, by row, field and rule; never by value."""

from __future__ import annotations

from typing import Any

import pytest

from chukan.address_system.domain.registration import RegistrationBatch, check
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

GOOD = dummy_individual_number(1)


def checked(
    *,
    numbers: Any = ("000000000000001",),
    individual: Any = (GOOD,),
    test: Any = True,
    system: Any = "01",
    former: Any = (),
    **columns: Any,
) -> Any:
    given = {
        "name": ["見本　太郎"],
        "birth_date": ["19800102"],
        "sex": ["1"],
        **{name: [value] for name, value in columns.items()},
    }
    batch = RegistrationBatch(system, "", numbers, individual, former, given)
    return check(batch, municipality="131041", test=test)


def failure(**given: Any) -> Any:
    (found,) = checked(**given).failures.values()
    return found.reason, found.field, found.rule


def test_a_good_row_is_taken_and_gets_the_bodys_own_municipality() -> None:
    result = checked()

    assert not result.failures
    assert result.attributes[0].municipality_code == "131041"


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"numbers": ["1"]}, "NUMBER_MALFORMED", "local_address_numbers"),
        ({"numbers": [GOOD]}, "INDIVIDUAL_NUMBER_REFUSED", "local_address_numbers"),
        ({"numbers": ["９９９２８６１７３１６８"]}, "INDIVIDUAL_NUMBER_REFUSED", "local_address_numbers"),
        ({"individual": ["99900000001"]}, "NUMBER_MALFORMED", "individual_numbers"),
        ({"individual": [dummy_individual_number(1, valid=False)]}, "CHECK_DIGIT_WRONG", "individual_numbers"),
        ({"individual": ["123456789018"]}, "INDIVIDUAL_NUMBER_NOT_DUMMY", "individual_numbers"),
        ({"former": ["x"]}, "NUMBER_MALFORMED", "former_local_address_numbers"),
        ({"name": "　"}, "NAME_MISSING", "names"),
        ({"birth_date": "19800230"}, "BIRTH_DATE_INVALID", "birth_dates"),
        ({"birth_date": ""}, "BIRTH_DATE_INVALID", "birth_dates"),
        ({"sex": "3"}, "SEX_INVALID", "sexes"),
        ({"movement_date": "20240230"}, "DATE_INVALID", "movement_dates"),
        ({"postal_code": "1" * 50}, "FIELD_FORMAT", "postal_codes"),
        ({"municipality_code": "131042"}, "NUMBER_MALFORMED", "municipality_codes"),
        ({"name": "名" * 1001}, "FIELD_TOO_LONG", "names"),
    ],
)
def test_a_bad_value_is_refused_by_field(given: Any, reason: Any, field: Any) -> None:
    assert failure(**given)[:2] == (reason, field)


def test_a_corporation_needs_no_birth_date_and_has_a_number_of_its_own() -> None:
    assert not checked(resident_kind="4", birth_date="", individual=(), corporate_number="7000012050002").failures
    assert not checked(resident_kind="4", birth_date="", individual=()).failures


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        ({"resident_kind": "1", "birth_date": ""}, "BIRTH_DATE_INVALID", "birth_dates"),
        ({"resident_kind": "1", "corporate_number": "7000012050002"}, "FIELD_FORMAT", "corporate_numbers"),
        ({"resident_kind": "4", "corporate_number": "8000012050002"}, "CHECK_DIGIT_WRONG", "corporate_numbers"),
        ({"resident_kind": "4", "corporate_number": "700001205000"}, "NUMBER_MALFORMED", "corporate_numbers"),
        ({"resident_kind": "4", "birth_date": "", "individual": [GOOD]}, "FIELD_FORMAT", "individual_numbers"),
    ],
)
def test_what_only_a_corporation_or_only_a_person_has_is_told_apart(given: Any, reason: Any, field: Any) -> None:
    assert failure(**given)[:2] == (reason, field)


def test_a_refused_character_is_named_by_its_position() -> None:
    assert failure(residential_address="新宿区\x07例町") == (
        "CHARACTER_REFUSED",
        "residential_addresses",
        "position=4 control",
    )


def test_substitutes_are_counted_and_the_master_keeps_the_character() -> None:
    result = checked(name="葛󠄀城　太郎")

    assert result.substitutions == 1
    assert result.attributes[0].name == "葛󠄀城　太郎"


def test_production_takes_numbers_outside_the_dummy_prefix() -> None:
    assert not checked(individual=["123456789018"], test=False).failures


def test_a_ward_is_folded_to_its_city() -> None:
    assert checked(municipality_code="011011").attributes[0].municipality_code == "011002"


def test_a_number_twice_in_a_batch_is_refused_the_second_time() -> None:
    batch = RegistrationBatch(
        "01", "", ["000000000000001"] * 2, columns={"name": ["見本"] * 2, "birth_date": ["19800102"] * 2}
    )

    failures = check(batch, municipality="", test=True).failures

    assert [(row, failures[row].reason) for row in failures] == [(1, "DUPLICATE_IN_BATCH")]


@pytest.mark.parametrize(
    ("given", "reason"), [({"system": "1"}, "INVALID_FIELD"), ({"individual": (GOOD, GOOD)}, "COLUMNS_UNEQUAL")]
)
def test_a_batch_that_cannot_be_read_by_rows_is_refused_whole(given: Any, reason: Any) -> None:
    with pytest.raises(ChukanError) as caught:
        checked(**given)

    assert caught.value.code == reason
