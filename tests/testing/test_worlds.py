# SPDX-License-Identifier: Apache-2.0
"""What a test sets up in its world: people, replicas, inquiries, clients; a world begins alike and ends for good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
import pytest

from chukan import testing
from chukan.standard.reasons import ChukanError
from chukan.testing import Emulator, StageError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replica
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub

if TYPE_CHECKING:
    from chukan.testing import World

SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"
CARE, CARE_NUMBER, CARE_INSURER = "TM00000000000015", "TK90015010100001", "TK90015010100002"


def asked(world: World, spec: inquiry.InquirySpec) -> inquiry.Inquiry:
    """Ask, wait for the exchange, and return what became of it."""
    inquiries = world.client(SETAGAYA).inquiries
    receipt = inquiries.CreateInquiry(inquiry.CreateInquiryRequest(inquiry=spec)).inquiry.receipt_number
    world.await_idle()
    return inquiries.GetInquiry(inquiry.GetInquiryRequest(receipt_number=receipt)).inquiry


def linkage_state(world: World, number: str) -> linkage.LinkageState.ValueType:
    request = linkage.GetLinkageStateRequest(integrated_address_number=number)
    return world.client(SHINJUKU).linkage_codes.GetLinkageState(request).linkage_status.state


def test_every_name_it_offers_is_there() -> None:
    assert all(isinstance(getattr(testing, name), type) for name in testing.__all__)
    with pytest.raises(AttributeError):
        _ = testing.Nothing  # type: ignore[attr-defined]  # on purpose


def test_an_addressee_is_linked_in_each_body_and_seen_to_be_a_dummy(world: World) -> None:
    first, second = world.addressee("131041", SETAGAYA), world.addressee("13104")

    assert set(first.numbers) == {SHINJUKU, SETAGAYA}
    assert first.number("131041") != second.number(SHINJUKU)
    assert linkage_state(world, first.number(SHINJUKU)) == linkage.LINKAGE_STATE_LINKED
    assert first.individual_number.startswith("999")
    assert first.name.startswith("見本")
    with pytest.raises(LookupError, match="not known at 0220113112101700"):
        second.number(SETAGAYA)


def test_an_addressee_may_have_a_number_of_ones_own_system_or_no_code(world: World) -> None:
    own = world.addressee(numbers={"131041": "900000000000001"})
    unlinked = world.addressee(SHINJUKU, link=False)

    assert own.numbers == {SHINJUKU: "900000000000001"}
    assert linkage_state(world, own.number(SHINJUKU)) == linkage.LINKAGE_STATE_LINKED
    assert linkage_state(world, unlinked.number(SHINJUKU)) == linkage.LINKAGE_STATE_NOT_REQUESTED


@pytest.mark.parametrize("information", ["TM00000000000002", "TM00000000000003", "TM00000000000008", CARE])
def test_an_inquiry_of_any_information_is_answered_with_the_replica(world: World, information: str) -> None:
    moved = world.addressee(SHINJUKU, SETAGAYA)
    world.replica(moved, at="131041", information=information)

    found = asked(world, world.inquiry_spec(moved, by="131121", provider="131041", information=information))

    assert (found.state, found.answer_kind) == (common_pb2.INQUIRY_STATE_ANSWERED, common_pb2.ANSWER_KIND_VALUES)


def test_a_replica_has_the_values_named_and_counts_in_its_period(world: World) -> None:
    moved, today = world.addressee(SHINJUKU, SETAGAYA), world.clock.today()
    tomorrow = today + timedelta(days=1)
    world.replica(moved, at=SHINJUKU, information=CARE, values={CARE_NUMBER: "0000000009"}, start=tomorrow)
    spec = {"by": SETAGAYA, "provider": SHINJUKU, "information": CARE}

    before = asked(world, world.inquiry_spec(moved, **spec))
    world.clock.advance(days=1)
    after = asked(world, world.inquiry_spec(moved, item_codes=[CARE_NUMBER], **spec))

    assert before.answer_kind == common_pb2.ANSWER_KIND_NO_REPLICA
    request = inquiry.GetInquiryResultsRequest(receipt_numbers=[after.receipt_number])
    (result,) = world.client(SETAGAYA).inquiries.GetInquiryResults(request).results
    assert [[item.value for item in record.items] for record in result.records] == [["0000000009"]]


def test_a_stage_that_can_t_be_set_says_why(world: World) -> None:
    person = world.addressee(SHINJUKU, link=False)

    with pytest.raises(StageError, match=rf"was refused: ITEM_VALUE_INVALID: .* {CARE_INSURER}; max_length"):
        world.replica(person, at=SHINJUKU, information=CARE, values={CARE_INSURER: "1" * 200})
    with pytest.raises(StageError, match="no row of the permission list lets 131121 ask 131041"):
        world.inquiry_spec(person, by="131121", provider="131041", information="TM00000000000020")
    with pytest.raises(StageError, match="no organization was named"):
        world.addressee()
    world.faults.add("PROVIDER_UNREACHABLE", peer=SHINJUKU)
    with pytest.raises(StageError, match=r"got LINKAGE_STATE_\w+, expected LINKAGE_STATE_LINKED"):
        world.addressee(SHINJUKU)


def test_a_world_that_does_not_come_to_rest_says_what_is_under_way(world: World) -> None:
    moved = world.addressee(SHINJUKU, SETAGAYA)
    held = world.faults.add("DELAY", outbound=True, delay="30s")
    spec = world.inquiry_spec(moved, by=SETAGAYA, provider=SHINJUKU)
    world.client(SETAGAYA).inquiries.CreateInquiry(inquiry.CreateInquiryRequest(inquiry=spec))

    with pytest.raises(StageError, match=r"within 0\.3 s: outbox"):
        world.await_idle(0.3)

    held.clear()
    world.await_idle()


def test_any_client_calls_in_a_world_with_its_metadata(world: World, emulator: Emulator) -> None:
    moved = world.addressee(SHINJUKU, SETAGAYA)
    found = asked(world, world.inquiry_spec(moved, by=SETAGAYA, provider=SHINJUKU))
    metadata = tuple(world.metadata("131121", system="tax").items())

    with grpc.insecure_channel(emulator.target) as channel:
        listed = InquiryServiceStub(channel).ListInquiries(inquiry.ListInquiriesRequest(), metadata=metadata)

    assert [each.receipt_number for each in listed.inquiries] == [found.receipt_number]
    assert dict(metadata)["chukan-system"] == "tax"


def test_worlds_of_one_name_draw_the_same_ids_one_after_the_other(emulator: Emulator) -> None:
    drawn = []
    for _ in range(2):
        with emulator.new_world("same", random_seed=3) as world:
            moved = world.addressee(SHINJUKU, SETAGAYA)
            found = asked(world, world.inquiry_spec(moved, by=SETAGAYA, provider=SHINJUKU))
            drawn.append((moved, found.receipt_number, found.spec.record_id))

    assert drawn[0] == drawn[1]


def test_a_reset_world_knows_nobody_and_takes_people_again(world: World) -> None:
    person = world.addressee(SHINJUKU)
    world.faults.add("STATUS")
    world.clock.advance(days=2)
    moved_on = world.clock.now()

    assert world.reset(keep_clock=True) == 2
    assert world.clock.now() == moved_on
    assert world.faults.strikes() == {}
    with pytest.raises(ChukanError, match="ADDRESSEE_UNKNOWN"):
        linkage_state(world, person.number(SHINJUKU))
    assert world.reset() == 3
    assert world.clock.now() < moved_on
    assert world.addressee(SHINJUKU).number(SHINJUKU)


def test_a_closed_world_is_gone_with_its_clients(emulator: Emulator) -> None:
    world = emulator.new_world()
    client = world.client(SHINJUKU)
    world.close()
    world.close()

    with pytest.raises(ChukanError, match="WORLD_UNKNOWN"):
        world.clock.now()
    with pytest.raises(ValueError, match="closed client"):
        client.inquiries.ListInquiries(inquiry.ListInquiriesRequest())
    assert "WORLD_UNKNOWN" in world.describe()


def test_a_name_in_use_is_refused_even_for_a_world_that_begins_alike(emulator: Emulator) -> None:
    with emulator.new_world("taken"):
        for seed in (0, 1):
            with pytest.raises(ChukanError, match="WORLD_EXISTS"):
                emulator.new_world("taken", random_seed=seed)
    emulator.new_world("taken", random_seed=1).close()


def test_an_emulator_that_is_closed_takes_worlds_nobody_closed_with_it() -> None:
    with Emulator.in_process() as emulator:
        world = emulator.new_world("left")
        world.addressee(SHINJUKU)

    assert world.closed
    assert "closed" in world.describe()


def test_a_world_may_begin_with_the_standard_people_and_take_more(emulator: Emulator) -> None:
    with emulator.new_world(seed="standard") as world:
        lanes = world.client(SHINJUKU).replicas.ListLanes(replica.ListLanesRequest()).lanes
        moved = world.addressee(SHINJUKU, SETAGAYA)
        world.replica(moved, at=SHINJUKU)
        found = asked(world, world.inquiry_spec(moved, by=SETAGAYA, provider=SHINJUKU))

    assert sum(lane.replica_count for lane in lanes) > 300
    assert found.answer_kind == common_pb2.ANSWER_KIND_VALUES
    with pytest.raises(ValueError, match="seed: got 'full', expected empty, standard"):
        emulator.new_world(seed="full")
