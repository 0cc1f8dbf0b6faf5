# SPDX-License-Identifier: Apache-2.0
"""The servicer of 情報照会 (SKI): convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.edge.unimplemented import unimplemented
from chukan.network.v1 import statements_pb2
from chukan.server.domain.exchange import AnswerKind
from chukan.server.middle.permission_check import Query
from chukan.server.rpc.inquiry_messages import inquiry_to_message, spec_from_message, status_to_message, timestamp
from chukan.server.rpc.rows import body_digest, refuse_individual_numbers, row_failure, wire
from chukan.server.rpc.sizes import MOST_BYTES, that_fit
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.server.rpc.watching import position, watch
from chukan.standard.reasons import reason
from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1 import inquiry_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import grpc

    from chukan.server.domain.inquiry import Inquiry
    from chukan.server.middle.inquiries import InquiryDesk, Result, Unavailable
    from chukan.server.middle.inquiry_acceptance import InquiryAcceptance
    from chukan.server.middle.permission_check import PermissionCheck
    from chukan.server.rpc.resuming import Positions

__all__ = ["InquiryServicer"]

_LISTING = "inquiries"


class InquiryServicer(rpc.InquiryServiceServicer):
    """Serves InquiryService."""

    CreateResultDownload = unimplemented("result downloads")

    def __init__(
        self,
        acceptance: InquiryAcceptance,
        desk: InquiryDesk,
        permissions: PermissionCheck,
        positions: Positions,
    ) -> None:
        self._acceptance = acceptance
        self._desk = desk
        self._permissions = permissions
        self._positions = positions

    def CreateInquiry(
        self, request: pb.CreateInquiryRequest, context: grpc.ServicerContext
    ) -> pb.CreateInquiryResponse:
        """Accept or refuse one inquiry."""
        organization = current_caller().organization
        accepted = self._acceptance.accept_one(organization, spec_from_message(request.inquiry))
        inquiry = accepted.inquiry or self._desk.by_id(organization, accepted.id)
        return pb.CreateInquiryResponse(inquiry=inquiry_to_message(inquiry))

    def CreateInquiries(
        self, request_iterator: Iterator[pb.CreateInquiriesRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.CreateInquiriesResponse]:
        """Accept batches, each answered once durable."""
        caller = current_caller()
        for request in request_iterator:
            accepted = self._acceptance.accept(
                caller.organization,
                caller.system,
                request.batch_id,
                body_digest(request),
                [spec_from_message(each) for each in request.inquiries],
            )
            yield pb.CreateInquiriesResponse(
                batch_id=request.batch_id,
                outcomes=wire(accepted.outcomes),
                receipt_numbers=accepted.receipts,
                failures=[row_failure(each.row, each.reason, each.field, rule=each.rule) for each in accepted.failures],
                repeated_batch=accepted.repeated,
            )

    def GetInquiry(self, request: pb.GetInquiryRequest, context: grpc.ServicerContext) -> pb.GetInquiryResponse:
        """Read one inquiry."""
        organization = current_caller().organization
        if request.WhichOneof("key") == "record_id":
            inquiry = self._desk.by_record(organization, request.record_id)
        else:
            inquiry = self._desk.by_receipt(organization, request.receipt_number)
        return pb.GetInquiryResponse(inquiry=inquiry_to_message(inquiry))

    def ListInquiries(
        self, request: pb.ListInquiriesRequest, context: grpc.ServicerContext
    ) -> pb.ListInquiriesResponse:
        """List inquiries in order of receipt."""
        (after,) = decode_token(listing(_LISTING, request), request.page_token, 0)
        most, seen = page_size(request.page_size), position(self._positions)
        rows = self._desk.page(current_caller().organization, after=int(after), states=list(request.states), most=most)
        token = encode_token(listing(_LISTING, request), rows[-1][0]) if len(rows) == most else ""
        return pb.ListInquiriesResponse(
            inquiries=[inquiry_to_message(inquiry) for _, inquiry in rows], next_page_token=token, resume_token=seen
        )

    def WatchInquiries(
        self, request: pb.WatchInquiriesRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchInquiriesResponse]:
        """Follow inquiries in commit order."""
        organization = current_caller().organization
        finished, open_results = request.finished_only, request.unacknowledged_only

        def changed(after: int, most: int) -> Sequence[Inquiry]:
            return self._desk.changed(
                organization, after=after, most=most, finished_only=finished, unacknowledged_only=open_results
            )

        for token, rows in watch(self._positions, context, request, changed):
            yield pb.WatchInquiriesResponse(resume_token=token, inquiries=[inquiry_to_message(row) for row in rows])

    def GetInquiryResults(
        self, request: pb.GetInquiryResultsRequest, context: grpc.ServicerContext
    ) -> pb.GetInquiryResultsResponse:
        """Read the content of finished inquiries."""
        refuse_individual_numbers(request.receipt_numbers, field="receipt_numbers")
        receipts = list(request.receipt_numbers)
        read = self._desk.results(current_caller().organization, receipts, most_bytes=MOST_BYTES)
        fitting = that_fit(_result(each) for each in read.results)
        return pb.GetInquiryResultsResponse(
            results=fitting,
            unavailable=_unavailable(read.unavailable),
            remaining_receipt_numbers=[each.inquiry.receipt_number for each in read.results[len(fitting) :]]
            + receipts[read.looked_at :],
        )

    def AcknowledgeResults(
        self, request: pb.AcknowledgeResultsRequest, context: grpc.ServicerContext
    ) -> pb.AcknowledgeResultsResponse:
        """Note that results were taken over."""
        refuse_individual_numbers(request.receipt_numbers, field="receipt_numbers")
        count, unavailable = self._desk.acknowledge(current_caller().organization, list(request.receipt_numbers))
        return pb.AcknowledgeResultsResponse(acknowledged_count=count, unavailable=_unavailable(unavailable))

    def CancelInquiry(
        self, request: pb.CancelInquiryRequest, context: grpc.ServicerContext
    ) -> pb.CancelInquiryResponse:
        """Cancel an inquiry that is not finished."""
        inquiry = self._desk.cancel(current_caller().organization, request.receipt_number)
        return pb.CancelInquiryResponse(inquiry=inquiry_to_message(inquiry))

    def CheckPermission(
        self, request: pb.CheckPermissionRequest, context: grpc.ServicerContext
    ) -> pb.CheckPermissionResponse:
        """Say whether an inquiry would be permitted."""
        query = Query(
            inquirer=request.inquirer_code or current_caller().organization,
            provider=request.provider_code,
            affair=request.affair_code,
            procedure=request.procedure_code,
            information=request.information_code,
            inquirer_delegator=request.inquirer_delegator_code,
            provider_delegator=request.provider_delegator_code,
            date=request.date,
        )
        decision = self._permissions.check(query)
        row = decision.row
        failed = reason(decision.reason) if decision.reason else None
        return pb.CheckPermissionResponse(
            permitted=decision.permitted,
            permission_row_id=decision.row_id,
            legal_basis=row.legal_basis_new if row else "",
            legal_basis_old=row.legal_basis_old if row else "",
            consent_required=row.consent_required if row else False,
            reason=decision.reason,
            message=failed.english if failed else "",
            message_ja=failed.japanese if failed else "",
            permission_list_version=decision.list_version,
        )


def _result(result: Result) -> pb.InquiryResult:
    inquiry = result.inquiry
    asked = pb.InquirySpec.FromString(inquiry.asked)
    message = pb.InquiryResult(
        receipt_number=inquiry.receipt_number,
        record_id=asked.record_id,
        integrated_address_number=asked.integrated_address_number,
        status=status_to_message(inquiry.status),
        answer_kind=wire(inquiry.answer_kind),
        provider_code=asked.provider_code,
        information_code=asked.information_code,
        provision_time=timestamp(result.provision_time_ms),
        expire_time=timestamp(inquiry.result_expire_time_ms),
    )
    if inquiry.answer_kind is AnswerKind.VALUES:
        content = statements_pb2.AnswerContent.FromString(result.content)
        message.records.extend(content.records)
    return message


def _unavailable(rows: Sequence[Unavailable]) -> list[pb.UnavailableResult]:
    return [pb.UnavailableResult(receipt_number=row.receipt_number, reason=row.reason) for row in rows]
