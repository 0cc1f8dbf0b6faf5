# SPDX-License-Identifier: Apache-2.0
"""One inquiry from acceptance to the opened answer, in four durable steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.exchange import AnswerKind, Outcome
from chukan.server.domain.exchange_record import RecordSide
from chukan.server.domain.inquiry import InquiryState
from tests.storage.exchange.world import SETAGAYA, SHINJUKU
from tests.storage.middle.samples import number

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


def test_an_inquiry_is_answered_in_four_durable_steps(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    assert world.inquiry(receipt).state is InquiryState.ACCEPTED

    world.step("request_permits")
    assert world.inquiry(receipt).state is InquiryState.PERMITTED

    world.step("deliver_inquiries")
    inquiry = world.inquiry(receipt)
    assert inquiry.state is InquiryState.ANSWERED
    assert inquiry.answer_kind is AnswerKind.VALUES
    assert (inquiry.status.row, inquiry.status.information) == ("09", "01")
    assert inquiry.legal_basis
    assert inquiry.permission_row_id
    assert world.waiting() == []

    content = world.result(receipt)
    assert content.recipient == SETAGAYA
    assert [record.record_key for record in content.records] == ["2026"]
    assert content.records[0].items


def test_the_three_records_agree(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()

    asked, provided = world.record(SETAGAYA), world.record(SHINJUKU)
    assert (asked.side, provided.side) == (RecordSide.INQUIRER, RecordSide.PROVIDER)
    assert asked.outcome is provided.outcome is Outcome.PROVIDED
    for name in ("exchange_id", "permit_digest", "inquiry_time_ms", "provision_time_ms", "item_codes", "information"):
        assert getattr(asked, name) == getattr(provided, name), name
    assert asked.item_codes
    for organization in (SETAGAYA, SHINJUKU):
        found = world.side.comparison.named(organization, [asked.exchange_id])
        assert found[0].state.name == "UNKNOWN"
        world.run()
        found = world.side.comparison.named(organization, [asked.exchange_id])
        assert (found[0].state.name, found[0].differing_fields) == ("AGREES", ())


def test_a_refusal_is_a_result_with_its_reason_and_is_recorded(world: World, moved: str) -> None:
    receipt = world.ask(moved, procedure="JT01010000000001")

    inquiry = world.inquiry(receipt)
    assert inquiry.state is InquiryState.REFUSED
    assert inquiry.reason == "NOT_PERMITTED_INFORMATION"
    assert inquiry.status.row_message == (
        "指定された特定個人情報名「ＴＭ０００００００００００００２」の照会は許可されていません。"
    )
    assert world.record(SETAGAYA).outcome is Outcome.REFUSED
    assert world.waiting() == []


def test_one_person_stays_one_when_the_individual_number_changes_between_two_acquisitions(world: World) -> None:
    """A acquires under the old number, B under the new one: B's inquiry still finds the person at A (番号法7条2項)."""
    old, new = 501, 502
    here, there = number(old), number(new)
    world.notify(old)
    world.link(SHINJUKU, there, old)
    world.register(SHINJUKU, there)

    world.notify(new, code_of=old)
    world.link(SETAGAYA, here, new)
    receipt = world.ask(here)
    world.run()

    inquiry = world.inquiry(receipt)
    assert (inquiry.state, inquiry.answer_kind) == (InquiryState.ANSWERED, AnswerKind.VALUES)
    assert [record.record_key for record in world.result(receipt).records] == ["2026"]
