# SPDX-License-Identifier: Apache-2.0
"""Registering replicas (domain §3b): row by row, once, in versions, lane by lane."""

from __future__ import annotations

from typing import Any

import pytest

from chukan.server.domain.content import Column, unpack_row
from chukan.server.domain.linkage import WHOLE_BATCH, Outcome
from chukan.server.domain.replica import ImportState, LaneState, ReplicaState
from chukan.server.middle.comparison import DifferenceKind, DigestedRecord, ReplicaComparison, replica_digest
from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import CARE, OTHER, OWN, RESIDENT, TAX, batch, number

ONE, TWO, THREE = number(1), number(2), number(3)
KEY = (TAX, "0100", "2026")
KEY_ITEM = layout(TAX, "0801").data_set("0100").key_item
INSURANCE = "TM00000000000003"
INDIVIDUAL = dummy_individual_number(3)
HOUSEHOLD = "TK90001010000001"


def send(middle: Any, given: Any, digest: bytes = b"d", organization: str = OWN) -> Any:
    return middle.replicas.register(organization, "s", given, digest)[0]


def reasons(row: Any) -> list[tuple[int, str]]:
    return [(failure[0], failure[1]) for failure in row.failures]


@pytest.fixture(autouse=True)
def people(middle: Any) -> None:
    middle.register(ONE, TWO, THREE)


def test_a_good_batch_is_written_row_by_row(middle: Any) -> None:
    row = send(middle, batch([ONE, TWO]))

    assert (row.state, row.outcomes) == (ImportState.COMPLETED, [Outcome.COMMITTED] * 2)
    assert middle.replicas.get(OWN, ONE, KEY).version == 1


def test_a_bad_row_never_stops_the_others(middle: Any) -> None:
    row = send(middle, batch([ONE, number(99), TWO]))

    assert row.state == ImportState.COMPLETED_WITH_FAILURES
    assert reasons(row) == [(1, "ADDRESSEE_UNKNOWN")]
    assert row.outcomes == [Outcome.COMMITTED, Outcome.REFUSED, Outcome.COMMITTED]


def test_zero_nil_and_absent_stay_three_different_things(middle: Any) -> None:
    items = layout(TAX, "0801").data_set("0100").items
    optional = [item for item in items if item.type == "number" and not item.required and not item.void]
    zero, nil = (item for item in optional if item.nil_allowed), None
    first = next(zero)
    nil = Column(first.code, ["0", "", ""], [1], ["01"])
    given = batch([ONE, TWO, THREE])
    given = batch([ONE, TWO, THREE], columns=[*given.columns, nil])

    row = send(middle, given)

    assert row.state == ImportState.COMPLETED, row.failures
    found = [
        {item.item_code: item for item in unpack_row(held.item_codes, held.content)}.get(first.code)
        for held in (middle.replicas.get(OWN, each, KEY) for each in (ONE, TWO, THREE))
    ]
    assert found[0] is not None
    assert (found[0].value, found[0].nil_reason) == ("0", "")
    assert found[1] is not None
    assert (found[1].value, found[1].nil_reason) == ("", "01")
    assert found[2] is None


def test_a_nil_row_with_a_value_or_named_twice_is_the_rows_fault_not_its_reasons(middle: Any) -> None:
    items = layout(TAX, "0801").data_set("0100").items
    item = next(item for item in items if item.nil_allowed and item.type == "number" and not item.required)
    given = batch([ONE, TWO])
    doubtful = Column(item.code, ["5", ""], [0, 1, 1], ["01", "01", "01"])

    row = send(middle, batch([ONE, TWO], columns=[*given.columns, doubtful]))

    assert reasons(row) == [(0, "NIL_ROW_INVALID"), (1, "NIL_ROW_INVALID")]


def test_a_record_key_is_the_value_of_the_key_item(middle: Any) -> None:
    """Else one year of one person could be two records, and both would answer."""
    row = send(middle, batch([ONE, TWO], record_keys=["2020", "2026"], values={KEY_ITEM: ["2026", "2026"]}))

    assert row.outcomes == [Outcome.REFUSED, Outcome.COMMITTED]
    assert row.failures[0][:5] == (0, "RECORD_KEY_MISMATCH", "record_keys", KEY_ITEM, "key_item")


