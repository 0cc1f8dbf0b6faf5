# SPDX-License-Identifier: Apache-2.0
"""What a case demands of a client's calls: each rule is broken by what breaks it, and by nothing else."""

from __future__ import annotations

import time
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from chukan.cases.v1.case_pb2 import Answer, Demand
from chukan.conformance.contract import find_method
from chukan.conformance.examiner.demands import broken_demands
from chukan.conformance.examiner.play import Play
from chukan.conformance.examiner.received import Received, metadata_of, sent_rows, traces
from chukan.v1.inquiry_service_pb2 import (
    AcknowledgeResultsRequest,
    CreateInquiriesRequest,
    GetInquiryRequest,
    InquirySpec,
    ListInquiriesRequest,
    WatchInquiriesRequest,
)

SERVICE = "chukan.v1.InquiryService/"
ACKNOWLEDGE, RESULTS = f"{SERVICE}AcknowledgeResults", f"{SERVICE}GetInquiryResults"


def call(path: str, at: float, *receipts: str, **given: Any) -> Received:
    found = Received(path, {"receipt_numbers": list(receipts)}, {"chukan-mode": "test"}, 5.0, 1, output=True, at=at)
    found.status, found.answered_at = given.get("status", "OK"), at + 0.1
    found.answers = given.get("answers", [])
    return found


CALLS = [
    call(RESULTS, 1.0, "1", "2", answers=[{"results": [{"receipt_number": "1"}]}]),
    call(ACKNOWLEDGE, 2.0, "1"),
    call(ACKNOWLEDGE, 2.5, "2", status="UNAVAILABLE"),
    call(ACKNOWLEDGE, 3.0, "2"),
]
HOLDING: dict[str, dict[str, Any]] = {
    "at least": {"call": ACKNOWLEDGE, "at_least": 3},
    "at most": {"call": ACKNOWLEDGE, "at_most": 3},
    "none of another kind": {"call": f"{SERVICE}CancelInquiry", "at_most": 0},
    "any that begin so": {"call": f"{SERVICE}*", "at_least": 4},
    "those of which something is true": {
        "call": ACKNOWLEDGE,
        "when": [{"path": "request.receipt_numbers", "contains": "2"}, {"path": "status", "equals": "OK"}],
        "at_least": 1,
        "at_most": 1,
    },
    "each": {"each": [{"path": "metadata.chukan_mode", "equals": "test"}, {"path": "deadline_ms", "at_least": 5000}]},
    "later ones": {"call": ACKNOWLEDGE, "later": [{"path": "since_ms", "at_least": 500}]},
    "the same": {"same": ["metadata"]},
    "distinct": {
        "call": ACKNOWLEDGE,
        "when": [{"path": "status", "equals": "OK"}],
        "distinct": ["request.receipt_numbers"],
    },
    "after": {
        "call": ACKNOWLEDGE,
        "after": RESULTS,
        "after_when": [{"path": "answers[0].results[0].receipt_number", "equals": "${kept}"}],
    },
}
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "at least": ({"call": ACKNOWLEDGE, "at_least": 4}, "got 3 calls, expected at least 4"),
    "at most": ({"call": ACKNOWLEDGE, "at_most": 2}, "got 3 calls, expected at most 2"),
    "each": ({"each": [{"path": "deadline_ms", "at_least": 5001}]}, "call 1: deadline_ms: got 5000"),
    "later ones": ({"call": ACKNOWLEDGE, "later": [{"path": "since_ms", "at_least": 501}]}, "call 2: since_ms"),
    "the same": ({"call": ACKNOWLEDGE, "same": ["request"]}, "request differs among 3 calls"),
    "distinct": ({"call": ACKNOWLEDGE, "distinct": ["request.receipt_numbers"]}, "got one of 3 twice"),
    "after what never came": ({"call": ACKNOWLEDGE, "after": f"{SERVICE}GetInquiry"}, "came before"),
    "after what came later": ({"call": RESULTS, "after": ACKNOWLEDGE}, "came before"),
    "after what said something else": (
        {"call": ACKNOWLEDGE, "after": RESULTS, "after_when": [{"path": "answers[0].results", "count": 2}]},
        "came before",
    ),
    "a value that was never kept": ({"each": [{"path": "status", "equals": "${never}"}]}, "which never came up"),
}


def broken(document: dict[str, Any]) -> list[str]:
    names = {"kept": "1"}
    play = Play("XXX-1/1", [], {}, names)
    return list(broken_demands([ParseDict(document, Demand())], CALLS, play.named()))


@pytest.mark.parametrize("name", HOLDING)
def test_a_demand_that_is_met_says_nothing(name: str) -> None:
    assert broken(HOLDING[name]) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_demand_that_is_not_met_says_what_was_and_what_was_expected(name: str) -> None:
    document, said = BROKEN[name]

    (fault,) = broken(document)

    assert said in fault


def played(*answers: dict[str, Any]) -> Play:
    return Play("XXX-1/1", [ParseDict(each, Answer()) for each in answers], {}, {})


def test_an_answer_is_used_up_and_the_next_that_fits_is_given() -> None:
    play = played(
        {"call": f"{SERVICE}AcknowledgeResults", "times": 1, "responses": ['{"acknowledged_count": 1}']},
        {"call": f"{SERVICE}AcknowledgeResults", "task": 2, "responses": ['{"acknowledged_count": 2}']},
        {"call": f"{SERVICE}AcknowledgeResults", "responses": ['{"acknowledged_count": 3}']},
    )
    method, request = find_method(ACKNOWLEDGE, ""), AcknowledgeResultsRequest(receipt_numbers=["1"])

    play.begin(1)
    first, second = (play.reply(method, request) for _ in range(2))
    play.begin(2)
    third = play.reply(method, request)

    assert [reply and reply.responses[0].acknowledged_count for reply in (first, second, third)] == [1, 3, 2]


