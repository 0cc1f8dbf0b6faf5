# SPDX-License-Identifier: Apache-2.0
"""People of the integrated address system registered, searched, merged and split as they must not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.address.v1 import address_service_pb2 as pb
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.standard.numbers import dummy_individual_number, individual_number_check_digit
from tests.builders import fresh_serial
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from tests.hostile.conftest import Stage

OTHERS: Final = 60_000_000
"""Serials of people no other test has."""
HELD: Final = dummy_individual_number(OTHERS)
LOCAL: Final = "0 NUMBER_MALFORMED local_address_numbers"
CITY: Final = "0 NUMBER_MALFORMED municipality_codes"
REAL_LOOKING: Final = "12345678901" + individual_number_check_digit("12345678901")
FULL_WIDTH: Final = CANARY.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def batch(rows: int = 2, **given: Any) -> pb.RegisterPeopleRequest:
    """Return new people, right in all but what is given."""
    serials = [OTHERS + fresh_serial() for _ in range(rows)]
    columns: dict[str, Any] = {
        "batch_id": f"hostile-{serials[0]}",
        "number_system": "01",
        "local_address_numbers": [f"{serial:015d}" for serial in serials],
        "individual_numbers": [dummy_individual_number(serial) for serial in serials],
        "names": [f"敵対　{serial}" for serial in serials],
        "kana_names": ["テキタイ"] * rows,
        "birth_dates": [f"{1930 + serial % 80}{1 + serial % 12:02d}{1 + serial % 28:02d}" for serial in serials],
        "sexes": ["1"] * rows,
        "residential_addresses": [f"東京都新宿区見本町{serial}" for serial in serials],
        "resident_kinds": [pb.RESIDENT_KIND_JAPANESE] * rows,
        "resident_states": [pb.RESIDENT_STATE_RESIDENT] * rows,
    }
    for name, value in given.items():
        whole = list(value) if isinstance(value, tuple) else value
        columns[name] = [*whole, *columns[name][len(whole) :]] if isinstance(value, tuple) else whole
    return pb.RegisterPeopleRequest(**columns)


def register(stage: Stage, request: pb.RegisterPeopleRequest) -> str:
    stub = AddressServiceStub(stage.channel)
    return outcome(lambda: stub.RegisterPeople(iter([request]), metadata=stage.shinjuku.metadata, timeout=SECONDS))


#: name → the first row's value of a column (as a tuple) or a whole field, and what becomes of it
ROWS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    # --- individual numbers ---
    "a wrong check digit": (
        {"individual_numbers": (dummy_individual_number(1, valid=False),)},
        "0 CHECK_DIGIT_WRONG individual_numbers",
    ),
    "no dummy": ({"individual_numbers": (REAL_LOOKING,)}, "0 INDIVIDUAL_NUMBER_NOT_DUMMY individual_numbers"),
    "11 digits": ({"individual_numbers": ("9" * 11,)}, "0 NUMBER_MALFORMED individual_numbers"),
    "full-width digits": ({"individual_numbers": (FULL_WIDTH,)}, "0 NUMBER_MALFORMED individual_numbers"),
    "hyphens": ({"individual_numbers": ("9999-0000-0000",)}, "0 NUMBER_MALFORMED individual_numbers"),
    # --- local numbers ---
    "no local number": ({"local_address_numbers": ("",)}, "0 NUMBER_MALFORMED local_address_numbers"),
    "a local number too short": ({"local_address_numbers": ("1",)}, "0 NUMBER_MALFORMED local_address_numbers"),
    "a local number in full width": (
        {"local_address_numbers": ("１" * 15,)},
        "0 NUMBER_MALFORMED local_address_numbers",
    ),
    "an individual number as local number": (
        {"local_address_numbers": (CANARY,)},
        "0 INDIVIDUAL_NUMBER_REFUSED local_address_numbers",
    ),
    "one as former local number, full-width": (
        {"former_local_address_numbers": [FULL_WIDTH, ""]},
        "0 INDIVIDUAL_NUMBER_REFUSED former_local_address_numbers",
    ),
    "one as local number, as printed": (
        {"local_address_numbers": (f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}",)},
        "0 INDIVIDUAL_NUMBER_REFUSED local_address_numbers",
    ),
    # --- names ---
    "no name": ({"names": ("",)}, "0 NAME_MISSING names"),
    "a wide space for a name": ({"names": ("　",)}, "0 NAME_MISSING names"),
    "a control character": ({"names": ("山\x07田",)}, "0 CHARACTER_REFUSED names"),
    "NUL": ({"names": ("山\0田",)}, "0 CHARACTER_REFUSED names"),
    "a bidi override": ({"names": ("\u202e田山",)}, "0 CHARACTER_REFUSED names"),
    "a private-use character": ({"names": ("山\ue000",)}, "0 CHARACTER_REFUSED names"),
    "a character that is none": ({"names": ("山\uffff",)}, "0 CHARACTER_REFUSED names"),
    "a line break in an alias": ({"aliases": ["a\nb", ""]}, "0 CHARACTER_REFUSED aliases"),
    "1,001 characters": ({"residential_addresses": ("東" * 1_001,)}, "0 FIELD_TOO_LONG residential_addresses"),
    # --- days ---
    "30 February": ({"birth_dates": ("19800230",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "a month without a year": ({"birth_dates": ("00000100",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "a day without a month": ({"birth_dates": ("19800001",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "nines": ({"birth_dates": ("99999999",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "an era": ({"birth_dates": ("S550102",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "no birth date": ({"birth_dates": ("",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "full-width digits in a day": ({"birth_dates": ("１９８００１０２",)}, "0 BIRTH_DATE_INVALID birth_dates"),
    "a movement of zeros": ({"movement_dates": ["00000000", ""]}, "0 DATE_INVALID movement_dates"),
    "a movement on 30 February": ({"movement_dates": ["20250230", ""]}, "0 DATE_INVALID movement_dates"),
    "a notification of nines": ({"notification_dates": ["99999999", ""]}, "0 DATE_INVALID notification_dates"),
    "protection that ends on no day": (
        {"protective_measures": {"rows": [0], "end_dates": ["soon"]}},
        "0 DATE_INVALID protective_measures.end_dates",
    ),
    # --- codes ---
    "a sex there is none of": ({"sexes": ("9",)}, "0 SEX_INVALID sexes"),
    "a sex in words": ({"sexes": ("男",)}, "0 SEX_INVALID sexes"),
    "a kind there is none of": ({"resident_kinds": (99,)}, "0 FIELD_FORMAT resident_kinds"),
    "a kind below zero": ({"resident_kinds": (-1,)}, "0 FIELD_FORMAT resident_kinds"),
    "a kind that is a state": ({"resident_kinds": (5,)}, "0 FIELD_FORMAT resident_kinds"),
    "a state of a later version": ({"resident_states": (6,)}, "0 FIELD_FORMAT resident_states"),
    "a municipality there is none of": (
        {"municipality_codes": ["131042", ""]},
        "0 NUMBER_MALFORMED municipality_codes",
    ),
    "a municipality by five digits": ({"municipality_codes": ["13104", ""]}, "0 NUMBER_MALFORMED municipality_codes"),
    "a household number too long": ({"household_numbers": ["1" * 41, ""]}, "0 FIELD_FORMAT household_numbers"),
    "a postal code nobody can read": ({"postal_codes": ["160\x1b", ""]}, "0 FIELD_FORMAT postal_codes"),
    # --- whole columns ---
    "a name too few": ({"names": ["山田"]}, "INVALID_ARGUMENT COLUMNS_UNEQUAL names"),
    "three sexes": ({"sexes": ["1", "2", "1"]}, "INVALID_ARGUMENT COLUMNS_UNEQUAL sexes"),
    "an individual number too few": (
        {"individual_numbers": [dummy_individual_number(2)]},
        "INVALID_ARGUMENT COLUMNS_UNEQUAL individual_numbers",
    ),
    "two ends of one protection": (
        {"protective_measures": {"rows": [0], "end_dates": ["20300101"] * 2}},
        "INVALID_ARGUMENT COLUMNS_UNEQUAL protective_measures.end_dates",
    ),
    "protection of a row there is none of": ({"protective_measures": {"rows": [2]}}, "INVALID_ARGUMENT INVALID_FIELD"),
    "nondisclosure of a row there is none of": (
        {"nondisclosure_rows": {"rows": [2**32 - 1]}},
        "INVALID_ARGUMENT INVALID_FIELD",
    ),
    "no number system": ({"number_system": ""}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a number system in full width": ({"number_system": "０１"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a number system of three digits": ({"number_system": "001"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a business id too long": ({"business_id": "123456789"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a business id nobody can read": ({"business_id": "\x1b"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "no batch id": ({"batch_id": ""}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a batch id nobody can read": ({"batch_id": "\0"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "an individual number as batch id": (
        {"batch_id": f" {CANARY}"},
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED batch_id",
    ),
    "nobody": ({"local_address_numbers": []}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a local number twice": (
        {"local_address_numbers": ["7" * 15, "7" * 15]},
        "1 DUPLICATE_IN_BATCH local_address_numbers",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_who_is_registered_wrongly_is_refused_by_the_rule(stage: Stage, name: str) -> None:
    given, expected = ROWS[name]

    assert register(stage, batch(**given)) == expected


def test_two_people_on_one_individual_number_are_both_held(stage: Stage) -> None:
    number = dummy_individual_number(OTHERS + fresh_serial())
    request = batch(individual_numbers=[number, number], birth_dates=["19800101", "19900101"])

    answer = next(AddressServiceStub(stage.channel).RegisterPeople(iter([request]), metadata=stage.shinjuku.metadata))

    assert list(answer.outcomes) == [pb.LINK_OUTCOME_HELD] * 2
    assert len(answer.mismatch_ids) == 2


def call(stage: Stage, rpc: str, request: Any, *extra: tuple[str, str]) -> str:
    stub, metadata = AddressServiceStub(stage.channel), (*stage.shinjuku.metadata, *extra)
    return outcome(lambda: getattr(stub, rpc)(request, metadata=metadata, timeout=SECONDS))


SEARCHES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "nothing": ({}, "INVALID_ARGUMENT SEARCH_TOO_WIDE"),
    "one attribute": ({"name": "山田"}, "INVALID_ARGUMENT SEARCH_TOO_WIDE"),
    "spaces": ({"name": " ", "birth_date": "　", "sex": "1"}, "INVALID_ARGUMENT SEARCH_TOO_WIDE"),
    "a birth date that is none": ({"name": "山田", "birth_date": "19800230"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "an era": ({"name": "山田", "birth_date": "S550102"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a sex there is none of": ({"name": "山田", "sex": "9"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "an individual number": ({"name": CANARY, "sex": "1"}, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED name"),
    "one in full width": (
        {"name": "山", "residential_address": FULL_WIDTH},
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED residential_address",
    ),
    "101 people": ({"name": "山", "sex": "1", "page_size": 101}, "INVALID_ARGUMENT INVALID_FIELD"),
    "marks alone": ({"name": "\u3099\u0301", "sex": "1", "partial": True}, "OK"),
    "100,000 characters": ({"name": "山" * 100_000, "sex": "1"}, "OK"),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_that_can_find_nobody_is_refused_by_its_rule(stage: Stage, name: str) -> None:
    given, expected = SEARCHES[name]

    assert call(stage, "FindPeople", pb.FindPeopleRequest(**given)) == expected


NUMBERS: Final = {
    "nobody": ("1" * 15, "NOT_FOUND PERSON_UNKNOWN"),
    "14 digits": ("1" * 14, "INVALID_ARGUMENT NUMBER_MALFORMED"),
    "full-width digits": ("１" * 15, "INVALID_ARGUMENT NUMBER_MALFORMED"),
    "an individual number": (CANARY, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED"),
    "one zero-filled, of somebody we hold": (
        "000" + dummy_individual_number(OTHERS),
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED",
    ),
    "one as printed": (f"{CANARY[:4]} {CANARY[4:8]} {CANARY[8:]}", "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED"),
    "NUL": ("1" * 14 + "\0", "INVALID_ARGUMENT NUMBER_MALFORMED"),
    "70,000 digits": ("1" * 70_000, "INVALID_ARGUMENT NUMBER_MALFORMED"),
}
UNARY: Final[dict[str, Any]] = {
    "GetPerson": lambda number: pb.GetPersonRequest(integrated_address_number=number),
    "ClosePerson": lambda number: pb.ClosePersonRequest(integrated_address_number=number, resident_state=3),
    "LinkLocalNumber": lambda number: pb.LinkLocalNumberRequest(
        integrated_address_number=number,
        local_number=pb.LocalNumber(number_system="01", local_address_number="6" * 15),
    ),
    "ChangeIndividualNumber": lambda number: pb.ChangeIndividualNumberRequest(
        integrated_address_number=number, individual_number=dummy_individual_number(3)
    ),
    "MergePeople": lambda number: pb.MergePeopleRequest(
        merged_integrated_address_number=number, surviving_integrated_address_number="2" * 15
    ),
    "SplitPerson": lambda number: pb.SplitPersonRequest(
        integrated_address_number=number,
        moved_local_numbers=[pb.LocalNumber(number_system="01", local_address_number="6" * 15)],
    ),
    "CloseNonResident": lambda number: pb.CloseNonResidentRequest(integrated_address_number=number),
}


@pytest.mark.parametrize("rpc", UNARY)
@pytest.mark.parametrize("name", NUMBERS)
def test_nobody_is_changed_by_a_number_that_is_none(stage: Stage, rpc: str, name: str) -> None:
    number, expected = NUMBERS[name]
    if "zero-filled" in name:
        register(stage, batch(rows=1, individual_numbers=[HELD]))

    end = call(stage, rpc, UNARY[rpc](number))

    assert end.startswith(expected) or (rpc == "MergePeople" and end.startswith("NOT_FOUND PERSON_UNKNOWN"))


def _people(stage: Stage, rows: int) -> tuple[list[str], list[str]]:
    """Return integrated and local numbers of new people without individual numbers."""
    request = batch(rows, individual_numbers=[""] * rows)
    stub = AddressServiceStub(stage.channel)
    (answer,) = stub.RegisterPeople(iter([request]), metadata=stage.shinjuku.metadata, timeout=SECONDS)
    return list(answer.integrated_address_numbers), list(request.local_address_numbers)


def merge(stage: Stage, merged: str, surviving: str) -> str:
    request = pb.MergePeopleRequest(
        merged_integrated_address_number=merged, surviving_integrated_address_number=surviving
    )
    return call(stage, "MergePeople", request)


def test_people_are_not_merged_in_circles(stage: Stage) -> None:
    (one, two, three), _ = _people(stage, 3)

    assert merge(stage, one, one).startswith("FAILED_PRECONDITION MERGE_REFUSED")
    assert merge(stage, one, two) == merge(stage, one, two) == "OK"
    assert merge(stage, two, one).startswith("FAILED_PRECONDITION PERSON_MERGED")
    assert merge(stage, three, one).startswith("FAILED_PRECONDITION PERSON_MERGED")
    assert merge(stage, one, three).startswith("FAILED_PRECONDITION PERSON_MERGED")
    assert merge(stage, two, three) == "OK"
    assert merge(stage, three, two).startswith("FAILED_PRECONDITION PERSON_MERGED")


def test_a_split_takes_neither_everything_nor_what_is_not_there(stage: Stage) -> None:
    (one, _), (own, other) = _people(stage, 2)

    def split(*local: str) -> str:
        moved = [pb.LocalNumber(number_system="01", local_address_number=each) for each in local]
        request = pb.SplitPersonRequest(integrated_address_number=one, moved_local_numbers=moved)
        return call(stage, "SplitPerson", request)

    assert split(own).startswith("FAILED_PRECONDITION SPLIT_REFUSED")
    assert split(own, own).startswith("FAILED_PRECONDITION SPLIT_REFUSED")
    assert split(other).startswith("NOT_FOUND LOCAL_NUMBER_UNKNOWN")
    assert split("").startswith(("NOT_FOUND LOCAL_NUMBER_UNKNOWN", "INVALID_ARGUMENT NUMBER_MALFORMED"))
    assert split(CANARY).startswith("NOT_FOUND LOCAL_NUMBER_UNKNOWN")
    assert split() == "INVALID_ARGUMENT INVALID_FIELD"


CLOSINGS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "a resident": ({"resident_state": 1}, "INVALID_ARGUMENT"),
    "a state there is none of": ({"resident_state": 99}, "INVALID_ARGUMENT"),
    "a day that is none": ({"resident_state": 3, "movement_date": "20250230"}, "INVALID_ARGUMENT DATE_INVALID"),
    "an era": ({"resident_state": 3, "movement_date": "R080601"}, "INVALID_ARGUMENT DATE_INVALID"),
}


@pytest.mark.parametrize("name", CLOSINGS)
def test_nobody_is_closed_into_a_state_or_on_a_day_there_is_none_of(stage: Stage, name: str) -> None:
    given, expected = CLOSINGS[name]
    (number, _), _ = _people(stage, 2)

    end = call(stage, "ClosePerson", pb.ClosePersonRequest(integrated_address_number=number, **given))

    assert end.startswith(expected)


CHANGES: Final = {
    "11 digits": ("9" * 11, "INVALID_ARGUMENT NUMBER_MALFORMED individual_number"),
    "a wrong check digit": (
        dummy_individual_number(7, valid=False),
        "INVALID_ARGUMENT CHECK_DIGIT_WRONG individual_number",
    ),
    "no dummy": (REAL_LOOKING, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_NOT_DUMMY individual_number"),
    "full-width digits": (FULL_WIDTH, "INVALID_ARGUMENT NUMBER_MALFORMED individual_number"),
    "nothing": ("", "INVALID_ARGUMENT INVALID_FIELD"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_individual_number_is_not_changed_to_what_is_none(stage: Stage, name: str) -> None:
    value, expected = CHANGES[name]
    (number, _), _ = _people(stage, 2)
    request = pb.ChangeIndividualNumberRequest(integrated_address_number=number, individual_number=value)

    assert call(stage, "ChangeIndividualNumber", request) == expected


CONVERSIONS: Final = {
    "nobody's": (pb.LocalNumber(number_system="01", local_address_number="5" * 15), "0 LOCAL_NUMBER_UNKNOWN"),
    "nothing": (pb.LocalNumber(), "0 NUMBER_MALFORMED"),
    "too short": (pb.LocalNumber(number_system="01", local_address_number="5"), "0 NUMBER_MALFORMED"),
    "an individual number": (
        pb.LocalNumber(number_system="01", local_address_number=CANARY),
        "0 INDIVIDUAL_NUMBER_REFUSED",
    ),
    "one in full width": (
        pb.LocalNumber(number_system="01", local_address_number=FULL_WIDTH),
        "0 INDIVIDUAL_NUMBER_REFUSED",
    ),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_local_number_that_is_none_is_not_converted(stage: Stage, name: str) -> None:
    local, expected = CONVERSIONS[name]

    assert call(stage, "ConvertNumbers", pb.ConvertNumbersRequest(local_numbers=[local])) == expected


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_local_number_that_is_none_is_not_linked(stage: Stage, name: str) -> None:
    local, expected = CONVERSIONS[name]
    (number, _), _ = _people(stage, 2)
    request = pb.LinkLocalNumberRequest(integrated_address_number=number, local_number=local)
    malformed = "INVALID_ARGUMENT " + expected.removeprefix("0 ").replace("NUMBER_MALFORMED", "")

    end = call(stage, "LinkLocalNumber", request)

    assert end.startswith("OK" if "UNKNOWN" in expected else malformed)


def test_who_names_no_user_sees_no_individual_number(stage: Stage) -> None:
    (number, _), _ = _people(stage, 2)
    request = pb.GetPersonRequest(integrated_address_number=number, show_individual_number=True)

    assert call(stage, "GetPerson", request).startswith("PERMISSION_DENIED INDIVIDUAL_NUMBER_NOT_ALLOWED")


NON_RESIDENTS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "nobody": ({}, "FAILED_PRECONDITION NAME_MISSING person.name"),
    "a birth date that is none": (
        {"name": "外", "birth_date": "20250230"},
        "FAILED_PRECONDITION BIRTH_DATE_INVALID person.birth_date",
    ),
    "an individual number that is none": (
        {"name": "外", "birth_date": "19800102", "individual_number": "9" * 11},
        "INVALID_ARGUMENT NUMBER_MALFORMED person.individual_number",
    ),
    "an individual number as name": ({"name": CANARY}, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED person.name"),
    "a control character": (
        {"name": "外\x1b", "birth_date": "19800102"},
        "INVALID_ARGUMENT CHARACTER_REFUSED person.name",
    ),
    "a sex there is none of": (
        {"name": "外", "birth_date": "19800102", "sex": "9"},
        "FAILED_PRECONDITION SEX_INVALID person.sex",
    ),
    "a kind there is none of": (
        {"name": "外", "birth_date": "19800102", "resident_state": 99},
        "INVALID_ARGUMENT FIELD_FORMAT person.resident_state",
    ),
}


@pytest.mark.parametrize("name", NON_RESIDENTS)
def test_a_non_resident_is_numbered_only_as_somebody(stage: Stage, name: str) -> None:
    given, expected = NON_RESIDENTS[name]
    request = pb.IssueNonResidentNumberRequest(person=pb.Person(**given))

    assert call(stage, "IssueNonResidentNumber", request) == expected


@pytest.mark.parametrize("name", ["", "x", "0" * 26, "１", CANARY, "\0", "x" * 70_000])
@pytest.mark.parametrize("decision", [0, 1, 3, 99])
def test_a_mismatch_nobody_has_is_not_resolved(stage: Stage, name: str, decision: int) -> None:
    request = pb.ResolveMismatchRequest(mismatch_id=name, decision=decision)  # type: ignore[arg-type]

    assert call(stage, "ResolveMismatch", request).startswith(("NOT_FOUND MISMATCH_UNKNOWN", "INVALID_ARGUMENT"))