def test_a_key_items_text_that_can_be_no_key_leaves_the_key_to_the_sender(middle: Any) -> None:
    found = layout(INSURANCE, "0801").data_set("0100")
    given = {"record_keys": ["11", "12"], "values": {found.key_item: ["新宿・11", "13"]}}

    row = send(middle, batch([ONE, TWO], information_code=INSURANCE, **given))

    assert reasons(row) == [(1, "RECORD_KEY_MISMATCH")]


def test_an_edition_that_is_over_takes_what_was_published_while_it_was_in_force(middle: Any) -> None:
    periods = {"start_dates": ["20250601", "20260601"], "end_dates": ["20260531", "20270531"]}

    over = send(middle, batch([ONE, TWO], edition="0701", **periods))
    in_force = send(middle, batch([TWO, THREE], batch_id="b2", **periods))

    assert reasons(over) == [(1, "EDITION_NOT_IN_FORCE")]
    assert in_force.outcomes == [Outcome.COMMITTED] * 2


def test_an_earlier_edition_that_comes_late_does_not_displace_a_later_one(middle: Any) -> None:
    old = {"edition": "0701", "start_dates": ["20250601"], "end_dates": ["20260531"]}
    send(middle, batch([ONE], **old))
    send(middle, batch([ONE], batch_id="b2", start_dates=["20250601"], end_dates=["20260531"]))

    late = send(middle, batch([ONE], batch_id="b3", **old))
    resent = send(middle, batch([ONE], batch_id="b4", record_ids=["b1-0"], **old))
    held = middle.replicas.get(OWN, ONE, KEY)
    middle.replicas.delete(OWN, "s", ONE, KEY, "back to the former edition")
    meant = send(middle, batch([ONE], batch_id="b5", **old))

    assert reasons(late) == [(0, "EDITION_SUPERSEDED")]
    assert resent.outcomes == [Outcome.UNCHANGED]
    assert (held.edition, held.version) == ("0801", 2)
    assert meant.outcomes == [Outcome.COMMITTED]


def test_a_resend_of_the_batch_answers_as_before(middle: Any) -> None:
    send(middle, batch([ONE, TWO]))

    row, repeated = middle.replicas.register(OWN, "s", batch([ONE, TWO]), b"d")

    assert repeated
    assert row.outcomes == [Outcome.COMMITTED] * 2
    assert middle.replicas.get(OWN, ONE, KEY).version == 1


def test_the_same_records_under_another_batch_id_are_unchanged(middle: Any) -> None:
    send(middle, batch([ONE, TWO]))

    row = send(middle, batch([ONE, TWO], batch_id="b2", record_ids=["b1-0", "b1-1"]))

    assert row.outcomes == [Outcome.UNCHANGED] * 2


def test_a_record_id_with_other_content_is_refused(middle: Any) -> None:
    send(middle, batch([ONE]))

    row = send(middle, batch([TWO], batch_id="b2", record_ids=["b1-0"]))

    assert reasons(row) == [(0, "RECORD_ID_EXISTS")]


def test_a_new_record_for_the_same_key_is_a_new_version_and_the_old_one_is_history(middle: Any) -> None:
    send(middle, batch([ONE]))
    send(middle, batch([ONE], batch_id="b2", start_dates=["20260501"]))

    versions = middle.replicas.versions(OWN, ONE, KEY, before=0, most=10)

    assert [(row.version, row.start_date) for row in versions] == [(2, "20260501"), (1, "20260401")]
    assert all(row.content for row in versions)


