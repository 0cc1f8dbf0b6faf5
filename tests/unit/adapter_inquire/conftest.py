# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002  # gRPC names its methods in CamelCase and passes a context
"""A middle server and an address system as a foreign house might build them: in memory, over real gRPC, obedient.

They answer when the test says so (waves, silence), which the real ones rightly don't. What the real ones answer is
tested in tests/rpc/adapter_inquire.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chukan.adapter.exchange import InquireOptions
from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceServicer, add_AddressServiceServicer_to_server
from chukan.edge.errors import status_of
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1.common_pb2 import ROW_OUTCOME_COMMITTED, ROW_OUTCOME_REFUSED, ROW_OUTCOME_UNCHANGED, RowFailure
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceServicer, add_InquiryServiceServicer_to_server
from chukan.v1.operation_service_pb2 import GetStatusResponse
from chukan.v1.operation_service_pb2_grpc import OperationServiceServicer, add_OperationServiceServicer_to_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETAGAYA = "0220113112101700"
SHINJUKU = "0220113104101700"
TAX = "TM00000000000002"
EVEN_LEVY = "TK90002010000004"
INCOME_LEVY = "TK90002010000003"

_EXPIRES = 1_900_000_000


class Inquiries(InquiryServiceServicer):
    """Takes everything in; `decide` says what becomes of a request: None stays open."""

    def __init__(self) -> None:
        self.decide: Callable[[pb.InquirySpec], pb.Inquiry | None] = self.answered
        self.years = ("2026",)
        self.items: Callable[[str], dict[str, tuple[str, str]]] = lambda number: {
            EVEN_LEVY: ("3500", ""),
            INCOME_LEVY: (number[-3:], ""),
        }
        self.stored: dict[str, pb.Inquiry] = {}
        self.changes: list[str] = []
        self.batches: list[pb.CreateInquiriesRequest] = []
        self.acknowledged: list[str] = []
        self.erased: set[str] = set()
        self.changed = threading.Condition()
        self.received = threading.Event()
        self.silent = threading.Event()
        self.refusals: list[ChukanError] = []
        self.not_taken = ""
        self.times: list[float] = []
        self.faults: dict[str, list[ChukanError]] = {}
        self.calls: dict[str, list[float]] = {}

    def note(self, method: str, context: grpc.ServicerContext) -> None:
        """Note when a call came, and end it if the test says so."""
        self.calls.setdefault(method, []).append(time.monotonic())
        if self.faults.get(method):
            _end(context, self.faults[method].pop(0))

    def CreateInquiries(self, request_iterator: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in request_iterator:
            self.batches.append(request)
            self.times.append(time.monotonic())
            if self.refusals:
                _end(context, self.refusals.pop(0))
            receipts, outcomes = [], []
            if self.not_taken:
                failures = [RowFailure(row=row, reason=self.not_taken) for row in range(len(request.inquiries))]
                yield pb.CreateInquiriesResponse(
                    batch_id=request.batch_id,
                    outcomes=[ROW_OUTCOME_REFUSED] * len(failures),
                    receipt_numbers=[""] * len(failures),
                    failures=failures,
                )
                continue
            with self.changed:
                for spec in request.inquiries:
                    known = self.stored.get(spec.record_id)
                    outcomes.append(ROW_OUTCOME_UNCHANGED if known else ROW_OUTCOME_COMMITTED)
                    receipts.append(known.receipt_number if known else self._take(spec))
                self.changed.notify_all()
            self.received.set()
            if self.silent.is_set():
                while context.is_active():
                    self.silent.wait(0.05)
                return
            yield pb.CreateInquiriesResponse(batch_id=request.batch_id, outcomes=outcomes, receipt_numbers=receipts)

    @staticmethod
    def answered(spec: pb.InquirySpec) -> pb.Inquiry:
        """Answer with values."""
        del spec
        status = pb.InquiryStatus(
            row_status="09", row_message="正常", information_status="01", information_message="正常"
        )
        return pb.Inquiry(
            state=common_pb2.INQUIRY_STATE_ANSWERED, answer_kind=common_pb2.ANSWER_KIND_VALUES, status=status
        )

    @staticmethod
    def left_open(spec: pb.InquirySpec) -> None:
        """Answer nothing."""

    def _take(self, spec: pb.InquirySpec) -> str:
        receipt = f"20260615{len(self.stored) + 1:012d}"
        self.stored[spec.record_id] = pb.Inquiry(
            receipt_number=receipt,
            spec=spec,
            state=common_pb2.INQUIRY_STATE_ACCEPTED,
            status=pb.InquiryStatus(row_status="01"),
        )
        self._settle(spec.record_id)
        return receipt

    def _settle(self, record: str) -> None:
        inquiry = self.stored[record]
        end = self.decide(inquiry.spec)
        if end is not None:
            end.result_expire_time.seconds = _EXPIRES
            inquiry.MergeFrom(end)
            self.changes.append(record)

    def settle(self) -> None:
        """Decide anew about everything that is open."""
        with self.changed:
            for record, inquiry in self.stored.items():
                if inquiry.state < common_pb2.INQUIRY_STATE_ANSWERED:
                    self._settle(record)
            self.changed.notify_all()

    def WatchInquiries(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        start = request.resume_token or "0"
        after = len(self.changes) if request.from_now else int(start)
        if request.from_now:
            yield pb.WatchInquiriesResponse(resume_token=str(after))
        while context.is_active():
            with self.changed:
                if len(self.changes) <= after:
                    self.changed.wait(0.05)
                some = self.changes[after : after + 1_000]
            if some:
                after += len(some)
                yield pb.WatchInquiriesResponse(
                    resume_token=str(after), inquiries=[self.stored[record] for record in some]
                )

    def ListInquiries(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self.changed:
            found = [each for each in self.stored.values() if each.state in request.states]
        return pb.ListInquiriesResponse(inquiries=found)

    def GetInquiry(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.record_id not in self.stored:
            _end(context, ChukanError("INQUIRY_UNKNOWN"))
        return pb.GetInquiryResponse(inquiry=self.stored[request.record_id])

    def GetInquiryResults(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.note("GetInquiryResults", context)
        by_receipt = {each.receipt_number: each for each in self.stored.values()}
        answer = pb.GetInquiryResultsResponse()
        for receipt in request.receipt_numbers:
            if receipt in self.erased:
                answer.unavailable.add(receipt_number=receipt, reason="RESULT_EXPIRED")
                continue
            inquiry = by_receipt[receipt]
            result = answer.results.add(
                receipt_number=receipt,
                record_id=inquiry.spec.record_id,
                status=inquiry.status,
                answer_kind=inquiry.answer_kind,
                provider_code=inquiry.spec.provider_code,
                information_code=inquiry.spec.information_code,
            )
            for year in self.years if inquiry.answer_kind == common_pb2.ANSWER_KIND_VALUES else ():
                record = result.records.add(data_set="0100", edition="0801", record_key=year)
                record.period.start_date = f"{year}0601"
                for code, (value, nil) in self.items(inquiry.spec.integrated_address_number).items():
                    item = record.items.add(item_code=code)
                    if nil:
                        item.nil_reason = nil
                    else:
                        item.value = value
        return answer

    def AcknowledgeResults(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.note("AcknowledgeResults", context)
        self.acknowledged += request.receipt_numbers
        return pb.AcknowledgeResultsResponse(acknowledged_count=len(request.receipt_numbers))


def _end(context: grpc.ServicerContext, error: ChukanError) -> None:
    status = status_of(error)
    if error.params.get("reason"):  # of a newer server, with the status it names
        status = Status(code=code_pb2.Code.Value(error.params["status"]), message="later")
        status.details.add().Pack(ErrorInfo(reason=error.params["reason"], domain="chukan.example"))
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=int(error.retry_after or 0))))
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode[code_pb2.Code.Name(status.code)], status.message)  # type: ignore[arg-type]


class Operation(OperationServiceServicer):
    """Says nothing of itself but that it is there, or busy."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries

    def GetStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._inquiries.note("GetStatus", context)
        return GetStatusResponse()


