# SPDX-License-Identifier: Apache-2.0
"""Registrations held for a person, and what a decision does."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from chukan.address.v1 import address_service_pb2 as pb
from chukan.edge.errors import error_of_call
from tests.rpc.address_system.body import Body, RunningSystem, fresh_local, fresh_number

LINK, NEW_PERSON, DISMISS = pb.MISMATCH_DECISION_LINK, pb.MISMATCH_DECISION_NEW_PERSON, pb.MISMATCH_DECISION_DISMISS


class Case:
    """A child on whose record the parent's number was copied."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.individual, self.local, self.household = fresh_number(), fresh_local(), fresh_local()
        home = {"home": f"東京都新宿区親子町{self.household}", "household": self.household}
        self.parent = body.number(individual=self.individual, birth_date="19700101", **home)
        self.child = {"local": self.local, "individual": self.individual, "name": "見本　子", "birth_date": "20050505"}
        self.child |= {"kana": "ミホン　コ", **home}
        self.response = body.register(self.child)
        (self.held,) = [each for each in body.mismatches() if each.local_number.local_address_number == self.local]

    def resolve(self, decision: Any, number: str = "") -> Any:
        request = pb.ResolveMismatchRequest(
            mismatch_id=self.held.mismatch_id, decision=decision, integrated_address_number=number
        )
        return self.body.call("ResolveMismatch", request)

    def refusal(self, decision: Any, number: str = "") -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.resolve(decision, number)
        return error_of_call(caught.value).code


def test_a_copied_number_is_held_with_what_a_person_needs_to_decide(body: Body) -> None:
    case = Case(body)

    assert list(case.response.outcomes) == [pb.LINK_OUTCOME_HELD]
    assert list(case.response.integrated_address_numbers) == [""]
    assert case.held.kind == pb.MISMATCH_KIND_HOUSEHOLD_MEMBER_NUMBER
    assert list(case.held.candidates) == [case.parent]
    assert list(case.held.differing_attributes) == ["name", "birth_date"]
    assert (case.held.registration.name, case.held.registration.individual_number) == ("見本　子", "")


def test_the_same_registration_is_held_once(body: Body) -> None:
    case = Case(body)

    body.register(case.child)

    assert len([each for each in body.mismatches() if each.local_number == case.held.local_number]) == 1


def test_a_corrected_registration_lets_go_of_what_was_held(body: Body) -> None:
    case = Case(body)

    response = body.register({**case.child, "individual": fresh_number()})

    assert list(response.outcomes) == [pb.LINK_OUTCOME_NUMBERED]
    assert not [each for each in body.mismatches() if each.local_number == case.held.local_number]


def test_a_new_person_does_not_take_the_number_that_is_anothers(body: Body) -> None:
    case = Case(body)

    resolved = [case.resolve(NEW_PERSON) for _ in range(2)]

    assert resolved[0] == resolved[1]
    assert resolved[0].person.unnumbered
    assert resolved[0].person.integrated_address_number != case.parent
    assert resolved[0].mismatch.HasField("resolve_time")
    assert list(body.register(case.child).outcomes) == [pb.LINK_OUTCOME_UNCHANGED]
    assert case.refusal(DISMISS) == "MISMATCH_RESOLVED"


def test_linking_updates_the_candidate(body: Body) -> None:
    case = Case(body)

    person = case.resolve(LINK, case.parent).person

    assert (person.integrated_address_number, person.name) == (case.parent, "見本　子")
    assert len(person.local_numbers) == 2


def test_only_a_candidate_can_be_linked(body: Body) -> None:
    case = Case(body)

    assert case.refusal(LINK, body.number()) == "INVALID_FIELD"


def test_a_dismissed_registration_changes_nobody(body: Body) -> None:
    case = Case(body)

    assert not case.resolve(DISMISS).HasField("person")
    assert len(body.person(case.parent).local_numbers) == 1


def test_a_number_that_is_anothers_is_not_taken_by_linking(body: Body) -> None:
    local, number = fresh_local(), fresh_number()
    person = {"local": local, "name": "見本　庚", "kana": "ミホン　コウ", "birth_date": "19810101", "home": "庚町1"}
    first = body.number(individual=number, **person)
    other = fresh_number()
    second = body.number(individual=other)
    body.register({**person, "individual": other})
    (held,) = [each for each in body.mismatches() if first in each.candidates]

    def resolve(number: str) -> Any:
        request = pb.ResolveMismatchRequest(mismatch_id=held.mismatch_id, decision=LINK)
        request.integrated_address_number = number
        return body.call("ResolveMismatch", request)

    assert held.kind == pb.MISMATCH_KIND_INDIVIDUAL_NUMBER_DIFFERS
    with pytest.raises(grpc.RpcError) as caught:
        resolve(first)
    assert error_of_call(caught.value).code == "INDIVIDUAL_NUMBER_TAKEN"
    assert local in [each.local_address_number for each in resolve(second).person.local_numbers]


def test_an_unknown_mismatch_is_refused(body: Body) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        body.call("ResolveMismatch", pb.ResolveMismatchRequest(mismatch_id="none", decision=DISMISS))

    assert error_of_call(caught.value).code == "MISMATCH_UNKNOWN"


def test_mismatches_are_listed_by_pages_and_resolved_ones_on_request(fresh: RunningSystem) -> None:
    body = fresh.body()
    cases = [Case(body) for _ in range(3)]
    cases[0].resolve(DISMISS)

    first = body.call("ListMismatches", pb.ListMismatchesRequest(page_size=1))
    rest = body.call("ListMismatches", pb.ListMismatchesRequest(page_size=5, page_token=first.next_page_token))

    found = [each.mismatch_id for each in (*first.mismatches, *rest.mismatches)]
    assert found == [case.held.mismatch_id for case in cases[1:]]
    assert len(body.mismatches(include_resolved=True)) == 3
