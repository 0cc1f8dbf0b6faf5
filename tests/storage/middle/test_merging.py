# SPDX-License-Identifier: Apache-2.0
"""統合: what becomes of codes, replicas and flags when two numbers turn out to be one person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.linkage import AddresseeBatch, AddresseeState, CodeDelivery, LinkageState
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import CARE, OWN, RESIDENT, TAX, batch, number

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO, THREE = map(number, range(1, 4))
KEY = (TAX, "0100", "2026")
CODE, OTHER_CODE = b"c" * 32, b"d" * 32


def before_the_next_write(middle: Any, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something else be committed between what the next call reads and its own write."""
    write = middle.database.write

    def late(organization: str, step: Callable[[Any], Any]) -> Any:
        monkeypatch.undo()
        happens()
        return write(organization, step)

    monkeypatch.setattr(middle.database, "write", late)


def test_merging_hands_the_code_to_the_survivor(middle: Any) -> None:
    middle.link(ONE, CODE)
    middle.register(TWO)

    survivor = middle.codes.merge(OWN, ONE, TWO)

    gone = middle.codes.get(OWN, ONE)
    assert survivor.linkage_code == CODE
    assert (gone.state, gone.linkage_code) == (AddresseeState.MERGED, None)
    assert middle.codes.survivor(OWN, gone) == TWO


def test_merging_moves_every_replica_with_its_versions(middle: Any) -> None:
    """Records move, history is kept (domain facts §3g): what the merged number held is answered for the survivor."""
    middle.register(ONE, TWO)
    for given in (
        batch([ONE], batch_id="a"),
        batch([ONE], batch_id="b", start_dates=["20260501"]),
        batch([ONE], batch_id="c", information_code=CARE, data_set="0101", record_keys=["p"]),
    ):
        middle.replicas.register(OWN, "s", given, b"d")
    middle.replicas.delete(OWN, "s", ONE, (CARE, "0101", "p"), "sent by mistake")

    middle.codes.merge(OWN, ONE, TWO)

    assert [row.version for row in middle.replicas.versions(OWN, TWO, KEY, before=0, most=10)] == [2, 1]
    assert middle.replicas.get(OWN, TWO, KEY).content
    assert len(middle.replicas.versions(OWN, TWO, (CARE, "0101", "p"), before=0, most=10)) == 2
    with pytest.raises(ChukanError, match="REPLICA_UNKNOWN"):
        middle.replicas.get(OWN, ONE, KEY)


def test_a_replica_both_numbers_hold_stops_the_merge_and_is_named(middle: Any) -> None:
    """Which of two records of one key is right, a person decides; nothing of the merge is done meanwhile."""
    middle.link(ONE, CODE)
    middle.register(TWO)
    middle.replicas.register(OWN, "s", batch([ONE, TWO]), b"d")

    with pytest.raises(ChukanError) as raised:
        middle.codes.merge(OWN, ONE, TWO)

    assert (raised.value.code, raised.value.params) == ("REPLICAS_COLLIDE", {"replicas": "TM00000000000002/0100"})
    assert middle.codes.get(OWN, ONE).linkage_code == CODE
    assert middle.codes.get(OWN, ONE).state is AddresseeState.ACTIVE
    middle.replicas.delete(OWN, "s", ONE, KEY, "held twice")
    assert middle.codes.merge(OWN, ONE, TWO).linkage_code == CODE
    assert middle.replicas.get(OWN, TWO, KEY).version == 1
    assert len(middle.replicas.versions(OWN, ONE, KEY, before=0, most=10)) == 2


def test_records_of_one_day_under_two_keys_stop_the_merge(middle: Any) -> None:
    """Where a layout tells records apart by dates, one person has one record a day, after a merge too."""
    middle.register(ONE, TWO)
    for number_, key in ((ONE, "1"), (TWO, "2")):
        given = batch([number_], batch_id=key, information_code=RESIDENT, record_keys=[key], end_dates=[""])
        middle.replicas.register(OWN, "s", given, b"d")

    with pytest.raises(ChukanError) as raised:
        middle.codes.merge(OWN, ONE, TWO)

    assert (raised.value.code, raised.value.params) == ("REPLICAS_COLLIDE", {"replicas": "TM00000000000001/0100"})


