# SPDX-License-Identifier: Apache-2.0
"""ProvisionService, ExchangeRecordService and SecurityService over real gRPC."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, TAX, eventually, fresh_serial

from chukan.edge.errors import error_of_call
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1 import provision_service_pb2 as provisions
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1 import security_service_pb2 as security
from chukan.v1.common_pb2 import MODE_TEST
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub
from chukan.v1.linkage_code_service_pb2 import AutoResponseDisabledRows, AutoResponseDisabledSet
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from chukan.v1.security_service_pb2_grpc import SecurityServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Emulator


def reason_of(call: Callable[[], Any]) -> str:
    """Return the reason a call ends with."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return error_of_call(raised.value).code


def _linked(emulator: Emulator, **given: Any) -> tuple[str, str]:
    """Return the numbers of one person at provider and inquirer."""
    serial = fresh_serial()
    (provided,) = emulator.shinjuku.link([serial], **given)
    emulator.shinjuku.replicas([provided])
    (asked,) = emulator.setagaya.link([serial])
    return provided, asked


def test_a_provision_that_waits_is_approved_and_confirmed_by_two_people(emulator: Emulator) -> None:
    """Each decides on what was seen: a step on a state before a correction or an approval is refused."""
    manual = AutoResponseDisabledSet(entries=[AutoResponseDisabledRows(information_code=TAX, rows=[0])])
    provided, asked = _linked(emulator, auto_response_disabled=manual)
    stub, metadata = ProvisionServiceStub(emulator.channel), emulator.shinjuku.metadata
    receipt = emulator.setagaya.ask(emulator.setagaya.spec(asked)).receipt_numbers[0]

    def waiting() -> provisions.Provision | None:
        request = provisions.ListProvisionsRequest(states=[provisions.PROVISION_STATE_WAITING])
        found = stub.ListProvisions(request, metadata=metadata).provisions
        return next((each for each in found if each.integrated_address_number == provided), None)

    shown = eventually(waiting)
    name = {"provision_id": shown.provision_id}
    first, second = ((*metadata, ("chukan-user", user)) for user in ("first", "second"))
    records_shown = stub.GetProvisionContent(provisions.GetProvisionContentRequest(**name), metadata=metadata).records
    assert records_shown
    eventually(lambda: emulator.setagaya.inquiry(receipt).state == common_pb2.INQUIRY_STATE_WAITING_FOR_APPROVAL)
    correction = provisions.CorrectProvisionRequest(**name, records=records_shown, correction_reason="checked again")
    corrected = stub.CorrectProvision(correction, metadata=first).provision
    left_out = provisions.CorrectProvisionRequest(**name, correction_reason="nothing", no_replica=False)
    assert reason_of(lambda: stub.CorrectProvision(left_out, metadata=first)) == "INVALID_FIELD"
    seen_before = provisions.ApproveProvisionRequest(**name, expected_change_seq=shown.change_seq)
    assert reason_of(lambda: stub.ApproveProvision(seen_before, metadata=first)) == "CONCURRENT_CHANGE"
    seen = provisions.ApproveProvisionRequest(**name, expected_change_seq=corrected.change_seq)
    approved = stub.ApproveProvision(seen, metadata=first).provision
    assert (
        reason_of(lambda: stub.ConfirmProvision(provisions.ConfirmProvisionRequest(**name), metadata=first))
        == "SECOND_PERSON_REQUIRED"
    )
    confirming = (*second, ("chukan-request-id", f"confirm-{shown.provision_id}"))
    for step in (
        lambda: stub.ConfirmProvision(
            provisions.ConfirmProvisionRequest(**name, expected_change_seq=corrected.change_seq), metadata=second
        ),
        lambda: stub.RefuseProvision(
            provisions.RefuseProvisionRequest(**name, refusal_reason="x", expected_change_seq=corrected.change_seq),
            metadata=second,
        ),
    ):
        assert reason_of(step) == "CONCURRENT_CHANGE"
    confirmation = provisions.ConfirmProvisionRequest(**name, expected_change_seq=approved.change_seq)
    done = stub.ConfirmProvision(confirmation, metadata=confirming).provision
    again = stub.ConfirmProvision(confirmation, metadata=confirming).provision

    assert again == done
    assert (
        reason_of(lambda: stub.ConfirmProvision(provisions.ConfirmProvisionRequest(**name), metadata=second))
        == "PROVISION_NOT_WAITING"
    )
    assert done.state == provisions.PROVISION_STATE_PROVIDED
    assert emulator.setagaya.finished(receipt).answer_kind == common_pb2.ANSWER_KIND_VALUES
    assert (
        reason_of(lambda: stub.GetProvision(provisions.GetProvisionRequest(provision_id="x"), metadata=metadata))
        == "PROVISION_UNKNOWN"
    )


