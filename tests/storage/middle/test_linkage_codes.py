# SPDX-License-Identifier: Apache-2.0
"""Addressees and the acquisition of their codes (domain §3a and its bad cases)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chukan.server.domain.linkage import AddresseeBatch, AddresseeState, CodeDelivery, LinkageState, Outcome
from chukan.server.middle.repeats import Repeat
from chukan.server.storage.addressees import AddresseeStore
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import OTHER, OWN, number

if TYPE_CHECKING:
    from chukan.server.domain.linkage import BatchAnswer

ONE, TWO, THREE, FOUR = map(number, range(1, 5))
CODE, OTHER_CODE = b"c" * 32, b"d" * 32


def reasons(answer: BatchAnswer) -> list[str]:
    return [failure.reason for failure in answer.failures]


def _stop(_organization: str, _step: object) -> None:
    raise ChukanError("STORAGE_UNAVAILABLE")


def test_a_resent_batch_answers_as_before_and_writes_nothing(middle: Any) -> None:
    first = middle.codes.register(OWN, "s", "b", b"x", AddresseeBatch([ONE, TWO]))
    seq = middle.database.changes.last()

    again = middle.codes.register(OWN, "s", "b", b"x", AddresseeBatch([ONE, TWO]))

    assert (first.repeated, again.repeated) == (False, True)
    assert again.outcomes == first.outcomes == [Outcome.COMMITTED] * 2
    assert middle.database.changes.last() == seq


def test_the_same_batch_id_with_other_content_is_a_conflict(middle: Any) -> None:
    middle.codes.register(OWN, "s", "b", b"x", AddresseeBatch([ONE]))

    with pytest.raises(ChukanError) as raised:
        middle.codes.register(OWN, "s", "b", b"y", AddresseeBatch([TWO]))

    assert raised.value.code == "IDEMPOTENCY_CONFLICT"


def test_an_individual_number_in_an_id_field_is_refused_and_not_echoed(middle: Any) -> None:
    wrong = dummy_individual_number(12)

    answer = middle.codes.register(OWN, "s", "b", b"x", AddresseeBatch([ONE, wrong, "123"]))

    assert reasons(answer) == ["INDIVIDUAL_NUMBER_REFUSED", "NUMBER_MALFORMED"]
    assert wrong not in repr(answer)


def test_a_number_twice_in_a_batch_is_refused_the_second_time(middle: Any) -> None:
    answer = middle.codes.register(OWN, "s", "b", b"x", AddresseeBatch([ONE, TWO, ONE]))

    assert reasons(answer) == ["DUPLICATE_IN_BATCH"]
    assert answer.outcomes == [Outcome.COMMITTED, Outcome.COMMITTED, Outcome.REFUSED]


def test_another_organizations_number_behaves_as_absent(middle: Any) -> None:
    middle.register(ONE, organization=OTHER)

    with pytest.raises(ChukanError) as raised:
        middle.codes.get(OWN, ONE)

    assert raised.value.code == "ADDRESSEE_UNKNOWN"


def test_flags_are_updated_and_equal_ones_are_left_alone(middle: Any) -> None:
    middle.register(ONE, TWO)
    flagged = AddresseeBatch(
        [ONE, TWO], nondisclosure=frozenset({0}), auto_response_disabled={0: frozenset({"TM00000000000002"})}
    )

    answer = middle.codes.register(OWN, "s", "b2", b"z", flagged)

    assert answer.outcomes == [Outcome.COMMITTED, Outcome.UNCHANGED]
    row = middle.codes.get(OWN, ONE)
    assert (row.nondisclosure, row.auto_response_disabled) == (True, {"TM00000000000002"})


def test_what_a_batch_says_nothing_of_stays_as_it_stands(middle: Any) -> None:
    """Protection is never lifted by silence: only a set that is there speaks, an empty one too."""
    protected = AddresseeBatch(
        [ONE],
        closed=frozenset({0}),
        nondisclosure=frozenset({0}),
        self_information_disabled=frozenset({0}),
        auto_response_disabled={0: frozenset({"TM00000000000002"})},
    )
    middle.codes.register(OWN, "s", "b1", b"y", protected)

    silent = middle.codes.register(OWN, "s", "b2", b"z", AddresseeBatch([ONE]))
    kept = middle.codes.get(OWN, ONE)
    middle.codes.register(OWN, "s", "b3", b"x", AddresseeBatch([ONE], closed=frozenset(), nondisclosure=frozenset()))
    lifted = middle.codes.get(OWN, ONE)

    assert silent.outcomes == [Outcome.UNCHANGED]
    assert (kept.state, kept.nondisclosure, kept.self_information_disabled) == (AddresseeState.CLOSED, True, True)
    assert (lifted.state, lifted.nondisclosure) == (AddresseeState.ACTIVE, False)
    assert lifted.self_information_disabled
    assert lifted.auto_response_disabled == {"TM00000000000002"}


def test_codes_asked_for_with_the_registration_are_those_of_open_addressees_without_one(middle: Any) -> None:
    """New ones and known ones alike; one that is linked, or closed with the same row, is not asked for."""
    middle.link(ONE, CODE)
    middle.register(TWO)
    batch = AddresseeBatch([ONE, TWO, THREE, FOUR], closed=frozenset({3}), code_rows=frozenset(range(4)))

    answer = middle.codes.register(OWN, "s", "with codes", b"d", batch)
    again = middle.codes.register(OWN, "s", "with codes", b"d", batch)
    middle.issue()

    states = [middle.codes.get(OWN, number).linkage_state for number in (ONE, TWO, THREE, FOUR)]
    issued = LinkageState.PROCESSING_NUMBER_ISSUED
    assert states == [LinkageState.LINKED, issued, issued, LinkageState.NOT_REQUESTED]
    assert (answer.asked, again.asked, again.repeated) == (2, 2, True)


def test_the_processing_number_is_readable_until_linked_and_purged_then(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    waiting = middle.codes.get(OWN, ONE)

    middle.acquisition.deliver(OWN, [CodeDelivery(waiting.processing_number, CODE)])

    linked = middle.codes.get(OWN, ONE)
    assert waiting.linkage_state is LinkageState.PROCESSING_NUMBER_ISSUED
    assert len(waiting.processing_number) == 24
    assert (linked.linkage_state, linked.processing_number, linked.linkage_code) == (LinkageState.LINKED, "", CODE)


def test_a_code_of_another_size_is_none(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    waiting = middle.codes.get(OWN, ONE).processing_number

    for code in (b"c", CODE + b"c"):
        with pytest.raises(ChukanError, match="INVALID_FIELD"):
            middle.acquisition.deliver(OWN, [CodeDelivery(waiting, code)])

    assert middle.codes.get(OWN, ONE).linkage_state == LinkageState.PROCESSING_NUMBER_ISSUED


def test_a_repeated_delivery_changes_nothing(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    delivery = CodeDelivery(middle.codes.get(OWN, ONE).processing_number, CODE)

    middle.acquisition.deliver(OWN, [delivery])
    seq = middle.codes.get(OWN, ONE).change_seq
    answer = middle.acquisition.deliver(OWN, [delivery])

    assert answer.outcomes == [Outcome.UNCHANGED]
    assert middle.codes.get(OWN, ONE).change_seq == seq


def test_an_unknown_processing_number_is_refused(middle: Any) -> None:
    answer = middle.acquisition.deliver(OWN, [CodeDelivery("9" * 24, CODE)])

    assert reasons(answer) == ["PROCESSING_NUMBER_UNKNOWN"]


def test_an_expired_processing_number_fails_and_can_be_asked_for_again(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    late = middle.codes.get(OWN, ONE).processing_number
    middle.clock.advance(timedelta(hours=2))

    answer = middle.acquisition.deliver(OWN, [CodeDelivery(late, CODE)])

    assert reasons(answer) == ["PROCESSING_NUMBER_EXPIRED"]
    assert middle.codes.get(OWN, ONE).linkage_state is LinkageState.FAILED
    assert middle.codes.request_code(OWN, ONE).linkage_state is LinkageState.REQUESTED


def test_an_acquisition_whose_answer_never_comes_ends_and_its_number_is_purged(middle: Any) -> None:
    middle.register(ONE, TWO)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    number_ = middle.codes.get(OWN, ONE).processing_number
    still = middle.acquisition.end_run_out()
    middle.clock.advance(timedelta(hours=1, minutes=2))

    ended = middle.acquisition.end_run_out()

    row = middle.codes.get(OWN, ONE)
    assert (still, ended, middle.acquisition.end_run_out()) == (0, 1, 0)
    assert (row.linkage_state, row.failure_reason) == (LinkageState.FAILED, "CODE_ANSWER_TIMED_OUT")
    assert row.processing_number == ""
    assert reasons(middle.acquisition.deliver(OWN, [CodeDelivery(number_, CODE)])) == ["PROCESSING_NUMBER_UNKNOWN"]
    assert middle.codes.request_code(OWN, ONE).linkage_state is LinkageState.REQUESTED


def test_what_is_looked_up_inside_a_write_is_not_opened(middle: Any) -> None:
    """Cryptography holds up everybody who waits for the writer: look-ups of acquisitions work without any key."""
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    row = middle.codes.get(OWN, ONE)
    keyless = AddresseeStore(None)  # type: ignore[arg-type]  # opening anything fails

    with middle.database.read() as connection:
        found = keyless.acquiring(connection, OWN, [row.id])[row.id]

    assert (found.linkage_state, found.processing_number_expires) == (row.linkage_state, row.processing_number_expires)


def test_a_code_already_linked_to_another_addressee_is_refused(middle: Any) -> None:
    middle.link(ONE, CODE)
    middle.link(TWO, CODE)

    row = middle.codes.get(OWN, TWO)
    assert (row.linkage_state, row.failure_reason) == (LinkageState.FAILED, "CODE_LINKED_TO_ANOTHER")
    assert middle.codes.get(OWN, ONE).linkage_code == CODE


def test_two_people_for_one_code_in_one_delivery_link_only_the_first(middle: Any) -> None:
    middle.register(ONE, TWO)
    middle.codes.request_codes(OWN, "s", "r", b"d", [ONE, TWO])
    middle.issue()
    numbers = [middle.codes.get(OWN, each).processing_number for each in (ONE, TWO)]

    answer = middle.acquisition.deliver(OWN, [CodeDelivery(each, CODE) for each in numbers])

    assert answer.outcomes == [Outcome.COMMITTED, Outcome.REFUSED]


def test_no_resident_record_code_ends_in_failed_with_its_reason(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    waiting = middle.codes.get(OWN, ONE).processing_number

    middle.acquisition.deliver(OWN, [CodeDelivery(waiting, reason="NO_RESIDENT_RECORD_CODE")])

    assert middle.codes.get(OWN, ONE).failure_reason == "NO_RESIDENT_RECORD_CODE"


def test_a_person_closed_meanwhile_gets_no_code(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    middle.issue()
    waiting = middle.codes.get(OWN, ONE).processing_number
    middle.codes.close(OWN, ONE)

    answer = middle.acquisition.deliver(OWN, [CodeDelivery(waiting, CODE)])

    assert reasons(answer) == ["ADDRESSEE_CLOSED"]


def test_issuing_again_after_a_crash_asks_with_the_same_token(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.request_code(OWN, ONE)
    items, network = middle.asked(), middle.network

    middle.acquisition.issue(items)
    middle.acquisition.issue(items)

    assert len(network.issued) == 1


def test_numbers_purged_before_they_were_kept_here_are_asked_for_anew(
    middle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network purges what nobody used; a middle server that was down so long goes on with other numbers."""
    people = [ONE, TWO, THREE]
    middle.register(*people)
    middle.codes.request_codes(OWN, "s", "r", b"d", people)
    with monkeypatch.context() as broken:
        broken.setattr(middle.database, "write", _stop)
        with pytest.raises(ChukanError):
            middle.issue()
    middle.network.issued = dict.fromkeys(middle.network.issued, "")

    middle.issue()
    waiting = [middle.codes.get(OWN, each).linkage_state for each in people]
    middle.issue()

    rows = [middle.codes.get(OWN, each) for each in people]
    assert waiting == [LinkageState.REQUESTED] * 3
    assert [row.linkage_state for row in rows] == [LinkageState.PROCESSING_NUMBER_ISSUED] * 3
    assert len({row.processing_number for row in rows}) == 3
    assert middle.asked() == []


