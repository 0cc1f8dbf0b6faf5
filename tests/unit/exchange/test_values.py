# SPDX-License-Identifier: Apache-2.0
"""Statuses, receipts, statements and comparisons: the pure rules of an exchange."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.domain import exchange
from chukan.server.domain.exchange import (
    AnswerBatch,
    AnswerKind,
    AnswerLeaf,
    Header,
    InquiryLeaf,
    Mode,
    NetworkRecord,
    Outcome,
    PermitLeaf,
    Statement,
    instant,
    milliseconds,
)
from chukan.server.domain.exchange_record import ExchangeRecord, ReconciliationState, RecordSide, reconcile
from chukan.server.domain.inquiry import (
    InquirySpec,
    InquiryState,
    check_spec,
    pack_sealed,
    receipt_id,
    receipt_number,
    receipt_prefix,
    status,
    unpack_sealed,
)
from chukan.server.domain.merkle import leaf_hashes, root
from chukan.server.domain.permits import check_all_leaves, check_header
from chukan.server.rpc.codec import ProtoCodec
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError, all_reasons
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as records

NUMBER = "900000000000001"


def test_success_is_09_and_01_and_no_replica_is_not() -> None:
    values = status(InquiryState.ANSWERED, AnswerKind.VALUES, "")
    none = status(InquiryState.ANSWERED, AnswerKind.NO_REPLICA, "")

    assert (values.row, values.information) == ("09", "01")
    assert (none.row, none.information) == ("09", "02")


def test_staff_read_the_sentences_they_know_with_full_width_numbers() -> None:
    without = status(InquiryState.REFUSED, AnswerKind.NONE, "CODE_NOT_ACQUIRED", number=NUMBER)
    used = status(InquiryState.REFUSED, AnswerKind.NONE, "RECORD_ID_EXISTS")
    listed = status(InquiryState.REFUSED, AnswerKind.NONE, "NOT_YET_IN_FORCE", information="TM00000000000002")

    assert without.row_message == "指定された団体内統合宛名番号「９０００００００００００００１」は符号が未取得です。"
    assert used.row_message == "「レコード識別番号」が既に存在しています。"
    assert listed.row_message.startswith(
        "指定された特定個人情報名「ＴＭ０００００００００００００２」の照会は許可されていません。"
    )
    assert NUMBER not in status(InquiryState.REFUSED, AnswerKind.NONE, "CODE_NOT_ACQUIRED").row_message


@pytest.mark.parametrize("reason", [each.code for each in all_reasons()])
def test_every_reason_can_end_an_inquiry_with_a_sentence(reason: str) -> None:
    found = status(InquiryState.REFUSED, AnswerKind.NONE, reason)

    assert found.row == found.information
    assert found.row_message


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10**12 - 1))  # noqa: DTZ001 made aware below
def test_a_receipt_number_has_20_digits_and_leads_back(moment: datetime, sequence: int) -> None:
    receipt = receipt_number(receipt_prefix(milliseconds(moment.replace(tzinfo=UTC))), sequence)

    assert len(receipt) == 20
    assert receipt_id(receipt) == sequence
    assert receipt_id(receipt[:-1]) is None
    assert receipt_id("x" * 20) is None


@given(st.integers(0, 4 * 10**12))
def test_milliseconds_lead_back(value: int) -> None:
    assert milliseconds(instant(value)) == value


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_two_values_packed_into_one_come_apart(spec: bytes, leaf: bytes) -> None:
    assert unpack_sealed(pack_sealed(spec, leaf)) == (spec, leaf)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"number": dummy_individual_number(7)}, "INDIVIDUAL_NUMBER_REFUSED"),
        (
            {"number": dummy_individual_number(7).translate({ord("0") + d: ord("０") + d for d in range(10)})},
            "INDIVIDUAL_NUMBER_REFUSED",
        ),
        ({"number": "9" * 14}, "NUMBER_MALFORMED"),
        ({"record_id": dummy_individual_number(7)}, "INDIVIDUAL_NUMBER_REFUSED"),
        ({"record_id": "あ"}, "INVALID_FIELD"),
        ({"record_id": "R" * 65}, "FIELD_TOO_LONG"),
        ({"department": "D" * 21}, "FIELD_TOO_LONG"),
        ({"user_id": "U" * 21}, "FIELD_TOO_LONG"),
        ({"affair": "A" * 17}, "FIELD_TOO_LONG"),
        ({"record_id": "R" * 64, "department": "D" * 20, "user_id": "U" * 20, "affair": "A" * 16}, None),
        ({"time_out_ms": 999}, "INVALID_FIELD"),
        ({"condition_kind": "9"}, "INQUIRY_CONDITION_INVALID"),
        ({"year_kind": "1"}, "INQUIRY_CONDITION_INVALID"),
        ({"period_start": "20260230"}, "DATE_INVALID"),
        ({"period_start": "20260201", "period_end": "20260131"}, "PERIOD_INVALID"),
    ],
)
def test_what_can_not_be_taken_in_is_told_apart(changed: dict[str, str], reason: str | None) -> None:
    fields = {"record_id": "R", "number": NUMBER, "affair": "", "procedure": "", "provider": "", "information": ""}
    spec = InquirySpec(**{**fields, **changed})  # type: ignore[arg-type]
    found = check_spec(spec)

    assert (found[0] if found else None) == reason


# --- statements ---

HEADER = Header(
    kind="k",
    world_generation="w",
    mode=Mode.TEST,
    issuer="network",
    recipient="me",
    issue_time_ms=1_000_000,
    expire_time_ms=2_000_000,
    nonce=b"n" * 16,
)
EXPECTED = {"kind": "k", "issuer": "network", "recipients": ("me",), "world_generation": "w", "mode": Mode.TEST}


@pytest.mark.parametrize(
    ("changed", "now", "reason"),
    [
        ({}, 1_500_000, ""),
        ({}, 940_001, ""),
        ({}, 939_999, "MESSAGE_TOO_OLD"),
        ({}, 2_059_999, ""),
        ({}, 2_060_000, "MESSAGE_TOO_OLD"),
        ({"kind": "other"}, 1_500_000, "SIGNATURE_INVALID"),
        ({"version": 2}, 1_500_000, "SIGNATURE_INVALID"),
        ({"issuer": "x"}, 1_500_000, "SIGNATURE_INVALID"),
        ({"recipient": "you"}, 1_500_000, "SIGNATURE_INVALID"),
        ({"world_generation": "v"}, 1_500_000, "WORLD_MISMATCH"),
        ({"mode": Mode.PRODUCTION}, 1_500_000, "MODE_MISMATCH"),
        ({"expire_time_ms": 1_000_000}, 1_000_000, "MESSAGE_TOO_OLD"),
    ],
)
def test_a_statement_counts_for_whom_and_when_it_says(changed: dict[str, object], now: int, reason: str) -> None:
    header = replace(HEADER, **changed)  # type: ignore[arg-type]
    try:
        check_header(header, now_ms=now, **EXPECTED)  # type: ignore[arg-type]
        found = ""
    except ChukanError as error:
        found = error.code

    assert found == reason


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_leaves_are_those_that_were_signed_all_and_in_order_only(leaves: list[bytes], data: st.DataObject) -> None:
    statement = Statement(HEADER, root(leaf_hashes(leaves)), len(leaves))
    check_all_leaves(statement, leaves)
    at = data.draw(st.integers(0, len(leaves) - 1))

    changed = [*leaves[:at], leaves[at] + b"x", *leaves[at + 1 :]]
    for others in (changed, leaves[:-1], [*leaves, b"more"], [b"before", *leaves]):
        with pytest.raises(ChukanError):
            check_all_leaves(statement, others)


# --- the codec ---

LEAF = InquiryLeaf(
    inquirer="1" * 16,
    provider="2" * 16,
    affair="JM",
    procedure="JT",
    information="TM",
    period_start="20260401",
    item_codes=("A", "B"),
    linkage_code=b"code",
    inquiry_time_ms=1,
    expire_time_ms=2,
    nonce=b"n",
)


def test_every_value_of_an_exchange_comes_back_as_it_went() -> None:
    codec = ProtoCodec()
    permit = PermitLeaf(
        exchange_digest=b"e" * 32,
        inquirer="1",
        provider="2",
        affair="a",
        procedure="p",
        information="i",
        linkage_code=b"",
        permission_row_id="r",
        legal_basis="b",
        route="x",
        recipient_thumbprint=b"t",
        inquiry_time_ms=1,
        expire_time_ms=2,
        nonce=b"n",
    )
    answer = AnswerLeaf(
        exchange_digest=b"e", permit_digest=b"p", outcome=Outcome.REFUSED, reason="R", provision_time_ms=5
    )
    record = exchange.ResultRecord(
        data_set="0100", edition="0801", record_key="k", items=(("A", "0", None), ("B", None, "01"))
    )
    content = exchange.AnswerContent(b"p", "1", AnswerKind.VALUES, (record,))

    for value in (HEADER, Statement(HEADER, b"r" * 32, 3), LEAF, permit, answer, content):
        assert codec.decode(type(value), codec.encode(value)) == value
    summary = codec.decode(exchange.AnswerSummary, codec.encode(content))
    assert summary == exchange.AnswerSummary(b"p", "1", AnswerKind.VALUES, "A B")


def test_what_is_no_such_message_is_refused_without_quoting_it() -> None:
    for kind in (Statement, AnswerLeaf, AnswerBatch):
        with pytest.raises(ChukanError) as refused:
            ProtoCodec().decode(kind, b"\xff\xff\xff")
        assert refused.value.code == "PEER_ANSWER_INVALID"


def test_enums_have_the_numbers_of_the_contract() -> None:
    for own, prefix, contract in (
        (InquiryState, "INQUIRY_STATE", common_pb2.InquiryState),
        (AnswerKind, "ANSWER_KIND", common_pb2.AnswerKind),
        (Outcome, "EXCHANGE_OUTCOME", common_pb2.ExchangeOutcome),
        (RecordSide, "RECORD_SIDE", records.RecordSide),
        (ReconciliationState, "RECONCILIATION_STATE", records.ReconciliationState),
    ):
        for member in own:
            name = "UNSPECIFIED" if member.name == "NONE" else member.name
            assert contract.Value(f"{prefix}_{name}") == member, member
        assert len(contract.values()) - 1 == len([member for member in own if member])


# --- comparing ---

OWN = ExchangeRecord(
    exchange_id="e",
    side=RecordSide.INQUIRER,
    inquirer="1",
    provider="2",
    affair="a",
    procedure="p",
    information="i",
    inquiry_time_ms=1,
    provision_time_ms=2,
    outcome=Outcome.PROVIDED,
    permit_digest="d",
)
THEIRS = NetworkRecord(
    exchange_id="e",
    inquirer="1",
    provider="2",
    affair="a",
    procedure="p",
    information="i",
    inquiry_time_ms=1,
    provision_time_ms=2,
    outcome=Outcome.PROVIDED,
    permit_digest="d",
    provider_committed=True,
    inquirer_acknowledged=True,
)


def test_a_comparison_says_what_is_missing_and_never_takes_silence_for_agreement() -> None:
    def state(own: ExchangeRecord | None, network: NetworkRecord | None, *, asked: bool = True) -> str:
        return reconcile("e", own, network, asked=asked).state.name

    pending = replace(OWN, outcome=Outcome.PENDING)
    assert state(OWN, THEIRS) == "AGREES"
    assert state(OWN, None) == "MISSING_AT_NETWORK"
    assert state(None, THEIRS) == "MISSING_HERE"
    assert state(OWN, None, asked=False) == "UNKNOWN"
    assert state(None, None) == "UNKNOWN"
    assert state(pending, replace(THEIRS, outcome=Outcome.PENDING)) == "PENDING"
    assert state(OWN, replace(THEIRS, provider_committed=False)) == "MISSING_AT_PROVIDER"
    assert state(OWN, replace(THEIRS, inquirer_acknowledged=False)) == "MISSING_AT_INQUIRER"
    assert state(replace(OWN, permit_digest="", outcome=Outcome.REFUSED), None, asked=False) == "AGREES"
    differs = reconcile("e", OWN, replace(THEIRS, provision_time_ms=3, affair="b"), asked=True)
    assert (differs.state.name, differs.differing_fields) == ("DIFFERS", ("affair_code", "provision_time"))


@pytest.mark.parametrize("outcome", [Outcome.PROVIDED, Outcome.NO_REPLICA])
@pytest.mark.parametrize("lost_here", [True, False])
def test_a_mark_one_side_lost_is_a_difference(outcome: Outcome, *, lost_here: bool) -> None:
    """Both sides must record that the fact of the exchange is undisclosable (不開示): a lost mark never agrees."""
    own = replace(OWN, outcome=outcome, undisclosable=not lost_here)
    theirs = replace(THEIRS, outcome=outcome, undisclosable=lost_here)

    found = reconcile("e", own, theirs, asked=True)

    assert (found.state.name, found.differing_fields) == ("DIFFERS", ("undisclosable",))
