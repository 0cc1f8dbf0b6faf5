# SPDX-License-Identifier: Apache-2.0
"""Reading, linking, changing, closing, merging, splitting, finding and converting people."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from chukan.address.v1 import address_service_pb2 as pb
from chukan.edge.errors import error_of_call
from tests.rpc.address_system.body import SETAGAYA, Body, RunningSystem, fresh_local, fresh_number


def refusal(body: Body, method: str, request: Any, **options: Any) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        body.call(method, request, **options)
    return error_of_call(caught.value).code


def key(number: str, system: str = "01", business: str = "") -> pb.LocalNumber:
    return pb.LocalNumber(number_system=system, business_id=business, local_address_number=number)


def convert(body: Body, *keys: pb.LocalNumber) -> list[Any]:
    return list(body.call("ConvertNumbers", pb.ConvertNumbersRequest(local_numbers=keys)).conversions)


def back(body: Body, *numbers: str) -> list[Any]:
    request = pb.ConvertNumbersRequest(integrated_address_numbers=numbers)
    return list(body.call("ConvertNumbers", request).conversions)


# --- reading ---


def test_the_individual_number_is_shown_only_to_a_named_user_who_asks(running: RunningSystem) -> None:
    individual = fresh_number()
    number = running.body().number(individual=individual)
    asked = pb.GetPersonRequest(integrated_address_number=number, show_individual_number=True)

    assert running.body().person(number).individual_number == ""
    assert running.body(user="a01").call("GetPerson", asked).person.individual_number == individual
    assert refusal(running.body(), "GetPerson", asked) == "INDIVIDUAL_NUMBER_NOT_ALLOWED"


def test_every_reading_is_recorded_with_who_and_whom(fresh: RunningSystem) -> None:
    number = fresh.body().number()

    fresh.body(user="a01", department="10").call(
        "GetPerson", pb.GetPersonRequest(integrated_address_number=number, show_individual_number=True)
    )

    with fresh.system.environment.database.read() as connection:
        records = fresh.system.environment.stores.access_records.page(connection, "0220113104101700", after=0, most=10)
    assert [(record.action, record.user, record.department) for record in records] == [
        ("GetPerson.individual_number", "a01", "10")
    ]
    assert str(records[0].person).endswith(number)


def test_another_bodys_person_is_unknown(running: RunningSystem) -> None:
    ours = [running.body().number() for _ in range(3)][-1]
    request = pb.GetPersonRequest(integrated_address_number=ours)

    assert refusal(running.body(SETAGAYA), "GetPerson", request) == "PERSON_UNKNOWN"


@pytest.mark.parametrize(("number", "reason"), [("1", "NUMBER_MALFORMED"), ("700999999999999", "PERSON_UNKNOWN")])
def test_a_number_nobody_has_is_refused(body: Body, number: str, reason: str) -> None:
    assert refusal(body, "GetPerson", pb.GetPersonRequest(integrated_address_number=number)) == reason


def test_a_held_individual_number_instead_of_an_integrated_one_is_told_apart(body: Body) -> None:
    individual = fresh_number()
    body.number(individual=individual)

    for text in (individual, "000" + individual):
        assert refusal(body, "GetPerson", pb.GetPersonRequest(integrated_address_number=text)) == (
            "INDIVIDUAL_NUMBER_REFUSED"
        )
        assert back(body, text)[0].reason == "INDIVIDUAL_NUMBER_REFUSED"
        assert convert(body, key(text))[0].reason == "INDIVIDUAL_NUMBER_REFUSED"


# --- converting ---


def test_numbers_convert_both_ways_by_number_system_and_business(body: Body) -> None:
    local, individual = fresh_local(), fresh_number()
    person = {"local": local, "individual": individual, "name": "見本　丙", "kana": "ミホン　ヘイ"}
    person |= {"birth_date": "19700707", "home": "東京都新宿区丙町3", "household": "3"}
    number = body.number(**person)
    body.register({**person, "kind": pb.RESIDENT_KIND_NON_RESIDENT}, number_system="02", business_id="010")

    found = convert(body, key(local), key(local, "02", "010"), key(local, "02", "020"), key("x"))
    (returned,) = back(body, number)

    assert [each.integrated_address_number for each in found] == [number, number, "", ""]
    assert [each.reason for each in found] == ["", "", "LOCAL_NUMBER_UNKNOWN", "NUMBER_MALFORMED"]
    assert [(each.number_system, each.business_id) for each in returned.local_numbers] == [("01", ""), ("02", "010")]


def test_ten_thousand_numbers_convert_at_once(body: Body) -> None:
    number = body.number(local="000000000000042")

    found = convert(body, *[key("000000000000042")] * 10_000)

    assert {each.integrated_address_number for each in found} == {number}


# --- linking, changing, closing ---


def test_a_local_number_is_linked_once_and_to_one_person(body: Body) -> None:
    number, other, local = body.number(), body.number(), fresh_local()
    request = pb.LinkLocalNumberRequest(integrated_address_number=number, local_number=key(local, "02", "010"))

    for _ in range(2):
        person = body.call("LinkLocalNumber", request).person

    assert [each.local_address_number for each in person.local_numbers][-1] == local
    request.integrated_address_number = other
    assert refusal(body, "LinkLocalNumber", request) == "LOCAL_NUMBER_TAKEN"


def test_a_held_individual_number_is_never_linked_as_local_number(body: Body) -> None:
    individual = fresh_number()
    number = body.number(individual=individual)
    request = pb.LinkLocalNumberRequest(integrated_address_number=number, local_number=key("000" + individual))

    assert refusal(body, "LinkLocalNumber", request) == "INDIVIDUAL_NUMBER_REFUSED"


def test_after_a_changed_individual_number_the_old_one_still_leads_to_the_person(running: RunningSystem) -> None:
    body, old, new = running.body(user="a01"), fresh_number(), fresh_number()
    person = {"individual": old, "name": "見本　丁", "kana": "ミホン　テイ", "birth_date": "19600606", "home": "丁町4"}
    number = body.number(**person)
    request = pb.ChangeIndividualNumberRequest(integrated_address_number=number, individual_number=new)

    for _ in range(2):
        body.call("ChangeIndividualNumber", request)

    shown = body.call("GetPerson", pb.GetPersonRequest(integrated_address_number=number, show_individual_number=True))
    assert shown.person.individual_number == new
    for each in (old, new):
        linked = body.register({**person, "local": fresh_local(), "individual": each})
        assert list(linked.integrated_address_numbers) == [number]
    request.integrated_address_number = body.number()
    assert refusal(body, "ChangeIndividualNumber", request) == "INDIVIDUAL_NUMBER_TAKEN"
    request.individual_number = old
    assert refusal(body, "ChangeIndividualNumber", request) == "INDIVIDUAL_NUMBER_TAKEN"
    request.individual_number = old[:-1] + str((int(old[-1]) + 1) % 10)
    assert refusal(body, "ChangeIndividualNumber", request) == "CHECK_DIGIT_WRONG"


def test_closing_is_idempotent_and_a_closed_person_is_found_first(body: Body) -> None:
    person = {"individual": fresh_number(), "name": "見本　戊", "kana": "ミホン　ボ", "birth_date": "19610606"}
    number = body.number(**person)
    request = pb.ClosePersonRequest(
        integrated_address_number=number, resident_state=pb.RESIDENT_STATE_MOVED_OUT, movement_date="20220101"
    )

    for _ in range(2):
        closed = body.call("ClosePerson", request).person
    returned = body.register({**person, "local": fresh_local(), "moved": "20240101"})

    assert closed.resident_state == pb.RESIDENT_STATE_MOVED_OUT
    assert list(returned.outcomes) == [pb.LINK_OUTCOME_LINKED_WITH_UPDATE]
    assert list(returned.integrated_address_numbers) == [number]
    assert body.person(number).resident_state == pb.RESIDENT_STATE_RESIDENT


# --- merging and splitting ---


def test_after_a_merge_everything_answers_with_the_survivor(running: RunningSystem) -> None:
    body, local, individual = running.body(user="a01"), fresh_local(), fresh_number()
    survivor, ended, earlier = (
        body.number(individual=""),
        body.number(local=local, individual=individual),
        body.number(individual=""),
    )

    def merge(gone: str, stays: str) -> Any:
        return body.call(
            "MergePeople",
            pb.MergePeopleRequest(merged_integrated_address_number=gone, surviving_integrated_address_number=stays),
        ).person

    merge(earlier, ended)
    person = merge(ended, survivor)

    assert merge(ended, survivor) == person
    assert len(person.local_numbers) == 3
    assert not person.unnumbered
    assert convert(body, key(local))[0].integrated_address_number == survivor
    assert {each.integrated_address_number for each in back(body, ended, earlier)} == {survivor}
    assert body.person(ended).merged_into == survivor
    shown = pb.GetPersonRequest(integrated_address_number=survivor, show_individual_number=True)
    assert body.call("GetPerson", shown).person.individual_number == individual
    assert refusal(body, "ClosePerson", pb.ClosePersonRequest(integrated_address_number=ended)) == "PERSON_MERGED"


@pytest.mark.parametrize("state", [-1, pb.RESIDENT_STATE_RESIDENT, 99])
def test_nobody_is_closed_into_a_state_that_ends_nothing(body: Body, state: int) -> None:
    request = pb.ClosePersonRequest(integrated_address_number=body.number(), resident_state=state)  # type: ignore[arg-type]

    assert refusal(body, "ClosePerson", request) == "INVALID_FIELD"


def test_people_with_different_individual_numbers_are_not_merged(body: Body) -> None:
    request = pb.MergePeopleRequest(
        merged_integrated_address_number=body.number(), surviving_integrated_address_number=body.number()
    )

    assert refusal(body, "MergePeople", request) == "INDIVIDUAL_NUMBERS_DIFFER"


def test_a_split_moves_local_numbers_to_a_new_person_who_takes_the_next_registration(body: Body) -> None:
    mine, others = fresh_local(), fresh_local()
    number = body.number(local=mine)
    body.call("LinkLocalNumber", pb.LinkLocalNumberRequest(integrated_address_number=number, local_number=key(others)))
    request = pb.SplitPersonRequest(integrated_address_number=number, moved_local_numbers=[key(others)])

    split = body.call("SplitPerson", request, request_id="split-1")
    again = body.call("SplitPerson", request, request_id="split-1")
    registered = body.register({"local": others, "name": "見本　己", "kana": "ミホン　キ"})

    assert split == again
    assert split.new_person.unnumbered
    assert convert(body, key(mine), key(others))[0].integrated_address_number == number
    assert list(registered.outcomes) == [pb.LINK_OUTCOME_LINKED_WITH_UPDATE]
    assert list(registered.integrated_address_numbers) == [split.new_person.integrated_address_number]
    assert body.person(split.new_person.integrated_address_number).name == "見本　己"


def test_a_split_leaves_somebody_and_moves_what_the_person_has(body: Body) -> None:
    local = fresh_local()
    number = body.number(local=local)
    request = pb.SplitPersonRequest(integrated_address_number=number, moved_local_numbers=[key(fresh_local())])

    assert refusal(body, "SplitPerson", request) == "LOCAL_NUMBER_UNKNOWN"
    request.moved_local_numbers[0].CopyFrom(key(local))
    assert refusal(body, "SplitPerson", request) == "SPLIT_REFUSED"


# --- finding ---


def test_people_are_found_by_two_attributes_exactly_or_partially(body: Body) -> None:
    number = body.number(name="探索　一", kana="タンサク　ハジメ", birth_date="19330303", home="東京都新宿区探町1-2")
    body.number(
        name="探索　二", kana="タンサク　フタ", birth_date="19330303", home="東京都新宿区探町1-3", individual=""
    )

    def find(**query: Any) -> list[str]:
        people = body.call("FindPeople", pb.FindPeopleRequest(**query)).people
        assert not any(person.individual_number for person in people)
        return [person.integrated_address_number for person in people]

    assert find(name="探索 一", birth_date="19330303") == [number]
    assert find(birth_date="19330303", residential_address="東京都新宿区探町１丁目２番") == [number]
    assert find(name="探索　一", sex="1") == [number]
    assert len(find(name="タンサク", birth_date="19330300", partial=True)) == 2
    assert len(find(name="探索", residential_address="東京都新宿区探町", partial=True)) == 2
    assert find(name="探索", birth_date="19330303") == []


def test_a_search_pages_without_gaps(body: Body) -> None:
    numbers = [body.number(name="頁　某", home=f"頁町{place}") for place in range(5)]
    found: list[str] = []
    request = pb.FindPeopleRequest(name="頁　某", sex="1", page_size=2)

    while True:
        page = body.call("FindPeople", request)
        found += [person.integrated_address_number for person in page.people]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break

    assert found == numbers
    request.page_token = "x"  # noqa: S105  # no password
    assert refusal(body, "FindPeople", request) == "PAGE_TOKEN_INVALID"


def test_a_search_by_one_attribute_is_too_wide(body: Body) -> None:
    assert refusal(body, "FindPeople", pb.FindPeopleRequest(name="見本")) == "SEARCH_TOO_WIDE"


# --- non-residents ---


def non_resident(**person: Any) -> pb.Person:
    given = {"name": "外　某", "kana_name": "ソト　ボウ", "birth_date": "19440404", "sex": "2"}
    return pb.Person(**{**given, "residential_address": f"北海道例市{fresh_local()}", **person})


def test_a_non_resident_is_numbered_once_per_request(body: Body) -> None:
    request = pb.IssueNonResidentNumberRequest(
        business_id="010", person=non_resident(name="外　一", kana_name="ソト　ハジメ")
    )

    first = body.call("IssueNonResidentNumber", request, request_id="issue-1")
    second = body.call("IssueNonResidentNumber", request, request_id="issue-1")

    assert first == second
    assert first.person.resident_kind == pb.RESIDENT_KIND_NON_RESIDENT
    assert first.local_number.number_system == "02"
    assert convert(body, first.local_number)[0].integrated_address_number == first.person.integrated_address_number


def test_a_non_resident_who_may_be_known_waits_for_a_person(body: Body) -> None:
    number = body.number(name="既知　某", birth_date="19450505", individual="")
    request = pb.IssueNonResidentNumberRequest(
        business_id="010", person=non_resident(name="既知　某", birth_date="19450505")
    )

    answer, again = [body.call("IssueNonResidentNumber", request, request_id="issue-held") for _ in range(2)]

    (held,) = [each for each in body.mismatches() if number in each.candidates]
    assert answer == again
    assert (answer.outcome, answer.mismatch_id) == (pb.LINK_OUTCOME_HELD, held.mismatch_id)
    assert list(answer.candidates) == [number]
    assert not answer.HasField("person")
    assert held.registration.name == "既知　某"


def test_a_non_resident_is_updated_and_closed_and_a_resident_is_not(body: Body) -> None:
    request = pb.IssueNonResidentNumberRequest(
        business_id="010", person=non_resident(name="外　二", kana_name="ソト　フタ")
    )
    person = body.call("IssueNonResidentNumber", request).person
    changes = pb.UpdateNonResidentRequest(
        integrated_address_number=person.integrated_address_number,
        residential_address="沖縄県例市1",
        individual_number=fresh_number(),
    )

    updated = body.call("UpdateNonResident", changes).person
    named = pb.CloseNonResidentRequest(integrated_address_number=person.integrated_address_number)
    closed = [body.call("CloseNonResident", named).person for _ in range(2)][-1]

    assert (updated.residential_address, updated.unnumbered) == ("沖縄県例市1", False)
    assert closed.resident_state == pb.RESIDENT_STATE_REMOVED
    named.integrated_address_number = body.number()
    assert refusal(body, "CloseNonResident", named) == "PERSON_UNKNOWN"


def test_an_update_leaves_what_it_does_not_name_and_clears_what_it_names_empty(body: Body) -> None:
    given = non_resident(name="外　三", alias="別名", postal_code="0600001", nondisclosure=True)
    issue = pb.IssueNonResidentNumberRequest(business_id="010", person=given)
    number = body.call("IssueNonResidentNumber", issue).person.integrated_address_number

    def update(**changes: Any) -> pb.Person:
        request = pb.UpdateNonResidentRequest(integrated_address_number=number, **changes)
        return body.call("UpdateNonResident", request).person

    first = update(alias="", protective_measures=True, protective_measure_end_date="20270331")
    second = update(building="例荘 2", nondisclosure=False)
    third = update(protective_measures=False)

    assert (first.alias, first.postal_code, first.nondisclosure) == ("", "0600001", True)
    assert (second.building, second.nondisclosure, second.protective_measures) == ("例荘 2", False, True)
    assert (second.protective_measure_end_date, third.protective_measure_end_date) == ("20270331", "")
    assert not third.protective_measures
    bad = pb.UpdateNonResidentRequest(integrated_address_number=number, name="")
    assert refusal(body, "UpdateNonResident", bad) == "NAME_MISSING"


def test_an_individual_number_that_was_never_theirs_is_taken_away(body: Body) -> None:
    individual = fresh_number()
    issue = pb.IssueNonResidentNumberRequest(
        business_id="010", person=non_resident(name="外　四", kana_name="ソト　ヨン", individual_number=individual)
    )
    number = body.call("IssueNonResidentNumber", issue).person.integrated_address_number
    request = pb.UpdateNonResidentRequest(integrated_address_number=number, individual_number="")

    taken = body.call("UpdateNonResident", request).person

    assert taken.unnumbered
    assert body.number(individual=individual) != number


def test_a_corporation_is_numbered_updated_and_closed_like_a_non_resident(body: Body) -> None:
    company = pb.Person(name="例有限会社", resident_kind=pb.RESIDENT_KIND_CORPORATION, residential_address="例町1")
    issue = pb.IssueNonResidentNumberRequest(business_id="010", person=company)
    number = body.call("IssueNonResidentNumber", issue).person.integrated_address_number
    request = pb.UpdateNonResidentRequest(integrated_address_number=number, corporate_number="1234567890123")

    assert refusal(body, "UpdateNonResident", request) == "CHECK_DIGIT_WRONG"
    request.corporate_number = "1000012050008"
    assert body.call("UpdateNonResident", request).person.corporate_number == "1000012050008"
    closed = body.call("CloseNonResident", pb.CloseNonResidentRequest(integrated_address_number=number)).person
    assert closed.resident_state == pb.RESIDENT_STATE_REMOVED


def test_numbers_that_ended_in_a_merge_are_listed_with_the_last_survivor(fresh: RunningSystem) -> None:
    body = fresh.body()
    one, two, three = body.number(), body.number(individual=""), body.number(individual="")
    for gone, stays in ((three, two), (two, one)):
        body.call(
            "MergePeople",
            pb.MergePeopleRequest(merged_integrated_address_number=gone, surviving_integrated_address_number=stays),
        )

    page = body.call("ListMergedPeople", pb.ListMergedPeopleRequest(page_size=1))
    rest = body.call("ListMergedPeople", pb.ListMergedPeopleRequest(page_token=page.next_page_token))

    found = [*page.merged_people, *rest.merged_people]
    assert [(each.merged_integrated_address_number, each.surviving_integrated_address_number) for each in found] == [
        (two, one),
        (three, one),
    ]
    assert not rest.next_page_token


def test_a_bad_attribute_of_a_non_resident_is_named(body: Body) -> None:
    request = pb.IssueNonResidentNumberRequest(business_id="010", person=non_resident(birth_date="19441340"))

    assert refusal(body, "IssueNonResidentNumber", request) == "BIRTH_DATE_INVALID"
