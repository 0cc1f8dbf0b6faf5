# SPDX-License-Identifier: Apache-2.0
"""Contents of answers, up to 1,000 at a time, several calls ahead of the writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chukan.standard.reasons import ChukanError
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
        self._call: Any = (
            client.inquiries.GetInquiryResults.future(GetInquiryResultsRequest(receipt_numbers=receipts))
            if receipts
            else None
        )

    def result(self) -> tuple[dict[str, InquiryResult], dict[str, str]]:
        """Wait for them; a message that would be too large is asked for in halves."""
        if self._call is None:
            return {}, {}
        try:
            answer = self._call.result()
        except ChukanError as error:
            if error.code != "MESSAGE_TOO_LARGE" or len(self._receipts) == 1:
                raise
            return self._in_halves()
        found = {each.receipt_number: each for each in answer.results}
        return found, {each.receipt_number: each.reason for each in answer.unavailable}

    def _in_halves(self) -> tuple[dict[str, InquiryResult], dict[str, str]]:
        middle = len(self._receipts) // 2
        found: dict[str, InquiryResult] = {}
        unavailable: dict[str, str] = {}
        for half in (self._receipts[:middle], self._receipts[middle:]):
            some, others = Fetch(self._client, half).result()
            found |= some
            unavailable |= others
        return found, unavailable


def acknowledge(client: Client, receipts: Sequence[str], *, most: int = 1_000) -> Iterable[Sequence[str]]:
    """Tell that results were taken over; yield those acknowledged, call by call."""
    parts = [receipts[start : start + most] for start in range(0, len(receipts), most)]
    calls: list[Any] = [
        client.inquiries.AcknowledgeResults.future(AcknowledgeResultsRequest(receipt_numbers=part)) for part in parts
    ]
    for part, call in zip(parts, calls, strict=True):
        call.result()
        yield part
