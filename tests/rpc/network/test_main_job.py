# SPDX-License-Identifier: Apache-2.0
"""The main job over real gRPC, with the network in process and apart: codes, replica, inquiry, three records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builders import AFFAIR, PROCEDURE, SETAGAYA, SHINJUKU, TAX, eventually, fresh_serial

from chukan.network.v1 import network_service_pb2 as network
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub

if TYPE_CHECKING:
    from conftest import Emulator

INCOME_LEVY = "TK90002010000003"


def _network_record(body: Any, exchange_id: str) -> network.NetworkRecord:
    request = network.ListNetworkRecordsRequest(exchange_ids=[exchange_id])
    (record,) = body.network.ListNetworkRecords(request, metadata=body.metadata).records
    return record


def test_a_record_of_one_body_is_answered_to_another_and_three_records_agree(emulator: Emulator) -> None:
    serial = fresh_serial()
    (provided,) = emulator.shinjuku.link([serial])
    emulator.shinjuku.replicas([provided], values={INCOME_LEVY: ["123400"]})
    (asked,) = emulator.setagaya.link([serial])

    found = emulator.setagaya.answer(asked)
    result = emulator.setagaya.results(found.receipt_number).results[0]

    assert found.state == common_pb2.INQUIRY_STATE_ANSWERED
    assert found.answer_kind == common_pb2.ANSWER_KIND_VALUES
    assert {item.item_code: item.value for item in result.records[0].items}[INCOME_LEVY] == "123400"
    own = (
        ExchangeRecordServiceStub(emulator.channel)
        .ListExchangeRecords(
            records.ListExchangeRecordsRequest(integrated_address_number=asked), metadata=emulator.setagaya.metadata
        )
        .records[-1]
    )
    theirs = (
        ExchangeRecordServiceStub(emulator.channel)
        .ListExchangeRecords(
            records.ListExchangeRecordsRequest(integrated_address_number=provided), metadata=emulator.shinjuku.metadata
        )
        .records[-1]
    )

    def settled() -> Any:
        record = _network_record(emulator.setagaya, own.exchange_id)
        return record if record.inquirer_acknowledged and record.provider_committed else None

    third = eventually(settled).record
    for name in (
        "exchange_id",
        "inquirer_code",
        "provider_code",
        "affair_code",
        "procedure_code",
        "information_code",
        "outcome",
        "reason",
        "undisclosable",
        "permit_digest",
        "permission_row_id",
    ):
        assert getattr(own, name) == getattr(theirs, name) == getattr(third, name), name
    assert (third.inquirer_code, third.provider_code) == (SETAGAYA, SHINJUKU)
    assert (third.affair_code, third.procedure_code, third.information_code) == (AFFAIR, PROCEDURE, TAX)
