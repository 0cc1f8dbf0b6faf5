# SPDX-License-Identifier: Apache-2.0
"""Messages of chukan.network.v1 about exchanges ↔ values of the domain; clients and servicers share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chukan.network.v1 import member_service_pb2 as member
from chukan.network.v1 import network_service_pb2 as network
from chukan.network.v1 import statements_pb2 as wire
from chukan.server.domain.envelope import Envelope, Signature
from chukan.server.domain.exchange import (
    AnswerBatch,
    AnswerReceipt,
    Delivery,
    MemberKeys,
    Outcome,
    OutcomeCommitment,
    PermitRequest,
    PermitResponse,
    ReceiptFailure,
    ReceiptOutcome,
    SealedGroup,
)
from chukan.standard.reasons import ChukanError, reason
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIVERY = member.DeliverInquiriesRequest


def set_period(message: common_pb2.Period, start: str, end: str) -> None:
    """Fill a period; an open one stays absent."""
    if start:
        message.start_date = start
    if end:
        message.end_date = end


def envelope_to_message(value: Envelope) -> common_pb2.DsseEnvelope:
    """Convert an envelope."""
    return common_pb2.DsseEnvelope(
        payload_type=value.payload_type,
        payload=value.payload,
        signatures=[
            common_pb2.DsseSignature(key_id=each.key_id, signature=each.signature) for each in value.signatures
        ],
    )


def envelope_from_message(message: common_pb2.DsseEnvelope) -> Envelope:
    """Convert an envelope."""
    return Envelope(
        message.payload_type,
        message.payload,
        tuple(Signature(each.key_id, each.signature) for each in message.signatures),
    )


def keys_to_message(value: MemberKeys) -> wire.MemberKeys:
    """Convert a member's keys."""
    message = wire.MemberKeys(organization_code=value.organization, certificate=value.certificate)
    if value.sealing_key_statement is not None:
        message.sealing_key_statement.CopyFrom(envelope_to_message(value.sealing_key_statement))
    return message


def keys_from_message(message: wire.MemberKeys) -> MemberKeys:
    """Convert a member's keys."""
    statement = (
        envelope_from_message(message.sealing_key_statement) if message.HasField("sealing_key_statement") else None
    )
    return MemberKeys(message.organization_code, message.certificate, statement)


def permit_request_to_message(value: PermitRequest) -> network.RequestPermitsRequest:
    """Convert the request of RequestPermits."""
    return network.RequestPermitsRequest(request_statement=envelope_to_message(value.statement), leaves=value.leaves)


def permit_request_from_message(message: network.RequestPermitsRequest) -> PermitRequest:
    """Convert the request of RequestPermits."""
    return PermitRequest(envelope_from_message(message.request_statement), tuple(message.leaves))


def permit_response_to_message(value: PermitResponse) -> network.RequestPermitsResponse:
    """Convert the response of RequestPermits."""
    return network.RequestPermitsResponse(
        permit_statement=None if value.statement is None else envelope_to_message(value.statement),
        permits=value.permits,
        refusals=[network.PermitRefusal(row=row, reason=reason) for row, reason in value.refusals.items()],
    )


def permit_response_from_message(message: network.RequestPermitsResponse) -> PermitResponse:
    """Convert the response of RequestPermits."""
    statement = envelope_from_message(message.permit_statement) if message.HasField("permit_statement") else None
    return PermitResponse(statement, tuple(message.permits), {each.row: each.reason for each in message.refusals})


def delivery_to_message(value: Delivery) -> member.DeliverInquiriesRequest:
    """Convert the request of DeliverInquiries."""
    return member.DeliverInquiriesRequest(
        permit_statement=envelope_to_message(value.statement),
        permits=value.permits,
        inquirer_keys=keys_to_message(value.inquirer_keys),
    )


def delivery_from_message(message: member.DeliverInquiriesRequest) -> Delivery:
    """Convert the request of DeliverInquiries."""
    return Delivery(
        envelope_from_message(message.permit_statement),
        tuple(message.permits),
        keys_from_message(message.inquirer_keys),
    )


def answer_batch_to_message(value: AnswerBatch) -> wire.AnswerBatch:
    """Convert a batch of answers."""
    return wire.AnswerBatch(
        provider_code=value.provider,
        inquirer_code=value.inquirer,
        answer_statement=envelope_to_message(value.statement),
        groups=[wire.SealedGroup(sealed_secret=each.sealed_secret, context=each.context) for each in value.groups],
        leaves=value.leaves,
        group_indexes=value.group_indexes,
        ciphertexts=value.ciphertexts,
        provider_keys=keys_to_message(value.provider_keys),
    )


def answer_batch_from_message(message: wire.AnswerBatch) -> AnswerBatch:
    """Convert a batch of answers. Errors: COLUMNS_UNEQUAL."""
    if not len(message.leaves) == len(message.group_indexes) == len(message.ciphertexts):
        raise ChukanError("COLUMNS_UNEQUAL", field="answers")
    return AnswerBatch(
        message.provider_code,
        message.inquirer_code,
        envelope_from_message(message.answer_statement),
        tuple(SealedGroup(each.sealed_secret, each.context) for each in message.groups),
        tuple(message.leaves),
        tuple(message.group_indexes),
        tuple(message.ciphertexts),
        keys_from_message(message.provider_keys),
    )


def receipt_to_message(value: AnswerReceipt) -> member.DeliverAnswersResponse:
    """Convert the response of DeliverAnswers."""
    message = member.DeliverAnswersResponse(
        outcomes=cast("Any", [int(each) for each in value.outcomes]),
        failures=[
            common_pb2.RowFailure(
                row=each.row,
                reason=each.reason,
                message=reason(each.reason).english,
                message_ja=reason(each.reason).japanese,
            )
            for each in value.failures
        ],
    )
    if value.acknowledgement is not None:
        message.acknowledgement_statement.CopyFrom(envelope_to_message(value.acknowledgement))
    return message


def receipt_from_message(message: member.DeliverAnswersResponse) -> AnswerReceipt:
    """Convert the response of DeliverAnswers."""
    acknowledgement = (
        envelope_from_message(message.acknowledgement_statement)
        if message.HasField("acknowledgement_statement")
        else None
    )
    return AnswerReceipt(
        acknowledgement,
        tuple(ReceiptOutcome(each) for each in message.outcomes),
        tuple(ReceiptFailure(each.row, each.reason) for each in message.failures),
    )


def commitments_to_messages(values: Sequence[OutcomeCommitment]) -> list[network.OutcomeCommitment]:
    """Convert outcomes the network could not see."""
    return [
        network.OutcomeCommitment(
            exchange_digest=each.exchange_digest, outcome=cast("Any", int(each.outcome)), reason=each.reason
        )
        for each in values
    ]


_OUTCOMES = frozenset(map(int, Outcome)) - {0}


def commitments_from_messages(messages: Sequence[network.OutcomeCommitment]) -> list[OutcomeCommitment]:
    """Convert outcomes the network could not see. Errors: INVALID_FIELD."""
    if any(each.outcome not in _OUTCOMES for each in messages):
        raise ChukanError("INVALID_FIELD", violations=[("commitments.outcome", "must be one of the defined values")])
    return [OutcomeCommitment(each.exchange_digest, Outcome(each.outcome), each.reason) for each in messages]