class Addresses(AddressServiceServicer):
    """Knows the people a test names; everybody, under the resident register, unless told otherwise."""

    def __init__(self) -> None:
        self.convert: Callable[[address.LocalNumber], str] = lambda local: (
            f"9{local.local_address_number[1:]}" if not local.business_id else ""
        )
        self.asked: list[int] = []

    def ConvertNumbers(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(len(request.local_numbers))
        found = [self.convert(local) for local in request.local_numbers]
        return address.ConvertNumbersResponse(
            conversions=[
                address.NumberConversion(
                    integrated_address_number=number, reason="" if number else "LOCAL_NUMBER_UNKNOWN"
                )
                for number in found
            ]
        )


@dataclass
class Peer:
    """Both servers, and what a business system feeds them with."""

    folder: Path
    address: str
    inquiries: Inquiries
    addresses: Addresses
    _serial: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))

    def row(self, **given: str) -> bytes:
        """Return a row; only the interesting fields are given."""
        serial = next(self._serial)
        fields = {
            "number_system": "01",
            "local": f"{serial:015d}",
            "integrated": "",
            "time": f"202606150900{serial % 60:02d}{serial % 1000:03d}",
            "department": "131120101".ljust(20),
            "user": "DUMMY0001".ljust(20),
            "inquirer": SETAGAYA,
            "nondisclosure": "1",
            "affair": "JM01000000121000",
            "procedure": "JT01010000000214",
            "delegator": "",
            "provider_delegator": "",
            "provider": "13104",
            "information": TAX,
            "condition": "0",
            "year": "0",
            "start": "20260601",
            "end": "20270531",
            **given,
        }
        return (",".join(fields.values()) + "\r\n").encode()

    def file(self, *rows: bytes, name: str = "P640R110_20260615090000_0001.DAT") -> Path:
        """Write an inquiry file."""
        path = self.folder / name
        path.write_bytes(b"".join(rows))
        return path

    def options(self, *inputs: Path, **given: Any) -> InquireOptions:
        """Return options for this peer."""
        chosen: dict[str, Any] = {"out": self.folder / "result.csv", **given}
        return InquireOptions(inputs=inputs, target=self.address, organization=SETAGAYA, **chosen)

    def results(self, name: str = "result.csv") -> list[list[str]]:
        """Read a result file the way a foreign program might: by splitting."""
        text = (self.folder / name).read_bytes().decode("utf-8")
        assert not text or text.endswith("\r\n")
        return [line.split(",") for line in text.split("\r\n")[:-1]]


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    """Yield the servers on a free port."""
    inquiries, addresses = Inquiries(), Addresses()
    server = grpc.server(ThreadPoolExecutor(16))
    add_InquiryServiceServicer_to_server(inquiries, server)
    add_AddressServiceServicer_to_server(addresses, server)
    add_OperationServiceServicer_to_server(Operation(inquiries), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield Peer(tmp_path, f"127.0.0.1:{port}", inquiries, addresses)
    server.stop(0).wait()
