# SPDX-License-Identifier: Apache-2.0
"""InquiryService over real gRPC, with the network in process and apart: what callers see."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import AFFAIR, EDITION, PROCEDURE, SETAGAYA, SHINJUKU, TAX, eventually, fresh_serial

from chukan.edge.errors import error_of_call
from chukan.server.rpc.tokens import encode_token
from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1.common_pb2 import ROW_OUTCOME_COMMITTED, ROW_OUTCOME_REFUSED, ROW_OUTCOME_UNCHANGED
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Emulator


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Return status and reason a call ends with."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return raised.value.code(), error_of_call(raised.value).code


@pytest.fixture
def stub(emulator: Emulator) -> InquiryServiceStub:
    return InquiryServiceStub(emulator.channel)


@pytest.fixture
def moved(emulator: Emulator) -> str:
    serial = fresh_serial()
    (provided,) = emulator.shinjuku.link([serial])
    emulator.shinjuku.replicas([provided])
    (own,) = emulator.setagaya.link([serial])
    return own


def test_one_inquiry_is_accepted_at_once_and_answered_later(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    request = pb.CreateInquiryRequest(inquiry=body.spec(moved))

    first = stub.CreateInquiry(request, metadata=body.metadata).inquiry
    again = stub.CreateInquiry(request, metadata=body.metadata).inquiry
    done = body.finished(first.receipt_number)

    assert first.receipt_number == again.receipt_number
    assert done.spec == request.inquiry
    assert (done.status.row_status, done.status.information_status) == ("09", "01")
    assert body.results(done.receipt_number).results[0].records


def test_an_inquiry_in_another_mode_than_the_organizations_is_refused(
    emulator: Emulator, moved: str, stub: Any
) -> None:
    body = emulator.setagaya
    request = pb.CreateInquiryRequest(inquiry=body.spec(moved))
    metadata = (*body.metadata, ("chukan-mode", "production"))

    assert refusal(lambda: stub.CreateInquiry(request, metadata=metadata)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "MODE_MISMATCH",
    )


def test_an_inquiry_names_its_exchange_and_its_receipt_finds_the_record(emulator: Emulator, moved: str) -> None:
    """One id leads to the records of all sides; refused inquiries are recorded and found like answered ones."""
    body, stub = emulator.setagaya, ExchangeRecordServiceStub(emulator.channel)

    answered, refused = body.answer(moved), body.answer(moved, information_code="TM00000000000003")

    for inquiry in (answered, refused):
        request = records.ListExchangeRecordsRequest(receipt_number=inquiry.receipt_number)
        (found,) = stub.ListExchangeRecords(request, metadata=body.metadata).records
        assert (found.receipt_number, found.exchange_id) == (inquiry.receipt_number, inquiry.exchange_id)
        assert stub.ListExchangeRecords(request, metadata=emulator.shinjuku.metadata).records == []
    theirs = records.GetExchangeRecordRequest(exchange_id=answered.exchange_id)
    assert stub.GetExchangeRecord(theirs, metadata=emulator.shinjuku.metadata).record.exchange_id
    nothing = records.ListExchangeRecordsRequest(receipt_number="none")
    assert stub.ListExchangeRecords(nothing, metadata=body.metadata).records == []


def test_a_business_clock_that_goes_ahead_is_recorded_not_refused(emulator: Emulator, moved: str) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=5)

    done = emulator.setagaya.answer(moved, request_time=ahead)

    assert done.state == common_pb2.INQUIRY_STATE_ANSWERED, done.reason
    assert done.spec.request_time.ToDatetime(UTC) == ahead


def test_the_same_record_id_with_other_content_is_a_conflict(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    spec = body.spec(moved)
    stub.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec), metadata=body.metadata)
    spec.consent = not spec.consent

    code, reason = refusal(lambda: stub.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec), metadata=body.metadata))

    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "RECORD_ID_EXISTS")


def test_an_individual_number_is_refused_and_not_echoed(emulator: Emulator, stub: Any) -> None:
    body, individual = emulator.setagaya, dummy_individual_number(99)
    spec = body.spec(individual)

    with pytest.raises(grpc.RpcError) as raised:
        stub.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec), metadata=body.metadata)

    assert error_of_call(raised.value).code == "INDIVIDUAL_NUMBER_REFUSED"
    assert individual not in str(raised.value) + str(raised.value.trailing_metadata())
    failure = body.ask(spec).failures[0]
    assert (failure.reason, individual in str(failure)) == ("INDIVIDUAL_NUMBER_REFUSED", False)


def test_a_stream_of_batches_answers_each_in_order(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    specs = [body.spec(moved) for _ in range(3)]
    requests = [
        pb.CreateInquiriesRequest(batch_id=f"{fresh_serial()}-{at}", inquiries=[spec]) for at, spec in enumerate(specs)
    ]
    requests.append(requests[0])
    requests.append(pb.CreateInquiriesRequest(batch_id=f"{fresh_serial()}-x", inquiries=[specs[1], body.spec("1")]))

    responses = list(stub.CreateInquiries(iter(requests), metadata=body.metadata))

    assert [each.batch_id for each in responses] == [each.batch_id for each in requests]
    assert responses[3].repeated_batch
    assert responses[3].receipt_numbers == responses[0].receipt_numbers
    assert [list(each.outcomes) for each in responses[:3]] == [[ROW_OUTCOME_COMMITTED]] * 3
    assert list(responses[4].outcomes) == [ROW_OUTCOME_UNCHANGED, ROW_OUTCOME_REFUSED]
    assert (responses[4].failures[0].row, responses[4].failures[0].reason) == (1, "NUMBER_MALFORMED")


def test_concurrent_duplicates_become_one_inquiry(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    request = pb.CreateInquiryRequest(inquiry=body.spec(moved))
    receipts: list[str] = []

    def send() -> None:
        receipts.append(stub.CreateInquiry(request, metadata=body.metadata).inquiry.receipt_number)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(receipts) == 8
    assert len(set(receipts)) == 1


def test_a_refused_inquiry_says_why_as_staff_know_it(emulator: Emulator, moved: str) -> None:
    found = emulator.setagaya.answer(moved, information_code="TM00000000000082")

    assert found.state == common_pb2.INQUIRY_STATE_REFUSED
    assert found.reason == "NOT_PERMITTED_INFORMATION"
    assert found.status.row_message == (
        "指定された特定個人情報名「ＴＭ００００００００００００８２」の照会は許可されていません。"
    )
    unavailable = emulator.setagaya.results(found.receipt_number, "20260101000000000001").unavailable
    assert [each.reason for each in unavailable] == ["INQUIRY_HAS_NO_RESULT", "INQUIRY_UNKNOWN"]


def test_listing_goes_page_by_page_and_refuses_foreign_tokens(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    body.ask(*[body.spec(moved) for _ in range(3)])
    seen: list[str] = []
    token = ""
    while True:
        page = stub.ListInquiries(pb.ListInquiriesRequest(page_size=2, page_token=token), metadata=body.metadata)
        seen += [each.receipt_number for each in page.inquiries]
        token = page.next_page_token
        if not token:
            break

    assert seen == sorted(set(seen))
    for bad in ("x", "WyJvdGhlciIsMV0"):
        request = pb.ListInquiriesRequest(page_token=bad)
        assert refusal(lambda request=request: stub.ListInquiries(request, metadata=body.metadata)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "PAGE_TOKEN_INVALID",
        )


def test_a_watch_resumes_where_it_stopped(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    watch = stub.WatchInquiries(pb.WatchInquiriesRequest(from_now=True), metadata=body.metadata)
    begun = next(watch)
    asked = body.ask(body.spec(moved)).receipt_numbers[0]
    first = next(watch)
    watch.cancel()
    assert begun.resume_token
    assert not begun.inquiries
    assert first.inquiries[0].receipt_number == asked

    request = pb.WatchInquiriesRequest(resume_token=first.resume_token, finished_only=True)
    again = stub.WatchInquiries(request, metadata=body.metadata)
    finished = next(again)
    again.cancel()

    assert asked in {each.receipt_number for each in finished.inquiries}
    assert all(each.state >= common_pb2.INQUIRY_STATE_ANSWERED for each in finished.inquiries)


def test_a_watch_from_a_lists_token_misses_nothing_that_came_after_the_list(
    emulator: Emulator, moved: str, stub: Any
) -> None:
    body = emulator.setagaya
    listed = stub.ListInquiries(pb.ListInquiriesRequest(page_size=1), metadata=body.metadata)

    asked = body.ask(body.spec(moved)).receipt_numbers[0]
    watch = stub.WatchInquiries(pb.WatchInquiriesRequest(resume_token=listed.resume_token), metadata=body.metadata)
    seen = next(watch)
    watch.cancel()

    assert asked in {each.receipt_number for each in seen.inquiries}


def test_a_watch_begins_now_or_at_a_token_not_both(emulator: Emulator, stub: Any) -> None:
    request = pb.WatchInquiriesRequest(resume_token=encode_token("changes", 0), from_now=True)
    watch = stub.WatchInquiries(request, metadata=emulator.setagaya.metadata)

    assert refusal(lambda: next(watch)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


def test_a_watch_can_leave_out_what_was_taken_over(emulator: Emulator, moved: str, stub: Any) -> None:
    """Who takes results over and goes on from its token does not hear of its own acknowledgements."""
    body = emulator.setagaya
    begun = stub.WatchInquiries(pb.WatchInquiriesRequest(from_now=True), metadata=body.metadata)
    token = next(begun).resume_token
    begun.cancel()
    taken = body.answer(moved).receipt_number
    stub.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=[taken]), metadata=body.metadata)
    request = pb.WatchInquiriesRequest(resume_token=token, finished_only=True, unacknowledged_only=True)

    watch = stub.WatchInquiries(request, metadata=body.metadata)
    still_there = body.answer(moved).receipt_number
    heard = {each.receipt_number for each in next(watch).inquiries}
    watch.cancel()

    assert still_there in heard
    assert taken not in heard


def test_a_token_of_another_time_is_too_old(emulator: Emulator, stub: Any) -> None:
    later = encode_token("changes", 10**10)
    watch = stub.WatchInquiries(pb.WatchInquiriesRequest(resume_token=later), metadata=emulator.setagaya.metadata)

    assert refusal(lambda: next(watch)) == (grpc.StatusCode.OUT_OF_RANGE, "RESUME_TOKEN_EXPIRED")


def test_cancelling_and_acknowledging(emulator: Emulator, moved: str, stub: Any) -> None:
    body = emulator.setagaya
    done = body.answer(moved)

    response = stub.AcknowledgeResults(
        pb.AcknowledgeResultsRequest(receipt_numbers=[done.receipt_number]), metadata=body.metadata
    )
    request = pb.CancelInquiryRequest(receipt_number=done.receipt_number)

    assert response.acknowledged_count == 1
    assert refusal(lambda: stub.CancelInquiry(request, metadata=body.metadata)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "INQUIRY_FINISHED",
    )
    request.receipt_number = "0" * 20
    assert refusal(lambda: stub.CancelInquiry(request, metadata=body.metadata))[1] == "INQUIRY_UNKNOWN"


def test_another_organizations_inquiry_is_absent(emulator: Emulator, moved: str, stub: Any) -> None:
    receipt = emulator.setagaya.ask(emulator.setagaya.spec(moved)).receipt_numbers[0]
    request = pb.GetInquiryRequest(receipt_number=receipt)

    assert refusal(lambda: stub.GetInquiry(request, metadata=emulator.shinjuku.metadata)) == (
        grpc.StatusCode.NOT_FOUND,
        "INQUIRY_UNKNOWN",
    )


def test_checking_a_permission_leaves_no_trace(emulator: Emulator, stub: Any) -> None:
    body = emulator.setagaya
    request = pb.CheckPermissionRequest(
        affair_code=AFFAIR, procedure_code=PROCEDURE, provider_code=SHINJUKU, information_code=TAX
    )
    before = stub.ListInquiries(pb.ListInquiriesRequest(page_size=1000), metadata=body.metadata)

    yes = stub.CheckPermission(request, metadata=body.metadata)
    early = stub.CheckPermission(pb.CheckPermissionRequest(date="20200101", **_fields(request)), metadata=body.metadata)
    request.provider_code = SETAGAYA
    no = stub.CheckPermission(request, metadata=body.metadata)

    assert (yes.permitted, yes.reason, yes.permission_row_id) == (True, "", "P-214")
    assert (early.permitted, early.reason) == (False, "NOT_YET_IN_FORCE")
    assert (no.permitted, no.reason) == (False, "PROVIDER_IS_INQUIRER")
    assert no.message
    assert no.message_ja
    after = stub.ListInquiries(pb.ListInquiriesRequest(page_size=1000), metadata=body.metadata)
    assert len(after.inquiries) == len(before.inquiries)


def test_result_downloads_say_they_are_not_offered(emulator: Emulator, stub: Any) -> None:
    request = pb.CreateResultDownloadRequest(receipt_numbers=["1"])

    assert refusal(lambda: stub.CreateResultDownload(request, metadata=emulator.setagaya.metadata)) == (
        grpc.StatusCode.UNIMPLEMENTED,
        "FEATURE_NOT_AVAILABLE",
    )


def test_many_at_once_are_all_answered(emulator: Emulator, moved: str) -> None:
    body = emulator.setagaya
    answer = body.ask(*[body.spec(moved) for _ in range(300)])

    def finished() -> list[str]:
        results = body.results(*answer.receipt_numbers)
        return [each.receipt_number for each in results.results] if not results.unavailable else []

    assert eventually(finished) == list(answer.receipt_numbers)


def test_a_thousand_large_results_are_read_by_a_client_that_receives_four_megabytes(emulator: Emulator) -> None:
    """What a response does not hold is named in it; an inquiry is never in none of the three lists, nor in two."""
    body, serial, years = emulator.setagaya, fresh_serial(), range(2012, 2027)
    (provided,) = emulator.shinjuku.link([serial])
    numbers = [
        item.code for item in layout(TAX, EDITION).data_set("0100").items if item.type == "number" and not item.void
    ]
    written = emulator.shinjuku.replicas(
        [provided] * len(years),
        values={code: ["9"] * len(years) for code in numbers},
        record_keys=[str(year) for year in years],
    )
    (own,) = body.link([serial])
    asked = body.ask(*[body.spec(own) for _ in range(1_000)]).receipt_numbers
    for receipt in asked:
        body.finished(receipt)

    remaining, found, sizes = [*asked, "20260101000000000001"], [], []
    unavailable = []
    with grpc.insecure_channel(emulator.middle.address) as channel:
        while remaining:
            request = pb.GetInquiryResultsRequest(receipt_numbers=remaining[:1_000])
            answer = InquiryServiceStub(channel).GetInquiryResults(request, metadata=body.metadata)
            sizes.append(answer.ByteSize())
            found += [each.receipt_number for each in answer.results]
            unavailable += [each.receipt_number for each in answer.unavailable]
            remaining = [*answer.remaining_receipt_numbers, *remaining[1_000:]]

    assert not written.failures
    assert sum(sizes) > 12_000_000
    assert max(sizes) < 4 * 1024 * 1024
    assert (found, unavailable) == (list(asked), ["20260101000000000001"])


def test_an_unknown_state_in_a_filter_is_refused_and_never_matches_all(emulator: Emulator, stub: Any) -> None:
    request = pb.ListInquiriesRequest(states=[99])  # type: ignore[list-item]

    assert refusal(lambda: stub.ListInquiries(request, metadata=emulator.setagaya.metadata)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
    )


def _fields(request: pb.CheckPermissionRequest) -> dict[str, str]:
    return {field.name: value for field, value in request.ListFields()}