def test_provisions_are_watched(emulator: Emulator) -> None:
    _, asked = _linked(emulator)
    stub = ProvisionServiceStub(emulator.channel)
    watch = stub.WatchProvisions(provisions.WatchProvisionsRequest(from_now=True), metadata=emulator.shinjuku.metadata)
    begun = next(watch)
    emulator.setagaya.answer(asked)

    seen = next(watch)
    watch.cancel()

    assert begun.resume_token
    assert not begun.provisions

    assert seen.provisions[-1].inquirer_code == SETAGAYA
    assert seen.resume_token


def test_records_agree_with_the_networks_once_they_were_compared(emulator: Emulator) -> None:
    provided, asked = _linked(emulator)
    emulator.setagaya.answer(asked)
    stub = ExchangeRecordServiceStub(emulator.channel)
    sides = []
    for body, number in ((emulator.setagaya, asked), (emulator.shinjuku, provided)):
        listing = records.ListExchangeRecordsRequest(integrated_address_number=number)
        (record,) = stub.ListExchangeRecords(listing, metadata=body.metadata).records
        sides.append(record)
        wanted = records.ReconcileExchangeRecordsRequest(exchange_ids=[record.exchange_id])

        def agreed(body: Any = body, wanted: Any = wanted) -> bool:
            (found,) = stub.ReconcileExchangeRecords(wanted, metadata=body.metadata).reconciliations
            assert found.state != records.RECONCILIATION_STATE_DIFFERS, found.differing_fields
            return found.state == records.RECONCILIATION_STATE_AGREES

        assert eventually(agreed)
        got = stub.GetExchangeRecord(
            records.GetExchangeRecordRequest(exchange_id=record.exchange_id), metadata=body.metadata
        )
        assert got.record == record

    assert sides[0].item_codes == sides[1].item_codes
    assert {each.mode for each in sides} == {MODE_TEST}
    assert sides[0].receipt_number
    traced = stub.TraceProvision(
        records.TraceProvisionRequest(integrated_address_number=provided), metadata=emulator.shinjuku.metadata
    ).records
    assert [each.inquirer_code for each in traced] == [SETAGAYA]


def test_records_are_exported_in_commit_order(emulator: Emulator) -> None:
    _, asked = _linked(emulator)
    emulator.setagaya.answer(asked)
    stub = ExchangeRecordServiceStub(emulator.channel)

    pages = list(
        stub.ExportExchangeRecords(records.ExportExchangeRecordsRequest(), metadata=emulator.setagaya.metadata)
    )
    sequence = [each.change_seq for page in pages for each in page.records]

    assert sequence == sorted(sequence)
    rest = stub.ExportExchangeRecords(
        records.ExportExchangeRecordsRequest(resume_token=pages[-1].resume_token), metadata=emulator.setagaya.metadata
    )
    assert [record for page in rest for record in page.records] == []


def _token(*place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize("kind", ["export", "comparison"])
def test_a_place_of_another_generation_is_refused_and_never_skipped_to(emulator: Emulator, kind: str) -> None:
    """After a reset positions begin anew: a place from before would pass over everything that came since."""
    _, asked = _linked(emulator)
    emulator.setagaya.answer(asked)
    stub, metadata = ExchangeRecordServiceStub(emulator.channel), emulator.setagaya.metadata
    page = next(stub.ExportExchangeRecords(records.ExportExchangeRecordsRequest(), metadata=metadata))
    compared = stub.ReconcileExchangeRecords(records.ReconcileExchangeRecordsRequest(), metadata=metadata)
    good = {"export": page.resume_token, "comparison": compared.resume_token}[kind]
    named, generation, *place = json.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))

    def call(token: str) -> Any:
        if kind == "export":
            request = records.ExportExchangeRecordsRequest(resume_token=token)
            return list(stub.ExportExchangeRecords(request, metadata=metadata))
        compare = records.ReconcileExchangeRecordsRequest(resume_token=token)
        return stub.ReconcileExchangeRecords(compare, metadata=metadata)

    def refusal(token: str) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as raised:
            call(token)
        return raised.value.code().name, error_of_call(raised.value).code  # type: ignore[attr-defined]

    expired, invalid = ("OUT_OF_RANGE", "RESUME_TOKEN_EXPIRED"), ("INVALID_ARGUMENT", "RESUME_TOKEN_INVALID")
    assert named == kind
    assert refusal(_token(named, f"{generation}-before", *place)) == expired
    assert refusal(_token(named, generation, place[0] + 1_000_000, *place[1:])) == expired
    assert refusal(_token(named, generation)) == invalid
    assert refusal(_token("other", generation, *place)) == invalid
    assert refusal("x") == invalid


