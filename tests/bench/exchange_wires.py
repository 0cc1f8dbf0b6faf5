# SPDX-License-Identifier: Apache-2.0
"""What the load generator of `exchange` says to a server: the product's messages, or the floor's bare bytes."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Protocol

from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as messages
from chukan.v1.common_pb2 import Period

from . import seed
from .floors import exchange as floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_FROM_NOW: Any = {"from_now": True}

__all__ = ["ChukanWire", "FloorWire", "Wire"]


class Wire(Protocol):
    """Three methods of a server, and how their messages are made and checked."""

    create: str
    watch: str
    results: str
    metadata: tuple[tuple[str, str], ...]

    def watching(self) -> bytes:
        """Return the request that watches what finishes from now on."""

    def asking(self, serial: int) -> bytes:
        """Return the request that creates one inquiry."""

    def receipt(self, response: bytes) -> str:
        """Return the receipt of an accepted inquiry; AssertionError if it was not accepted."""

    def finished(self, response: bytes) -> Iterator[str]:
        """Yield the receipts that a watched message names."""

    def reading(self, receipts: Sequence[str]) -> bytes:
        """Return the request that reads answers."""

    def check(self, response: bytes, serials: dict[str, int]) -> None:
        """Insist that every answer asked for is there and is the right person's."""


class ChukanWire:
    """InquiryService, as generated from the protos."""

    create = "/chukan.v1.InquiryService/CreateInquiry"
    watch = "/chukan.v1.InquiryService/WatchInquiries"
    results = "/chukan.v1.InquiryService/GetInquiryResults"

    def __init__(self, world: Path, run: str) -> None:
        known = json.loads(world.read_text("utf-8"))
        self.metadata = (("chukan-organization", seed.INQUIRER), ("chukan-mode", "test"))
        self._numbers: list[str] = known["numbers"]
        self._values = [list(values.items()) for values in known["values"]]
        self._run = run
        self._spec = messages.InquirySpec(
            nondisclosure_code="1",
            affair_code=seed.AFFAIR,
            procedure_code=seed.PROCEDURE,
            provider_code=seed.PROVIDER,
            information_code=seed.INFORMATION,
            condition_kind="0",
            year_kind="0",
            period=Period(start_date=seed.PERIOD[0], end_date=seed.PERIOD[1]),
        )

    def watching(self) -> bytes:
        """See `Wire`."""
        return messages.WatchInquiriesRequest(finished_only=True, **_FROM_NOW).SerializeToString()

    def asking(self, serial: int) -> bytes:
        """See `Wire`."""
        self._spec.record_id = f"{self._run}-{serial}"
        self._spec.integrated_address_number = self._numbers[serial % len(self._numbers)]
        return messages.CreateInquiryRequest(inquiry=self._spec).SerializeToString()

    def receipt(self, response: bytes) -> str:
        """See `Wire`."""
        inquiry = messages.CreateInquiryResponse.FromString(response).inquiry
        if inquiry.reason or not inquiry.receipt_number:
            raise AssertionError(f"an inquiry was refused: {inquiry.reason}")
        return inquiry.receipt_number

    def finished(self, response: bytes) -> Iterator[str]:
        """See `Wire`."""
        for inquiry in messages.WatchInquiriesResponse.FromString(response).inquiries:
            if inquiry.state != common_pb2.INQUIRY_STATE_ANSWERED:
                raise AssertionError(f"an inquiry ended as {inquiry.state} {inquiry.reason}")
            yield inquiry.receipt_number

    def reading(self, receipts: Sequence[str]) -> bytes:
        """See `Wire`."""
        return messages.GetInquiryResultsRequest(receipt_numbers=receipts).SerializeToString()

    def check(self, response: bytes, serials: dict[str, int]) -> None:
        """See `Wire`."""
        results = messages.GetInquiryResultsResponse.FromString(response).results
        if len(results) != len(serials):
            raise AssertionError(f"got {len(results)} results, expected {len(serials)}")
        for result in results:
            person = serials[result.receipt_number] % len(self._numbers)
            (record,) = result.records
            if [(item.item_code, item.value) for item in record.items] != self._values[person]:
                raise AssertionError("an answer holds other values than were registered")
            if result.integrated_address_number != self._numbers[person]:
                raise AssertionError("an answer is about somebody else")


class FloorWire:
    """The floor's three methods: fixed sizes, nothing to parse."""

    create = "/floor.Floor/Create"
    watch = "/floor.Floor/Watch"
    results = "/floor.Floor/Results"
    metadata = ()

    def watching(self) -> bytes:
        """See `Wire`."""
        return b""

    def asking(self, serial: int) -> bytes:
        """See `Wire`."""
        return struct.pack(">Q", serial) + bytes(floor.CREATE_REQUEST - 8)

    def receipt(self, response: bytes) -> str:
        """See `Wire`."""
        (id_,) = struct.unpack_from(">Q", response)
        return str(id_)

    def finished(self, response: bytes) -> Iterator[str]:
        """See `Wire`."""
        count = len(response) // floor.WATCHED
        return map(str, struct.unpack_from(f">{count}Q", response))

    def reading(self, receipts: Sequence[str]) -> bytes:
        """See `Wire`."""
        return b"".join(struct.pack(">Q14x", int(receipt)) for receipt in receipts)

    def check(self, response: bytes, serials: dict[str, int]) -> None:
        """See `Wire`."""
        if len(response) != floor.RESULT * len(serials):
            raise AssertionError(f"got {len(response)} bytes, expected {floor.RESULT * len(serials)}")
        for at, (receipt, serial) in enumerate(serials.items()):
            id_, person = struct.unpack_from(">Q22xQ", response, at * floor.RESULT)
            if (id_, person) != (int(receipt), serial % floor.PEOPLE):
                raise AssertionError("an answer is about somebody else")
