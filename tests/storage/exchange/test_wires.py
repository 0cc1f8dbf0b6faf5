# SPDX-License-Identifier: Apache-2.0
"""What is lost, doubled or changed on the way: nothing is lost, nothing counted twice, nothing foreign believed."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.exchange import (
    AnswerBatch,
    AnswerLeaf,
    Outcome,
    PermitLeaf,
    ReceiptOutcome,
    digest,
    milliseconds,
)
from chukan.server.domain.inquiry import InquiryState
from chukan.server.middle.record_comparison import Place
from chukan.server.middle.sealed_answers import DraftAnswer
from chukan.server.network.permits import sign_permits
from chukan.standard.reasons import ChukanError
from tests.storage.exchange.world import CHIYODA, NOON, SETAGAYA, SHINJUKU

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


def _counts(world: World) -> tuple[int, int]:
    return tuple(  # type: ignore[return-value]
        len(world.side.records.page(organization, after=0, most=100)) for organization in (SETAGAYA, SHINJUKU)
    )


@pytest.mark.parametrize("wire", ["request_permits", "deliver_inquiries", "deliver_answers"])
@pytest.mark.parametrize("where", ["cut_before", "cut_after"])
def test_a_cut_wire_is_tried_again_and_nothing_is_doubled(world: World, moved: str, wire: str, where: str) -> None:
    receipt = world.ask(moved)

    getattr(world.wires, where).add(wire)
    with contextlib.suppress(ChukanError):  # the network keeps answers the inquirer can't take for later
        world.run()
    getattr(world.wires, where).clear()
    world.run()

    assert world.inquiry(receipt).state is InquiryState.ANSWERED
    assert world.result(receipt).records
    assert _counts(world) == (1, 1)
    world.side.comparison.walk(SETAGAYA, Place())
    world.run()
    compared = world.side.comparison.walk(SETAGAYA, Place())
    assert [each.state.name for each in compared.found] == ["AGREES"]


def test_a_lost_answer_comes_back_verbatim(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]
    (sent,) = world.wires.seen["deliver_answers"]

    again = world.side.provisions.deliver(SHINJUKU, delivery)

    assert again == (sent,)
    assert world.side.answers.deliver(SETAGAYA, sent).outcomes == (ReceiptOutcome.UNCHANGED,)
    assert _counts(world) == (1, 1)


def _resigned(world: World, delivery: Any, *leaves: PermitLeaf) -> Any:
    """Return the delivery with other permits under the network's own signature."""
    encoded = [world.foundation.codec.encode(leaf) for leaf in leaves]
    statement = sign_permits(world.core, encoded, inquirer=SETAGAYA, request_digest=bytes(32))
    return replace(delivery, statement=statement, permits=tuple(encoded))


def _leaf(world: World, batch: Any, at: int = 0) -> AnswerLeaf:
    return world.foundation.codec.decode(AnswerLeaf, batch.leaves[at])


def test_other_content_on_a_used_nonce_or_exchange_is_a_replay_and_recorded(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]
    permit = world.foundation.codec.decode(PermitLeaf, delivery.permits[0])
    same_nonce = permit._replace(exchange_digest=bytes(32))
    same_exchange = permit._replace(nonce=bytes(16))

    for forged in (same_nonce, same_exchange):
        (answer,) = world.side.provisions.deliver(SHINJUKU, _resigned(world, delivery, forged))
        leaf = _leaf(world, answer)
        assert (leaf.outcome, leaf.reason) == (Outcome.REFUSED, "PERMIT_REPLAYED")
        assert not answer.ciphertexts[0]
        assert world.record(SHINJUKU).reason == "PERMIT_REPLAYED"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"provider": CHIYODA}, "PERMIT_ROUTE_MISMATCH"),
        ({"inquirer": CHIYODA}, "PERMIT_ROUTE_MISMATCH"),
        ({"route": ""}, "PERMIT_ROUTE_MISMATCH"),
        ({"recipient_thumbprint": bytes(32)}, "PERMIT_CONTENT_MISMATCH"),
        ({"expire_time_ms": 1}, "PERMIT_EXPIRED"),
        ({"affair": "JM99999999999999"}, "PROVIDER_LIST_REFUSES"),
        ({"procedure": "JT01010000000001"}, "PROVIDER_LIST_REFUSES"),
    ],
)
def test_the_provider_checks_every_permit_itself(
    world: World, moved: str, changed: dict[str, Any], reason: str
) -> None:
    world.ask(moved)
    world.wires.cut_before.add("deliver_inquiries")
    with pytest.raises(ChukanError):
        world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]
    permit = world.foundation.codec.decode(PermitLeaf, delivery.permits[0])

    (answer,) = world.side.provisions.deliver(SHINJUKU, _resigned(world, delivery, permit._replace(**changed)))

    leaf = _leaf(world, answer)
    assert (leaf.outcome, leaf.reason) == (Outcome.REFUSED, reason)
    assert world.record(SHINJUKU).outcome is Outcome.REFUSED