def test_a_comparison_names_exchanges_or_goes_on_never_both(emulator: Emulator) -> None:
    stub, metadata = ExchangeRecordServiceStub(emulator.channel), emulator.setagaya.metadata
    token = stub.ReconcileExchangeRecords(records.ReconcileExchangeRecordsRequest(), metadata=metadata).resume_token
    both = records.ReconcileExchangeRecordsRequest(exchange_ids=["00" * 32], resume_token=token)

    assert reason_of(lambda: stub.ReconcileExchangeRecords(both, metadata=metadata)) == "INVALID_FIELD"


def test_a_comparison_of_all_goes_both_ways_and_goes_on_from_its_token(emulator: Emulator) -> None:
    """The network's list is read behind the scenes; its time says up to when what is missing here is known."""
    _, asked = _linked(emulator)
    emulator.setagaya.answer(asked)
    stub, metadata = ExchangeRecordServiceStub(emulator.channel), emulator.setagaya.metadata

    def listed() -> records.ReconcileExchangeRecordsResponse | None:
        found = stub.ReconcileExchangeRecords(records.ReconcileExchangeRecordsRequest(), metadata=metadata)
        settled = all(each.state == records.RECONCILIATION_STATE_AGREES for each in found.reconciliations)
        return found if found.HasField("network_list_time") and settled else None

    whole = eventually(listed)
    assert whole.reconciliations
    assert {each.side for each in whole.reconciliations} == {records.RECORD_SIDE_INQUIRER}
    assert not whole.more
    later = records.ReconcileExchangeRecordsRequest(resume_token=whole.resume_token)
    assert not stub.ReconcileExchangeRecords(later, metadata=metadata).reconciliations


def test_a_comparison_of_replicas_says_which_message_it_answers_and_whether_more_follows(emulator: Emulator) -> None:
    (held,) = emulator.shinjuku.link([fresh_serial()])
    emulator.shinjuku.replicas([held])
    stub, metadata = ReplicaServiceStub(emulator.channel), emulator.shinjuku.metadata
    rows = 10_000

    def named(first: int, *, last: bool = False) -> replicas.CompareReplicasRequest:
        """Name records nobody has: each is a difference."""
        return replicas.CompareReplicasRequest(
            information_code=TAX,
            data_set="0100",
            integrated_address_numbers=[f"{first + row:015d}" for row in range(rows)],
            record_keys=["2026"] * rows,
            digests=[bytes(32)] * rows,
            last=last,
        )

    found = list(stub.CompareReplicas(iter([named(0), named(rows, last=True)]), metadata=metadata))

    assert [(each.request_index, each.more, len(each.differences) == rows) for each in found] == [
        (0, False, True),
        (1, True, True),
        (1, False, False),
    ]
    assert found[-1].compared_count == 2 * rows
    assert held in {each.integrated_address_number for each in found[-1].differences}
    assert all(each.ByteSize() < 4_000_000 for each in found)


def test_two_records_whose_long_ids_begin_alike_are_two_records(emulator: Emulator) -> None:
    (one,) = emulator.shinjuku.link([fresh_serial()])
    emulator.shinjuku.replicas([one])
    stub, metadata = ReplicaServiceStub(emulator.channel), emulator.shinjuku.metadata
    key = {"information_code": TAX, "data_set": "0100", "record_key": "2026"}
    request = replicas.GetReplicaRequest(integrated_address_number=one, key=common_pb2.ReplicaKey(**key))
    held = stub.GetReplica(request, metadata=metadata).replica
    long = f"{fresh_serial():06d}".ljust(63, "x")

    for last in "ab":
        replica = replicas.Replica()
        replica.CopyFrom(held)
        replica.record_id = long + last
        put = stub.PutReplica(replicas.PutReplicaRequest(replica=replica), metadata=metadata).replica
        assert put.record_id == long + last


