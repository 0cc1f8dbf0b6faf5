# SPDX-License-Identifier: Apache-2.0
"""Bytes that are signed, sealed or stored ↔ values of the domain, through the generated messages.

Follows protos/chukan/network/v1/statements.proto. The five statements have one wire form
(header, root, count); the kind in the header says which one it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from google.protobuf.message import DecodeError

from chukan.network.v1 import statements_pb2 as wire
from chukan.server.domain import exchange
from chukan.server.domain.envelope import Envelope
from chukan.server.domain.exchange import AnswerKind, Header, Mode, Outcome, ResultRecord, Statement
from chukan.server.domain.inquiry import InquirySpec
from chukan.server.rpc import exchange_messages as messages
from chukan.server.rpc.inquiry_messages import spec_from_message, spec_to_message
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2, inquiry_service_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

__all__ = ["ProtoCodec", "result_from_message", "result_to_message"]

T = TypeVar("T")


def _header_to(value: Header) -> wire.StatementHeader:
    return wire.StatementHeader(
        kind=value.kind,
        version=value.version,
        world_generation=value.world_generation,
        mode=cast("Any", int(value.mode)),
        issuer_code=value.issuer,
        recipient_code=value.recipient,
        permission_list_version=value.permission_list_version,
        master_version=value.master_version,
        answers_digest=value.answers_digest,
        recipient_key_thumbprint=value.recipient_thumbprint,
        suite=value.suite,
        issue_time_ms=value.issue_time_ms,
        expire_time_ms=value.expire_time_ms,
        nonce=value.nonce,
    )


def _header_from(message: wire.StatementHeader) -> Header:
    return Header(
        kind=message.kind,
        version=message.version,
        world_generation=message.world_generation,
        mode=Mode(message.mode),
        issuer=message.issuer_code,
        recipient=message.recipient_code,
        permission_list_version=message.permission_list_version,
        master_version=message.master_version,
        answers_digest=message.answers_digest,
        recipient_thumbprint=message.recipient_key_thumbprint,
        suite=message.suite,
        issue_time_ms=message.issue_time_ms,
        expire_time_ms=message.expire_time_ms,
        nonce=message.nonce,
    )


def _statement_to(value: Statement) -> wire.RequestStatement:
    return wire.RequestStatement(
        header=_header_to(value.header), merkle_root=value.merkle_root, leaf_count=value.leaf_count
    )


def _statement_from(message: wire.RequestStatement) -> Statement:
    return Statement(_header_from(message.header), message.merkle_root, message.leaf_count)


def _inquiry_leaf_to(value: exchange.InquiryLeaf) -> wire.InquiryLeaf:
    message = wire.InquiryLeaf(
        inquirer_code=value.inquirer,
        provider_code=value.provider,
        inquirer_delegator_code=value.inquirer_delegator,
        provider_delegator_code=value.provider_delegator,
        department=value.department,
        affair_code=value.affair,
        procedure_code=value.procedure,
        information_code=value.information,
        condition_kind=value.condition_kind,
        year_kind=value.year_kind,
        item_codes=value.item_codes,
        linkage_code=value.linkage_code,
        undisclosable=value.undisclosable,
        consent=value.consent,
        inquiry_time_ms=value.inquiry_time_ms,
        expire_time_ms=value.expire_time_ms,
        nonce=value.nonce,
    )
    messages.set_period(message.period, value.period_start, value.period_end)
    return message


def _inquiry_leaf_from(message: wire.InquiryLeaf) -> exchange.InquiryLeaf:
    period = message.period
    return exchange.InquiryLeaf(
        inquirer=message.inquirer_code,
        provider=message.provider_code,
        inquirer_delegator=message.inquirer_delegator_code,
        provider_delegator=message.provider_delegator_code,
        department=message.department,
        affair=message.affair_code,
        procedure=message.procedure_code,
        information=message.information_code,
        condition_kind=message.condition_kind,
        year_kind=message.year_kind,
        period_start=period.start_date,
        period_end=period.end_date,
        item_codes=tuple(message.item_codes),
        linkage_code=message.linkage_code,
        undisclosable=message.undisclosable,
        consent=message.consent,
        inquiry_time_ms=message.inquiry_time_ms,
        expire_time_ms=message.expire_time_ms,
        nonce=message.nonce,
    )


def _permit_leaf_to(value: exchange.PermitLeaf) -> wire.PermitLeaf:
    message = wire.PermitLeaf(
        exchange_digest=value.exchange_digest,
        inquirer_code=value.inquirer,
        provider_code=value.provider,
        inquirer_delegator_code=value.inquirer_delegator,
        provider_delegator_code=value.provider_delegator,
        department=value.department,
        affair_code=value.affair,
        procedure_code=value.procedure,
        information_code=value.information,
        condition_kind=value.condition_kind,
        year_kind=value.year_kind,
        item_codes=value.item_codes,
        linkage_code=value.linkage_code,
        permission_row_id=value.permission_row_id,
        legal_basis=value.legal_basis,
        route=value.route,
        recipient_key_thumbprint=value.recipient_thumbprint,
        undisclosable=value.undisclosable,
        consent=value.consent,
        inquiry_time_ms=value.inquiry_time_ms,
        expire_time_ms=value.expire_time_ms,
        nonce=value.nonce,
    )
    messages.set_period(message.period, value.period_start, value.period_end)
    return message


def _permit_leaf_from(message: wire.PermitLeaf) -> exchange.PermitLeaf:
    period = message.period
    return exchange.PermitLeaf(
        exchange_digest=message.exchange_digest,
        inquirer=message.inquirer_code,
        provider=message.provider_code,
        inquirer_delegator=message.inquirer_delegator_code,
        provider_delegator=message.provider_delegator_code,
        department=message.department,
        affair=message.affair_code,
        procedure=message.procedure_code,
        information=message.information_code,
        condition_kind=message.condition_kind,
        year_kind=message.year_kind,
        period_start=period.start_date,
        period_end=period.end_date,
        item_codes=tuple(message.item_codes),
        linkage_code=message.linkage_code,
        permission_row_id=message.permission_row_id,
        legal_basis=message.legal_basis,
        route=message.route,
        recipient_thumbprint=message.recipient_key_thumbprint,
        undisclosable=message.undisclosable,
        consent=message.consent,
        inquiry_time_ms=message.inquiry_time_ms,
        expire_time_ms=message.expire_time_ms,
        nonce=message.nonce,
    )


def _permit_summary_from(message: wire.PermitLeaf) -> exchange.PermitSummary:
    return exchange.PermitSummary(
        message.exchange_digest,
        message.inquirer_code,
        message.recipient_key_thumbprint,
        message.permission_row_id,
        message.legal_basis,
    )


def _answer_leaf_to(value: exchange.AnswerLeaf) -> wire.AnswerLeaf:
    return wire.AnswerLeaf(
        exchange_digest=value.exchange_digest,
        permit_digest=value.permit_digest,
        ciphertext_digest=value.ciphertext_digest,
        outcome=cast("Any", int(value.outcome)),
        reason=value.reason,
        provision_time_ms=value.provision_time_ms,
        undisclosable=value.undisclosable,
    )


def _answer_leaf_from(message: wire.AnswerLeaf) -> exchange.AnswerLeaf:
    return exchange.AnswerLeaf(
        exchange_digest=message.exchange_digest,
        permit_digest=message.permit_digest,
        ciphertext_digest=message.ciphertext_digest,
        outcome=Outcome(message.outcome),
        reason=message.reason,
        provision_time_ms=message.provision_time_ms,
        undisclosable=message.undisclosable,
    )


def _secret_to(value: exchange.GroupSecret) -> wire.GroupSecret:
    return wire.GroupSecret(key=value.key, content_statement=messages.envelope_to_message(value.content_statement))


def _secret_from(message: wire.GroupSecret) -> exchange.GroupSecret:
    return exchange.GroupSecret(message.key, messages.envelope_from_message(message.content_statement))


def _content_to(value: exchange.AnswerContent) -> wire.AnswerContent:
    message = wire.AnswerContent(
        permit_digest=value.permit_digest,
        recipient_code=value.recipient,
        answer_kind=cast("Any", int(value.kind)),
    )
    for record in value.records:
        _fill_result(record, message.records.add())
    return message


def _content_from(message: wire.AnswerContent) -> exchange.AnswerContent:
    return exchange.AnswerContent(
        message.permit_digest,
        message.recipient_code,
        AnswerKind(message.answer_kind),
        tuple(result_from_message(record) for record in message.records),
    )


def _summary_from(message: wire.AnswerContent) -> exchange.AnswerSummary:
    codes = dict.fromkeys(item.item_code for record in message.records for item in record.items)
    return exchange.AnswerSummary(
        message.permit_digest, message.recipient_code, AnswerKind(message.answer_kind), " ".join(codes)
    )


def _fill_result(record: ResultRecord, message: common_pb2.ResultRecord) -> None:
    message.data_set = record.data_set
    message.edition = record.edition
    message.record_key = record.record_key
    message.parent_record_key = record.parent_record_key
    messages.set_period(message.period, record.period_start, record.period_end)
    add = message.items.add
    for code, value, nil_reason in record.items:
        if nil_reason is None:
            add(item_code=code, value=value or "")
        else:
            add(item_code=code, nil_reason=nil_reason)


def result_to_message(record: ResultRecord) -> common_pb2.ResultRecord:
    """Return the message of one record of an answer."""
    message = common_pb2.ResultRecord()
    _fill_result(record, message)
    return message


def result_from_message(message: common_pb2.ResultRecord) -> ResultRecord:
    """Return the domain's value of one record of an answer."""
    return ResultRecord(
        data_set=message.data_set,
        edition=message.edition,
        record_key=message.record_key,
        parent_record_key=message.parent_record_key,
        period_start=message.period.start_date,
        period_end=message.period.end_date,
        items=tuple(
            (item.item_code, None, item.nil_reason)
            if item.WhichOneof("content") == "nil_reason"
            else (item.item_code, item.value, None)
            for item in message.items
        ),
    )


