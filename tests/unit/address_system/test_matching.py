# SPDX-License-Identifier: Apache-2.0
"""The numbering rule: who is linked, updated, numbered or held."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.address_system.domain.attributes import BLANK, Coverage, PersonAttributes
from chukan.address_system.domain.matching import Anchors, Known, decide
from chukan.address_system.domain.outcomes import LinkOutcome, MismatchKind
from tests.unit.address_system.people import TARO, batch_of, register_of, registration

LATER = {"movement_date": "20250401", "movement_reason": "20"}
HANAKO = TARO._replace(name="見本　花子", kana_name="ミホン　ハナコ", birth_date="19820304", sex="2")


def after(*registrations: Any) -> Any:
    return register_of(*registrations)[1][-1]


def test_nobody_known_is_numbered() -> None:
    assert after(registration()).outcome is LinkOutcome.NUMBERED


def test_the_same_number_name_and_birth_date_under_another_local_number_is_linked() -> None:
    decision = after(registration(), registration(local="B1"))

    assert decision.outcome is LinkOutcome.LINKED
    assert len(decision.evidence) >= 2


@pytest.mark.parametrize(
    "changed",
    [
        {"residential_address": "東京都新宿区例町9-9", **LATER},
        {"name": "例　太郎", "kana_name": "レイ　タロウ", **LATER},
        {"resident_state": "3", **LATER},
    ],
    ids=["move", "marriage", "moving out"],
)
def test_a_later_movement_of_the_same_record_updates(changed: Any) -> None:
    decision = after(registration(), registration(TARO._replace(**changed)))

    assert decision.outcome is LinkOutcome.LINKED_WITH_UPDATE
    assert decision.update == TARO._replace(**changed)


def test_a_non_resident_who_became_a_resident_is_linked_with_update() -> None:
    before = TARO._replace(resident_kind="3", residential_address="鹿児島県例市1", movement_date="")

    decision = after(registration(before, local="B1"), registration())

    assert decision.outcome is LinkOutcome.LINKED_WITH_UPDATE
    assert decision.update == TARO


def test_what_a_business_knows_of_a_resident_is_linked_and_overwrites_nothing() -> None:
    view = TARO._replace(resident_kind="3", residential_address="鹿児島県例市1", movement_date="20251231")

    decision = after(registration(), registration(view, local="B1"))

    assert decision.outcome is LinkOutcome.LINKED


def test_an_older_record_is_linked_and_updates_nothing() -> None:
    old = TARO._replace(residential_address="東京都世田谷区例1", movement_date="20100101")

    decision = after(registration(), registration(old, local="L0"))

    assert decision.outcome is LinkOutcome.LINKED


@pytest.mark.parametrize("local", ["L1", "L2"])
def test_another_birth_date_waits_even_after_a_movement(local: Any) -> None:
    decision = after(registration(), registration(TARO._replace(birth_date="19800103", **LATER), local=local))

    assert decision.kind is MismatchKind.BIRTH_DATE_DIFFERS
    assert decision.differing == ("birth_date",)


def test_birth_dates_with_unknown_parts_agree() -> None:
    assert after(registration(), registration(TARO._replace(birth_date="19800100"), local="B1")).kind is None


def test_a_number_copied_from_a_member_of_the_household_waits() -> None:
    decision = after(registration(), registration(HANAKO, local="L2"))

    assert decision.kind is MismatchKind.HOUSEHOLD_MEMBER_NUMBER
    assert [known.id for known in decision.candidates] == [1]


def test_a_number_copied_from_a_twin_waits() -> None:
    twin = TARO._replace(name="見本　次郎", kana_name="ミホン　ジロウ", **LATER)

    assert after(registration(), registration(twin, local="L2")).kind is MismatchKind.HOUSEHOLD_MEMBER_NUMBER


def test_another_name_and_birth_date_elsewhere_waits() -> None:
    stranger = HANAKO._replace(residential_address="東京都港区例1", household_number="9")

    decision = after(registration(), registration(stranger, local="L2"))

    assert decision.kind is MismatchKind.NAME_AND_BIRTH_DATE_DIFFER


@pytest.mark.parametrize(
    "changed", [{"name": "例　太郎", "kana_name": "レイ　タロウ"}, {"sex": "2"}, {"residential_address": "東京都港区1"}]
)
def test_a_difference_no_movement_explains_waits(changed: Any) -> None:
    assert after(registration(), registration(TARO._replace(**changed))).kind is MismatchKind.UNEXPLAINED_DIFFERENCE


def test_a_local_number_of_a_person_with_another_individual_number_waits() -> None:
    assert after(registration(), registration(number="N2")).kind is MismatchKind.INDIVIDUAL_NUMBER_DIFFERS


def test_numbers_that_lead_to_different_people_wait() -> None:
    decision = after(registration(), registration(HANAKO, local="L2", number="N2"), registration(number="N2"))

    assert decision.kind is MismatchKind.INDIVIDUAL_NUMBER_DIFFERS
    assert {known.id for known in decision.candidates} == {1, 2}


def test_an_individual_number_that_becomes_known_is_set() -> None:
    register, decisions = register_of(registration(number=None), registration())

    assert decisions[-1].outcome is LinkOutcome.LINKED_WITH_UPDATE
    assert decisions[-1].sets_number
    assert register.by_number[b"N1"].id == 1


@pytest.mark.parametrize("shared", [("name",), ("residential_address",)])
def test_without_a_number_two_shared_attributes_wait(shared: Any) -> None:
    other = HANAKO._replace(birth_date=TARO.birth_date, residential_address="東京都港区例1", household_number="")
    other = other._replace(**{name: getattr(TARO, name) for name in shared})

    decision = after(registration(), registration(other, local="L2", number=None))

    assert decision.kind is MismatchKind.CANDIDATES_FOUND


@pytest.mark.parametrize("shared", ["name", "birth_date", "sex", "residential_address", "household_number"])
def test_one_shared_attribute_links_nobody(shared: Any) -> None:
    other = BLANK._replace(name="例　一", kana_name="レイ　ハジメ", birth_date="19551111", resident_kind="1")
    other = other._replace(**{shared: getattr(TARO, shared)})

    assert after(registration(), registration(other, local="L2", number=None)).outcome is LinkOutcome.NUMBERED


def test_an_unknown_birth_date_is_no_shared_attribute() -> None:
    """A name beside it is one attribute; with a residential address there are two."""
    unknown = TARO._replace(birth_date="00000000", residential_address="")

    decision = after(registration(unknown), registration(unknown, local="L2", number=None))

    assert decision.outcome is LinkOutcome.NUMBERED


def test_a_number_alone_does_not_link() -> None:
    known = TARO._replace(birth_date="00000000", residential_address="")

    decision = after(registration(known), registration(HANAKO._replace(birth_date="00000000"), local="L2"))

    assert decision.kind is not None


def test_a_naturalised_person_is_followed_by_the_old_local_number() -> None:
    foreign = TARO._replace(name="SAMPLE TARO", kana_name="サンプル", resident_kind="2", resident_state="5")
    japanese = TARO._replace(movement_reason="14")

    register, decisions = register_of(registration(foreign), registration(japanese, local="L2", former="L1"))

    assert decisions[-1].outcome is LinkOutcome.LINKED_WITH_UPDATE
    assert register.by_local[b"L1"].person is register.by_local[b"L2"].person


def test_a_changed_name_told_as_former_name_agrees() -> None:
    married = TARO._replace(name="例　太郎", kana_name="レイ　タロウ", former_name="見本", **LATER)

    assert after(registration(), registration(married, local="L2")).outcome is LinkOutcome.LINKED_WITH_UPDATE


def test_a_person_split_off_takes_what_is_registered_next() -> None:
    split_off = Known(7, None, BLANK)

    decision = decide(registration(HANAKO, number="N7"), Anchors(by_local=split_off))

    assert decision.outcome is LinkOutcome.LINKED_WITH_UPDATE
    assert decision.update == HANAKO


def test_flags_are_lifted_by_their_own_record_only() -> None:
    protected = TARO._replace(flags="np")

    other = after(registration(protected), registration(TARO._replace(**LATER), local="B1"))
    own = after(registration(protected), registration(TARO._replace(**LATER)))

    assert other.update is not None
    assert other.update.flags == "np"
    assert own.update is not None
    assert own.update.flags == ""


# --- two people on one number in a batch ---


def test_two_strangers_on_one_number_both_wait_and_nobody_else() -> None:
    decisions = batch_of(
        register_of()[0],
        registration(row=0),
        registration(HANAKO, local="L2", row=1),
        registration(HANAKO, local="L3", number="N3", row=2),
    )

    assert [decision.outcome for decision in decisions] == [LinkOutcome.HELD, LinkOutcome.HELD, LinkOutcome.NUMBERED]
    assert decisions[0].kind is MismatchKind.NAME_AND_BIRTH_DATE_DIFFER


def test_who_has_the_number_goes_on_and_the_stranger_waits() -> None:
    """The order of a file tells nothing: the stranger stands first, in one batch with the rightful holder."""
    register, _ = register_of(registration())
    batch = [registration(HANAKO, local="L2", row=0), registration(TARO._replace(**LATER), row=1)]

    stranger, holder = batch_of(register, *batch)

    assert (stranger.outcome, holder.outcome) == (LinkOutcome.HELD, LinkOutcome.LINKED_WITH_UPDATE)


def test_a_row_known_by_its_local_number_gets_the_number_two_rows_claim() -> None:
    register, _ = register_of(registration(number=None))
    batch = [registration(HANAKO, local="L2", row=0), registration(row=1)]

    stranger, holder = batch_of(register, *batch)

    assert (stranger.outcome, holder.outcome) == (LinkOutcome.HELD, LinkOutcome.LINKED_WITH_UPDATE)
    assert holder.person.individual == b"N1"


def test_two_records_of_one_person_whose_name_changed_are_no_dispute() -> None:
    married = TARO._replace(name="例　太郎", kana_name="レイ　タロウ", former_name="見本", movement_date="20230101")

    decisions = batch_of(register_of()[0], registration(row=0), registration(married, local="L2", row=1))

    assert decisions[0].outcome is LinkOutcome.NUMBERED


def test_records_that_follow_each_other_are_no_dispute_whatever_the_names() -> None:
    twice = [TARO._replace(name=name, kana_name=name) for name in ("例　一", "例　二")]

    decisions = batch_of(
        register_of()[0],
        registration(row=0),
        registration(twice[0], local="L2", former="L1", row=1),
        registration(twice[1], local="L3", former="L2", row=2),
    )

    assert decisions[0].outcome is LinkOutcome.NUMBERED


# --- birth dates known in part ---


@pytest.mark.parametrize("second", ["19800102", "19800100", "19800000", "00000000"])
@pytest.mark.parametrize("first", ["19800102", "19800100", "19800000", "00000000"])
def test_a_birth_date_known_in_part_meets_those_it_can_be(first: str, second: str) -> None:
    decision = after(
        registration(TARO._replace(birth_date=first), number=None),
        registration(TARO._replace(birth_date=second), number=None, local="L2", row=1),
    )

    assert decision.kind is MismatchKind.CANDIDATES_FOUND


@pytest.mark.parametrize("second", ["19810100", "19790000", "00000000"])
def test_a_birth_date_known_in_part_does_not_meet_another_day_or_another_place(second: str) -> None:
    elsewhere = TARO._replace(birth_date=second, residential_address="東京都新宿区例町9")

    decision = after(registration(number=None), registration(elsewhere, number=None, local="L2", row=1))

    assert decision.outcome is LinkOutcome.NUMBERED


# --- columns an extract does not have ---


def test_what_an_extract_has_no_column_for_stays_and_an_empty_text_clears() -> None:
    known = TARO._replace(alias="通称", building="見本荘 1", flags="np", protective_measure_end_date="20270331")
    absent = (PersonAttributes._fields.index("alias"), PersonAttributes._fields.index("protective_measure_end_date"))
    later = TARO._replace(**LATER, building="", flags="")

    decision = after(registration(known), registration(later, coverage=Coverage(absent, "n")))

    assert (decision.update.alias, decision.update.building) == ("通称", "")
    assert (decision.update.flags, decision.update.protective_measure_end_date) == ("p", "20270331")


def test_another_records_empty_text_clears_too_but_lifts_no_flag() -> None:
    known = TARO._replace(building="見本荘 1", flags="p", protective_measure_end_date="20270331")
    later = TARO._replace(**LATER, building="", flags="")

    decision = after(registration(known), registration(later, local="B1"))

    assert (decision.update.building, decision.update.flags) == ("", "p")
    assert decision.update.protective_measure_end_date == "20270331"


def test_a_business_that_knows_a_former_name_only_waits() -> None:
    foreign = TARO._replace(name="SAMPLE TARO", kana_name="サンプル", resident_kind="3")

    assert after(registration(), registration(foreign, local="B1")).kind is not None


# --- rules that hold for all ---

NAMES = [("見本　太郎", "ミホン　タロウ"), ("見本　花子", "ミホン　ハナコ"), ("例　一", "レイ　ハジメ")]
DAYS = ["19800102", "19820304", "19800100"]
HOMES = ["東京都新宿区見本町1-2-3", "東京都新宿区例町4-5", ""]


@st.composite
def histories(draw: Any) -> Any:
    """Draw the records of several people, each with an individual number of their own."""
    rows = []
    for person in range(draw(st.integers(1, 4))):
        name, kana = draw(st.sampled_from(NAMES))
        first = TARO._replace(
            name=name,
            kana_name=kana,
            birth_date=draw(st.sampled_from(DAYS)),
            residential_address=draw(st.sampled_from(HOMES)),
            household_number=str(draw(st.integers(0, 1))),
        )
        number = f"N{person}"
        rows.append((person, registration(first, local=f"L{person}", number=number)))
        # A business that knows a former name only waits for a person (below), so it is no part of this rule.
        events = ["move", "return", draw(st.sampled_from(["naturalise", "business"]))]
        drawn = draw(st.lists(st.sampled_from(events), max_size=3, unique=True))
        rows += [(person, _event(event, first, person, number)) for event in drawn]
    return rows


def _event(event: Any, first: Any, person: Any, number: Any) -> Any:
    if event == "move":
        moved = first._replace(residential_address="東京都新宿区転居町7", movement_date="20210101")
        return registration(moved, local=f"L{person}", number=number)
    if event == "return":
        returned = first._replace(residential_address="東京都新宿区再町8", movement_date="20230101")
        return registration(returned, local=f"R{person}", former=f"L{person}", number=number)
    if event == "naturalise":
        new = first._replace(name="新名　某", kana_name="シンメイ　ボウ", movement_date="20240101", resident_kind="1")
        return registration(new, local=f"M{person}", former=f"L{person}", number=number)
    view = first._replace(resident_kind="3", residential_address="鹿児島県例市1", movement_date="20150101")
    return registration(view, local=f"B{person}", number=number)


@given(histories(), st.randoms(use_true_random=False))
def test_who_is_who_does_not_depend_on_the_order_of_records(rows: Any, random: Any) -> None:
    order = list(rows)
    random.shuffle(order)

    _, decisions = register_of(*(each for _, each in order))

    people = {}
    for (person, _), decision in zip(order, decisions, strict=True):
        assert decision.outcome is not LinkOutcome.HELD
        people.setdefault(person, set()).add(decision.person.id)
    assert all(len(ids) == 1 for ids in people.values())
    assert len({next(iter(ids)) for ids in people.values()}) == len(people)


@st.composite
def anything(draw: Any) -> Any:
    """Draw registrations that contradict each other."""
    rows = []
    for row in range(draw(st.integers(1, 8))):
        name, kana = draw(st.sampled_from(NAMES))
        attributes = TARO._replace(
            name=name,
            kana_name=kana,
            birth_date=draw(st.sampled_from([*DAYS, "00000000"])),
            sex=draw(st.sampled_from(["1", "2", ""])),
            residential_address=draw(st.sampled_from(HOMES)),
            household_number=draw(st.sampled_from(["1", "2"])),
            resident_kind=draw(st.sampled_from(["1", "2", "3"])),
            movement_date=draw(st.sampled_from(["", "20200401", "20250401"])),
        )
        local = draw(st.sampled_from(["L1", "L2", "L3"]))
        number = draw(st.sampled_from(["N1", "N2", None]))
        former = draw(st.sampled_from([None, "L4", "L5"]))
        rows.append(registration(attributes, local=local, number=number, former=former, row=row))
    return rows


@given(anything())
def test_nobody_is_ever_linked_on_one_attribute(rows: Any) -> None:
    _, decisions = register_of(*rows)

    for decision in decisions:
        if decision.outcome in {LinkOutcome.LINKED, LinkOutcome.LINKED_WITH_UPDATE, LinkOutcome.UNCHANGED}:
            assert len(decision.evidence) >= 2


@given(anything())
def test_birth_dates_that_contradict_each_other_never_meet_in_one_person(rows: Any) -> None:
    register, decisions = register_of(*rows)

    days = {}
    for each, decision in zip(rows, decisions, strict=True):
        if decision.person is not None:
            days.setdefault(decision.person.id, set()).add(each.attributes.birth_date)
    for seen in days.values():
        assert len({day for day in seen if day.strip("0") and day[6:] != "00"}) <= 1 or "00000000" in seen
    assert len({id(known) for known in register.by_number.values()}) <= len(days)


@given(anything())
def test_a_number_has_one_person_and_a_person_one_number(rows: Any) -> None:
    register, _ = register_of(*rows)

    holders = {}
    for number, known in register.by_number.items():
        if known.individual == number:
            assert holders.setdefault(known.id, number) == number
    assert all(known.individual is not None for known in register.by_number.values())