def test_merging_keeps_the_protection_of_both(middle: Any) -> None:
    """A person fleeing an abuser stays protected whichever number the flags were set under."""
    middle.codes.register(
        OWN,
        "s",
        "b",
        b"d",
        AddresseeBatch(
            [ONE, TWO],
            nondisclosure=frozenset({0}),
            self_information_disabled=frozenset({0}),
            auto_response_disabled={0: frozenset({CARE}), 1: frozenset({TAX})},
        ),
    )

    survivor = middle.codes.merge(OWN, ONE, TWO)

    assert (survivor.nondisclosure, survivor.self_information_disabled) == (True, True)
    assert survivor.auto_response_disabled == {CARE, TAX}
    assert survivor.state is AddresseeState.ACTIVE


@pytest.mark.parametrize("issued", [False, True])
def test_merging_while_a_code_is_acquired_acquires_it_for_the_survivor(middle: Any, *, issued: bool) -> None:
    """A processing number is for one acquisition of one number: it is purged, and the survivor gets one of its own."""
    middle.register(ONE, TWO)
    middle.codes.request_code(OWN, ONE)
    if issued:
        middle.issue()
    held = middle.codes.get(OWN, ONE).processing_number

    survivor = middle.codes.merge(OWN, ONE, TWO)
    middle.issue()

    gone = middle.codes.get(OWN, ONE)
    assert survivor.linkage_state is LinkageState.REQUESTED
    assert (gone.linkage_state, gone.processing_number) == (LinkageState.NOT_REQUESTED, "")
    if issued:
        answer = middle.acquisition.deliver(OWN, [CodeDelivery(held, CODE)])
        assert [failure.reason for failure in answer.failures] == ["PROCESSING_NUMBER_UNKNOWN"]
    fresh = middle.codes.get(OWN, TWO).processing_number
    assert fresh not in {"", held}
    middle.acquisition.deliver(OWN, [CodeDelivery(fresh, CODE)])
    assert middle.codes.get(OWN, TWO).linkage_code == CODE


def test_merging_into_a_number_that_has_its_code_ends_the_acquisition(middle: Any) -> None:
    middle.link(TWO, CODE)
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()

    survivor = middle.codes.merge(OWN, ONE, TWO)

    assert (survivor.linkage_state, survivor.linkage_code) == (LinkageState.LINKED, CODE)
    assert middle.codes.get(OWN, ONE).linkage_state is LinkageState.NOT_REQUESTED


@pytest.mark.parametrize("holder", [ONE, TWO])
def test_a_code_that_comes_while_two_numbers_are_merged_is_not_lost(
    middle: Any, monkeypatch: pytest.MonkeyPatch, holder: str
) -> None:
    """What was read and sealed before the write is believed only if it still holds inside it."""
    middle.register(ONE, TWO)
    middle.codes.request_code(OWN, holder)
    middle.issue()
    delivery = CodeDelivery(middle.codes.get(OWN, holder).processing_number, CODE)
    before_the_next_write(middle, monkeypatch, lambda: middle.acquisition.deliver(OWN, [delivery]))

    survivor = middle.codes.merge(OWN, ONE, TWO)

    assert (survivor.linkage_state, survivor.linkage_code) == (LinkageState.LINKED, CODE)
    assert middle.codes.get(OWN, ONE).linkage_code is None


def test_a_code_that_goes_while_two_numbers_are_merged_leaves_nobody_linked(
    middle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    middle.link(ONE, CODE)
    middle.register(TWO)
    before_the_next_write(middle, monkeypatch, lambda: middle.codes.split(OWN, ONE, THREE, []))

    survivor = middle.codes.merge(OWN, ONE, TWO)

    assert (survivor.linkage_state, survivor.linkage_code) == (LinkageState.NOT_REQUESTED, None)


def test_two_different_codes_are_not_one_person(middle: Any) -> None:
    middle.link(ONE, CODE)
    middle.link(TWO, OTHER_CODE)

    with pytest.raises(ChukanError) as raised:
        middle.codes.merge(OWN, ONE, TWO)

    assert raised.value.code == "CODES_DIFFER"
