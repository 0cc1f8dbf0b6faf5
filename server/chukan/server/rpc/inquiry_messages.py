# SPDX-License-Identifier: Apache-2.0
"""Messages of chukan.v1 about inquiries ↔ values of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from chukan.server.domain.inquiry import InquirySpec
from chukan.server.rpc.exchange_messages import set_period
from chukan.v1 import inquiry_service_pb2 as wire

if TYPE_CHECKING:
    from chukan.server.domain.inquiry import Inquiry, Status

_SECOND_MS = 1000
_NANOS_PER_MS = 1_000_000
_NANOS_PER_SECOND = 1_000_000_000
_NO_INSTANT = -(2**62)
_NO_TIME = -1
"""A time-out below a millisecond: too short, and not the default that 0 stands for."""


def timestamp(value: int) -> Timestamp | None:
    """Return the instant of these milliseconds, None for 0 (absent is absent)."""
    if not value:
        return None
    return Timestamp(seconds=value // _SECOND_MS, nanos=value % _SECOND_MS * _NANOS_PER_MS)


def milliseconds_of(message: Timestamp) -> int:
    """Return the milliseconds of an instant; finer parts are cut off. What is no instant is before all of them."""
    if not 0 <= message.nanos < _NANOS_PER_SECOND:
        return _NO_INSTANT
    return message.seconds * _SECOND_MS + message.nanos // _NANOS_PER_MS


def spec_to_message(spec: InquirySpec) -> wire.InquirySpec:
    """Convert what is asked."""
    message = wire.InquirySpec(
        record_id=spec.record_id,
        integrated_address_number=spec.number,
        request_time=timestamp(spec.request_time_ms),
        department=spec.department,
        user_id=spec.user_id,
        nondisclosure_code=spec.nondisclosure_code,
        affair_code=spec.affair,
        procedure_code=spec.procedure,
        inquirer_delegator_code=spec.inquirer_delegator,
        provider_delegator_code=spec.provider_delegator,
        provider_code=spec.provider,
        information_code=spec.information,
        condition_kind=spec.condition_kind,
        year_kind=spec.year_kind,
        consent=spec.consent,
        item_codes=spec.item_codes,
    )
    set_period(message.period, spec.period_start, spec.period_end)
    if spec.time_out_ms:
        message.time_out.FromMilliseconds(spec.time_out_ms)
    return message


def spec_from_message(message: wire.InquirySpec) -> InquirySpec:
    """Convert what is asked."""
    period = message.period
    return InquirySpec(
        record_id=message.record_id,
        number=message.integrated_address_number,
        request_time_ms=milliseconds_of(message.request_time) if message.HasField("request_time") else 0,
        department=message.department,
        user_id=message.user_id,
        nondisclosure_code=message.nondisclosure_code,
        affair=message.affair_code,
        procedure=message.procedure_code,
        inquirer_delegator=message.inquirer_delegator_code,
        provider_delegator=message.provider_delegator_code,
        provider=message.provider_code,
        information=message.information_code,
        condition_kind=message.condition_kind,
        year_kind=message.year_kind,
        period_start=period.start_date,
        period_end=period.end_date,
        consent=message.consent,
        item_codes=tuple(message.item_codes),
        time_out_ms=(message.time_out.ToMilliseconds() or _NO_TIME) if message.HasField("time_out") else 0,
    )


def inquiry_to_message(value: Inquiry) -> wire.Inquiry:
    """Convert an inquiry without content."""
    message = wire.Inquiry(
        receipt_number=value.receipt_number,
        state=cast("Any", int(value.state)),
        status=status_to_message(value.status),
        answer_kind=cast("Any", int(value.answer_kind)),
        reason=value.reason,
        legal_basis=value.legal_basis,
        permission_row_id=value.permission_row_id,
        accept_time=timestamp(value.accept_time_ms),
        finish_time=timestamp(value.finish_time_ms),
        result_expire_time=timestamp(value.result_expire_time_ms),
        acknowledge_time=timestamp(value.acknowledge_time_ms),
        change_seq=value.change_seq,
        exchange_id=value.exchange.hex(),
    )
    message.spec.MergeFromString(value.asked)  # as it was stored: the same message
    return message


def status_to_message(value: Status) -> wire.InquiryStatus:
    """Convert the two status levels."""
    return wire.InquiryStatus(
        row_status=value.row,
        row_message=value.row_message,
        information_status=value.information,
        information_message=value.information_message,
    )


__all__ = [
    "inquiry_to_message",
    "milliseconds_of",
    "spec_from_message",
    "spec_to_message",
    "status_to_message",
    "timestamp",
]
