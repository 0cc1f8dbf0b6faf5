# SPDX-License-Identifier: Apache-2.0
"""Whoever names what there is not, or what is gone, reads what happened, where, and what there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from chukan.standard.reasons import ChukanError, reason
from chukan.testing import StageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.testing import Emulator, World

SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"
KANA_OR_KANJI = re.compile("[ぁ-んァ-ヶ一-龠]{2}")

FAULTS: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "an unknown kind": ("status", {}, ("got='status'", "near=STATUS", "one of STATUS, ANSWER_LOST, DELAY")),
    "an unknown parameter": ("DELAY", {"dleay": 3}, ("kind=DELAY", "got=dleay=3", "expected=delay (duration")),
    "a wrong value": ("STATUS", {"status": "ABRTED"}, ("got=status=ABRTED", "status (status, a gRPC status but OK)")),
    "an unknown RPC": (
        "DELAY",
        {"method": "InquiryService/Create"},
        ("got=chukan.v1.InquiryService/Create", "InquiryService/CreateInquiry, InquiryService/CreateInquiries"),
    ),
    "an RPC of no such kind": (
        "STUCK_LANE",
        {"method": "InquiryService/CreateInquiry"},
        ("kind=STUCK_LANE", "expected=chukan.v1.ReplicaService/RegisterReplicas"),
    ),
    "a phase of no such kind": ("STATUS", {"outbound": True}, ("got=FAULT_PHASE_OUTBOUND", "after_commit=True")),
    "two triggers": ("DELAY", {"nth": 1, "every": 2}, ("got=nth, every", "one of them at most")),
    "a trigger below nothing": ("DELAY", {"every": -1}, ("got=every=-1", "expected=1 or more")),
    "a trigger that never comes": ("DELAY", {"per_million": 0}, ("got=per_million=0", "expected=1 or more")),
    "a limit of no strike": ("DELAY", {"at_most": 0}, ("got=at_most=0", "expected=1 or more")),
    "two phases": ("DELAY", {"after_commit": True, "outbound": True}, ("got=after_commit, outbound",)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_can_t_be_set_says_what_could(world: World, name: str) -> None:
    kind, options, told = FAULTS[name]

    with pytest.raises(ChukanError) as caught:
        world.faults.add(kind, **options)

    assert caught.value.code in ("FAULT_KIND_UNKNOWN", "FAULT_PARAMETER_INVALID")
    for each in told:
        assert each in str(caught.value)


STAGES: dict[str, tuple[Callable[[World], object], tuple[str, ...]]] = {
    "an unknown organization": (lambda world: world.addressee("131122"), ("got organization '131122'", "131121 ")),
    "an organization by name": (lambda world: world.client("世田谷"), ("got organization '世田谷'", "131121 世田谷区")),
    "a fault at nobody": (lambda world: world.faults.add("DELAY", organization="99"), ("got organization '99'",)),
    "nobody at all": (lambda world: world.addressee(), ('world.addressee("131121", "131041")',)),
    "an unknown information": (
        lambda world: world.replica("1", at=SETAGAYA, information="TM99"),
        ("got 'TM99'", "INFORMATION_UNKNOWN", "such as TM0"),
    ),
    "an unknown data set": (lambda world: world.replica("1", at=SETAGAYA, data_set="99"), ("got '99'", "one of 0100")),
    "an unknown item": (
        lambda world: world.replica("1", at=SETAGAYA, values={"TK9000201000000": "1"}),
        ("got item 'TK9000201000000'", "such as TK9000201"),
    ),
    "an inquiry nobody permits": (
        lambda world: world.inquiry_spec("1", by=SETAGAYA, provider=SHINJUKU, information="TM99"),
        ("for TM99", "another information (such as TM0"),
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_names_what_there_is_not_says_what_there_is(world: World, name: str) -> None:
    act, told = STAGES[name]

    with pytest.raises(StageError) as caught:
        act(world)

    for each in told:
        assert each in str(caught.value)
    english, japanese = str(caught.value).split("\n")
    assert english.isprintable()
    assert KANA_OR_KANJI.search(japanese)


def test_a_person_asked_for_where_nobody_made_it_known_says_where_it_is(world: World) -> None:
    person = world.addressee(SETAGAYA, link=False)

    with pytest.raises(LookupError, match=rf"not known at {SHINJUKU}; known at {SETAGAYA}; name it too"):
        person.number(SHINJUKU)


def test_a_world_that_is_gone_is_named(emulator: Emulator) -> None:
    world = emulator.new_world("gone")
    world.close()

    for act in (lambda: world.faults.add("DELAY"), lambda: world.clock.advance(days=1), world.await_idle, world.reset):
        with pytest.raises(ChukanError, match=r"WORLD_UNKNOWN: .*world=gone.*; expected=a world that stands"):
            act()
    with pytest.raises(StageError, match=r"(?s)world gone\S* was deleted .*new_world\(\).*削除済み"):
        world.addressee(SETAGAYA)


def test_a_refused_row_is_told_with_what_to_do_in_both_languages(world: World) -> None:
    """As a lane that is held refuses it, whoever held it."""
    person = world.addressee(SHINJUKU)
    world.faults.add("STUCK_LANE", information="TM00000000000002")

    with pytest.raises(StageError) as caught:
        world.replica(person, at=SHINJUKU)
    world.faults.clear()
    with pytest.raises(StageError, match="LANE_HELD") as held:
        world.replica(person, at=SHINJUKU)

    for each, code in ((caught, "SEND_CAP_EXCEEDED"), (held, "LANE_HELD")):
        english, japanese = str(each.value).split("\n")
        assert reason(code).english in english
        assert reason(code).action_english in english
        assert reason(code).action_japanese in japanese
