# SPDX-License-Identifier: Apache-2.0
"""What is answered: zero, nil and no replica are three things; conditions choose; the provider knows the cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.content import Column
from chukan.server.domain.exchange import AnswerKind, Outcome
from chukan.server.domain.inquiry import InquirySpec, InquiryState
from chukan.server.domain.linkage import AddresseeBatch
from chukan.server.network.records import list_records
from chukan.standard.layouts import layout
from chukan.standard.permission_list import permission_list
from tests.storage.exchange.world import CHIYODA, PROCEDURE, SETAGAYA, SHINJUKU, TAX
from tests.storage.middle.samples import number

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


def _number_item() -> str:
    items = layout(TAX, "0801").data_set("0100").items
    return next(item.code for item in items if item.type == "number" and item.nil_allowed and not item.required)


def _provision(world: World, organization: str = SHINJUKU) -> Any:
    return world.side.provision_desk.page(organization, after=0, states=(), most=10)[-1]


def test_zero_and_nil_are_both_values(world: World) -> None:
    zero, nil = world.person(SETAGAYA, SHINJUKU), world.person(SETAGAYA, SHINJUKU)
    code = _number_item()
    world.register(SHINJUKU, zero, nil, columns=[Column(code, ["0", ""], [1], ["01"])])

    receipts = [world.ask(zero), world.ask(nil)]
    world.run()

    found = [{item[0]: item[1:] for item in world.result(receipt).records[0].items}[code] for receipt in receipts]
    assert found == [("0", None), (None, "01")]
    assert all(world.inquiry(receipt).answer_kind is AnswerKind.VALUES for receipt in receipts)


def test_no_replica_is_an_answer_of_its_own(world: World) -> None:
    own = world.person(SETAGAYA, SHINJUKU)

    receipt = world.ask(own)
    world.run()

    inquiry = world.inquiry(receipt)
    assert (inquiry.state, inquiry.answer_kind) == (InquiryState.ANSWERED, AnswerKind.NO_REPLICA)
    assert (inquiry.status.row, inquiry.status.information) == ("09", "02")
    assert world.result(receipt) is None
    assert world.record(SETAGAYA).outcome is world.record(SHINJUKU).outcome is Outcome.NO_REPLICA


def test_five_causes_stand_behind_no_replica(world: World) -> None:
    someone = world.person(SETAGAYA, SHINJUKU)
    causes = {}

    world.ask(world.person(SETAGAYA))
    world.run()
    causes["no code"] = _provision(world).row.reason
    world.ask(world.person(SETAGAYA, SHINJUKU))
    world.run()
    causes["nothing sent"] = _provision(world).row.reason
    world.register(SHINJUKU, someone)
    world.ask(world.person(SETAGAYA, SHINJUKU))
    world.run()
    causes["nothing applies"] = _provision(world).row.reason
    world.ask(someone, period_start="20270401", period_end="20280331")
    world.run()
    causes["year"] = _provision(world).row.reason
    other = world.person(SETAGAYA, SHINJUKU)
    world.register(SHINJUKU, other, start_dates=["20250401"], end_dates=["20260331"], record_keys=["2025"])
    world.ask(other)
    world.run()
    causes["elsewhere"] = _provision(world).row.reason

    assert causes == {
        "no code": "NO_REPLICA_CODE_UNKNOWN",
        "nothing sent": "NO_REPLICA_NOT_SENT",
        "nothing applies": "NO_REPLICA_NOT_APPLICABLE",
        "year": "NO_REPLICA_YEAR_NOT_LOADED",
        "elsewhere": "NO_REPLICA_OTHER_MUNICIPALITY",
    }
    assert {record.reason for _, record in world.side.records.page(SETAGAYA, after=0, most=10)} == {""}


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({}, ["2026"]),
        ({"period_start": "20250401", "period_end": "20260331"}, ["2025"]),
        ({"period_start": "20250401"}, ["2025", "2026"]),
        ({"period_start": "20250401", "condition_kind": "1"}, ["2026"]),
        ({"period_start": "20260110", "year_kind": "1"}, ["2025"]),
    ],
)
def test_period_year_and_latest_choose(world: World, asked: dict[str, str], keys: list[str]) -> None:
    own = world.person(SETAGAYA, SHINJUKU)
    world.register(SHINJUKU, own, start_dates=["20250401"], end_dates=["20260331"], record_keys=["2025"])
    world.register(SHINJUKU, own)

    receipt = world.ask(own, **asked)
    world.run()

    assert [record.record_key for record in world.result(receipt).records] == keys


def test_only_the_items_asked_for_are_provided(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.run()
    first = world.result(receipt).records[0].items[0][0]

    receipt = world.ask(moved, item_codes=(first,))
    world.run()

    assert [item[0] for item in world.result(receipt).records[0].items] == [first]
    assert world.record(SETAGAYA).item_codes == (first,)


def test_a_permit_for_everything_is_limited_by_the_providers_own_list(
    world: World, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is checked twice: what the provider's copy permits some items of is never provided whole."""
    receipt, item = world.ask(moved), layout(TAX, "0801").data_set("0100").items[0].code
    world.step("request_permits")
    shipped = permission_list()
    rows = tuple(
        replace(row, items=(item,)) if row.procedure_code == PROCEDURE and row.information_code == TAX else row
        for row in shipped.rows
    )
    monkeypatch.setattr(world.core.environment.master, "_permissions", replace(shipped, rows=rows))

    world.run()

    content = world.result(receipt)
    assert {code for record in content.records for code, _, _ in record.items} == {item}


