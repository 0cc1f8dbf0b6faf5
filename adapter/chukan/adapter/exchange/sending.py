# SPDX-License-Identifier: Apache-2.0
"""Requests on their way: one stream, 1,000 a message, several messages in flight; answers in order, once durable."""

from __future__ import annotations

from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from chukan.adapter.exchange.requests import batch_id
from chukan.adapter.patience import STREAM_SECONDS
from chukan.v1.common_pb2 import ROW_OUTCOME_REFUSED
from chukan.v1.inquiry_service_pb2 import CreateInquiriesRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chukan.client import Client
    from chukan.v1.inquiry_service_pb2 import CreateInquiriesResponse, InquirySpec

__all__ = ["InquiryStream", "SentRow"]

_IN_FLIGHT: Final = 4


class SentRow(NamedTuple):
    """What the middle server said to one request: a receipt number, or the reason it was not taken in."""

    record_id: str
    receipt: str
    reason: str


class InquiryStream:
    """A stream of batches. Use it in a `with`; whatever fails ends the stream, and the batches can be sent again."""

    def __init__(self, client: Client) -> None:
        self._requests: SimpleQueue[CreateInquiriesRequest | None] = SimpleQueue()
        self._waiting: deque[list[str]] = deque()
        self._answers: Any = client.inquiries.CreateInquiries(iter(self._requests.get, None), timeout=STREAM_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._requests.put(None)
        if error[0] is not None:
            self._answers.cancel()

    def send(self, specs: Sequence[InquirySpec]) -> Iterator[list[SentRow]]:
        """Send a batch and yield the answers that must come before more may be under way."""
        self._requests.put(CreateInquiriesRequest(batch_id=batch_id(specs), inquiries=specs))
        self._waiting.append([spec.record_id for spec in specs])
        while len(self._waiting) >= _IN_FLIGHT:
            yield self._next()

    def finish(self) -> Iterator[list[SentRow]]:
        """Yield the rest of the answers."""
        self._requests.put(None)
        while self._waiting:
            yield self._next()

    def _next(self) -> list[SentRow]:
        answer: CreateInquiriesResponse = next(self._answers)
        records = self._waiting.popleft()
        refused = {failure.row: failure.reason for failure in answer.failures}
        return [
            SentRow(record, receipt, refused.get(row, "INVALID_FIELD") if outcome == ROW_OUTCOME_REFUSED else "")
            for row, (record, receipt, outcome) in enumerate(
                zip(records, answer.receipt_numbers, answer.outcomes, strict=True)
            )
        ]
