# SPDX-License-Identifier: Apache-2.0
"""NetworkService over real gRPC, in process and apart: what a caller sees of codes, residents, masters, records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import CHIYODA, PROCEDURE, SETAGAYA, address_number, eventually, fresh_serial
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chukan.network.v1 import network_service_pb2 as network
from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1.common_pb2 import DsseEnvelope

if TYPE_CHECKING:
    from conftest import Emulator


def _reason(error: grpc.RpcError) -> str:
    status = rpc_status.from_call(error)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.reason


def test_a_processing_number_names_nobody_and_repeats_for_its_token(emulator: Emulator) -> None:
    body = emulator.shinjuku
    request = network.IssueProcessingNumbersRequest(tokens=[f"token-{fresh_serial()}"])

    first = body.network.IssueProcessingNumbers(request, metadata=body.metadata)
    again = body.network.IssueProcessingNumbers(request, metadata=body.metadata)

    assert first == again
    assert len(first.processing_numbers[0]) == 24
    assert first.expire_time.seconds > 0


def test_who_has_no_resident_record_code_ends_failed_with_the_reason(emulator: Emulator) -> None:
    serial = fresh_serial()
    body, number = emulator.shinjuku, address_number(serial)
    body.register([number])

    response = body.submit(body.request_codes([number]), [serial])

    assert [failure.reason for failure in response.failures] == ["NO_RESIDENT_RECORD_CODE"]
    assert response.failures[0].message_ja
    failed = eventually(lambda: _in_state(body, number, linkage.LINKAGE_STATE_FAILED))
    assert failed.failure_reason == "NO_RESIDENT_RECORD_CODE"


def test_one_code_for_two_people_links_the_first_and_fails_the_second(emulator: Emulator) -> None:
    serial = fresh_serial()
    body, other = emulator.shinjuku, address_number(fresh_serial())
    body.link([serial])
    body.register([other])

    body.submit(body.request_codes([other]), [serial])

    failed = eventually(lambda: _in_state(body, other, linkage.LINKAGE_STATE_FAILED))
    assert failed.failure_reason == "CODE_LINKED_TO_ANOTHER"


def test_a_linked_number_is_purged_everywhere(emulator: Emulator) -> None:
    serial = fresh_serial()
    body, number = emulator.shinjuku, address_number(serial)
    body.register([number])
    body.notify([serial])
    (processing_number,) = body.request_codes([number])
    body.submit([processing_number], [serial])
    eventually(lambda: _in_state(body, number, linkage.LINKAGE_STATE_LINKED))
    secret = processing_number[12:]

    def purged() -> bool:
        return not any(
            secret in str(value)
            for running in (emulator.middle, emulator.network)
            for value in _values(running.app.foundation.database)
        )

    assert body.linkage(number).processing_number == ""
    assert eventually(purged)


def test_residents_are_found_by_three_attributes_and_refused_by_two(emulator: Emulator) -> None:
    serial = fresh_serial()
    body = emulator.shinjuku
    body.notify([serial])
    query = residents.ResidentQuery(
        name=f"試験{serial}", birth_date="19800102", residential_address=f"東京都新宿区西新宿{serial}"
    )

    found = body.residents.SearchResidents(residents.SearchResidentsRequest(queries=[query]), metadata=body.metadata)

    assert [match.individual_number for match in found.matches] == [dummy_individual_number(serial)]
    query.residential_address = ""
    with pytest.raises(grpc.RpcError) as refused:
        body.residents.SearchResidents(residents.SearchResidentsRequest(queries=[query]), metadata=body.metadata)
    assert _reason(refused.value) == "SEARCH_TOO_WIDE"


def test_master_data_names_the_network_and_its_members(emulator: Emulator) -> None:
    emulator.setagaya.link([fresh_serial()])

    response = emulator.setagaya.network.PullMaster(network.PullMasterRequest(), metadata=emulator.setagaya.metadata)

    assert response.network_certificate
    assert response.world_generation
    assert response.permission_list_version
    assert SETAGAYA in {member.organization_code for member in response.members}


def test_members_keys_are_told_by_pages_that_leave_nobody_out(emulator: Emulator) -> None:
    body = emulator.setagaya
    whole = body.network.PullMaster(network.PullMasterRequest(), metadata=body.metadata)
    seen, token, pages = [], "", 0
    while True:
        page = body.network.PullMaster(network.PullMasterRequest(page_size=1, page_token=token), metadata=body.metadata)
        seen += [each.organization_code for each in page.members]
        token, pages = page.next_page_token, pages + 1
        if not token:
            break

    assert not whole.next_page_token
    assert seen == [each.organization_code for each in whole.members]
    assert pages == max(1, len(seen))


def test_nobody_announces_keys_of_another(emulator: Emulator) -> None:
    body = emulator.setagaya
    body.link([fresh_serial()])
    members = body.network.PullMaster(network.PullMasterRequest(), metadata=body.metadata).members
    keys = next(member for member in members if member.organization_code == SETAGAYA)

    with pytest.raises(grpc.RpcError) as refused:
        emulator.shinjuku.network.PullMaster(network.PullMasterRequest(keys=keys), metadata=emulator.shinjuku.metadata)
    assert _reason(refused.value) == "ORGANIZATION_MISMATCH"

    keys.organization_code = CHIYODA
    with pytest.raises(grpc.RpcError) as untrusted:
        emulator.body(CHIYODA).network.PullMaster(
            network.PullMasterRequest(keys=keys), metadata=emulator.body(CHIYODA).metadata
        )
    assert _reason(untrusted.value).startswith("SIGNER_CERTIFICATE")


def test_an_unsigned_request_gets_no_permit(emulator: Emulator) -> None:
    body = emulator.setagaya
    body.link([fresh_serial()])
    request = network.RequestPermitsRequest(request_statement=DsseEnvelope(), leaves=[b"leaf"])

    with pytest.raises(grpc.RpcError) as refused:
        body.network.RequestPermits(request, metadata=body.metadata)

    assert _reason(refused.value) == "SIGNATURE_INVALID"


def test_a_forbidden_inquiry_is_refused_with_its_reason_on_every_record(emulator: Emulator) -> None:
    serial = fresh_serial()
    (number,) = emulator.setagaya.link([serial])

    response = emulator.setagaya.ask(emulator.setagaya.spec(number, information_code="TM00000000000082"))

    refused = response.failures or emulator.setagaya.finished(response.receipt_numbers[0])
    assert "NOT_PERMITTED" in str(refused)


def test_a_provider_that_does_not_know_the_person_answers_no_replica(emulator: Emulator) -> None:
    (number,) = emulator.setagaya.link([fresh_serial()])

    found = emulator.setagaya.answer(number)

    assert (found.state, found.answer_kind) == (common_pb2.INQUIRY_STATE_ANSWERED, common_pb2.ANSWER_KIND_NO_REPLICA)


def test_records_page_in_order_and_show_only_ones_own(emulator: Emulator) -> None:
    (number,) = emulator.setagaya.link([fresh_serial()])
    for _ in range(3):
        emulator.setagaya.answer(number)
    body = emulator.setagaya

    first = body.network.ListNetworkRecords(network.ListNetworkRecordsRequest(page_size=2), metadata=body.metadata)
    rest = body.network.ListNetworkRecords(
        network.ListNetworkRecordsRequest(page_size=1000, page_token=first.next_page_token), metadata=body.metadata
    )
    seen = [each.record.exchange_id for each in (*first.records, *rest.records)]
    chiyoda = emulator.body(CHIYODA)
    foreign = chiyoda.network.ListNetworkRecords(
        network.ListNetworkRecordsRequest(exchange_ids=seen), metadata=chiyoda.metadata
    )

    assert len(seen) == len(set(seen)) >= 3
    assert rest.next_page_token == ""
    assert not foreign.records
    with pytest.raises(grpc.RpcError) as refused:
        body.network.ListNetworkRecords(network.ListNetworkRecordsRequest(page_token=seen[0]), metadata=body.metadata)
    assert _reason(refused.value) == "PAGE_TOKEN_INVALID"


def test_forward_brings_an_answer_again_without_a_second_record(emulator: Emulator) -> None:
    (number,) = emulator.setagaya.link([fresh_serial()])
    found = emulator.setagaya.answer(number)
    assert found.spec.procedure_code == PROCEDURE
    body = emulator.setagaya
    page = network.ListNetworkRecordsRequest(page_size=1000)
    before = body.network.ListNetworkRecords(page, metadata=body.metadata).records
    exchange = bytes.fromhex(before[-1].record.exchange_id)

    count = body.network.Forward(network.ForwardRequest(exchange_digests=[exchange]), metadata=body.metadata)
    assert count.forwarded_count == 1
    assert emulator.network.app.dispatcher.drain(10)

    assert body.inquiry(found.receipt_number) == found
    assert len(body.network.ListNetworkRecords(page, metadata=body.metadata).records) == len(before)


def _in_state(body: Any, number: str, state: int) -> Any:
    found = body.linkage(number)
    return found if found.state == state else None


def _values(database: Any) -> list[object]:
    with database.read() as connection:
        return [
            value
            for table in database.metadata.sorted_tables
            for row in connection.execute(table.select())
            for value in row
        ]
