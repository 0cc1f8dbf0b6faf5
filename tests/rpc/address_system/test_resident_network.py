# SPDX-License-Identifier: Apache-2.0
"""What goes to the resident network: processing numbers with individual numbers, and searches for those without."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from chukan.address.v1 import address_service_pb2 as pb
from chukan.network.v1.resident_network_service_pb2 import ResidentQuery
from tests.rpc.address_system.body import Body, RunningSystem, fresh_number

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def submit(body: Body, numbers: list[str], batch_id: str = "codes") -> pb.SubmitProcessingNumbersResponse:
    request = pb.SubmitProcessingNumbersRequest(
        batch_id=batch_id,
        integrated_address_numbers=numbers,
        processing_numbers=[f"{place:024d}" for place in range(len(numbers))],
    )
    response: pb.SubmitProcessingNumbersResponse = body.call("SubmitProcessingNumbers", request)
    return response


def test_processing_numbers_arrive_with_individual_numbers_once(fresh: RunningSystem) -> None:
    body, individual = fresh.body(), fresh_number()
    known, unnumbered = body.number(individual=individual), body.number(individual="")
    numbers = [known, unnumbered, "700999999999999", individual]

    answers = [submit(body, numbers) for _ in range(2)]

    assert answers[0] == answers[1]
    assert list(answers[0].outcomes) == [1, 3, 3, 3]
    reasons = [failure.reason for failure in answers[0].failures]
    assert reasons == ["INDIVIDUAL_NUMBER_MISSING", "PERSON_UNKNOWN", "INDIVIDUAL_NUMBER_REFUSED"]
    assert fresh.system.dispatcher.drain(10)
    (request,) = fresh.network.submitted
    assert list(request.individual_numbers) == [individual]
    assert list(request.processing_numbers) == ["0" * 24]


def test_what_was_promised_is_submitted_after_a_restart(fresh: RunningSystem) -> None:
    body, individual = fresh.body(), fresh_number()
    fresh.network.away = True
    submit(body, [body.number(individual=individual)])
    fresh.restart()

    fresh.network.away = False
    fresh.system.run_due()

    assert fresh.network.arrived.acquire(timeout=20)
    assert list(fresh.network.submitted[0].individual_numbers) == [individual]
    assert fresh.system.dispatcher.drain(10)
    assert not fresh.system.dispatcher.backlog()


def test_numbers_go_on_after_a_restart(fresh: RunningSystem) -> None:
    first = fresh.body().number()
    fresh.restart()

    assert int(fresh.body().number()) == int(first) + 1
    assert fresh.body().person(first).integrated_address_number == first


def test_after_a_merge_the_survivors_number_is_submitted(fresh: RunningSystem) -> None:
    body, individual = fresh.body(), fresh_number()
    gone, stays = body.number(individual=individual), body.number(individual="")
    body.call(
        "MergePeople",
        pb.MergePeopleRequest(merged_integrated_address_number=gone, surviving_integrated_address_number=stays),
    )

    answer = submit(body, [gone])

    assert list(answer.outcomes) == [1]
    assert fresh.system.dispatcher.drain(10)
    assert list(fresh.network.submitted[0].individual_numbers) == [individual]


def looked_up(fresh: RunningSystem, body: Body, number: str) -> list[pb.Mismatch]:
    request = pb.LookUpUnnumberedRequest(integrated_address_numbers=[number])
    assert body.call("LookUpUnnumbered", request).accepted_count == 1
    assert fresh.system.dispatcher.drain(10)
    return body.mismatches()


def test_a_single_match_is_proposed_and_set_only_when_a_person_says_so(fresh: RunningSystem) -> None:
    body, individual = fresh.body(user="a01"), fresh_number()
    person = {"name": "未設定　某", "birth_date": "19520202", "sex": "2", "home": "未設定町1"}
    number = body.number(individual="", **person)
    known = ResidentQuery(name=person["name"], birth_date="19520202", sex="2", residential_address="未設定町1")
    fresh.network.residents = [(known, individual)]

    (held,) = looked_up(fresh, body, number)
    assert looked_up(fresh, body, number) == [held]

    assert held.kind == pb.MISMATCH_KIND_INDIVIDUAL_NUMBER_PROPOSED
    assert list(held.candidates) == [number]
    assert individual not in str(held)
    assert [person.integrated_address_number for person in unnumbered(body)] == [number]
    resolved = body.call(
        "ResolveMismatch",
        pb.ResolveMismatchRequest(mismatch_id=held.mismatch_id, decision=pb.MISMATCH_DECISION_LINK),
    )
    assert not resolved.person.unnumbered
    assert not unnumbered(body)


def unnumbered(body: Body) -> list[pb.Person]:
    return list(body.call("ListUnnumbered", pb.ListUnnumberedRequest()).people)


def test_people_are_searched_by_four_then_three_attributes(fresh: RunningSystem) -> None:
    body, individual = fresh.body(), fresh_number()
    number = body.number(individual="", name="転居　某", birth_date="19530303", sex="1", home="旧町1")
    known = ResidentQuery(name="転居　某", birth_date="19530303", sex="1", residential_address="新町2")
    fresh.network.residents = [(known, individual)]

    (held,) = looked_up(fresh, body, number)

    assert list(held.candidates) == [number]
    given = [
        sum(bool(getattr(query, name)) for name in query.DESCRIPTOR.fields_by_name) for query in fresh.network.queries
    ]
    assert given == [4, 3, 3]


def test_several_matches_propose_nobody(fresh: RunningSystem) -> None:
    body = fresh.body()
    number = body.number(individual="", name="同名　某", birth_date="19540404", sex="1", home="同町1")
    known = ResidentQuery(name="同名　某", birth_date="19540404", sex="1", residential_address="同町1")
    fresh.network.residents = [(known, fresh_number()), (known, fresh_number())]

    assert looked_up(fresh, body, number) == []


def test_unnumbered_people_are_listed_by_pages(fresh: RunningSystem) -> None:
    body = fresh.body()
    numbers = [body.number(individual="") for _ in range(3)]
    body.number()

    first = body.call("ListUnnumbered", pb.ListUnnumberedRequest(page_size=2))
    rest = body.call("ListUnnumbered", pb.ListUnnumberedRequest(page_size=2, page_token=first.next_page_token))

    assert [person.integrated_address_number for person in (*first.people, *rest.people)] == numbers


def test_no_individual_number_lies_readable_on_disk_or_in_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    individual, name = fresh_number(), "秘密　花子"
    running = RunningSystem(tmp_path / "data")
    body = running.body(user="a01")
    number = body.number(individual=individual, name=name, local="000004242424242")
    body.register({"individual": individual, "name": "別人　某"})
    running.network.away = True
    submit(body, [number])
    time.sleep(0.2)
    running.close()

    written = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    printed = caplog.text + "".join(capfd.readouterr())
    for secret in (individual, name, "000004242424242"):
        assert secret.encode() not in written
        assert secret not in printed
