# SPDX-License-Identifier: Apache-2.0
"""What is said about three records: never "equal" of what was not read, never "missing" of who was not reached."""

from __future__ import annotations

from typing import Any

import pytest

from chukan.server.console.exchange import _NONE, _NOT_HERE, SIDES, Side, _lines, _verdict
from chukan.server.console.problem import problem_of_reason
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as pb

PROVIDED = common_pb2.EXCHANGE_OUTCOME_PROVIDED
REFUSED = common_pb2.EXCHANGE_OUTCOME_REFUSED
PENDING = common_pb2.EXCHANGE_OUTCOME_PENDING
PERMIT = "a" * 64
ABSENT, ELSEWHERE, UNREADABLE = "absent", "elsewhere", "unreadable"
Given = dict[str, Any] | str


def side(number: int, given: Given, *, committed: bool) -> Side:
    text = SIDES[number]  # type: ignore[index]
    if given == ABSENT:
        return Side(text, "", None, note=_NONE)
    if given == ELSEWHERE:
        return Side(text, "", None, note=_NOT_HERE)
    if given == UNREADABLE:
        return Side(text, "", None, problem_of_reason("PEER_UNREACHABLE"))
    assert isinstance(given, dict)
    return Side(text, "", pb.ExchangeRecord(**given), committed=committed)


def verdict(inquirer: Given, network: Given, provider: Given, *, committed: bool = False) -> str:
    """Judge three records."""
    numbers = (pb.RECORD_SIDE_INQUIRER, pb.RECORD_SIDE_NETWORK, pb.RECORD_SIDE_PROVIDER)
    sides = [
        side(number, given, committed=committed)
        for number, given in zip(numbers, (inquirer, network, provider), strict=True)
    ]
    return _verdict(sides, _lines([each.record for each in sides]))


def record(outcome: int, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, **more}


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([record(PROVIDED)] * 3, "records_equal"),
        ([record(PENDING)] * 3, "records_equal_so_far"),
        ([record(PROVIDED), record(PROVIDED), record(PROVIDED, affair_code="JM0")], "records_differ"),
        ([record(PENDING), record(PROVIDED), record(PROVIDED)], "records_pending"),
        ([record(PROVIDED), record(REFUSED), UNREADABLE], "records_differ"),
        ([record(PROVIDED), record(PROVIDED), UNREADABLE], "records_unknown"),
        ([record(PROVIDED), UNREADABLE, record(PROVIDED)], "records_unknown"),
        ([record(PROVIDED), record(PROVIDED), ELSEWHERE], "records_unknown"),
        ([record(REFUSED), UNREADABLE, ABSENT], "records_unknown"),
        ([record(PROVIDED), record(PROVIDED), ABSENT], "records_missing"),
        ([record(PROVIDED), ABSENT, record(PROVIDED)], "records_missing"),
        ([ABSENT, record(REFUSED), record(REFUSED)], "records_missing"),
        ([record(REFUSED, permit_digest=PERMIT), ABSENT, ABSENT], "records_missing"),
        ([record(REFUSED), record(REFUSED), ABSENT], "records_ended_early"),
        ([record(REFUSED), ABSENT, ABSENT], "records_single"),
        ([record(PENDING), record(PENDING), ABSENT], "records_incomplete"),
        ([record(PENDING), ABSENT, ABSENT], "records_incomplete"),
    ],
)
def test_a_verdict_is_what_the_records_bear_out(records: list[Given], said: str) -> None:
    assert verdict(*records) == said


def test_a_provider_whose_signed_answer_the_network_holds_must_have_a_record() -> None:
    refused = record(REFUSED, permit_digest=PERMIT)

    assert verdict(refused, refused, ABSENT, committed=True) == "records_missing"
    assert verdict(refused, refused, ABSENT) == "records_ended_early"


def test_one_record_alone_is_compared_with_nothing() -> None:
    assert not [line for line in _lines([pb.ExchangeRecord(outcome=REFUSED), None, None]) if line.compared]


def test_the_mark_of_what_is_undisclosable_is_compared_of_answers_only() -> None:
    """What ended before an answer was marked by those who knew of the mark by then."""
    marked = pb.ExchangeRecord(outcome=PROVIDED, undisclosable=True)
    refused = pb.ExchangeRecord(outcome=REFUSED, undisclosable=True)

    assert [line.differs for line in _lines([marked, pb.ExchangeRecord(outcome=PROVIDED)]) if line.differs] == [True]
    assert not [line for line in _lines([refused, pb.ExchangeRecord(outcome=REFUSED)]) if line.differs]
