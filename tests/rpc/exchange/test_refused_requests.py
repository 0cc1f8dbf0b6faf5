# SPDX-License-Identifier: Apache-2.0
"""What no right caller sends is refused with the rule it breaks: never INTERNAL, never kept, never echoed."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, TAX, address_number, fresh_serial
from google.protobuf.timestamp_pb2 import Timestamp

from chukan.edge.errors import error_of_call
from chukan.network.v1 import network_service_pb2 as network
from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.network.v1 import statements_pb2 as statements
from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1 import inquiry_service_pb2 as inquiries
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import provision_service_pb2 as provisions
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Emulator

INDIVIDUAL = dummy_individual_number(4711)
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in INDIVIDUAL)
TEXT_INFORMATION, TEXT_DATA_SET = "TM00000000000001", "0100"


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    """Return status and reason a call ends with."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    assert INDIVIDUAL not in str(raised.value) + str(raised.value.trailing_metadata())
    return raised.value.code().name, error_of_call(raised.value).code


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63), 253_402_300_800, -62_135_596_801])
def test_a_request_time_that_is_no_instant_is_refused(emulator: Emulator, seconds: int) -> None:
    body, stub = emulator.setagaya, InquiryServiceStub(emulator.channel)
    spec = body.spec(address_number(1), request_time=Timestamp(seconds=seconds))

    one = refusal(lambda: stub.CreateInquiry(inquiries.CreateInquiryRequest(inquiry=spec), metadata=body.metadata))
    (failure,) = body.ask(spec).failures

    assert one == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert (failure.reason, failure.field) == ("INVALID_FIELD", "request_time")


@pytest.mark.parametrize("field", ["record_id", "department", "user_id", "affair_code", "provider_code", "item_codes"])
@pytest.mark.parametrize("value", [INDIVIDUAL, FULL_WIDTH, f" {INDIVIDUAL} "])
def test_no_field_of_an_inquiry_takes_an_individual_number(emulator: Emulator, field: str, value: str) -> None:
    spec = emulator.setagaya.spec(address_number(1))
    spec.MergeFrom(inquiries.InquirySpec(**{field: [value] if field == "item_codes" else value}))  # type: ignore[arg-type]

    (failure,) = emulator.setagaya.ask(spec).failures

    assert (failure.reason, failure.field) == ("INDIVIDUAL_NUMBER_REFUSED", field)
    assert INDIVIDUAL not in str(failure)


@pytest.mark.parametrize("value", [INDIVIDUAL, FULL_WIDTH])
def test_nothing_kept_by_an_id_takes_an_individual_number(emulator: Emulator, value: str) -> None:
    body = emulator.shinjuku
    taken: dict[str, Callable[[], Any]] = {
        "addressees": lambda: body.register([address_number(fresh_serial())], batch_id=value),
        "replicas": lambda: body.replicas([address_number(1)], batch_id=value, record_ids=["x"]),
        "one replica": lambda: ReplicaServiceStub(emulator.channel).PutReplica(
            replicas.PutReplicaRequest(replica=replicas.Replica(record_id=value, information_code=value)),
            metadata=body.metadata,
        ),
        "tokens": lambda: body.network.IssueProcessingNumbers(
            network.IssueProcessingNumbersRequest(tokens=["t", value]), metadata=body.metadata
        ),
        "residents": lambda: next(
            body.residents.NotifyResidents(
                iter([residents.NotifyResidentsRequest(batch_id=value, individual_numbers=[INDIVIDUAL])]),
                metadata=body.metadata,
            )
        ),
    }

    assert {name: refusal(call) for name, call in taken.items()} == dict.fromkeys(
        taken, ("INVALID_ARGUMENT", "INDIVIDUAL_NUMBER_REFUSED")
    )


@pytest.mark.parametrize("place", [10**30, -1, 0.5, True, None, [], "1", "x" * 600])
def test_a_page_token_somebody_made_up_is_refused(emulator: Emulator, place: object) -> None:
    stub, metadata = InquiryServiceStub(emulator.channel), emulator.setagaya.metadata
    token = base64.urlsafe_b64encode(json.dumps(["inquiries", place]).encode()).decode().rstrip("=")
    deep = base64.urlsafe_b64encode(b"[" * 60_000).decode()

    for each in (token, deep, "é", "\0"):
        request = inquiries.ListInquiriesRequest(page_token=each)
        assert refusal(lambda request=request: stub.ListInquiries(request, metadata=metadata)) == (
            "INVALID_ARGUMENT",
            "PAGE_TOKEN_INVALID",
        )


