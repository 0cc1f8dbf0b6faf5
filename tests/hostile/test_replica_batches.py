# SPDX-License-Identifier: Apache-2.0
"""Batches of replicas (副本) with something wrong in them: row or batch is refused by its rule, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.standard.layouts import layout
from chukan.v1 import common_pb2
from chukan.v1 import replica_service_pb2 as pb
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from tests.builders import EDITION, TAX, address_number, fresh_serial
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.conftest import Stage

DISABILITY, CARE, REGISTER = "TM00000000000003", "TM00000000000015", "TM00000000000001"
ITEMS: Final = {item.code[-4:]: item.code for item in layout(TAX, EDITION).data_set("0100").items}
YEAR, NUMBER = ITEMS["0001"], ITEMS["0003"]
TEXT: Final = next(
    item.code for item in layout(DISABILITY, EDITION).data_set("0100").items if item.type == "text" and item.required
)
DATE: Final = next(
    item.code for item in layout(DISABILITY, EDITION).data_set("0100").items if item.type == "date" and item.required
)
FULL_WIDTH: Final = CANARY.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def send(stage: Stage, rows: int = 2, **given: Any) -> pb.RegisterReplicasResponse:
    """Register replicas of new people, right in all but what is given."""
    return stage.shinjuku.replicas(stage.fresh(rows=rows), **given)


#: name → what is given beside two good rows, and what becomes of it
ROWS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    # --- days ---
    "a day of zeros": ({"start_dates": ["00000000", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "30 February": ({"start_dates": ["20250230", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "nines": ({"start_dates": ["99999999", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "month 13": ({"start_dates": ["20261301", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "an era": ({"start_dates": ["R080601", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "an era in kanji": ({"start_dates": ["令和8年6月1日", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "full-width digits in a day": ({"start_dates": ["２０２６０６０１", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "hyphens in a day": ({"start_dates": ["2026-06-01", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "digits of another script": ({"start_dates": ["٢٠٢٦٠٦٠١", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "a space before a day": ({"start_dates": [" 20260601", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "the year 0": ({"start_dates": ["00000101", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "29 February of no leap year": ({"start_dates": ["20270229", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "no start": ({"start_dates": ["", "20260601"]}, "0 PERIOD_INVALID start_dates"),
    "an end of nines": ({"end_dates": ["99999999", ""]}, "0 PERIOD_INVALID end_dates"),
    "an end of zeros": ({"end_dates": ["00000000", ""]}, "0 PERIOD_INVALID end_dates"),
    "a period backwards": ({"end_dates": ["20260531", ""]}, "0 PERIOD_INVALID end_dates"),
    # --- names of records ---
    "no record id": ({"record_ids": ["", "hostile-1"]}, "0 RECORD_ID_FORMAT record_ids"),
    "a record id too long": ({"record_ids": ["x" * 65, "hostile-2"]}, "0 RECORD_ID_FORMAT record_ids"),
    "a record id in Japanese": ({"record_ids": ["記録", "hostile-3"]}, "0 RECORD_ID_FORMAT record_ids"),
    "NUL in a record id": ({"record_ids": ["a\0b", "hostile-4"]}, "0 RECORD_ID_FORMAT record_ids"),
    "a record id twice": ({"record_ids": ["hostile-5", "hostile-5"]}, "1 DUPLICATE_IN_BATCH record_ids"),
    "no record key": ({"record_keys": ["", "2026"]}, "0 RECORD_KEY_MISSING record_keys"),
    "a record key too long": ({"record_keys": ["x" * 65, "2026"]}, "0 RECORD_KEY_MISSING record_keys"),
    "a bidi override in a record key": ({"record_keys": ["\u202e2026", "2026"]}, "0 RECORD_KEY_MISSING record_keys"),
    "a separator in a record key": ({"record_keys": ["20\x1d26", "2026"]}, "0 RECORD_KEY_MISSING record_keys"),
    # --- individual numbers ---
    "an individual number as record id": (
        {"record_ids": [CANARY, "hostile-6"]},
        "0 INDIVIDUAL_NUMBER_REFUSED record_ids",
    ),
    "one as record key, full-width": ({"record_keys": [FULL_WIDTH, "2026"]}, "0 INDIVIDUAL_NUMBER_REFUSED record_keys"),
    "one as record key, as printed": (
        {"record_keys": [f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}", "2026"]},
        "0 INDIVIDUAL_NUMBER_REFUSED record_keys",
    ),
    "one as parent's key": (
        {"parent_record_keys": [CANARY, ""]},
        "0 INDIVIDUAL_NUMBER_REFUSED parent_record_keys",
    ),
    "one as ward": ({"ward_codes": ["", f" {CANARY}"]}, "1 INDIVIDUAL_NUMBER_REFUSED ward_codes"),
    "one as reason of deletion": (
        {"operations": [1, 2], "delete_reasons": ["", CANARY]},
        "1 INDIVIDUAL_NUMBER_REFUSED delete_reasons",
    ),
    # --- what is kept as it comes ---
    "a parent's key too long": ({"parent_record_keys": ["x" * 65, ""]}, "0 FIELD_TOO_LONG parent_record_keys"),
    "a control character in a ward": ({"ward_codes": ["1\x1b[", ""]}, "0 CHARACTER_REFUSED ward_codes"),
    "a ward too long": ({"ward_codes": ["1" * 17, ""]}, "0 FIELD_TOO_LONG ward_codes"),
    "a reason of deletion too long": (
        {"operations": [1, 2], "delete_reasons": ["", "あ" * 101]},
        "1 FIELD_TOO_LONG delete_reasons",
    ),
    "a line break in a reason": (
        {"operations": [1, 2], "delete_reasons": ["", "a\r\nb"]},
        "1 CHARACTER_REFUSED delete_reasons",
    ),
    "a deletion without reason": ({"operations": [1, 2]}, "1 DELETE_REASON_MISSING delete_reasons"),
    "a deletion of nothing": ({"operations": [1, 2], "delete_reasons": ["", "異動"]}, "1 REPLICA_UNKNOWN record_keys"),
    # --- values ---
    "a number with a comma": ({"values": {NUMBER: ["1,000", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a number in full-width digits": ({"values": {NUMBER: ["１０", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "superscripts": ({"values": {NUMBER: ["²", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a number with an exponent": ({"values": {NUMBER: ["1e3", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a number too long": ({"values": {NUMBER: ["9" * 13, "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "two signs": ({"values": {NUMBER: ["--1", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a space in a number": ({"values": {NUMBER: ["1 0", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a line end after a number": ({"values": {NUMBER: ["10\n", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a cell separator": ({"values": {NUMBER: ["1\x1f2", "0"]}}, "0 ITEM_VALUE_INVALID items"),
    "a year of five digits": ({"values": {YEAR: ["02026", "2026"]}}, "0 ITEM_VALUE_INVALID items"),
    "a year in its era": ({"values": {YEAR: ["R8", "2026"]}}, "0 ITEM_VALUE_INVALID items"),
    "a required value left out": ({"values": {YEAR: ["", "2026"]}}, "0 ITEM_REQUIRED items"),
    # --- nil ---
    "nil where none is allowed": ({"nil": {YEAR: {0: "01"}}}, "0 NIL_NOT_ALLOWED items"),
    "a nil reason there is none of": ({"nil": {NUMBER: {0: "77"}}}, "0 NIL_REASON_INVALID items"),
    "no nil reason": ({"nil": {NUMBER: {0: ""}}}, "0 NIL_REASON_INVALID items"),
    "a nil reason with a separator": ({"nil": {NUMBER: {0: "01\x1e"}}}, "0 NIL_REASON_INVALID items"),
    # --- people ---
    "a person nobody registered": (
        {"integrated_address_numbers": [address_number(10**9), address_number(10**9)], "record_keys": ["2025", "2026"]},
        "0 ADDRESSEE_UNKNOWN integrated_address_numbers; 1 ADDRESSEE_UNKNOWN integrated_address_numbers",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_refused_by_its_rule_and_the_other_is_written(stage: Stage, name: str) -> None:
    given, expected = ROWS[name]
    numbers = given.pop("integrated_address_numbers", None) or stage.fresh(rows=2)
    answers: list[Any] = []

    end = outcome(lambda: answers.append(stage.shinjuku.replicas(numbers, **given)) or answers[0])

    assert end == expected
    refused = {failure.row for failure in answers[0].failures}
    assert [row + 1 in refused or each != 3 for row, each in enumerate(answers[0].outcomes)]
    assert [each == 3 for each in answers[0].outcomes] == [row in refused for row in range(2)]


TEXTS: Final = {
    "a control character": "a\x07b",
    "an escape sequence": "\x1b[31m赤",
    "a line break": "一\n二",
    "a bidi override": "\u202eabc",
    "a zero-width space": "山\u200b田",
    "a byte order mark": "\ufeff山田",
    "a private-use character": "山\ue000田",
    "a character that is none": "山\uffff",
    "an emoji": "😀",
    "a variation selector": "葛\U000e0100",
    "a separate sound mark": "か\u3099",
    "Hangul": "한",
    "a soft hyphen": "a\xadb",
    "a line separator": "a\u2028b",
    "too long": "あ" * 61,
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_may_not_travel_refuses_its_row(stage: Stage, name: str) -> None:
    end = outcome(
        lambda: send(stage, information=DISABILITY, values={TEXT: [TEXTS[name], "良い"]}, record_keys=["1", "2"])
    )

    assert end == "0 ITEM_VALUE_INVALID items"


@pytest.mark.parametrize(
    "value", ["00000000", "20250230", "99999999", "R080601", "2026060", "２０２６０６０１", "2026/6/1"]
)
def test_a_date_that_is_none_refuses_its_row(stage: Stage, value: str) -> None:
    end = outcome(
        lambda: send(stage, information=DISABILITY, values={DATE: [value, "20260601"]}, record_keys=["1", "2"])
    )

    assert end == "0 ITEM_VALUE_INVALID items"


def _request(stage: Stage, change: Callable[[pb.RegisterReplicasRequest], Any]) -> str:
    numbers = stage.fresh(rows=2)
    sent = pb.RegisterReplicasRequest(
        batch_id=stage.shinjuku.batch_id(),
        information_code=TAX,
        data_set="0100",
        edition=EDITION,
        record_ids=[f"h-{fresh_serial()}", f"h-{fresh_serial()}"],
        integrated_address_numbers=numbers,
        record_keys=["2026", "2026"],
        start_dates=["20260601", "20260601"],
        items=[
            pb.ItemColumn(item_code=item.code, values=[_good(item.type)] * 2)
            for item in layout(TAX, EDITION).data_set("0100").required_items
        ],
    )
    for column, item in zip(sent.items, layout(TAX, EDITION).data_set("0100").required_items, strict=True):
        if item.values:
            column.values[:] = [item.values[0]] * 2
    change(sent)
    stub = ReplicaServiceStub(stage.channel)
    return outcome(lambda: stub.RegisterReplicas(iter([sent]), metadata=stage.shinjuku.metadata, timeout=SECONDS))


def _good(kind: str) -> str:
    return {"year": "2026", "number": "0", "date": "20260601", "year_month": "202606", "flag": "0"}.get(kind, "1")


BATCHES: Final[dict[str, tuple[Callable[[pb.RegisterReplicasRequest], Any], str]]] = {
    "nothing": (lambda _: None, "OK"),
    "an information there is none of": (
        lambda sent: setattr(sent, "information_code", "TM99999999999999"),
        "0 INFORMATION_UNKNOWN information_code",
    ),
    "an information in small letters": (
        lambda sent: setattr(sent, "information_code", TAX.lower()),
        "0 INFORMATION_UNKNOWN information_code",
    ),
    "an individual number as information": (
        lambda sent: setattr(sent, "information_code", CANARY),
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED information_code",
    ),
    "no information": (lambda sent: sent.ClearField("information_code"), "INVALID_ARGUMENT INVALID_FIELD"),
    "an edition there is none of": (lambda sent: setattr(sent, "edition", "9999"), "0 EDITION_UNKNOWN edition"),
    "no edition": (lambda sent: sent.ClearField("edition"), "0 EDITION_UNKNOWN edition"),
    "a data set there is none of": (lambda sent: setattr(sent, "data_set", "9999"), "0 DATA_SET_UNKNOWN data_set"),
    "an item there is none of": (
        lambda sent: setattr(sent.items[0], "item_code", "TK99999999999999"),
        "0 ITEM_UNKNOWN items",
    ),
    "an item of another information": (
        lambda sent: setattr(sent.items[0], "item_code", TEXT),
        "0 ITEM_UNKNOWN items",
    ),
    "an item twice": (lambda sent: sent.items.add().CopyFrom(sent.items[0]), "0 ITEM_DUPLICATE items"),
    "a required item left out": (lambda sent: sent.items.pop(0), "0 ITEM_REQUIRED items"),
    "no items": (lambda sent: sent.ClearField("items"), "0 ITEM_REQUIRED items"),
    "no rows": (lambda sent: sent.ClearField("record_ids"), "INVALID_ARGUMENT INVALID_FIELD"),
    "no batch id": (lambda sent: sent.ClearField("batch_id"), "INVALID_ARGUMENT INVALID_FIELD"),
    "a batch id too long": (lambda sent: setattr(sent, "batch_id", "x" * 65), "INVALID_ARGUMENT INVALID_FIELD"),
    "a batch id nobody can read": (
        lambda sent: setattr(sent, "batch_id", "a\0\x1b[2J"),
        "INVALID_ARGUMENT INVALID_FIELD",
    ),
    "a batch id that runs backwards": (
        lambda sent: setattr(sent, "batch_id", "\u202eab"),
        "INVALID_ARGUMENT INVALID_FIELD",
    ),
    "an individual number as batch id": (
        lambda sent: setattr(sent, "batch_id", CANARY),
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED batch_id",
    ),
    "one as user": (
        lambda sent: setattr(sent.header, "user_id", FULL_WIDTH),
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED header.user_id",
    ),
    "one as send": (
        lambda sent: setattr(sent.header, "send_id", f" {CANARY} "),
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED header.send_id",
    ),
    "a message id nobody can read": (
        lambda sent: setattr(sent.header, "message_id", "a\r\nb"),
        "INVALID_ARGUMENT INVALID_FIELD",
    ),
    "production from an organization in test": (
        lambda sent: setattr(sent.header, "mode", 1),
        "0 MODE_MISMATCH header.mode",
    ),
    "one number too few": (
        lambda sent: sent.integrated_address_numbers.pop(),
        "0 COLUMNS_UNEQUAL integrated_address_numbers",
    ),
    "one number too many": (
        lambda sent: sent.integrated_address_numbers.append("1" * 15),
        "0 COLUMNS_UNEQUAL integrated_address_numbers",
    ),
    "one key too few": (lambda sent: sent.record_keys.pop(), "0 COLUMNS_UNEQUAL record_keys"),
    "no keys": (lambda sent: sent.ClearField("record_keys"), "0 COLUMNS_UNEQUAL record_keys"),
    "one start too few": (lambda sent: sent.start_dates.pop(), "0 COLUMNS_UNEQUAL start_dates"),
    "one end": (lambda sent: sent.end_dates.append("20270531"), "0 COLUMNS_UNEQUAL end_dates"),
    "one operation": (lambda sent: sent.operations.append(1), "0 COLUMNS_UNEQUAL operations"),
    "three reasons": (lambda sent: sent.delete_reasons.extend("abc"), "0 COLUMNS_UNEQUAL delete_reasons"),
    "one ward": (lambda sent: sent.ward_codes.append("1"), "0 COLUMNS_UNEQUAL ward_codes"),
    "one parent": (lambda sent: sent.parent_record_keys.append("1"), "0 COLUMNS_UNEQUAL parent_record_keys"),
    "one value too few": (lambda sent: sent.items[3].values.pop(), "0 COLUMNS_UNEQUAL items"),
    "one value too many": (lambda sent: sent.items[3].values.append("0"), "0 COLUMNS_UNEQUAL items"),
    "a nil row without reason": (lambda sent: sent.items[2].nil_rows.append(0), "0 COLUMNS_UNEQUAL items"),
    "a reason without nil row": (lambda sent: sent.items[2].nil_reasons.append("01"), "0 COLUMNS_UNEQUAL items"),
    "a nil row behind the last": (lambda sent: _nil(sent, [2], ["01"]), "0 NIL_ROW_INVALID items"),
    "a nil row far behind the last": (lambda sent: _nil(sent, [2**32 - 1], ["01"]), "0 NIL_ROW_INVALID items"),
    "a nil row twice": (lambda sent: _nil(sent, [1, 1], ["01", "01"], blank=1), "1 NIL_ROW_INVALID items"),
    "nil rows that run backwards": (lambda sent: _nil(sent, [1, 0], ["01", "01"], blank=2), "OK"),
    "a nil row with a value": (lambda sent: _nil(sent, [0], ["01"]), "0 NIL_ROW_INVALID items"),
    "an operation there is none of": (lambda sent: sent.operations.extend([1, 99]), "1 INVALID_FIELD operations"),
    "an operation below zero": (lambda sent: sent.operations.extend([-1, 1]), "0 INVALID_FIELD operations"),
}


def _nil(sent: pb.RegisterReplicasRequest, rows: list[int], reasons: list[str], *, blank: int = 0) -> None:
    column = next(each for each in sent.items if each.item_code == NUMBER)
    column.nil_rows.extend(rows)
    column.nil_reasons.extend(reasons)
    for row in {1: [1], 2: [0, 1]}.get(blank, []):
        column.values[row] = ""


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_refused_by_its_rule(stage: Stage, name: str) -> None:
    change, expected = BATCHES[name]

    assert _request(stage, change) == expected


def test_the_same_key_of_a_person_twice_is_written_once(stage: Stage) -> None:
    (number,) = stage.fresh()

    answer = stage.shinjuku.replicas([number, number])

    assert [(each.row, each.reason) for each in answer.failures] == [(1, "DUPLICATE_IN_BATCH")]
    assert list(answer.outcomes) == [1, 3]


def test_a_deletion_does_not_look_at_what_else_its_row_holds(stage: Stage) -> None:
    (number,) = stage.fresh()
    stage.shinjuku.replicas([number])
    given = {"operations": [2], "delete_reasons": ["異動"], "record_ids": [f"h-{fresh_serial()}"]}

    end = outcome(lambda: stage.shinjuku.replicas([number], values={NUMBER: ["1\x1f\x1e2"]}, **given))

    assert end == "OK"
    key = common_pb2.ReplicaKey(information_code=TAX, data_set="0100", record_key="2026")
    asked = pb.GetReplicaRequest(integrated_address_number=number, key=key)
    stub, metadata = ReplicaServiceStub(stage.channel), stage.shinjuku.metadata
    assert outcome(lambda: stub.GetReplica(asked, metadata=metadata)) == "NOT_FOUND REPLICA_UNKNOWN key"


def test_periods_that_overlap_leave_the_first_record_alone(stage: Stage) -> None:
    (number,) = stage.fresh()
    given = {"information": REGISTER, "start_dates": ["20260101"], "end_dates": [""]}
    stage.shinjuku.replicas([number], record_keys=["one"], **given)

    overlapping = outcome(lambda: stage.shinjuku.replicas([number], record_keys=["two"], **given))
    backwards = outcome(
        lambda: stage.shinjuku.replicas(
            [number], information=REGISTER, record_keys=["three"], start_dates=["20250101"], end_dates=["20260101"]
        )
    )

    assert overlapping == backwards == "0 PERIODS_OVERLAP start_dates"


def test_a_child_without_its_parent_is_refused(stage: Stage) -> None:
    numbers = stage.fresh(rows=2)

    end = outcome(
        lambda: stage.shinjuku.replicas(
            numbers, information=CARE, data_set="0201", record_keys=["a", "b"], parent_record_keys=["nobody", ""]
        )
    )

    assert end == "0 PARENT_UNKNOWN parent_record_keys; 1 PARENT_KEY_MISSING parent_record_keys"


def test_a_used_record_id_never_stands_for_something_else(stage: Stage) -> None:
    numbers = stage.fresh(rows=2)
    used = f"h-{fresh_serial()}"
    stage.shinjuku.replicas([numbers[0]], record_ids=[used])

    other = outcome(lambda: stage.shinjuku.replicas([numbers[1]], record_ids=[used]))
    deleting = outcome(
        lambda: stage.shinjuku.replicas([numbers[0]], record_ids=[used], operations=[2], delete_reasons=["x"])
    )

    assert other == deleting == "0 RECORD_ID_EXISTS record_ids"


def _put(stage: Stage, number: str, record_id: str, **given: Any) -> str:
    items = layout(TAX, EDITION).data_set("0100").required_items
    replica = pb.Replica(
        integrated_address_number=number,
        information_code=TAX,
        data_set="0100",
        edition=EDITION,
        record_key="2026",
        record_id=record_id,
        period={"start_date": "20260601", "end_date": "20270531"},
        items=[
            {"item_code": each.code, "value": each.values[0] if each.values else _good(each.type)} for each in items
        ],
    )
    for name, value in given.items():
        setattr(replica, name, value)
    request, stub = pb.PutReplicaRequest(replica=replica), ReplicaServiceStub(stage.channel)
    return outcome(lambda: stub.PutReplica(request, metadata=stage.shinjuku.metadata, timeout=SECONDS))


def test_long_record_ids_that_begin_alike_are_two_records(stage: Stage) -> None:
    numbers, head = stage.fresh(rows=2), f"{fresh_serial():062d}"

    assert [_put(stage, numbers[0], f"{head}-a"), _put(stage, numbers[1], f"{head}-b")] == ["OK", "OK"]


def test_a_replica_refused_for_what_was_missing_is_taken_once_it_is_there(stage: Stage) -> None:
    number, record = address_number(fresh_serial()), f"h-{fresh_serial()}"

    before = _put(stage, number, record)
    stage.shinjuku.register([number])
    after = _put(stage, number, record)

    assert (before, after) == ("NOT_FOUND ADDRESSEE_UNKNOWN replica.integrated_address_numbers", "OK")