def test_deleting_is_logical_and_keeps_the_reason_and_the_history(middle: Any) -> None:
    send(middle, batch([ONE]))

    row = middle.replicas.delete(OWN, "s", ONE, KEY, "sent by mistake")

    assert (row.state, row.delete_reason, row.version) == (ReplicaState.DELETED, "sent by mistake", 2)
    with pytest.raises(ChukanError) as raised:
        middle.replicas.get(OWN, ONE, KEY)
    assert raised.value.code == "REPLICA_UNKNOWN"
    assert len(middle.replicas.versions(OWN, ONE, KEY, before=0, most=10)) == 2
    assert middle.replicas.lanes(OWN)[0].replica_count == 0


def test_deleting_twice_changes_nothing(middle: Any) -> None:
    send(middle, batch([ONE]))
    middle.replicas.delete(OWN, "s", ONE, KEY, "a")

    assert middle.replicas.delete(OWN, "s", ONE, KEY, "b").version == 2


def test_a_row_names_item_and_rule_but_never_the_value(middle: Any) -> None:
    given = batch([ONE, TWO])
    code = next(
        column.item_code
        for column in given.columns
        if layout(TAX, "0801").data_set("0100").item(column.item_code).type == "number"
    )
    columns = [
        Column(each.item_code, ["0", "SECRET"] if each.item_code == code else each.values) for each in given.columns
    ]

    row = send(middle, batch([ONE, TWO], columns=columns))

    assert [(one[0], one[1], one[3]) for one in row.failures] == [(1, "ITEM_VALUE_INVALID", code)]
    assert "SECRET" not in repr(row.failures)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"information_code": "TM99999999999999"}, "INFORMATION_UNKNOWN"),
        ({"edition": "9999"}, "EDITION_UNKNOWN"),
        ({"data_set": "9999"}, "DATA_SET_UNKNOWN"),
        ({"start_dates": ["20260401"]}, "COLUMNS_UNEQUAL"),
        ({"columns": [Column("TK90000000000000", ["", ""])]}, "ITEM_UNKNOWN"),
    ],
)
def test_a_batch_that_is_faulty_as_a_whole_is_refused_and_nothing_is_written(
    middle: Any, change: dict[str, Any], reason: str
) -> None:
    good = batch([ONE, TWO])
    given = {name: getattr(good, name) for name in good.__slots__} | change

    row = send(middle, type(good)(**given))

    assert (row.state, reasons(row)) == (ImportState.REFUSED, [(WHOLE_BATCH, reason)])
    with pytest.raises(ChukanError):
        middle.replicas.get(OWN, ONE, KEY)


def test_an_individual_number_as_record_key_is_refused(middle: Any) -> None:
    row = send(middle, batch([ONE], record_keys=[dummy_individual_number(3)]))

    assert reasons(row) == [(0, "INDIVIDUAL_NUMBER_REFUSED")]


@pytest.mark.parametrize(
    ("given", "failure"),
    [
        (
            {"values": {HOUSEHOLD: [INDIVIDUAL, "12"]}, "record_keys": ["11", "12"]},
            ("INDIVIDUAL_NUMBER_REFUSED", "items", HOUSEHOLD),
        ),
        ({"parent_keys": [INDIVIDUAL, ""]}, ("INDIVIDUAL_NUMBER_REFUSED", "parent_record_keys", "")),
        ({"ward_codes": [INDIVIDUAL, "131041"]}, ("INDIVIDUAL_NUMBER_REFUSED", "ward_codes", "")),
        ({"ward_codes": ["131042", ""]}, ("NUMBER_MALFORMED", "ward_codes", "")),
        ({"parent_keys": ["p", ""]}, ("PARENT_KEY_UNEXPECTED", "parent_record_keys", "")),
    ],
)
def test_no_column_brings_an_individual_number_in(
    middle: Any, given: dict[str, Any], failure: tuple[str, str, str]
) -> None:
    """The middle server may not hold 個人番号 [P]: not in an unsealed column, not as a household's number."""
    row = send(middle, batch([ONE, TWO], information_code=RESIDENT, **given))

    assert [(each[0], *each[1:4]) for each in row.failures] == [(0, *failure)]
    assert row.outcomes == [Outcome.REFUSED, Outcome.COMMITTED]
    assert INDIVIDUAL not in repr(row)


