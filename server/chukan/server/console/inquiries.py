# SPDX-License-Identifier: Apache-2.0
"""A page of an organization's inquiries (情報照会), in order of receipt, oldest first, as the RPC lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.console.problem import problem_of_reason
from chukan.server.console.words import (
    INQUIRY_STATES,
    UNKNOWN,
    information_name,
    instant,
    organization_name,
    short_number,
    without_numbers,
)
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.client import Client
    from chukan.server.console.language import Text
    from chukan.server.console.problem import Problem
    from chukan.server.console.words import Badge

__all__ = ["OPEN_STATES", "PAGE", "STATE_NAMES", "Inquiry", "Page", "inquiries_of", "inquiry_of", "states_of"]

PAGE: Final = 50
"""Inquiries on a page."""
STATE_NAMES: Final = {
    state: common_pb2.InquiryState.Name(state).removeprefix("INQUIRY_STATE_").lower() for state in INQUIRY_STATES
}
"""As a page's address names them."""
_OPEN: Final = "open"
"""Every state that is not an end."""
OPEN_STATES: Final = (
    common_pb2.INQUIRY_STATE_ACCEPTED,
    common_pb2.INQUIRY_STATE_PERMITTED,
    common_pb2.INQUIRY_STATE_WAITING_FOR_APPROVAL,
)


class Inquiry(NamedTuple):
    """One inquiry; nothing of whom it concerns but the last digits."""

    receipt_number: str
    record_id: str
    number: str
    badge: Badge
    reason: Problem | None
    provider: str
    information: Text
    legal_basis: str
    accepted: datetime | None
    finished: datetime | None
    exchange_id: str


class Page(NamedTuple):
    """Some of them, and how to go on."""

    inquiries: Sequence[Inquiry]
    next_token: str
    complete: bool = True
    """Whether all was read that had to be."""


def inquiries_of(client: Client, *, state: str, token: str) -> Page:
    """List a page; state: as states_of has it. Errors: INVALID_FIELD, those of ListInquiries."""
    request = pb.ListInquiriesRequest(states=states_of(state), page_size=PAGE, page_token=token)
    answer = client.inquiries.ListInquiries(request)
    return Page([inquiry_of(each) for each in answer.inquiries], answer.next_page_token)


def states_of(state: str) -> list[common_pb2.InquiryState.ValueType]:
    """Return the states that one of STATE_NAMES, open, or empty for all, means. Errors: INVALID_FIELD."""
    states = [
        number for number, name in STATE_NAMES.items() if name == state or (state == _OPEN and number in OPEN_STATES)
    ]
    if state and not states:
        raise ChukanError("INVALID_FIELD", field="states")
    return states


def inquiry_of(inquiry: pb.Inquiry) -> Inquiry:
    """Return what is shown of an inquiry."""
    spec = inquiry.spec
    return Inquiry(
        inquiry.receipt_number,
        without_numbers(spec.record_id),
        short_number(spec.integrated_address_number),
        INQUIRY_STATES.get(inquiry.state, UNKNOWN),
        problem_of_reason(inquiry.reason) if inquiry.reason else None,
        organization_name(spec.provider_code),
        information_name(spec.information_code),
        inquiry.legal_basis,
        instant(inquiry.accept_time),
        instant(inquiry.finish_time),
        inquiry.exchange_id,
    )
