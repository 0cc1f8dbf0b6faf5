# SPDX-License-Identifier: Apache-2.0
"""RegisterPeople over real gRPC: outcomes, refusals, resends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from chukan.address.v1 import address_service_pb2 as pb
from chukan.edge.errors import error_of_call
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import common_pb2
from tests.rpc.address_system.body import SETAGAYA, SHINJUKU, Body, RunningSystem, batch_of, fresh_local, fresh_number

if TYPE_CHECKING:
    from pathlib import Path

NUMBERED, LINKED, UPDATED, HELD, REFUSED, UNCHANGED = range(1, 7)


def test_new_people_get_numbers_in_order_that_no_other_body_sees(fresh: RunningSystem) -> None:
    ours, theirs = fresh.body(), fresh.body(SETAGAYA)

    first = ours.register({}, {})
    second = theirs.register({})

    assert list(first.outcomes) == [NUMBERED, NUMBERED]
    assert list(first.integrated_address_numbers) == ["700000000000001", "700000000000002"]
    assert list(second.integrated_address_numbers) == ["700000000000001"]
    assert ours.person("700000000000001").name != theirs.person("700000000000001").name


def test_an_organization_numbers_people_from_the_number_that_is_set(tmp_path: Path) -> None:
    """New numbers must avoid migrated ones; a lower setting never leads back to numbers that were issued."""
    system = RunningSystem(tmp_path, first_numbers={SHINJUKU: 800_000_000_000_001})
    try:
        first = system.body().number()
        other = system.body(SETAGAYA).number()
        system.close()
        system = RunningSystem(tmp_path)
        second = system.body().number()
    finally:
        system.close()

    assert (first, second, other) == ("800000000000001", "800000000000002", "700000000000001")


def test_the_same_record_again_is_unchanged_and_a_moved_person_updated(body: Body) -> None:
    person = {"local": fresh_local(), "individual": fresh_number(), "name": "見本　甲", "birth_date": "19900101"}
    home = {"home": "東京都新宿区甲町1", "kana": "ミホン　コウ", "household": "1"}
    number = body.number(**person, **home)

    again = body.register({**person, **home})
    moved = body.register({**person, **home, "home": "東京都新宿区乙町2", "moved": "20250401"})

    assert (list(again.outcomes), list(moved.outcomes)) == ([UNCHANGED], [UPDATED])
    assert list(moved.integrated_address_numbers) == [number]
    assert body.person(number).residential_address == "東京都新宿区乙町2"


def test_two_records_of_one_person_in_one_batch_are_one_person(body: Body) -> None:
    old, new = fresh_local(), fresh_local()
    person = {"individual": fresh_number(), "name": "見本　乙", "kana": "ミホン　オツ", "birth_date": "19500505"}

    response = body.register(
        {**person, "local": old, "state": pb.RESIDENT_STATE_MOVED_OUT, "moved": "20150101"},
        {**person, "local": new, "former": old, "moved": "20230101"},
    )

    assert list(response.outcomes) == [NUMBERED, UPDATED]
    assert len(set(response.integrated_address_numbers)) == 1


def test_a_record_that_names_its_predecessor_makes_the_old_number_convert(body: Body) -> None:
    old = fresh_local()
    number = body.number(former=old)

    found = body.call(
        "ConvertNumbers",
        pb.ConvertNumbersRequest(local_numbers=[pb.LocalNumber(number_system="01", local_address_number=old)]),
    )

    assert found.conversions[0].integrated_address_number == number


def test_bad_rows_are_refused_by_row_and_the_others_go_on(body: Body) -> None:
    response = body.register(
        {"individual": dummy_individual_number(77, valid=False)}, {}, {"name": ""}, {"individual": "123456789018"}
    )

    assert list(response.outcomes) == [REFUSED, NUMBERED, REFUSED, REFUSED]
    found = [(failure.row, failure.reason, failure.field) for failure in response.failures]
    assert found == [
        (0, "CHECK_DIGIT_WRONG", "individual_numbers"),
        (2, "NAME_MISSING", "names"),
        (3, "INDIVIDUAL_NUMBER_NOT_DUMMY", "individual_numbers"),
    ]
    assert all(failure.message and failure.message_ja for failure in response.failures)
    assert "123456789018" not in str(response)


def test_two_people_on_one_number_both_wait_and_the_answer_names_their_mismatches(body: Body) -> None:
    number = fresh_number()

    response = body.register({"individual": number}, {}, {"individual": number})

    assert list(response.outcomes) == [HELD, NUMBERED, HELD]
    held = [each.mismatch_id for each in body.mismatches()]
    assert len(response.mismatch_ids) == 2
    assert set(response.mismatch_ids) <= set(held)


def test_a_claim_without_a_candidate_is_linked_to_whom_a_person_names(body: Body) -> None:
    number = fresh_number()
    answer = body.register({"individual": number}, {"individual": number})
    first, second = answer.mismatch_ids
    request = pb.ResolveMismatchRequest(mismatch_id=first, decision=pb.MISMATCH_DECISION_NEW_PERSON)
    person = body.call("ResolveMismatch", request).person

    request = pb.ResolveMismatchRequest(mismatch_id=second, decision=pb.MISMATCH_DECISION_LINK)
    for nobody in ("", "799999999999999"):
        request.integrated_address_number = nobody
        with pytest.raises(grpc.RpcError) as caught:
            body.call("ResolveMismatch", request)
        assert error_of_call(caught.value).code == "INVALID_FIELD"
    request.integrated_address_number = person.integrated_address_number
    linked = body.call("ResolveMismatch", request).person

    assert len(linked.local_numbers) == 2


def test_who_is_registered_under_a_number_goes_on_beside_a_stranger_who_claims_it(body: Body) -> None:
    """Two batches or one: the rightful holder moves, the stranger is held."""
    person = {"local": fresh_local(), "individual": fresh_number(), "name": "見本　戊", "birth_date": "19850505"}
    number = body.number(**person)

    response = body.register(
        {"individual": person["individual"]}, {**person, "home": "東京都新宿区戊町5", "moved": "20250401"}
    )

    assert list(response.outcomes) == [HELD, UPDATED]
    assert response.integrated_address_numbers[1] == number


def test_people_whose_birth_date_is_known_in_part_are_found_before_a_number_is_issued(body: Body) -> None:
    """Closed and former residents are searched first, also where a date has unknown parts."""
    person = {"individual": "", "name": "既知　部", "kana": "キチ　ブ", "home": "東京都新宿区部町6"}

    outcomes = [
        list(body.register({**person, "birth_date": birth}).outcomes)
        for birth in ("19610517", "19610500", "00000000", "00000000")
    ]

    assert outcomes == [[NUMBERED], [HELD], [HELD], [HELD]]


def test_somebody_without_a_birth_year_is_looked_for_among_those_who_have_an_individual_number(body: Body) -> None:
    person = {"name": "既知　年", "kana": "キチ　ネン", "home": "東京都新宿区年町7"}
    number = body.number(**person, birth_date="19610517")

    body.register({**person, "individual": "", "birth_date": "00000000"})

    assert any(list(each.candidates) == [number] for each in body.mismatches())


def test_a_column_an_extract_does_not_have_leaves_the_attribute_and_the_flags(body: Body) -> None:
    person = {"local": fresh_local(), "individual": fresh_number(), "name": "見本　己", "birth_date": "19860606"}
    rows = {"aliases": ["別名"], "nondisclosure_rows": common_pb2.RowSet(rows=[0])}
    ends = pb.ProtectiveMeasureSet(rows=[0], end_dates=["20270331"])
    response = body.register(person, **rows, protective_measures=ends)
    (number,) = response.integrated_address_numbers

    body.register({**person, "moved": "20250401"})
    left = body.person(number)
    body.register({**person, "moved": "20250501"}, aliases=[""], nondisclosure_rows=common_pb2.RowSet())
    lifted = body.person(number)

    assert (left.alias, left.nondisclosure, left.protective_measures) == ("別名", True, True)
    assert (lifted.alias, lifted.nondisclosure) == ("", False)
    assert (lifted.protective_measures, lifted.protective_measure_end_date) == (True, "20270331")


def test_the_same_rows_with_a_column_more_are_no_repetition(body: Body) -> None:
    """An extract that begins to speak of a flag takes it down although no text of the row differs."""
    person = {"local": fresh_local(), "individual": fresh_number(), "name": "見本　庚", "birth_date": "19870707"}
    person |= {"home": "東京都新宿区庚町8", "kana": "ミホン　コウ", "household": "8"}
    (number,) = body.register(person).integrated_address_numbers
    business = {**person, "local": fresh_local(), "moved": "20250401"}
    body.register(business, number_system="02", nondisclosure_rows=common_pb2.RowSet(rows=[0]))
    assert body.person(number).nondisclosure

    again = body.register({**person, "moved": "20250402"})
    assert body.person(number).nondisclosure
    body.register({**person, "moved": "20250402"}, nondisclosure_rows=common_pb2.RowSet())

    assert list(again.outcomes) == [UPDATED]
    assert not body.person(number).nondisclosure


def test_a_held_row_brings_no_flag_until_it_is_decided(body: Body) -> None:
    person = {"individual": fresh_number(), "name": "見本　辛", "birth_date": "19880808"}
    number = body.number(**person)

    flagged = {**person, "birth_date": "19990909"}
    response = body.register(flagged, nondisclosure_rows=common_pb2.RowSet(rows=[0]))

    assert list(response.outcomes) == [HELD]
    assert not body.person(number).nondisclosure


def test_corporations_are_registered_by_their_corporate_number_or_without_one(body: Body) -> None:
    company = {"individual": "", "name": "見本株式会社", "kana": "ミホン", "birth_date": "", "sex": ""}
    company |= {"kind": pb.RESIDENT_KIND_CORPORATION, "home": "東京都新宿区社町1", "local": fresh_local()}

    first = body.register(company, corporate_numbers=["7000012050002"])
    again = body.register({**company, "local": fresh_local()}, number_system="02", corporate_numbers=["7000012050002"])
    without = body.register({**company, "name": "無番株式会社", "kana": "ムバン", "local": fresh_local()})
    person = body.person(first.integrated_address_numbers[0])

    assert [list(each.outcomes) for each in (first, again, without)] == [[NUMBERED], [LINKED], [NUMBERED]]
    assert again.integrated_address_numbers == first.integrated_address_numbers
    assert list(first.unnumbered_rows) == list(without.unnumbered_rows) == [0]
    assert (person.corporate_number, person.unnumbered) == ("7000012050002", False)


def test_an_individual_number_in_the_place_of_a_household_number_is_refused(body: Body) -> None:
    held = fresh_number()
    body.number(individual=held)

    response = body.register({"household": held}, {"household": "000" + held}, {"household": "000000000000123"})

    assert list(response.outcomes) == [REFUSED, REFUSED, NUMBERED]
    assert {failure.field for failure in response.failures} == {"household_numbers"}


def test_an_individual_number_in_the_place_of_a_local_number_is_refused(body: Body) -> None:
    held = fresh_number()
    body.number(individual=held)

    response = body.register({"local": "000" + held}, {"local": held}, {"former": "000" + held})

    assert list(response.outcomes) == [REFUSED] * 3
    assert {failure.reason for failure in response.failures} == {"INDIVIDUAL_NUMBER_REFUSED"}
    assert held not in str(response)


def test_a_zero_filled_local_number_nobody_holds_as_individual_number_is_taken(body: Body) -> None:
    body.number(local="000" + fresh_number())


def test_people_without_a_number_are_told(body: Body) -> None:
    response = body.register({"individual": ""}, {})

    assert list(response.outcomes) == [NUMBERED, NUMBERED]
    assert list(response.unnumbered_rows) == [0]


def test_flags_and_wards_are_kept(body: Body) -> None:
    response = body.register(
        {},
        {},
        protective_measures=pb.ProtectiveMeasureSet(rows=[1], end_dates=["20270331"]),
        nondisclosure_rows=common_pb2.RowSet(rows=[1]),
        municipality_codes=["", "011011"],
    )

    plain, protected = map(body.person, response.integrated_address_numbers)
    assert (plain.protective_measures, plain.nondisclosure, plain.municipality_code) == (False, False, "131041")
    assert (protected.protective_measures, protected.nondisclosure) == (True, True)
    assert protected.municipality_code == "011002"


def test_a_resent_batch_is_answered_as_before(body: Body) -> None:
    request = batch_of({}, {"name": ""}, {"individual": ""}, batch_id="resent")

    answers = list(body.stub.RegisterPeople(iter([request, request]), metadata=body.metadata))

    assert [answer.repeated_batch for answer in answers] == [False, True]
    answers[1].repeated_batch = False
    assert answers[0] == answers[1]


def test_the_same_batch_id_with_other_people_is_refused(body: Body) -> None:
    body.register({}, batch_id="once")

    with pytest.raises(grpc.RpcError) as caught:
        body.register({}, batch_id="once")

    assert error_of_call(caught.value).code == "IDEMPOTENCY_CONFLICT"


def test_columns_of_other_lengths_refuse_the_batch(body: Body) -> None:
    request = batch_of({}, {}, batch_id="unequal")
    del request.names[1]

    with pytest.raises(grpc.RpcError) as caught:
        list(body.stub.RegisterPeople(iter([request]), metadata=body.metadata))

    error = error_of_call(caught.value)
    assert (error.code, error.field) == ("COLUMNS_UNEQUAL", "names")


@pytest.mark.parametrize("field", ["batch_id", "number_system", "business_id"])
def test_an_individual_number_in_an_id_field_is_refused_and_not_echoed(body: Body, field: str) -> None:
    held = fresh_number()
    body.number(individual=held)
    request = batch_of({}, batch_id="ids")
    setattr(request, field, held)

    with pytest.raises(grpc.RpcError) as caught:
        list(body.stub.RegisterPeople(iter([request]), metadata=body.metadata))

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert held not in str(error_of_call(caught.value)) + str(caught.value)


def test_a_call_of_another_mode_is_refused(running: RunningSystem) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        running.body(mode="production").register({})

    assert error_of_call(caught.value).code == "MODE_MISMATCH"
