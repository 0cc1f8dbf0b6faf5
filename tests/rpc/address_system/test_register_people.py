# SPDX-License-Identifier: Apache-2.0
"""RegisterPeople over real gRPC: outcomes, refusals, resends."""

from __future__ import annotations

import grpc
import pytest

from chukan.address.v1 import address_service_pb2 as pb
from chukan.edge.errors import error_of_call
from chukan.standard.numbers import dummy_individual_number
from tests.rpc.address_system.body import SETAGAYA, Body, RunningSystem, batch_of, fresh_local, fresh_number

NUMBERED, LINKED, UPDATED, HELD, REFUSED, UNCHANGED = range(1, 7)


def test_new_people_get_numbers_in_order_that_no_other_body_sees(fresh: RunningSystem) -> None:
    ours, theirs = fresh.body(), fresh.body(SETAGAYA)

    first = ours.register({}, {})
    second = theirs.register({})

    assert list(first.outcomes) == [NUMBERED, NUMBERED]
    assert list(first.integrated_address_numbers) == ["700000000000001", "700000000000002"]
    assert list(second.integrated_address_numbers) == ["700000000000001"]
    assert ours.person("700000000000001").name != theirs.person("700000000000001").name


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


def test_two_people_on_one_number_are_both_refused(body: Body) -> None:
    number = fresh_number()

    response = body.register({"individual": number}, {"individual": number})

    assert list(response.outcomes) == [REFUSED, REFUSED]
    assert {failure.reason for failure in response.failures} == {"INDIVIDUAL_NUMBER_TAKEN"}


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
        protective_measure_rows=[1],
        protective_measure_end_dates=["20270331"],
        nondisclosure_rows=[1],
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