def test_a_request_for_numbers_that_never_succeeds_ends_and_can_be_made_again(middle: Any) -> None:
    """Parked, it would keep its addressees asked for, and so unable to ask, for ever."""
    middle.register(ONE, TWO)
    middle.codes.request_codes(OWN, "s", "r", b"d", [ONE, TWO])
    items = middle.asked()
    middle.codes.merge(OWN, TWO, ONE)

    middle.acquisition.give_up(items)

    row = middle.codes.get(OWN, ONE)
    assert (row.linkage_state, row.failure_reason) == (LinkageState.FAILED, "CODE_ANSWER_TIMED_OUT")
    assert middle.codes.get(OWN, TWO).linkage_state is LinkageState.NOT_REQUESTED
    assert middle.asked() == []
    assert middle.codes.request_code(OWN, ONE).linkage_state is LinkageState.REQUESTED


def test_a_token_tells_the_network_no_more_than_how_often_its_organization_asked(middle: Any) -> None:
    """No one else's traffic: a number all organizations and kinds share would show it by its gaps."""
    for organization, person in ((OWN, ONE), (OTHER, ONE), (OTHER, TWO), (OWN, TWO)):
        middle.register(person, organization=organization)
        middle.codes.request_code(organization, person)
    tokens: dict[str, list[str]] = {}
    for organization in (OWN, OTHER):
        before = set(middle.network.issued)
        middle.issue(organization)
        tokens[organization] = sorted(set(middle.network.issued) - before)

    assert [[int(token[:12], 16) for token in each] for each in tokens.values()] == [[1, 2], [1, 2]]
    assert len({token[12:] for each in tokens.values() for token in each}) == 4


