# SPDX-License-Identifier: Apache-2.0
"""Step 1: what is taken in, what is refused with a record, what is not taken in at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chukan.server.domain.exchange import Outcome, ReceiptOutcome
from chukan.server.domain.inquiry import InquiryState
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from tests.storage.exchange.world import CHIYODA, SETAGAYA, SHINJUKU
from tests.storage.middle.samples import number

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"affair": "JM01000000999999"}, "AFFAIR_MISMATCH"),
        ({"procedure": "JT01010000999999"}, "NOT_PERMITTED_PROCEDURE"),
        ({"information": "TM00000000000082"}, "NOT_PERMITTED_INFORMATION"),
        ({"provider": "1419900000002200"}, "NOT_PERMITTED_PROVIDER"),
        ({"provider": "9999999999999999"}, "PROVIDER_UNKNOWN"),
        ({"provider": ""}, "PROVIDER_BLANK"),
        ({"provider": SETAGAYA}, "PROVIDER_IS_INQUIRER"),
        ({"inquirer_delegator": CHIYODA}, "DELEGATION_NOT_REGISTERED"),
        ({"provider_delegator": CHIYODA}, "DELEGATION_NOT_REGISTERED"),
    ],
)
def test_the_first_rule_that_fails_names_the_refusal(
    world: World, moved: str, changed: dict[str, str], reason: str
) -> None:
    inquiry = world.inquiry(world.ask(moved, **changed))

    assert (inquiry.state, inquiry.reason) == (InquiryState.REFUSED, reason)
    record = world.record(SETAGAYA)
    assert (record.outcome, record.reason, record.permit_digest) == (Outcome.REFUSED, reason, "")
    assert world.waiting() == []


def test_an_unknown_person_and_one_without_code_are_told_apart(world: World) -> None:
    linked = world.person(SETAGAYA)
    unlinked = world.person()
    world.codes.register(SETAGAYA, "test", "u", b"d", _addressees(unlinked))

    unknown = world.inquiry(world.ask(number(999)))
    without = world.inquiry(world.ask(unlinked))

    assert (unknown.reason, without.reason) == ("ADDRESSEE_UNKNOWN", "CODE_NOT_ACQUIRED")
    assert without.status.row == "91"
    assert "「９" in without.status.row_message
    assert without.status.row_message.endswith("」は符号が未取得です。")
    assert world.inquiry(world.ask(linked)).state is InquiryState.ACCEPTED


def test_an_individual_number_is_refused_and_never_echoed(world: World) -> None:
    individual = dummy_individual_number(4711)

    for field in ("number", "record_id"):
        with pytest.raises(ChukanError) as refused:
            world.ask(world.person(SETAGAYA) if field != "number" else individual, **_named(field, individual))
        assert refused.value.code == "INDIVIDUAL_NUMBER_REFUSED"
        assert individual not in str(refused.value)
    with pytest.raises(ChukanError) as malformed:
        world.ask("123")
    assert malformed.value.code == "NUMBER_MALFORMED"


def test_the_same_inquiry_again_answers_the_same_receipt(world: World, moved: str) -> None:
    first = world.ask(moved, record_id="SAME")
    again = world.ask(moved, record_id="SAME")

    assert first == again
    assert len(first) == 20
    assert first.startswith("20260701")
    with pytest.raises(ChukanError) as other:
        world.ask(moved, record_id="SAME", consent=False)
    assert (other.value.code, other.value.field) == ("RECORD_ID_EXISTS", "inquiry.record_id")


def test_a_batch_answers_row_by_row_and_again_as_before(world: World, moved: str) -> None:
    specs = [
        world.spec(moved, record_id="A"),
        world.spec(moved, record_id="A"),
        world.spec("1", record_id="B"),
        world.spec(moved, record_id="C", procedure="JT01010000000001"),
        world.spec(moved, record_id="D", period_start="20260231"),
    ]

    first = world.side.acceptance.accept(SETAGAYA, "s", "batch", b"digest", specs)
    again = world.side.acceptance.accept(SETAGAYA, "s", "batch", b"digest", specs)

    assert first.outcomes == [
        ReceiptOutcome.COMMITTED,
        ReceiptOutcome.REFUSED,
        ReceiptOutcome.REFUSED,
        ReceiptOutcome.COMMITTED,
        ReceiptOutcome.REFUSED,
    ]
    assert [(each.row, each.reason) for each in first.failures] == [
        (1, "RECORD_ID_EXISTS"),
        (2, "NUMBER_MALFORMED"),
        (4, "DATE_INVALID"),
    ]
    assert (again.outcomes, again.receipts, again.repeated) == (first.outcomes, first.receipts, True)
    with pytest.raises(ChukanError) as other:
        world.side.acceptance.accept(SETAGAYA, "s", "batch", b"other", specs)
    assert other.value.code == "IDEMPOTENCY_CONFLICT"


def test_a_used_record_id_in_another_batch_is_unchanged_or_refused(world: World, moved: str) -> None:
    kept = world.spec(moved, record_id="A")
    first = world.side.acceptance.accept(SETAGAYA, "s", "one", b"1", [kept])

    second = world.side.acceptance.accept(
        SETAGAYA, "s", "two", b"2", [kept, world.spec(moved, record_id="B"), world.spec(moved, record_id="C")]
    )
    third = world.side.acceptance.accept(
        SETAGAYA, "s", "three", b"3", [world.spec(moved, record_id="A", consent=False)]
    )

    assert second.outcomes[0] == ReceiptOutcome.UNCHANGED
    assert second.receipts[0] == first.receipts[0]
    assert [each.reason for each in third.failures] == ["RECORD_ID_EXISTS"]


@pytest.mark.parametrize("field", ["affair", "procedure", "information"])
def test_an_inquiry_that_says_not_what_is_asked_is_not_taken_in(world: World, moved: str, field: str) -> None:
    with pytest.raises(ChukanError) as refused:
        world.ask(moved, **{field: ""})

    assert (refused.value.code, refused.value.field) == ("FIELD_REQUIRED", f"inquiry.{field}_code")


def test_an_unknown_inquiry_is_named_by_what_was_asked_for(world: World) -> None:
    with pytest.raises(ChukanError) as by_record:
        world.side.desk.by_record(SETAGAYA, "NONE")
    with pytest.raises(ChukanError) as by_receipt:
        world.side.desk.by_receipt(SETAGAYA, "20260701000000000001")

    assert [each.value.field for each in (by_record, by_receipt)] == ["record_id", "receipt_number"]


def test_asking_is_bound_to_the_own_organization(world: World, moved: str) -> None:
    receipt = world.ask(moved)

    with pytest.raises(ChukanError) as absent:
        world.inquiry(receipt, SHINJUKU)
    assert absent.value.code == "INQUIRY_UNKNOWN"


def _addressees(own: str):  # noqa: ANN202
    from chukan.server.domain.linkage import AddresseeBatch  # noqa: PLC0415

    return AddresseeBatch([own])


def _named(field: str, value: str) -> dict[str, str]:
    return {} if field == "number" else {field: value}