_ENCODERS: dict[type, Callable[[Any], Message]] = {
    Header: _header_to,
    Statement: _statement_to,
    exchange.InquiryLeaf: _inquiry_leaf_to,
    exchange.PermitLeaf: _permit_leaf_to,
    exchange.AnswerLeaf: _answer_leaf_to,
    exchange.GroupSecret: _secret_to,
    exchange.AnswerContent: _content_to,
    Envelope: messages.envelope_to_message,
    exchange.MemberKeys: messages.keys_to_message,
    exchange.AnswerBatch: messages.answer_batch_to_message,
    exchange.Delivery: messages.delivery_to_message,
    InquirySpec: spec_to_message,
}
_DECODERS: dict[type, tuple[type[Message], Callable[[Any], Any]]] = {
    Header: (wire.StatementHeader, _header_from),
    Statement: (wire.RequestStatement, _statement_from),
    exchange.InquiryLeaf: (wire.InquiryLeaf, _inquiry_leaf_from),
    exchange.PermitLeaf: (wire.PermitLeaf, _permit_leaf_from),
    exchange.PermitSummary: (wire.PermitLeaf, _permit_summary_from),
    exchange.AnswerLeaf: (wire.AnswerLeaf, _answer_leaf_from),
    exchange.GroupSecret: (wire.GroupSecret, _secret_from),
    exchange.AnswerContent: (wire.AnswerContent, _content_from),
    Envelope: (common_pb2.DsseEnvelope, messages.envelope_from_message),
    exchange.MemberKeys: (wire.MemberKeys, messages.keys_from_message),
    exchange.AnswerSummary: (wire.AnswerContent, _summary_from),
    exchange.AnswerBatch: (wire.AnswerBatch, messages.answer_batch_from_message),
    exchange.Delivery: (messages.DELIVERY, messages.delivery_from_message),
    InquirySpec: (inquiry_service_pb2.InquirySpec, spec_from_message),
}


class ProtoCodec:
    """The Codec of ports.exchange."""

    def encode(self, value: object) -> bytes:
        """Return the bytes of a value of domain.exchange."""
        return _ENCODERS[type(value)](value).SerializeToString()  # no message has a map: one order of fields

    def decode(self, kind: type[T], data: bytes) -> T:
        """Return the value, or PEER_ANSWER_INVALID for bytes that are no such message."""
        message, convert = _DECODERS[kind]
        try:
            return cast("T", convert(message.FromString(data)))
        except (DecodeError, ValueError):
            raise ChukanError("PEER_ANSWER_INVALID", params={"message": kind.__name__}) from None