def test_an_unknown_record_and_proofs_are_refused_with_their_reasons(emulator: Emulator) -> None:
    stub, metadata = ExchangeRecordServiceStub(emulator.channel), emulator.setagaya.metadata

    for name in ("zz", "00" * 32):
        request = records.GetExchangeRecordRequest(exchange_id=name)
        assert reason_of(lambda request=request: stub.GetExchangeRecord(request, metadata=metadata)) == "RECORD_UNKNOWN"
    assert (
        reason_of(lambda: stub.GetCheckpoint(records.GetCheckpointRequest(), metadata=metadata))
        == "FEATURE_NOT_AVAILABLE"
    )


def test_the_permission_list_can_be_read_whole(emulator: Emulator) -> None:
    stub, metadata = SecurityServiceStub(emulator.channel), emulator.setagaya.metadata
    rows: list[str] = []
    token = ""
    while True:
        page = stub.GetPermissionList(
            security.GetPermissionListRequest(page_size=10, page_token=token), metadata=metadata
        )
        rows += [row.row_id for row in page.rows]
        token = page.next_page_token
        if not token:
            break

    assert len(rows) == len(set(rows)) >= 20
    assert rows == sorted(rows)
    versions = stub.ListPermissionLists(security.ListPermissionListsRequest(), metadata=metadata).versions
    assert [each.version for each in versions] == [page.version]
    assert len(versions[0].digest) == 64
    assert stub.GetMasterVersion(security.GetMasterVersionRequest(), metadata=metadata).master_version.version
    assert (
        reason_of(lambda: stub.GetPermissionList(security.GetPermissionListRequest(version="x"), metadata=metadata))
        == "PERMISSION_LIST_UNKNOWN"
    )


def test_public_keys_are_listed_and_nothing_else_of_them(emulator: Emulator) -> None:
    stub, metadata = SecurityServiceStub(emulator.channel), emulator.setagaya.metadata

    keys = stub.ListKeys(security.ListKeysRequest(), metadata=metadata).keys

    assert [each.purpose for each in keys] == [security.KEY_PURPOSE_SIGNING, security.KEY_PURPOSE_SEALING]
    assert all(len(each.key_id) == 64 and each.public_key for each in keys)
    assert all(each.HasField("start_time") for each in keys)
    rotation = security.RotateKeyRequest(purpose=security.KEY_PURPOSE_SIGNING)
    assert reason_of(lambda: stub.RotateKey(rotation, metadata=metadata)) == "FEATURE_NOT_AVAILABLE"


def test_keys_are_paged_and_no_page_repeats_one(emulator: Emulator) -> None:
    stub, metadata = SecurityServiceStub(emulator.channel), emulator.setagaya.metadata
    whole = stub.ListKeys(security.ListKeysRequest(), metadata=metadata)
    first = stub.ListKeys(security.ListKeysRequest(page_size=1), metadata=metadata)
    second = stub.ListKeys(security.ListKeysRequest(page_size=1, page_token=first.next_page_token), metadata=metadata)

    assert [*first.keys, *second.keys] == list(whole.keys)
    assert first.next_page_token
    assert not whole.next_page_token
    assert not second.next_page_token
    masters = stub.ListMasterVersions(security.ListMasterVersionsRequest(page_size=1), metadata=metadata)
    assert len(masters.versions) == 1
    assert not masters.next_page_token
    of_keys = security.ListPermissionListsRequest(page_token=first.next_page_token)
    assert reason_of(lambda: stub.ListPermissionLists(of_keys, metadata=metadata)) == "PAGE_TOKEN_INVALID"


def test_rows_of_the_list_say_what_they_rest_on(emulator: Emulator) -> None:
    stub, metadata = SecurityServiceStub(emulator.channel), emulator.setagaya.metadata

    rows = stub.GetPermissionList(security.GetPermissionListRequest(page_size=1000), metadata=metadata).rows

    assert security.PERMISSION_KIND_NETWORK in {row.kind for row in rows}
    assert security.PERMISSION_KIND_UNSPECIFIED not in {row.kind for row in rows}