def test_no_code_is_asked_for_a_closed_or_unknown_addressee(middle: Any) -> None:
    middle.register(ONE)
    middle.codes.close(OWN, ONE)

    answer = middle.codes.request_codes(OWN, "s", "r", b"d", [ONE, TWO])

    assert reasons(answer) == ["ADDRESSEE_CLOSED", "ADDRESSEE_UNKNOWN"]


def test_splitting_unlinks_the_code_and_makes_a_second_addressee(middle: Any) -> None:
    middle.link(ONE, CODE)

    kept, new = middle.codes.split(OWN, ONE, TWO, [])

    assert (kept.linkage_state, kept.linkage_code) == (LinkageState.NOT_REQUESTED, None)
    assert (new.number, new.state) == (TWO, AddresseeState.ACTIVE)


def test_changes_come_in_commit_order_and_none_is_lost(middle: Any) -> None:
    middle.register(ONE, TWO)
    seen = middle.codes.changed(OWN, after_seq=0, states=[], most=10)
    middle.codes.request_code(OWN, ONE)

    later = middle.codes.changed(OWN, after_seq=seen[-1].change_seq, states=[], most=10)

    assert [row.number for row in seen] == [ONE, TWO]
    assert [(row.number, row.linkage_state) for row in later] == [(ONE, LinkageState.REQUESTED)]


def test_a_split_sent_again_under_its_request_id_changes_nothing(middle: Any) -> None:
    middle.link(ONE, CODE)
    once = Repeat(OWN, "s", "SplitAddressee", "r1", b"d")
    other = Repeat(OWN, "s", "SplitAddressee", "r1", b"e")

    first = middle.codes.split(OWN, ONE, TWO, [], repeat=once)
    again = middle.codes.split(OWN, ONE, TWO, [], repeat=once)

    assert [row.change_seq for row in first] == [row.change_seq for row in again]
    with pytest.raises(ChukanError) as raised:
        middle.codes.split(OWN, ONE, TWO, [], repeat=other)
    assert raised.value.code == "IDEMPOTENCY_CONFLICT"
    with pytest.raises(ChukanError) as raised:
        middle.codes.split(OWN, ONE, TWO, [])
    assert raised.value.code == "ADDRESSEE_EXISTS"
