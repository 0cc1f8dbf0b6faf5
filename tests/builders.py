# SPDX-License-Identifier: Apache-2.0
"""Plays the systems around the emulator over gRPC: a body's address system, its business systems, its resident system.

Only what a test is about is said; numbers, batches and layouts are right in everything else.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.network.v1.network_service_pb2_grpc import NetworkServiceStub
from chukan.network.v1.resident_network_service_pb2_grpc import ResidentNetworkServiceStub
from chukan.standard.layouts import layout
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.organizations import by_municipality
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replica
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import grpc

    from chukan.standard.items import Item

SHINJUKU = by_municipality("131041").code
SETAGAYA = by_municipality("131121").code
CHIYODA = by_municipality("131016").code
AFFAIR = "JM01000000121000"
PROCEDURE = "JT01010000000214"
TAX = "TM00000000000002"
EDITION = "0801"

_FINISHED = (
    common_pb2.INQUIRY_STATE_ANSWERED,
    common_pb2.INQUIRY_STATE_REFUSED,
    common_pb2.INQUIRY_STATE_TIMED_OUT,
    common_pb2.INQUIRY_STATE_CANCELLED,
)
_serials = itertools.count(1)


def fresh_serial() -> int:
    """Return a serial no other test of this run uses."""
    return next(_serials)


def address_number(serial: int) -> str:
    """Return an integrated address number (団体内統合宛名番号)."""
    return f"9{serial:014d}"


def eventually(read: Callable[[], Any], *, seconds: float = 15.0) -> Any:
    """Return what read returns once it is true; the test fails after some seconds."""
    until = time.monotonic() + seconds
    while True:
        found = read()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"got {found!r} for {seconds} s, expected it to become true")
        time.sleep(0.005)


@dataclass
class Body:
    """One organization and the systems it runs, as clients of the emulator.

    network_channel: where the network is, when it is a server of its own.
    """

    organization: str
    channel: grpc.Channel
    network_channel: grpc.Channel | None = None
    system: str = "test"
    _batches: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Caller metadata of this body."""
        return (("chukan-organization", self.organization), ("chukan-system", self.system))

    def batch_id(self) -> str:
        """Return a batch id of its own."""
        return f"{self.organization}-{next(self._batches)}-{fresh_serial()}"

    def register(self, numbers: Sequence[str], **given: Any) -> linkage.RegisterAddresseesResponse:
        """Register addressees."""
        request = linkage.RegisterAddresseesRequest(
            batch_id=given.pop("batch_id", self.batch_id()), integrated_address_numbers=numbers, **given
        )
        return next(LinkageCodeServiceStub(self.channel).RegisterAddressees(iter([request]), metadata=self.metadata))

    def notify(self, serials: Sequence[int], *, record_code: str | None = None) -> residents.NotifyResidentsResponse:
        """Let the simulated resident network know residents; unless one is given, each has a record code of its own."""
        count = len(serials)
        request = residents.NotifyResidentsRequest(
            batch_id=self.batch_id(),
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
            resident_record_codes=[f"999{serial:08d}" if record_code is None else record_code for serial in serials],
            names=[f"試験 {serial}" for serial in serials],
            birth_dates=["19800102"] * count,
            sexes=["1"] * count,
            residential_addresses=[f"東京都新宿区西新宿{serial}" for serial in serials],
        )
        return next(self.residents.NotifyResidents(iter([request]), metadata=self.metadata))

    @property
    def network(self) -> Any:
        """The network, as this body's address system reaches it."""
        return NetworkServiceStub(self.network_channel or self.channel)

    @property
    def residents(self) -> Any:
        """The resident network, which stands where the network does."""
        return ResidentNetworkServiceStub(self.network_channel or self.channel)

    def request_codes(self, numbers: Sequence[str]) -> list[str]:
        """Ask for linkage codes and return the processing numbers (処理通番) once they are issued."""
        stub = LinkageCodeServiceStub(self.channel)
        request = linkage.BatchRequestCodesRequest(batch_id=self.batch_id(), integrated_address_numbers=numbers)
        next(stub.BatchRequestCodes(iter([request]), metadata=self.metadata))

        def issued() -> list[str]:
            if not self.linkage(numbers[-1]).processing_number:
                return []
            found = [self.linkage(number).processing_number for number in numbers]
            return found if all(found) else []

        issued_numbers: list[str] = eventually(issued)
        return issued_numbers

    def linkage(self, number: str) -> linkage.LinkageStatus:
        """Return where the acquisition of a code stands."""
        request = linkage.GetLinkageStateRequest(integrated_address_number=number)
        stub = LinkageCodeServiceStub(self.channel)
        return stub.GetLinkageState(request, metadata=self.metadata).linkage_status

    def submit(
        self, processing_numbers: Sequence[str], serials: Sequence[int]
    ) -> residents.SubmitProcessingNumbersResponse:
        """Submit processing numbers with individual numbers, as the address system does."""
        request = residents.SubmitProcessingNumbersRequest(
            batch_id=self.batch_id(),
            processing_numbers=processing_numbers,
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
        )
        return self.residents.SubmitProcessingNumbers(request, metadata=self.metadata)  # type: ignore[no-any-return]

    def link(self, serials: Sequence[int], **given: Any) -> list[str]:
        """Register people of these serials, acquire their codes, and return their numbers once linked."""
        numbers = [address_number(serial) for serial in serials]
        self.register(numbers, **given)
        self.notify(serials)
        self.submit(self.request_codes(numbers), serials)
        for number in numbers:
            eventually(lambda number=number: self.linkage(number).state == linkage.LINKAGE_STATE_LINKED)
        return numbers

    def replicas(
        self,
        numbers: Sequence[str],
        *,
        information: str = TAX,
        data_set: str = "0100",
        values: Mapping[str, Sequence[str]] | None = None,
        nil: Mapping[str, Mapping[int, str]] | None = None,
        **given: Any,
    ) -> replica.RegisterReplicasResponse:
        """Register a replica (副本) per number; values by item code, nil reasons by item code and row."""
        rows, batch_id = len(numbers), given.pop("batch_id", self.batch_id())
        chosen, nils = dict(values or {}), dict(nil or {})
        found = layout(information, EDITION).data_set(data_set)
        required, keys = found.required_items, given.pop("record_keys", ["2026"] * rows)
        if found.key_item:
            chosen.setdefault(found.key_item, keys)
        codes = [item.code for item in required if item.code not in chosen] + list(chosen)
        samples = {item.code: _sample(item) for item in required}
        columns = [
            replica.ItemColumn(
                item_code=code,
                values=[
                    "" if row in nils.get(code, {}) else value
                    for row, value in enumerate(chosen.get(code, [samples.get(code, "")] * rows))
                ],
                nil_rows=sorted(nils.get(code, {})),
                nil_reasons=[nils[code][row] for row in sorted(nils.get(code, {}))],
            )
            for code in codes
        ]
        fields = {
            "record_ids": [f"{batch_id}-{row}" for row in range(rows)],
            "record_keys": keys,
            "start_dates": ["20260601"] * rows,
            "end_dates": ["20270531"] * rows,
            **given,
        }
        request = replica.RegisterReplicasRequest(
            batch_id=batch_id,
            information_code=information,
            data_set=data_set,
            edition=EDITION,
            integrated_address_numbers=numbers,
            items=columns,
            **fields,
        )
        return next(ReplicaServiceStub(self.channel).RegisterReplicas(iter([request]), metadata=self.metadata))

    def spec(self, number: str, *, provider: str = SHINJUKU, **given: Any) -> inquiry.InquirySpec:
        """Return an inquiry the list permits."""
        fields = {
            "record_id": f"r-{fresh_serial()}",
            "affair_code": AFFAIR,
            "procedure_code": PROCEDURE,
            "information_code": TAX,
            "condition_kind": "0",
            "year_kind": "0",
            "consent": True,
            **given,
        }
        return inquiry.InquirySpec(integrated_address_number=number, provider_code=provider, **fields)

    def ask(self, *specs: inquiry.InquirySpec) -> inquiry.CreateInquiriesResponse:
        """Send a batch of inquiries."""
        request = inquiry.CreateInquiriesRequest(batch_id=self.batch_id(), inquiries=specs)
        return next(InquiryServiceStub(self.channel).CreateInquiries(iter([request]), metadata=self.metadata))

    def inquiry(self, receipt: str) -> inquiry.Inquiry:
        """Return one inquiry."""
        request = inquiry.GetInquiryRequest(receipt_number=receipt)
        return InquiryServiceStub(self.channel).GetInquiry(request, metadata=self.metadata).inquiry

    def finished(self, receipt: str) -> inquiry.Inquiry:
        """Return one inquiry once it is finished."""

        def read() -> inquiry.Inquiry | None:
            found = self.inquiry(receipt)
            return found if found.state in _FINISHED else None

        found: inquiry.Inquiry = eventually(read)
        return found

    def results(self, *receipts: str) -> inquiry.GetInquiryResultsResponse:
        """Return results."""
        request = inquiry.GetInquiryResultsRequest(receipt_numbers=receipts)
        return InquiryServiceStub(self.channel).GetInquiryResults(request, metadata=self.metadata)

    def answer(self, number: str, **given: Any) -> inquiry.Inquiry:
        """Ask one inquiry and return it finished."""
        return self.finished(self.ask(self.spec(number, **given)).receipt_numbers[0])


def _sample(item: Item) -> str:
    if item.values:
        return str(next(iter(item.values)))
    samples = {"date": "20260601", "year": "2026", "year_month": "202606", "number": "0", "flag": "0"}
    return samples.get(item.type) or ("1" * min(item.max_length, 3) if item.type == "code" else "あ")
