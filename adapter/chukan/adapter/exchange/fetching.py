# SPDX-License-Identifier: Apache-2.0
"""Contents of answers, up to 1,000 at a time, several calls ahead of the writer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from chukan.adapter.patience import answer_of
from chukan.v1.inquiry_service_pb2 import AcknowledgeResultsRequest, GetInquiryResultsRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.client import Client
    from chukan.v1.inquiry_service_pb2 import InquiryResult

__all__ = ["Fetch", "acknowledge"]


class Fetch:
    """Contents under way. result: by receipt number; and why others can't be had."""

    def __init__(self, client: Client, receipts: Sequence[str]) -> None:
        self._client = client
        self._receipts = receipts
        self._call: Any = self._ask(receipts) if receipts else None

    def result(self) -> tuple[dict[str, InquiryResult], dict[str, str]]:
        """Wait for them, and ask for those that were left over because the contents are large."""
        found: dict[str, InquiryResult] = {}
        unavailable: dict[str, str] = {}
        call = self._call
        while call is not None:
            answer = answer_of(call, partial(self._ask, self._receipts))
            self._receipts = answer.remaining_receipt_numbers
            call = self._ask(self._receipts) if self._receipts else None
            found |= {each.receipt_number: each for each in answer.results}
            unavailable |= {each.receipt_number: each.reason for each in answer.unavailable}
        return found, unavailable

    def _ask(self, receipts: Sequence[str]) -> Any:  # noqa: ANN401  # a call in the future
        return self._client.inquiries.GetInquiryResults.future(GetInquiryResultsRequest(receipt_numbers=receipts))


def acknowledge(client: Client, receipts: Sequence[str], *, most: int = 1_000) -> Iterable[Sequence[str]]:
    """Tell that results were taken over; yield those acknowledged, call by call."""
    parts = [receipts[start : start + most] for start in range(0, len(receipts), most)]
    asks = [
        partial(client.inquiries.AcknowledgeResults.future, _acknowledgement(part), metadata=client.new_request())
        for part in parts
    ]
    calls: list[Any] = [ask() for ask in asks]
    for part, call, ask in zip(parts, calls, asks, strict=True):
        answer_of(call, ask)
        yield part


def _acknowledgement(receipts: Sequence[str]) -> AcknowledgeResultsRequest:
    return AcknowledgeResultsRequest(receipt_numbers=receipts)