def test_rows_are_answered_row_by_row_and_what_they_bear_is_kept() -> None:
    play = played(
        {
            "call": f"{SERVICE}CreateInquiries",
            "responses": ['{"batch_id": "${request.batch_id}"}'],
            "rows_of": "inquiries",
            "rows": [
                {
                    "when": [{"path": "integrated_address_number", "equals": "7"}],
                    "entries": {"receipt_numbers": '"r${row.integrated_address_number}"'},
                    "keep": {"record": "${row.record_id}"},
                },
                {"entries": {"receipt_numbers": '""', "failures": '{"row": "${at}", "reason": "NUMBER_MALFORMED"}'}},
            ],
        },
        {"call": f"{SERVICE}GetInquiry", "when": [{"path": "record_id", "equals": "${record}"}]},
    )
    ask = find_method(f"{SERVICE}GetInquiry", "")
    specs = [InquirySpec(record_id=f"id {number}", integrated_address_number=number) for number in ("8", "7")]
    before = play.reply(ask, GetInquiryRequest(record_id="id 7"))

    reply = play.reply(
        find_method(f"{SERVICE}CreateInquiries", ""), CreateInquiriesRequest(batch_id='a "b"', inquiries=specs)
    )

    assert reply is not None
    (response,) = reply.responses
    assert (response.batch_id, list(response.receipt_numbers)) == ('a "b"', ["", "r7"])
    assert [(each.row, each.reason) for each in response.failures] == [(0, "NUMBER_MALFORMED")]
    assert before is None
    assert play.reply(ask, GetInquiryRequest(record_id="id 7")) is not None


def test_a_watch_is_sent_what_stands_behind_its_token_and_waits_for_what_is_not_known() -> None:
    texts = [
        '{"resume_token": "a"}',
        '{"resume_token": "b"}',
        '{"resume_token": "c", "inquiries": [{"reason": "${x}"}]}',
    ]
    play = played({"call": f"{SERVICE}WatchInquiries", "responses": texts})
    method = find_method(f"{SERVICE}WatchInquiries", "")

    reply = play.reply(method, WatchInquiriesRequest(resume_token="a"))  # noqa: S106  # no password
    assert reply is not None
    made = [play.resumed(reply, method, 0.01) for _ in range(2)]
    play.names["x"] = "known"
    made.append(play.resumed(reply, method, 0.01))

    assert made == [True, False, True]
    assert [each.resume_token for each in reply.responses] == ["b", "c"]


def test_metadata_is_judged_whole_and_a_report_shows_what_the_contract_names() -> None:
    pairs = [("chukan-mode", "test"), ("x-own", "１２"), ("chukan-mode", "production"), ("own-bin", b"3\x004")]

    found = call(RESULTS, 1.0)
    found.metadata = metadata_of(pairs)

    assert found.metadata == {"chukan-mode": "test, production", "x-own": "12", "own-bin": "34"}
    assert traces([found])[0].metadata == {"chukan-mode": "test, production"}


@pytest.mark.parametrize(
    "request_",
    [
        {"header": {"send_id": "s"}, "record_ids": ["1"], "record_keys": ["a"], "items": [{"values": []}]},
        {"replica": {"record_id": "1", "record_key": "a"}, "mode": "MODE_TEST"},
        {"inquiries": [{"record_id": "1", "record_key": "a"}]},
    ],
)
def test_rows_bear_the_same_names_whichever_way_they_came(request_: dict[str, Any]) -> None:
    (row,) = sent_rows(request_)

    assert (row["record_id"], row["record_key"]) == ("1", "a")


def test_a_list_holds_what_is_known_so_far() -> None:
    rows = [{"entries": {"inquiries": f'{{"receipt_number": "${{r.{number}}}"}}'}} for number in (1, 2)]
    play = played({"call": f"{SERVICE}ListInquiries", "responses": ["{}"], "rows": rows})
    method = find_method(f"{SERVICE}ListInquiries", "")
    play.names["r.2"] = "two"

    reply = play.reply(method, ListInquiriesRequest())

    assert reply is not None
    assert [each.receipt_number for each in reply.responses[0].inquiries] == ["two"]


def test_an_answer_for_some_seconds_is_given_no_more_when_they_are_over() -> None:
    said = ['{"acknowledged_count": 1}']
    play = played({"call": ACKNOWLEDGE, "seconds": 0.05, "responses": said}, {"call": ACKNOWLEDGE})
    method = find_method(ACKNOWLEDGE, "")
    replies = [play.reply(method, AcknowledgeResultsRequest()) for _ in range(2)]
    time.sleep(0.06)
    replies.append(play.reply(method, AcknowledgeResultsRequest()))

    assert [reply and reply.responses[0].acknowledged_count for reply in replies] == [1, 1, 0]


def test_a_trace_shows_no_number_of_a_person() -> None:
    seen = call(RESULTS, 1.0, "1")
    seen.request = {"integrated_address_numbers": ["800000000000001"]}
    seen.metadata = {"chukan-user": "999000000012", "x-individual-number": "999000000012"}

    (trace,) = traces([seen])

    assert trace.requests == [{"integrated_address_numbers": ["•••"]}]
    assert trace.metadata == {"chukan-user": "•••"}
