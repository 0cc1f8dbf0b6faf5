# SPDX-License-Identifier: Apache-2.0
"""Whatever the state a process dies in, the next one carries on; and whoever does the same at once does it once."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chukan.server.domain.inquiry import InquiryState
from chukan.server.middle import provision_rows
from chukan.standard.reasons import ChukanError
from tests.storage.exchange.world import SETAGAYA, SHINJUKU, build_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.exchange.world import World


@pytest.mark.parametrize(
    ("steps", "cut"),
    [
        ([], ""),
        (["request_permits"], "request_permits"),
        (["request_permits"], ""),
        (["request_permits", "deliver_inquiries"], "deliver_inquiries"),
        (["request_permits", "deliver_inquiries"], "deliver_answers"),
    ],
    ids=["accepted", "permits lost", "permitted", "answer lost", "receipt lost"],
)
def test_a_restart_in_each_state_carries_the_inquiry_on(tmp_path: Path, steps: list[str], cut: str) -> None:
    before = build_world(tmp_path)
    own = before.person(SETAGAYA, SHINJUKU)
    before.register(SHINJUKU, own)
    receipt = before.ask(own)
    if cut:
        before.wires.cut_after.add(cut)
    with contextlib.suppress(ChukanError):
        for kind in steps:
            before.step(kind)
    before.foundation.database.close()

    after = build_world(tmp_path)
    after.run()

    assert after.inquiry(receipt).state is InquiryState.ANSWERED
    assert after.result(receipt).records
    for organization in (SETAGAYA, SHINJUKU):
        assert len(after.side.records.page(organization, after=0, most=10)) == 1
    after.foundation.database.close()


def test_permits_delivered_twice_at_once_are_answered_once(world: World, moved: str) -> None:
    world.ask(moved)
    world.wires.cut_before.add("deliver_inquiries")
    with pytest.raises(ChukanError):
        world.run()
    (delivery,) = world.wires.seen["deliver_inquiries"]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: world.side.provisions.deliver(SHINJUKU, delivery), range(6)))

    assert len({world.foundation.codec.encode(batch) for (batch,) in answers}) == 1
    assert len(world.side.records.page(SHINJUKU, after=0, most=10)) == 1


def test_the_same_inquiry_at_once_is_accepted_once(world: World, moved: str) -> None:
    spec = world.spec(moved)

    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda _: world.side.acceptance.accept_one(SETAGAYA, spec).id, range(6)))

    assert len(set(ids)) == 1
    assert len(world.side.records.page(SETAGAYA, after=0, most=10)) == 1


def test_answers_too_large_for_one_message_come_in_several(
    world: World, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision_rows, "MOST_ITEMS", 1)
    accepted = world.side.acceptance.accept(SETAGAYA, "s", "b", b"d", [world.spec(moved) for _ in range(4)])

    def too_large(delivery):  # noqa: ANN001, ANN202
        if len(delivery.permits) > 2:
            raise ChukanError("MESSAGE_TOO_LARGE")
        return delivery

    world.wires.change["deliver_inquiries"] = too_large
    world.run()

    assert {world.inquiry(receipt).state for receipt in accepted.receipts} == {InquiryState.ANSWERED}
    assert len(world.wires.seen["deliver_answers"]) == 4
    assert [len(delivery.permits) for delivery in world.wires.seen["deliver_inquiries"]] == [2, 2]
    assert world.waiting() == []