def test_a_reason_of_deletion_is_no_place_for_an_individual_number(middle: Any) -> None:
    send(middle, batch([ONE]))

    row = send(middle, batch([ONE], batch_id="b2", operations=[2], delete_reasons=[INDIVIDUAL]))

    assert reasons(row) == [(0, "INDIVIDUAL_NUMBER_REFUSED")]
    assert middle.replicas.get(OWN, ONE, KEY).version == 1


def test_a_child_needs_its_parent(middle: Any) -> None:
    child = {"information_code": CARE, "data_set": "0201", "record_keys": ["k"], "end_dates": [""]}

    orphan = send(middle, batch([ONE], parent_keys=["p"], **child))
    parent = send(middle, batch([ONE], batch_id="b2", information_code=CARE, data_set="0101", record_keys=["p"]))
    row = send(middle, batch([ONE], batch_id="b3", parent_keys=["p"], **child))

    assert reasons(orphan) == [(0, "PARENT_UNKNOWN")]
    assert parent.state == ImportState.COMPLETED, parent.failures
    assert row.state == ImportState.COMPLETED, row.failures


def test_periods_of_one_person_must_not_overlap(middle: Any) -> None:
    first = batch([ONE], information_code=RESIDENT, record_keys=["1"], start_dates=["20260401"], end_dates=[""])
    second = {"information_code": RESIDENT, "record_keys": ["2"], "start_dates": ["20260601"], "end_dates": [""]}
    assert send(middle, first).state == ImportState.COMPLETED

    row = send(middle, batch([ONE], batch_id="b2", **second))

    assert reasons(row) == [(0, "PERIODS_OVERLAP")]


def test_a_movement_closes_the_old_record_and_opens_another_in_one_batch(middle: Any) -> None:
    send(middle, batch([ONE], information_code=RESIDENT, record_keys=["1"], end_dates=[""]))
    moved = batch(
        [ONE, ONE],
        batch_id="b2",
        information_code=RESIDENT,
        record_keys=["1", "2"],
        start_dates=["20260401", "20260601"],
        end_dates=["20260531", ""],
    )

    assert send(middle, moved).outcomes == [Outcome.COMMITTED] * 2


def test_a_movement_counts_row_by_row_the_new_record_after_the_one_it_follows(middle: Any) -> None:
    """Rows are taken in the order they stand: a new record before the row that closes the old one meets it open."""
    send(middle, batch([ONE], information_code=RESIDENT, record_keys=["1"], end_dates=[""]))
    fields = {"information_code": RESIDENT, "record_keys": ["2", "1"]}
    fields |= {"start_dates": ["20260601", "20260401"], "end_dates": ["", "20260531"]}
    moved = batch([ONE, ONE], batch_id="b2", **fields)

    first = send(middle, moved)
    again = send(middle, batch([ONE, ONE], batch_id="b3", record_ids=["b2-0", "b2-1"], **fields))

    assert (reasons(first), first.outcomes) == ([(0, "PERIODS_OVERLAP")], [Outcome.REFUSED, Outcome.COMMITTED])
    assert again.outcomes == [Outcome.COMMITTED, Outcome.UNCHANGED]


def test_going_over_the_send_cap_holds_that_lane_and_no_other(middle: Any) -> None:
    numbers = [number(serial) for serial in range(10, 110)]
    middle.register(*numbers)
    full = batch(numbers, send_id="s1")
    assert send(middle, full).state == ImportState.COMPLETED

    over = send(middle, batch([ONE], batch_id="b2", send_id="s1"))
    held = send(middle, batch([ONE], batch_id="b3"))
    other = send(middle, batch([ONE], batch_id="b4", information_code=RESIDENT))

    assert [reasons(over), reasons(held)] == [[(WHOLE_BATCH, "SEND_CAP_EXCEEDED")], [(WHOLE_BATCH, "LANE_HELD")]]
    assert other.state == ImportState.COMPLETED, other.failures
    lanes = {lane.information: lane.state for lane in middle.replicas.lanes(OWN)}
    assert lanes == {RESIDENT: LaneState.OPEN, TAX: LaneState.HELD}
    middle.replicas.resume_lane(OWN, TAX)
    assert send(middle, batch([ONE], batch_id="b5")).state == ImportState.COMPLETED