def test_a_filter_by_a_value_nobody_knows_is_refused_and_matches_nothing_by_chance(emulator: Emulator) -> None:
    metadata: Any = emulator.shinjuku.metadata
    stub = ExchangeRecordServiceStub(emulator.channel)
    unknown: Any = 99

    for call in (
        lambda: stub.ListExchangeRecords(records.ListExchangeRecordsRequest(outcomes=[unknown]), metadata=metadata),
        lambda: stub.ListExchangeRecords(records.ListExchangeRecordsRequest(side=unknown), metadata=metadata),
        lambda: stub.GetExchangeRecord(
            records.GetExchangeRecordRequest(exchange_id="0" * 64, side=unknown), metadata=metadata
        ),
        lambda: ProvisionServiceStub(emulator.channel).ListProvisions(
            provisions.ListProvisionsRequest(states=[unknown]), metadata=metadata
        ),
    ):
        assert refusal(call) == ("INVALID_ARGUMENT", "INVALID_FIELD")


def test_a_provision_id_of_any_length_is_unknown(emulator: Emulator) -> None:
    stub, metadata = ProvisionServiceStub(emulator.channel), emulator.shinjuku.metadata

    for name in ("9" * 18, "9" * 19, "9" * 5000):
        request = provisions.GetProvisionRequest(provision_id=name)
        assert refusal(lambda request=request: stub.GetProvision(request, metadata=metadata)) == (
            "NOT_FOUND",
            "PROVISION_UNKNOWN",
        )


@pytest.mark.parametrize("outcome", [0, 99, -1])
def test_an_outcome_that_is_none_is_not_committed(emulator: Emulator, outcome: int) -> None:
    body = emulator.shinjuku
    commitment = network.OutcomeCommitment(exchange_digest=bytes(32), outcome=outcome)  # type: ignore[arg-type]
    request = network.CommitRecordsRequest(commitments=[commitment])

    assert refusal(lambda: body.network.CommitRecords(request, metadata=body.metadata)) == (
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
    )


def test_nobody_returns_answers_of_another(emulator: Emulator) -> None:
    body = emulator.shinjuku
    batch = statements.AnswerBatch(provider_code=SETAGAYA, inquirer_code=SHINJUKU)
    request = network.ReturnAnswersRequest(answers=batch)

    assert refusal(lambda: body.network.ReturnAnswers(request, metadata=body.metadata)) == (
        "PERMISSION_DENIED",
        "ORGANIZATION_MISMATCH",
    )


@pytest.mark.parametrize("value", ["\x1f", "\x1e01", "a\x1fb"])
def test_a_separator_inside_a_value_refuses_the_row_and_no_other(emulator: Emulator, value: str) -> None:
    body = emulator.shinjuku
    numbers = [address_number(fresh_serial()) for _ in range(2)]
    body.register(numbers)
    item = next(iter(_text_items()))

    answer = body.replicas(numbers, information=TEXT_INFORMATION, data_set=TEXT_DATA_SET, values={item: ["あ", value]})

    assert [(each.row, each.reason, each.item_code) for each in answer.failures] == [(1, "ITEM_VALUE_INVALID", item)]
    assert list(answer.outcomes) == [1, 3]


def test_automatic_answers_are_switched_off_for_informations_there_are(emulator: Emulator) -> None:
    body = emulator.shinjuku

    def register(information: str) -> linkage.RegisterAddresseesResponse:
        rows = linkage.AutoResponseDisabledRows(information_code=information, rows=[0])
        disabled = linkage.AutoResponseDisabledSet(entries=[rows])
        return body.register([address_number(fresh_serial())], auto_response_disabled=disabled)

    assert list(register(TAX).outcomes) == [1]
    for none in ("TM99999999999999", INDIVIDUAL, "", f"{TAX} {TAX}"):
        assert refusal(lambda none=none: register(none)) == ("NOT_FOUND", "INFORMATION_UNKNOWN")


def _text_items() -> list[str]:
    return [item.code for item in layout(TEXT_INFORMATION, "0801").data_set(TEXT_DATA_SET).items if item.type == "text"]
