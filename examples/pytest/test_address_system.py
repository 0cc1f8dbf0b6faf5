# SPDX-License-Identifier: Apache-2.0
"""An address system tested against the emulator: each test has a world of its own, its clock stands still."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from address_system import CARE_INSURANCE, AddressSystem

from chukan.standard.reasons import ChukanError
from chukan.v1.common_pb2 import INQUIRY_STATE_TIMED_OUT
from chukan.v1.inquiry_service_pb2 import GetInquiryRequest, ListInquiriesRequest
from chukan.v1.replica_service_pb2 import ListLanesRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.client import Client
    from chukan.testing import Addressee, Clock, Emulator, Faults, World

SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"


@pytest.fixture
def shinjuku(chukan_client: Callable[..., Client], chukan_clock: Clock) -> AddressSystem:
    return AddressSystem(chukan_client(SHINJUKU), chukan_clock.today)


@pytest.fixture
def setagaya(chukan_client: Callable[..., Client], chukan_clock: Clock) -> AddressSystem:
    return AddressSystem(chukan_client(SETAGAYA), chukan_clock.today)


@pytest.fixture
def moved(chukan_world: World, shinjuku: AddressSystem) -> Addressee:
    """Somebody insured in 新宿区 who moved to 世田谷区: known and linked in both."""
    person = chukan_world.addressee(SHINJUKU, SETAGAYA)
    shinjuku.publish([(person.number(SHINJUKU), "0000000001")])
    return person


def replicas_at_shinjuku(client: Callable[..., Client]) -> int:
    lanes = client(SHINJUKU).replicas.ListLanes(ListLanesRequest()).lanes
    return sum(lane.replica_count for lane in lanes if lane.information_code == CARE_INSURANCE)


@pytest.mark.usefixtures("moved")
def test_a_replica_that_was_sent_is_held(chukan_client: Callable[..., Client]) -> None:
    assert replicas_at_shinjuku(chukan_client) == 1


def test_an_inquiry_is_answered_with_what_the_other_body_sent(
    moved: Addressee, setagaya: AddressSystem, chukan_world: World
) -> None:
    receipt = setagaya.ask("r-1", moved.number(SETAGAYA), SHINJUKU)
    chukan_world.await_idle()

    assert setagaya.answer(receipt) == "0000000001"


def test_an_inquiry_whose_answer_was_lost_is_asked_once(
    moved: Addressee, setagaya: AddressSystem, chukan_faults: Faults, chukan_client: Callable[..., Client]
) -> None:
    lost = chukan_faults.add("ANSWER_LOST", method="InquiryService/CreateInquiry", once=True)

    receipt = setagaya.ask("r-1", moved.number(SETAGAYA), SHINJUKU)

    listed = chukan_client(SETAGAYA).inquiries.ListInquiries(ListInquiriesRequest()).inquiries
    assert lost.strikes == 1
    assert [each.receipt_number for each in listed] == [receipt]


def test_a_provider_out_of_reach_answers_once_it_is_back(
    moved: Addressee, setagaya: AddressSystem, chukan_world: World, chukan_clock: Clock, chukan_faults: Faults
) -> None:
    unreachable = chukan_faults.add("PROVIDER_UNREACHABLE", peer=SHINJUKU)
    receipt = setagaya.ask("r-1", moved.number(SETAGAYA), SHINJUKU)
    chukan_world.await_idle()
    assert setagaya.answer(receipt) is None

    assert unreachable.clear() >= 1
    chukan_clock.advance(hours=1)

    assert setagaya.answer(receipt) == "0000000001"


def test_an_inquiry_nobody_answers_in_a_day_has_timed_out(
    moved: Addressee,
    setagaya: AddressSystem,
    chukan_clock: Clock,
    chukan_faults: Faults,
    chukan_client: Callable[..., Client],
) -> None:
    chukan_faults.add("PROVIDER_UNREACHABLE", peer=SHINJUKU)
    receipt = setagaya.ask("r-1", moved.number(SETAGAYA), SHINJUKU)
    before = chukan_clock.now()

    chukan_clock.advance(days=1, minutes=1)

    found = chukan_client(SETAGAYA).inquiries.GetInquiry(GetInquiryRequest(receipt_number=receipt)).inquiry
    assert chukan_clock.now() - before == timedelta(days=1, minutes=1)
    assert found.state == INQUIRY_STATE_TIMED_OUT


def test_what_is_too_much_at_once_is_sent_in_parts(
    shinjuku: AddressSystem, chukan_world: World, chukan_faults: Faults, chukan_client: Callable[..., Client]
) -> None:
    people = [chukan_world.addressee(SHINJUKU, link=False) for _ in range(5)]
    cap = chukan_faults.add("SEND_CAP", information=CARE_INSURANCE, rows=2)

    shinjuku.publish([(person.number(SHINJUKU), f"{row:010d}") for row, person in enumerate(people)])

    assert cap.strikes >= 1
    assert replicas_at_shinjuku(chukan_client) == 5


def test_a_server_that_does_not_come_back_is_told_to_the_caller(
    moved: Addressee, setagaya: AddressSystem, chukan_faults: Faults
) -> None:
    down = chukan_faults.add("STATUS", method="InquiryService/CreateInquiry", status="UNAVAILABLE")

    with pytest.raises(ChukanError, match="PEER_UNREACHABLE"):
        setagaya.ask("r-1", moved.number(SETAGAYA), SHINJUKU)

    assert down.strikes == 3


@pytest.mark.usefixtures("moved")
def test_two_worlds_do_not_see_each_other(chukan_emulator: Emulator, chukan_client: Callable[..., Client]) -> None:
    with chukan_emulator.new_world("the-other-one") as other:
        other.addressee(SHINJUKU)

        assert replicas_at_shinjuku(other.client) == 0
        assert replicas_at_shinjuku(chukan_client) == 1