def test_the_send_cap_is_asked_with_every_batch(middle: Any) -> None:
    """It can be lowered, for one information, while a middle server runs."""
    middle.caps[TAX] = 0
    lowered = send(middle, batch([ONE]))
    middle.caps[TAX] = 1
    middle.replicas.resume_lane(OWN, TAX)

    assert reasons(lowered) == [(WHOLE_BATCH, "SEND_CAP_EXCEEDED")]
    assert send(middle, batch([ONE], batch_id="b2")).state == ImportState.COMPLETED


def test_another_organizations_replica_behaves_as_absent(middle: Any) -> None:
    send(middle, batch([ONE]))
    middle.register(ONE, organization=OTHER)

    with pytest.raises(ChukanError) as raised:
        middle.replicas.get(OTHER, ONE, KEY)

    assert raised.value.code == "REPLICA_UNKNOWN"


def test_content_is_not_readable_in_the_database(middle: Any) -> None:
    send(middle, batch([ONE]))

    with middle.database.read() as connection:
        stored = connection.exec_driver_sql("select content from replica").scalar_one()
        held = connection.exec_driver_sql("select number from addressee").scalars().all()

    assert b"2026" not in stored
    assert not any(ONE.encode() in value for value in held)


def test_comparison_reports_every_difference_and_nothing_else(middle: Any) -> None:
    send(middle, batch([ONE, TWO, THREE]))
    same = middle.replicas.get(OWN, ONE, KEY)
    digest = replica_digest(_digested(same))
    comparing = ReplicaComparison(middle.replicas).begin(OWN)

    found = comparing.compare(
        TAX, "0100", [(ONE, "2026", digest), (TWO, "2026", b"other"), (number(9), "2026", digest)], last=True
    )

    assert [(one.number, one.kind) for one in found] == [
        (TWO, DifferenceKind.CONTENT_DIFFERS),
        (number(9), DifferenceKind.MISSING_IN_REPLICA),
        (THREE, DifferenceKind.ONLY_IN_REPLICA),
    ]


def _digested(row: Any) -> DigestedRecord:
    items = unpack_row(row.item_codes, row.content)
    return DigestedRecord(row.edition, row.start_date, row.end_date, row.parent_key, row.ward_code, items)


@pytest.mark.parametrize("field", ["edition", "start_date", "end_date", "parent_record_key", "ward_code"])
def test_a_record_that_differs_in_one_thing_only_has_another_digest(middle: Any, field: str) -> None:
    """Right items under a wrong edition, period, parent or ward are answered wrongly: that is no agreement."""
    send(middle, batch([ONE]))
    held = _digested(middle.replicas.get(OWN, ONE, KEY))
    original = held._replace(**{field: "20010101"})
    comparing = ReplicaComparison(middle.replicas).begin(OWN)

    found = comparing.compare(TAX, "0100", [(ONE, "2026", replica_digest(original))], last=True)

    assert [one.kind for one in found] == [DifferenceKind.CONTENT_DIFFERS]


def test_a_value_moved_from_one_line_to_the_next_makes_another_digest(middle: Any) -> None:
    send(middle, batch([ONE]))
    held = _digested(middle.replicas.get(OWN, ONE, KEY))

    assert replica_digest(held._replace(parent_record_key="1", ward_code="")) != replica_digest(
        held._replace(parent_record_key="", ward_code="1")
    )


def test_imports_are_listed_newest_first_with_their_failures(middle: Any) -> None:
    send(middle, batch([ONE]))
    send(middle, batch([number(99)], batch_id="b2"))

    rows = middle.replicas.imports(OWN, information="", before=0, most=10)

    assert [row.batch_id for row in rows] == ["b2", "b1"]
    assert reasons(middle.replicas.get_import(OWN, "b2")) == [(0, "ADDRESSEE_UNKNOWN")]
