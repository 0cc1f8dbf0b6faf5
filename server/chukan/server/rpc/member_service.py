# SPDX-License-Identifier: Apache-2.0
"""The servicer of MemberService, which each middle server offers to the network: convert, call, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.unimplemented import unimplemented
from chukan.network.v1 import member_service_pb2 as pb
from chukan.network.v1 import member_service_pb2_grpc as rpc
from chukan.server.domain.linkage import CodeDelivery
from chukan.server.rpc.exchange_messages import (
    answer_batch_from_message,
    answer_batch_to_message,
    delivery_from_message,
    receipt_to_message,
)
from chukan.server.rpc.rows import row_failure, wire

if TYPE_CHECKING:
    import grpc

    from chukan.server.middle.answers import Answers
    from chukan.server.middle.code_acquisition import CodeAcquisition
    from chukan.server.middle.provisions import AutomaticProvisions

__all__ = ["MemberServicer"]


class MemberServicer(rpc.MemberServiceServicer):
    """Serves MemberService; the caller's organization is the member that is called."""

    DeliverSelfInformationQueries = unimplemented("self information")
    ExchangeCheckpoints = unimplemented("proofs over the record log")

    def __init__(self, codes: CodeAcquisition, provisions: AutomaticProvisions, answers: Answers) -> None:
        self._codes = codes
        self._provisions = provisions
        self._answers = answers

    def DeliverCodes(self, request: pb.DeliverCodesRequest, context: grpc.ServicerContext) -> pb.DeliverCodesResponse:
        """Take linkage codes, or reasons why there are none."""
        answer = self._codes.deliver(
            current_caller().organization,
            [CodeDelivery(each.processing_number, each.linkage_code, each.reason) for each in request.deliveries],
        )
        return pb.DeliverCodesResponse(
            outcomes=wire(answer.outcomes),
            failures=[row_failure(each.row, each.reason, each.field) for each in answer.failures],
        )

    def DeliverInquiries(
        self, request: pb.DeliverInquiriesRequest, context: grpc.ServicerContext
    ) -> pb.DeliverInquiriesResponse:
        """Answer permitted inquiries."""
        batches = self._provisions.deliver(current_caller().organization, delivery_from_message(request))
        return pb.DeliverInquiriesResponse(batches=map(answer_batch_to_message, batches))

    def DeliverAnswers(
        self, request: pb.DeliverAnswersRequest, context: grpc.ServicerContext
    ) -> pb.DeliverAnswersResponse:
        """Verify, open and keep answers."""
        receipt = self._answers.deliver(current_caller().organization, answer_batch_from_message(request.answers))
        return receipt_to_message(receipt)

    def AcknowledgeAnswers(
        self, request: pb.AcknowledgeAnswersRequest, context: grpc.ServicerContext
    ) -> pb.AcknowledgeAnswersResponse:
        """Take note that answers were received; the network holds the receipt, nothing changes here."""
        return pb.AcknowledgeAnswersResponse()
