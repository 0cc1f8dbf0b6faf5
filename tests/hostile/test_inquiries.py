# SPDX-License-Identifier: Apache-2.0
"""Inquiries (情報照会) that ask wrongly, twice, too late or in the wrong order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from tests.builders import AFFAIR, PROCEDURE, SETAGAYA, SHINJUKU, TAX, address_number, fresh_serial
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from tests.hostile.conftest import Stage

FULL_WIDTH: Final = CANARY.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
PRINTED: Final = f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}"
NUMBER: Final = "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED inquiry."
LONG: Final = "INVALID_ARGUMENT FIELD_TOO_LONG inquiry."
UNSEEN: Final = "INVALID_ARGUMENT CHARACTER_REFUSED inquiry."
RULE: Final = "INVALID_ARGUMENT INVALID_FIELD"


def period(start: str, end: str) -> dict[str, Any]:
    return {"period": {"start_date": start, "end_date": end}}


#: name → what the inquiry says, and how the call ends or why the inquiry is refused
SPECS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    # --- whom it is about ---
    "no number": (
        {"integrated_address_number": ""},
        "INVALID_ARGUMENT NUMBER_MALFORMED inquiry.integrated_address_number",
    ),
    "14 digits": (
        {"integrated_address_number": "9" * 14},
        "INVALID_ARGUMENT NUMBER_MALFORMED inquiry.integrated_address_number",
    ),
    "full-width digits": (
        {"integrated_address_number": "９" * 15},
        "INVALID_ARGUMENT NUMBER_MALFORMED inquiry.integrated_address_number",
    ),
    "digits of another script": (
        {"integrated_address_number": "٩" * 15},
        "INVALID_ARGUMENT NUMBER_MALFORMED inquiry.integrated_address_number",
    ),
    "an individual number": ({"integrated_address_number": CANARY}, f"{NUMBER}integrated_address_number"),
    "one in full-width digits": ({"integrated_address_number": FULL_WIDTH}, f"{NUMBER}integrated_address_number"),
    "one with spaces": ({"integrated_address_number": f" {CANARY}  "}, f"{NUMBER}integrated_address_number"),
    "one as printed": ({"integrated_address_number": PRINTED}, f"{NUMBER}integrated_address_number"),
    "somebody nobody registered": ({"integrated_address_number": address_number(10**9)}, "ADDRESSEE_UNKNOWN"),
    # --- who asks ---
    "an individual number as user": ({"user_id": CANARY}, f"{NUMBER}user_id"),
    "one as department, as printed": ({"department": PRINTED}, f"{NUMBER}department"),
    "a department too long": ({"department": "1" * 21}, RULE),
    "a department nobody can read": ({"department": "A\x1b[31m"}, f"{UNSEEN}department"),
    "a user that runs backwards": ({"user_id": "\u202eREDRUM"}, RULE),
    "NUL in a user": ({"user_id": "a\0b"}, RULE),
    # --- codes ---
    "an affair there is none of": ({"affair_code": "JM99999999999999"}, "AFFAIR_MISMATCH"),
    "no affair": ({"affair_code": ""}, "INVALID_ARGUMENT FIELD_REQUIRED inquiry.affair_code"),
    "an affair too long": ({"affair_code": AFFAIR + "0"}, f"{LONG}affair_code"),
    "an affair of 100,000 characters": ({"affair_code": "J" * 100_000}, f"{LONG}affair_code"),
    "an affair in small letters": ({"affair_code": AFFAIR.lower()}, "AFFAIR_MISMATCH"),
    "a procedure there is none of": ({"procedure_code": "JT99999999999999"}, "NOT_PERMITTED_PROCEDURE"),
    "no procedure": ({"procedure_code": ""}, "INVALID_ARGUMENT FIELD_REQUIRED inquiry.procedure_code"),
    "a procedure nobody can read": ({"procedure_code": "JT\u200b"}, f"{UNSEEN}procedure_code"),
    "an information there is none of": ({"information_code": "TM99999999999999"}, "NOT_PERMITTED_INFORMATION"),
    "no information": ({"information_code": ""}, "INVALID_ARGUMENT FIELD_REQUIRED inquiry.information_code"),
    "an information in full width": (
        {"information_code": "ＴＭ００００００００００００００"},
        "NOT_PERMITTED_INFORMATION",
    ),
    "no provider": ({"provider": ""}, "PROVIDER_BLANK"),
    "a provider there is none of": ({"provider": "9" * 16}, "PROVIDER_UNKNOWN"),
    "a provider by five digits": ({"provider": "13104"}, "PROVIDER_UNKNOWN"),
    "a provider too long": ({"provider": SHINJUKU + "0"}, f"{LONG}provider_code"),
    "oneself": ({"provider": SETAGAYA}, "PROVIDER_IS_INQUIRER"),
    "an individual number as provider": ({"provider": CANARY}, f"{NUMBER}provider_code"),
    "a delegator there is none of": ({"inquirer_delegator_code": "9" * 16}, "DELEGATION_NOT_REGISTERED"),
    "a provider's delegator there is none of": ({"provider_delegator_code": "9" * 16}, "DELEGATION_NOT_REGISTERED"),
    "an individual number as delegator": (
        {"inquirer_delegator_code": FULL_WIDTH},
        f"{NUMBER}inquirer_delegator_code",
    ),
    "an item there is none of": (
        {"item_codes": ["TK99999999999999"]},
        "INVALID_ARGUMENT ITEM_UNKNOWN inquiry.item_codes",
    ),
    "an empty item": ({"item_codes": [""]}, "INVALID_ARGUMENT ITEM_UNKNOWN inquiry.item_codes"),
    "an item too long": ({"item_codes": ["TK" * 100]}, f"{LONG}item_codes"),
    "an individual number as item": ({"item_codes": ["TK90002010000003", CANARY]}, f"{NUMBER}item_codes"),
    # --- codes of one character ---
    "a condition there is none of": (
        {"condition_kind": "9"},
        "FAILED_PRECONDITION INQUIRY_CONDITION_INVALID inquiry.condition_kind",
    ),
    "a year kind there is none of": (
        {"year_kind": "x"},
        "FAILED_PRECONDITION INQUIRY_CONDITION_INVALID inquiry.year_kind",
    ),
    "two conditions": ({"condition_kind": "00"}, RULE),
    "a nondisclosure code in full width": (
        {"nondisclosure_code": "２"},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.nondisclosure_code",
    ),
    "a nondisclosure code nobody can read": (
        {"nondisclosure_code": "\0"},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.nondisclosure_code",
    ),
    # --- when ---
    "a period backwards": (period("20260602", "20260601"), "INVALID_ARGUMENT PERIOD_INVALID inquiry.period"),
    "30 February": (period("20250230", ""), "INVALID_ARGUMENT DATE_INVALID inquiry.period"),
    "zeros": (period("00000000", ""), "INVALID_ARGUMENT DATE_INVALID inquiry.period"),
    "nines": (period("", "99999999"), "INVALID_ARGUMENT DATE_INVALID inquiry.period"),
    "an era": (period("R080601", ""), RULE),
    "full-width digits in a day": (period("２０２６０６０１", ""), RULE),
    "a fiscal year without a day": (
        {"year_kind": "1"},
        "FAILED_PRECONDITION INQUIRY_CONDITION_INVALID inquiry.year_kind",
    ),
    "a time-out below a second": (
        {"time_out": Duration(nanos=1)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.time_out",
    ),
    "a time-out below zero": (
        {"time_out": Duration(seconds=-1)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.time_out",
    ),
    "a time-out of a year": (
        {"time_out": Duration(seconds=31_536_000)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.time_out",
    ),
    "a time-out beyond all durations": (
        {"time_out": Duration(seconds=2**62)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.time_out",
    ),
    "an instant that is none": (
        {"request_time": Timestamp(seconds=1, nanos=-1)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.request_time",
    ),
    "an instant with too many nanoseconds": (
        {"request_time": Timestamp(seconds=1, nanos=2**31 - 1)},
        "INVALID_ARGUMENT INVALID_FIELD inquiry.request_time",
    ),
    # --- its own name ---
    "no record id": ({"record_id": ""}, RULE),
    "a record id too long": ({"record_id": "x" * 65}, RULE),
    "a record id in Japanese": ({"record_id": "照会１"}, "INVALID_ARGUMENT INVALID_FIELD inquiry.record_id"),
    "NUL in a record id": ({"record_id": "a\0"}, RULE),
    "an individual number as record id": ({"record_id": CANARY}, f"{NUMBER}record_id"),
    "one as record id, as printed": ({"record_id": PRINTED.replace("-", " ")}, f"{NUMBER}record_id"),
}


@pytest.mark.parametrize("name", SPECS)
def test_an_inquiry_is_refused_by_its_rule(stage: Stage, name: str) -> None:
    given, expected = SPECS[name]
    given = dict(given)
    number = given.pop("integrated_address_number", stage.asked[0])
    stub = InquiryServiceStub(stage.channel)
    request = pb.CreateInquiryRequest(inquiry=stage.setagaya.spec(number, **given))

    end = outcome(lambda: stub.CreateInquiry(request, metadata=stage.setagaya.metadata, timeout=SECONDS))

    assert end.replace(" inquiry.record_id", "", end.startswith(RULE) and expected == RULE) == expected


@pytest.mark.parametrize("name", [name for name, (_, end) in SPECS.items() if "inquiry." in end])
def test_in_a_batch_the_same_refuses_its_row_and_no_other(stage: Stage, name: str) -> None:
    given, expected = SPECS[name]
    given = dict(given)
    number = given.pop("integrated_address_number", stage.asked[0])
    good = [stage.setagaya.spec(stage.asked[0]) for _ in range(2)]
    answers: list[Any] = []

    end = outcome(
        lambda: answers.append(stage.setagaya.ask(good[0], stage.setagaya.spec(number, **given), good[1])) or answers[0]
    )

    assert end == expected.replace("INVALID_ARGUMENT", "1").replace("FAILED_PRECONDITION", "1").replace("inquiry.", "")
    assert [bool(receipt) for receipt in answers[0].receipt_numbers] == [True, False, True]


BATCHES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "no batch id": ({"batch_id": ""}, RULE),
    "a batch id too long": ({"batch_id": "x" * 65}, RULE),
    "a batch id nobody can read": ({"batch_id": "a\x1b]0;x\x07"}, RULE),
    "a batch id with a line end": ({"batch_id": "a\r\nb"}, RULE),
    "an individual number as batch id": (
        {"batch_id": FULL_WIDTH},
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED batch_id",
    ),
    "one as printed": ({"batch_id": PRINTED}, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED batch_id"),
    "no inquiries": ({"inquiries": []}, RULE),
    "1,001 inquiries": ({"inquiries": [pb.InquirySpec(record_id="x")] * 1_001}, RULE),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_of_inquiries_is_refused_by_its_rule(stage: Stage, name: str) -> None:
    given, expected = BATCHES[name]
    fields = {"batch_id": "hostile", "inquiries": [stage.setagaya.spec(stage.asked[0])], **given}
    stub = InquiryServiceStub(stage.channel)

    def send() -> Any:
        requests = iter([pb.CreateInquiriesRequest(**fields)])
        return stub.CreateInquiries(requests, metadata=stage.setagaya.metadata, timeout=SECONDS)

    assert outcome(send) == expected


def test_a_record_id_twice_in_a_batch_is_one_inquiry(stage: Stage) -> None:
    spec = stage.setagaya.spec(stage.asked[0])

    answer = stage.setagaya.ask(spec, spec)

    assert [(each.row, each.reason) for each in answer.failures] == [(1, "RECORD_ID_EXISTS")]


@pytest.mark.parametrize(
    "receipt", ["", "x", "0" * 20, "9" * 20, "２" * 20, "-1", "1" * 100_000, "2026\0", CANARY, PRINTED]
)
def test_a_receipt_nobody_was_given_is_unknown_or_refused(stage: Stage, receipt: str) -> None:
    stub, metadata = InquiryServiceStub(stage.channel), stage.setagaya.metadata
    wrong = {CANARY: "INDIVIDUAL_NUMBER_REFUSED", PRINTED: "INDIVIDUAL_NUMBER_REFUSED"}.get(receipt, "INQUIRY_UNKNOWN")

    got = outcome(lambda: stub.GetInquiry(pb.GetInquiryRequest(receipt_number=receipt), metadata=metadata))
    cancelled = outcome(lambda: stub.CancelInquiry(pb.CancelInquiryRequest(receipt_number=receipt), metadata=metadata))
    read = outcome(
        lambda: stub.GetInquiryResults(pb.GetInquiryResultsRequest(receipt_numbers=[receipt]), metadata=metadata)
    )
    told = outcome(
        lambda: stub.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=[receipt]), metadata=metadata)
    )

    assert wrong in got
    assert wrong in cancelled or (not receipt and cancelled == RULE)
    assert wrong in read
    assert wrong in told


@pytest.mark.parametrize("rpc", ["GetInquiryResults", "AcknowledgeResults"])
@pytest.mark.parametrize("receipts", [[], ["0" * 20] * 1_001])
def test_too_few_or_too_many_receipts_are_refused(stage: Stage, rpc: str, receipts: list[str]) -> None:
    request = getattr(pb, f"{rpc}Request")(receipt_numbers=receipts)
    stub = InquiryServiceStub(stage.channel)

    assert outcome(lambda: getattr(stub, rpc)(request, metadata=stage.setagaya.metadata)) == RULE


def test_a_receipt_named_twice_is_answered_twice_and_acknowledged_once(stage: Stage) -> None:
    done = stage.setagaya.answer(stage.asked[0])
    stub, metadata = InquiryServiceStub(stage.channel), stage.setagaya.metadata
    twice = [done.receipt_number] * 2

    read = stage.setagaya.results(*twice)
    first = stub.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=twice), metadata=metadata)
    again = stub.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=twice), metadata=metadata)

    assert [each.receipt_number for each in read.results] == twice
    assert (first.acknowledged_count, again.acknowledged_count) == (1, 0)
    assert not again.unavailable


def test_a_cancelled_inquiry_stays_cancelled_when_the_answer_comes(stage: Stage) -> None:
    stub, metadata = InquiryServiceStub(stage.channel), stage.setagaya.metadata
    ended = []
    for _ in range(20):
        receipt = stage.setagaya.ask(stage.setagaya.spec(stage.asked[0])).receipt_numbers[0]
        request = pb.CancelInquiryRequest(receipt_number=receipt)
        ended.append((receipt, outcome(lambda request=request: stub.CancelInquiry(request, metadata=metadata))))  # type: ignore[misc]

    for receipt, end in ended:
        found = stage.setagaya.finished(receipt)
        expected = {
            "INQUIRY_CANCELLED": common_pb2.INQUIRY_STATE_CANCELLED,
            "FAILED_PRECONDITION INQUIRY_FINISHED": common_pb2.INQUIRY_STATE_ANSWERED,
        }[end]
        assert found.state == expected
        unavailable = [each.reason for each in stage.setagaya.results(receipt).unavailable]
        assert unavailable == (["INQUIRY_HAS_NO_RESULT"] if expected == common_pb2.INQUIRY_STATE_CANCELLED else [])
    assert "INQUIRY_CANCELLED" in [end for _, end in ended]


def test_nobody_is_asked_about_before_there_is_a_code(stage: Stage) -> None:
    number = address_number(fresh_serial())
    before = stage.setagaya.answer(number)
    stage.setagaya.register([number])
    without_code = stage.setagaya.answer(number)

    assert (before.reason, without_code.reason) == ("ADDRESSEE_UNKNOWN", "CODE_NOT_ACQUIRED")


@pytest.mark.parametrize("last", ["20270331", "99991231"])
def test_a_fiscal_year_that_never_ends_finds_what_is_there(stage: Stage, last: str) -> None:
    given = {"year_kind": "1", **period("20260601", last)}

    done = stage.setagaya.answer(stage.asked[1], **given)

    assert done.answer_kind == common_pb2.ANSWER_KIND_VALUES


def test_a_question_of_another_kind_says_nothing_about_the_person(stage: Stage) -> None:
    """What is not permitted is refused alike, whether the person is known or not."""
    given = {"information_code": "TM00000000000082"}

    known = stage.setagaya.answer(stage.asked[0], **given)
    unknown = stage.setagaya.answer(address_number(10**9), **given)

    assert known.reason == unknown.reason == "NOT_PERMITTED_INFORMATION"


CHECKS: Final[dict[str, tuple[dict[str, str], str]]] = {
    "an affair there is none of": ({"affair_code": "JM99999999999999"}, "AFFAIR_MISMATCH"),
    "an individual number": ({"affair_code": CANARY}, "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED affair_code"),
    "an inquirer there is none of": ({"inquirer_code": "9" * 16}, "NOT_PERMITTED_INQUIRER"),
    "a day there is none of": ({"date": "20250230"}, "INVALID_ARGUMENT DATE_INVALID date"),
    "nines": ({"date": "99999999"}, "INVALID_ARGUMENT DATE_INVALID date"),
    "an era": ({"date": "R080601"}, RULE),
    "a provider there is none of": ({"provider_code": "9" * 16}, "PROVIDER_UNKNOWN"),
    "no provider": ({"provider_code": ""}, "PROVIDER_BLANK"),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_permission_says_what_is_wrong(stage: Stage, name: str) -> None:
    given, expected = CHECKS[name]
    fields = {"affair_code": AFFAIR, "procedure_code": PROCEDURE, "provider_code": SHINJUKU, "information_code": TAX}
    request = pb.CheckPermissionRequest(**{**fields, **given})
    answers: list[Any] = []
    stub = InquiryServiceStub(stage.channel)

    end = outcome(lambda: answers.append(stub.CheckPermission(request, metadata=stage.setagaya.metadata)) or answers[0])

    assert (answers[0].reason if answers else end) == expected
