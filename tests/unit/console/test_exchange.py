# SPDX-License-Identifier: Apache-2.0
"""What is said about three records: never "equal" of what was not read, never "missing" of who was not reached."""

from __future__ import annotations

from typing import Any

import pytest

from chukan.server.console.exchange import _NONE, _NOT_HERE, SIDES, Exchange, Side, _lines, _verdict
from chukan.server.console.problem import problem_of
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as pb

PROVIDED = common_pb2.EXCHANGE_OUTCOME_PROVIDED
REFUSED = common_pb2.EXCHANGE_OUTCOME_REFUSED
PENDING = common_pb2.EXCHANGE_OUTCOME_PENDING
PERMIT = "a" * 64
ABSENT, ELSEWHERE, UNREADABLE, FOR_GOOD = "absent", "elsewhere", "PEER_UNREACHABLE", "CALLER_UNKNOWN"
UNEXPECTED = "INTERNAL_ERROR"
Given = dict[str, Any] | str


def side(number: int, given: Given, *, committed: bool) -> Side:
    text = SIDES[number]  # type: ignore[index]
    if given == ABSENT:
        return Side(text, "", None, note=_NONE)
    if given == ELSEWHERE:
        return Side(text, "", None, note=_NOT_HERE)
    if isinstance(given, str):
        return Side(text, "", None, problem_of(ChukanError(given)))
    return Side(text, "", pb.ExchangeRecord(**given), committed=committed)


def verdict(inquirer: Given, network: Given, provider: Given, *, committed: bool = False) -> str:
    """Judge three records."""
    numbers = (pb.RECORD_SIDE_INQUIRER, pb.RECORD_SIDE_NETWORK, pb.RECORD_SIDE_PROVIDER)
    sides = [
        side(number, given, committed=committed)
        for number, given in zip(numbers, (inquirer, network, provider), strict=True)
    ]
    return _verdict(sides, _lines([each.record for each in sides]))


def exchange(*given: Given) -> Exchange:
    numbers = (pb.RECORD_SIDE_INQUIRER, pb.RECORD_SIDE_NETWORK, pb.RECORD_SIDE_PROVIDER)
    sides = [side(number, each, committed=False) for number, each in zip(numbers, given, strict=True)]
    return Exchange("", sides, _lines([each.record for each in sides]), "")


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


@pytest.mark.parametrize(
    ("records", "compared"),
    [
        ([record(PROVIDED)] * 3, True),
        ([record(PROVIDED), UNREADABLE, record(PROVIDED)], True),
        ([record(REFUSED), ABSENT, ABSENT], False),
        ([record(PROVIDED), UNREADABLE, ELSEWHERE], False),
        ([record(PENDING), UNREADABLE, ABSENT], False),
    ],
)
def test_what_is_compared_takes_two_records(records: list[Given], compared: bool) -> None:  # noqa: FBT001
    assert exchange(*records).compared == compared
    assert any(line.compared for line in exchange(*records).lines) == compared


@pytest.mark.parametrize(
    ("records", "final"),
    [
        ([record(PROVIDED)] * 3, True),
        ([record(REFUSED), ABSENT, ABSENT], True),
        ([record(PROVIDED), record(PROVIDED), ELSEWHERE], True),
        ([record(PROVIDED), record(PENDING), record(PROVIDED)], False),
        ([record(PENDING), ABSENT, ABSENT], False),
        ([record(PROVIDED), UNREADABLE, record(PROVIDED)], False),
        ([record(PROVIDED), FOR_GOOD, record(PROVIDED)], True),
        ([record(PROVIDED), UNEXPECTED, record(PROVIDED)], False),
    ],
)
def test_an_exchange_is_final_when_a_further_look_would_find_the_same(records: list[Given], final: bool) -> None:  # noqa: FBT001
    """A side that does not answer now may answer later; one that refuses the caller won't."""
    assert exchange(*records).final == final


def test_the_mark_of_what_is_undisclosable_is_compared_of_answers_only() -> None:
    """What ended before an answer was marked by those who knew of the mark by then."""
    marked = pb.ExchangeRecord(outcome=PROVIDED, undisclosable=True)
    refused = pb.ExchangeRecord(outcome=REFUSED, undisclosable=True)

    assert [line.differs for line in _lines([marked, pb.ExchangeRecord(outcome=PROVIDED)]) if line.differs] == [True]
    assert not [line for line in _lines([refused, pb.ExchangeRecord(outcome=REFUSED)]) if line.differs]