def test_consent_is_asked_for_on_every_side(world: World, moved: str) -> None:
    terms = {"affair": "JM99000000006200", "procedure": "JT99000000006201"}
    assert world.inquiry(world.ask(moved, consent=False, **terms)).reason == "CONSENT_MISSING"
    receipt = world.ask(moved, **terms)
    world.run()
    assert world.inquiry(receipt).state is InquiryState.ANSWERED

    (delivery,) = world.wires.seen["deliver_inquiries"]
    permit = world.foundation.codec.decode(PermitLeaf, delivery.permits[0])
    forged = permit._replace(consent=False, nonce=bytes(16), exchange_digest=bytes(32))
    (answer,) = world.side.provisions.deliver(SHINJUKU, _resigned(world, delivery, forged))
    assert _leaf(world, answer).reason == "PROVIDER_LIST_REFUSES"


def test_a_permit_the_network_did_not_sign_is_not_answered(world: World, moved: str) -> None:
    world.ask(moved)
    world.wires.cut_before.add("deliver_inquiries")
    with pytest.raises(ChukanError):
        world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]
    forged = replace(delivery.statement, payload=delivery.statement.payload + b"\x00")
    moved_leaf = delivery.permits[0] + b"\x00"

    for tampered in (replace(delivery, statement=forged), replace(delivery, permits=(moved_leaf,))):
        with pytest.raises(ChukanError) as refused:
            world.side.provisions.deliver(SHINJUKU, tampered)
        assert refused.value.code in {"SIGNATURE_INVALID", "INCLUSION_PROOF_INVALID"}
    assert _counts(world) == (1, 0)


def test_no_answer_is_believed_that_was_changed_on_the_way(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.wires.cut_before.add("deliver_answers")
    with pytest.raises(ChukanError):
        world.run()
    sent = world.wires.seen["deliver_answers"][0]
    ciphertext = sent.ciphertexts[0]
    flipped = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    changes = [
        replace(sent, ciphertexts=(flipped,)),
        replace(sent, leaves=(sent.leaves[0] + b"\x00",)),
        replace(sent, groups=(replace(sent.groups[0], sealed_secret=bytes(200)),)),
        replace(sent, provider=CHIYODA),
    ]

    for changed in changes:
        try:
            receipt_ = world.side.answers.deliver(SETAGAYA, changed)
        except ChukanError:
            continue
        assert receipt_.outcomes == (ReceiptOutcome.REFUSED,)
        assert receipt_.acknowledgement is None
    assert world.inquiry(receipt).state is InquiryState.PERMITTED

    with pytest.raises(ChukanError):
        world.side.answers.deliver(CHIYODA, sent)


def test_a_provider_can_not_say_two_things_about_one_permit(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]
    permit = world.foundation.codec.decode(PermitLeaf, delivery.permits[0])
    draft = DraftAnswer(
        permit=permit, permit_digest=digest(delivery.permits[0]), outcome=Outcome.REFUSED, reason="NOT_PERMITTED"
    )
    other = world.side.provision_desk._sealer.seal(SHINJUKU, SETAGAYA, bytes(32), [draft], milliseconds(NOON)).batch

    told = world.side.answers.deliver(SETAGAYA, other)

    assert (told.outcomes, told.acknowledgement) == ((ReceiptOutcome.REFUSED,), None)
    assert [each.reason for each in told.failures] == ["PERMIT_REPLAYED"]
    assert world.inquiry(receipt).state is InquiryState.ANSWERED
    assert world.record(SETAGAYA).outcome is Outcome.PROVIDED


def test_the_network_sees_no_content(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.run()

    records = world.result(receipt).records
    texts = [item[1] for record in records for item in record.items if item[1] and len(item[1]) >= 4]
    over_the_wire = b"".join(
        world.foundation.codec.encode(each)
        for name in ("deliver_inquiries", "deliver_answers")
        for each in world.wires.seen[name]
    )
    assert texts
    assert moved.encode() not in over_the_wire
    assert not [text for text in texts if text.encode() in over_the_wire and not text.isdigit()]


def test_an_answer_that_overtakes_its_permit_waits_for_it(world: World, moved: str) -> None:
    receipt = world.ask(moved)
    world.wires.cut_after.add("request_permits")
    with pytest.raises(ChukanError):
        world.step("request_permits")

    world.step("deliver_inquiries")

    assert world.inquiry(receipt).state is InquiryState.ACCEPTED
    assert world.waiting() == ["deliver_answers", "request_permits"]
    world.wires.cut_after.clear()
    world.step("request_permits")
    world.step("deliver_answers")
    assert world.inquiry(receipt).state is InquiryState.ANSWERED


def test_answers_whose_columns_are_of_unequal_length_are_no_answers(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    (sent,) = world.wires.seen["deliver_answers"]
    codec = world.foundation.codec

    assert codec.decode(AnswerBatch, codec.encode(sent)) == sent
    for cut in (replace(sent, ciphertexts=()), replace(sent, group_indexes=()), replace(sent, leaves=())):
        with pytest.raises(ChukanError) as refused:
            codec.decode(AnswerBatch, codec.encode(cut))
        assert refused.value.code == "COLUMNS_UNEQUAL"
