# SPDX-License-Identifier: Apache-2.0
"""Middle servers as the network calls them: the ExchangeMember and CodeMember of the ports over a transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from chukan.edge.caller import Caller
from chukan.network.v1 import member_service_pb2 as wire
from chukan.server.domain.linkage import BatchAnswer, RowFailure
from chukan.server.rpc.exchange_messages import (
    answer_batch_from_message,
    answer_batch_to_message,
    delivery_to_message,
    envelope_to_message,
    receipt_from_message,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.edge.transport import Transport
    from chukan.server.domain.envelope import Envelope
    from chukan.server.domain.exchange import AnswerBatch, AnswerReceipt, Delivery
    from chukan.server.domain.linkage import CodeDelivery

__all__ = ["MemberClient", "MemberRoutes"]

_SERVICE: Final = "/chukan.network.v1.MemberService/"
_SYSTEM: Final = "information-provision-network"


class MemberRoutes(Protocol):
    """How to reach each member."""

    def to(self, organization: str) -> Transport:
        """Return the transport to a member, or PEER_UNREACHABLE."""


class MemberClient:
    """Calls members in the name of the network; the metadata says which member is called."""

    def __init__(self, routes: MemberRoutes) -> None:
        self._routes = routes

    def deliver_codes(self, organization: str, deliveries: Sequence[CodeDelivery]) -> BatchAnswer:
        """Deliver codes, or reasons why there are none."""
        request = wire.DeliverCodesRequest(
            deliveries=[
                wire.CodeDelivery(
                    processing_number=each.processing_number, linkage_code=each.linkage_code, reason=each.reason
                )
                for each in deliveries
            ]
        )
        response = self._routes.to(organization).call(
            f"{_SERVICE}DeliverCodes", request, wire.DeliverCodesResponse, caller=_caller(organization)
        )
        failures = [RowFailure(each.row, each.reason, each.field) for each in response.failures]
        return BatchAnswer(list(response.outcomes), failures)

    def deliver_inquiries(self, organization: str, delivery: Delivery) -> tuple[AnswerBatch, ...]:
        """Deliver permits; their answers come back, sealed to the inquirer."""
        response = self._routes.to(organization).call(
            f"{_SERVICE}DeliverInquiries",
            delivery_to_message(delivery),
            wire.DeliverInquiriesResponse,
            caller=_caller(organization),
        )
        return tuple(answer_batch_from_message(batch) for batch in response.batches)

    def deliver_answers(self, organization: str, answers: AnswerBatch) -> AnswerReceipt:
        """Deliver sealed answers to the inquirer."""
        request = wire.DeliverAnswersRequest(answers=answer_batch_to_message(answers))
        response = self._routes.to(organization).call(
            f"{_SERVICE}DeliverAnswers", request, wire.DeliverAnswersResponse, caller=_caller(organization)
        )
        return receipt_from_message(response)

    def acknowledge_answers(
        self, organization: str, exchange_digests: Sequence[bytes], acknowledgement: Envelope | None
    ) -> None:
        """Tell the provider that its answers were received."""
        request = wire.AcknowledgeAnswersRequest(exchange_digests=exchange_digests)
        if acknowledgement is not None:
            request.acknowledgement_statement.CopyFrom(envelope_to_message(acknowledgement))
        self._routes.to(organization).call(
            f"{_SERVICE}AcknowledgeAnswers", request, wire.AcknowledgeAnswersResponse, caller=_caller(organization)
        )


def _caller(organization: str) -> Caller:
    return Caller(organization=organization, system=_SYSTEM)