def test_nondisclosure_of_either_side_marks_both_records(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    assert not world.record(SETAGAYA).undisclosable

    world.ask(moved, nondisclosure_code="2")
    world.run()
    assert world.record(SETAGAYA).undisclosable
    assert world.record(SHINJUKU).undisclosable

    world.flag(SHINJUKU, moved, nondisclosure=True)
    world.ask(moved)
    world.run()
    assert world.record(SETAGAYA).undisclosable
    assert world.record(SHINJUKU).undisclosable


def test_a_person_whom_the_inquirer_itself_must_not_disclose_is_marked_whatever_the_inquiry_says(
    world: World, moved: str
) -> None:
    """The business system may not know of 支援措置: the flag of the own addressee marks all three records."""
    world.flag(SETAGAYA, moved, nondisclosure=True)

    receipt = world.ask(moved, nondisclosure_code="1")
    exchange = world.record(SETAGAYA).exchange_id
    world.run()

    assert world.inquiry(receipt).state is InquiryState.ANSWERED
    assert world.record(SETAGAYA).undisclosable
    assert world.record(SHINJUKU).undisclosable
    records, _ = list_records(world.core, SETAGAYA, exchange_ids=[exchange], page_size=10)
    assert records[0].undisclosable


def test_a_refused_inquiry_about_a_person_not_to_be_disclosed_is_marked_too(world: World, moved: str) -> None:
    world.flag(SETAGAYA, moved, nondisclosure=True)

    world.ask(moved, affair="JM01000000999999")

    assert world.record(SETAGAYA).outcome is Outcome.REFUSED
    assert world.record(SETAGAYA).undisclosable


def test_who_moved_out_or_died_stays_answerable(world: World, moved: str) -> None:
    """The municipality of 1 January answers for tax: a closed addressee gets no new code and its replicas answer."""
    world.codes.close(SHINJUKU, moved)

    receipt = world.ask(moved)
    world.run()

    assert [record.record_key for record in world.result(receipt).records] == ["2026"]
    assert world.record(SHINJUKU).outcome is Outcome.PROVIDED


def test_what_a_merged_number_held_is_answered_for_the_survivor(world: World) -> None:
    """One person had two numbers at the provider: the records hang on one, the code on the other."""
    own, double = world.person(SETAGAYA, SHINJUKU), number(777)
    world.codes.register(SHINJUKU, "test", "double", b"d", AddresseeBatch([double]))
    world.register(SHINJUKU, double)
    world.flag(SHINJUKU, double, nondisclosure=True)

    world.codes.merge(SHINJUKU, double, own)
    receipt = world.ask(own)
    world.run()

    assert [record.record_key for record in world.result(receipt).records] == ["2026"]
    assert world.record(SHINJUKU).undisclosable


def test_many_inquiries_go_under_one_signature_and_are_answered_each(world: World) -> None:
    people = [world.person(SETAGAYA, SHINJUKU) for _ in range(5)]
    world.register(SHINJUKU, *people[:4])
    specs = [world.spec(own, department="税務課" if at % 2 else "") for at, own in enumerate(people)]

    accepted = world.side.acceptance.accept(SETAGAYA, "s", "b", b"d", specs)
    world.run()

    assert len(world.wires.seen["request_permits"]) == 1
    (batch,) = world.wires.seen["deliver_answers"]
    assert len(batch.groups) == 2
    kinds = [world.inquiry(receipt).answer_kind for receipt in accepted.receipts]
    assert kinds == [AnswerKind.VALUES] * 4 + [AnswerKind.NO_REPLICA]
    read = world.results(accepted.receipts)
    asked = [world.foundation.codec.decode(InquirySpec, each.inquiry.asked).number for each in read.results]
    assert (asked, read.unavailable, read.looked_at) == (people, [], len(people))


def test_as_many_answers_are_opened_as_fit_and_one_at_least(world: World, moved: str) -> None:
    receipts = [world.ask(moved) for _ in range(3)]
    world.run()
    size = len(world.results(receipts).results[0].content)

    for room, opened in ((1, 1), (size, 1), (3 * size, 2), (5 * size, 3)):
        read = world.results(receipts, most_bytes=room)

        assert [each.inquiry.receipt_number for each in read.results] == receipts[:opened]
        assert read.looked_at == opened


def test_a_provider_that_is_not_connected_leaves_the_inquiry_open(world: World, moved: str) -> None:
    receipt = world.ask(moved, provider=CHIYODA)
    world.step("request_permits")

    assert world.inquiry(receipt).state in {InquiryState.PERMITTED, InquiryState.REFUSED, InquiryState.ACCEPTED}
