# SPDX-License-Identifier: Apache-2.0
"""What time ends, what staff end, and what waits for two people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.exchange import Outcome, ReceiptOutcome
from chukan.server.domain.inquiry import InquiryState
from chukan.server.domain.provision import ProvisionState
from chukan.standard.reasons import ChukanError
from tests.storage.exchange.world import SETAGAYA, SHINJUKU, TAX

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


def _run_cut(world: World, *wires: str) -> None:
    world.wires.cut_before.update(wires)
    with pytest.raises(ChukanError):
        world.run()


def test_an_inquiry_without_answer_ends_timed_out_and_the_network_is_told(world: World, moved: str) -> None:
    receipt = world.ask(moved, time_out_ms=60_000)
    _run_cut(world, "deliver_inquiries")

    world.clock.advance(timedelta(seconds=61))
    world.side.timer.run_due()

    inquiry = world.inquiry(receipt)
    assert (inquiry.state, inquiry.reason, inquiry.status.row) == (InquiryState.TIMED_OUT, "TIMED_OUT", "95")
    assert world.record(SETAGAYA).outcome is Outcome.TIMED_OUT
    world.step("commit_outcomes")
    assert [each.outcome for each in world.wires.seen["commit_records"][0]] == [Outcome.TIMED_OUT]


@pytest.mark.parametrize("end", ["time", "cancel"])
def test_a_late_answer_is_recorded_but_never_shown(world: World, moved: str, end: str) -> None:
    receipt = world.ask(moved, time_out_ms=60_000)
    _run_cut(world, "deliver_answers")
    late = world.wires.seen["deliver_answers"][0]
    if end == "time":
        world.clock.advance(timedelta(seconds=61))
        world.side.timer.run_due()
    else:
        world.side.desk.cancel(SETAGAYA, receipt)
    ended = world.inquiry(receipt).state

    told = world.side.answers.deliver(SETAGAYA, late)
    again = world.side.answers.deliver(SETAGAYA, late)

    assert (told.outcomes, again.outcomes) == ((ReceiptOutcome.COMMITTED,), (ReceiptOutcome.UNCHANGED,))
    assert world.inquiry(receipt).state is ended
    assert world.results([receipt]).unavailable[0].reason == "INQUIRY_HAS_NO_RESULT"
    record = world.record(SETAGAYA)
    assert record.outcome in {Outcome.TIMED_OUT, Outcome.CANCELLED}
    assert record.provision_time_ms
    assert record.item_codes


def test_cancelling_is_idempotent_and_ends_with_the_end(world: World, moved: str) -> None:
    receipt = world.ask(moved)

    assert world.side.desk.cancel(SETAGAYA, receipt).state is InquiryState.CANCELLED
    assert world.side.desk.cancel(SETAGAYA, receipt).state is InquiryState.CANCELLED
    world.run()

    assert world.inquiry(receipt).state is InquiryState.CANCELLED
    assert "request_permits" not in world.wires.seen
    done = world.ask(moved)
    world.run()
    with pytest.raises(ChukanError) as late:
        world.side.desk.cancel(SETAGAYA, done)
    assert late.value.code == "INQUIRY_FINISHED"
    with pytest.raises(ChukanError) as unknown:
        world.side.desk.cancel(SETAGAYA, "2026070199999999999x")
    assert unknown.value.code == "INQUIRY_UNKNOWN"


def test_every_open_state_has_somebody_who_repairs_it(world: World, moved: str) -> None:
    accepted, permitted = world.ask(moved), world.ask(moved)
    with world.foundation.database.read() as connection:
        items, _ = world.foundation.outbox.due(connection, SETAGAYA, "request_permits", most=9, most_bytes=1 << 20)
    world.side.steps.gave_up()["request_permits"](items)
    assert world.waiting() == []

    world.clock.advance(timedelta(seconds=61))
    world.side.timer.run_due()
    world.step("request_permits")
    with world.foundation.database.read() as connection:
        items, _ = world.foundation.outbox.due(connection, SHINJUKU, "deliver_inquiries", most=9, most_bytes=1 << 20)
    world.foundation.database.write(
        SHINJUKU, lambda connection: world.foundation.outbox.done(connection, [item.id for item in items])
    )
    assert world.inquiry(permitted).state is InquiryState.PERMITTED

    world.clock.advance(timedelta(seconds=121))
    world.side.timer.run_due()
    world.run()

    assert len(world.wires.seen["forward"]) == 1
    assert {world.inquiry(each).state for each in (accepted, permitted)} == {InquiryState.ANSWERED}


def test_results_are_erased_after_their_time(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.run()
    expires = world.inquiry(receipt).result_expire_time_ms
    assert expires

    world.clock.advance(timedelta(days=14, seconds=1))
    assert world.results([receipt]).unavailable[0].reason == "RESULT_EXPIRED"
    world.side.timer.run_due()

    with world.foundation.database.read() as connection:
        assert not world.side.inquiries.any_expired(connection, now=expires + 1)


def test_acknowledging_counts_once(world: World, moved: str) -> None:
    done, still_open = world.ask(moved), None
    world.run()
    still_open = world.ask(moved)

    assert world.side.desk.acknowledge(SETAGAYA, [done])[0] == 1
    count, unavailable = world.side.desk.acknowledge(SETAGAYA, [done, still_open, "0" * 20])
    assert count == 0
    assert [each.reason for each in unavailable] == ["INQUIRY_NOT_FINISHED", "INQUIRY_UNKNOWN"]
    assert world.inquiry(done).acknowledge_time_ms


def test_a_watch_that_goes_on_from_its_token_misses_nothing(world: World, moved: str) -> None:
    first = world.ask(moved)
    seen = world.side.desk.changed(SETAGAYA, after=0, finished_only=False, most=10)
    assert [each.state for each in seen] == [InquiryState.ACCEPTED]

    second = world.ask(moved)
    world.run()

    rest = world.side.desk.changed(SETAGAYA, after=seen[-1].change_seq, finished_only=False, most=10)
    assert {each.receipt_number for each in rest} == {first, second}
    assert [each.change_seq for each in rest] == sorted(each.change_seq for each in rest)
    assert world.side.desk.changed(SETAGAYA, after=rest[-1].change_seq, finished_only=True, most=10) == []


def test_a_watch_of_what_is_not_acknowledged_is_silent_about_what_is(world: World, moved: str) -> None:
    done, other = world.ask(moved), world.ask(moved)
    world.run()
    world.side.desk.acknowledge(SETAGAYA, [done])

    for finished_only in (False, True):
        left = world.side.desk.changed(
            SETAGAYA, after=0, most=10, finished_only=finished_only, unacknowledged_only=True
        )
        assert [each.receipt_number for each in left] == [other]


# --- 自動応答不可 ---


def _waiting(world: World, own: str) -> tuple[str, Any]:
    world.flag(SHINJUKU, own, manual=TAX)
    receipt = world.ask(own)
    world.run()
    assert world.inquiry(receipt).state is InquiryState.WAITING_FOR_APPROVAL
    (shown,) = world.side.provision_desk.page(SHINJUKU, after=0, states=[ProvisionState.WAITING], most=10)
    return receipt, str(shown.row.id)


def test_what_is_not_answered_automatically_needs_two_people(world: World, moved: str) -> None:
    receipt, provision = _waiting(world, moved)
    desk = world.side.provision_desk
    assert desk.content(SHINJUKU, provision)
    assert world.record(SETAGAYA).outcome is world.record(SHINJUKU).outcome is Outcome.PENDING

    with pytest.raises(ChukanError) as early:
        desk.confirm(SHINJUKU, provision, "b")
    assert early.value.code == "PROVISION_NOT_WAITING"
    desk.approve(SHINJUKU, provision, "a")
    for user in ("a", ""):
        with pytest.raises(ChukanError) as same:
            desk.confirm(SHINJUKU, provision, user)
        assert same.value.code == "SECOND_PERSON_REQUIRED"
    shown = desk.confirm(SHINJUKU, provision, "b")
    world.run()

    assert shown.row.state == ProvisionState.PROVIDED
    assert world.inquiry(receipt).state is InquiryState.ANSWERED
    assert world.result(receipt).records == desk.content(SHINJUKU, provision)
    assert world.record(SETAGAYA).outcome is world.record(SHINJUKU).outcome is Outcome.PROVIDED
    (delivery,) = world.wires.seen["deliver_inquiries"]
    (again,) = world.side.provisions.deliver(SHINJUKU, delivery)
    assert again == world.wires.seen["return_answers"][0]


def test_nobody_can_confirm_what_the_permit_no_longer_covers(world: World, moved: str) -> None:
    _, provision = _waiting(world, moved)
    desk = world.side.provision_desk
    desk.approve(SHINJUKU, provision, "a")
    world.clock.advance(timedelta(days=1, seconds=1))

    with pytest.raises(ChukanError) as late:
        desk.confirm(SHINJUKU, provision, "b")

    assert late.value.code == "PERMIT_EXPIRED"
    assert world.record(SHINJUKU).outcome is Outcome.PENDING
    assert desk.refuse(SHINJUKU, provision, "too late").row.state == ProvisionState.REFUSED


def test_a_correction_takes_the_place_of_the_content_and_of_the_approval(world: World, moved: str) -> None:
    receipt, provision = _waiting(world, moved)
    desk = world.side.provision_desk
    held = desk.content(SHINJUKU, provision)
    corrected = (held[0]._replace(period_end="20261231"),)

    desk.approve(SHINJUKU, provision, "a")
    desk.correct(SHINJUKU, provision, corrected, "wrong amount")
    with pytest.raises(ChukanError):
        desk.confirm(SHINJUKU, provision, "b")
    desk.approve(SHINJUKU, provision, "c")
    desk.confirm(SHINJUKU, provision, "b")
    world.run()

    assert world.result(receipt).records == corrected


def test_staff_may_refuse_and_the_reason_stays_here(world: World, moved: str) -> None:
    receipt, provision = _waiting(world, moved)

    world.side.provision_desk.refuse(SHINJUKU, provision, "内部の理由")
    world.run()

    inquiry = world.inquiry(receipt)
    assert (inquiry.state, inquiry.reason) == (InquiryState.REFUSED, "REFUSED_BY_PROVIDER")
    sent = world.foundation.codec.encode(world.wires.seen["return_answers"][0])
    assert "内部の理由".encode() not in sent
    with pytest.raises(ChukanError) as decided:
        world.side.provision_desk.approve(SHINJUKU, provision, "a")
    assert decided.value.code == "PROVISION_NOT_WAITING"


def test_who_received_a_persons_records_can_be_traced(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()

    (found,) = world.side.records.trace(SHINJUKU, moved, information=TAX, after=0, most=10)

    assert (found[1].inquirer, found[1].outcome) == (SETAGAYA, Outcome.PROVIDED)
    with pytest.raises(ChukanError) as unknown:
        world.side.records.trace(SHINJUKU, "9" * 15, information="", after=0, most=10)
    assert unknown.value.code == "ADDRESSEE_UNKNOWN"


def test_a_comparison_never_takes_an_unreachable_network_for_agreement(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    world.wires.cut_before.add("network_records")
    exchange = world.record(SETAGAYA).exchange_id

    for _ in range(2):
        found = world.side.comparison.named(SETAGAYA, [exchange])
        assert found[0].state.name == "UNKNOWN"
        with pytest.raises(ChukanError):
            world.run()
