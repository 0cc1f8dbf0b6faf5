# SPDX-License-Identifier: Apache-2.0
"""A client of another kind than our adapter: it asks one by one and polls, and shares nothing but the contract with it.

What the kit demands must not be our adapter's ways. `polling_client.py --file DIR --out FILE --state DIR --target ADDR
--organization CODE`; its result file has a header and columns of its own. `--ways` may name other ways that conform as
well: "list" (polls by the list of all), "stream" (a stream with one inquiry), "singly" (fetches and acknowledges
one by one, the last first), "mode" (names the mode of production).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.v1 import common_pb2 as common
from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from chukan.v1.operation_service_pb2 import GetStatusRequest
from chukan.v1.operation_service_pb2_grpc import OperationServiceStub

__all__ = ["HEADER", "main"]

HEADER: Final = (
    "local_address_number",
    "receipt",
    "row_status",
    "information_status",
    "answer_kind",
    "reason",
    "tk90002010000003",
    "tk90002010000004",
    "nil_tk90002010000004",
)
_ENDED: Final = (common.INQUIRY_STATE_ANSWERED, common.INQUIRY_STATE_REFUSED)
_PATIENCE: Final = 15.0


class RefusedError(Exception):
    """The server said no, for a reason of the contract."""


class Caller:
    """Calls with metadata and a deadline; repeats what was lost, and what was refused with a delay, as it was."""

    def __init__(self, organization: str, ways: str) -> None:
        self._metadata = [("chukan-organization", organization)]
        if "mode" in ways:
            self._metadata.append(("chukan-mode", "production"))
        self.ways = ways

    def __call__(self, method: Any, request: Any) -> Any:
        metadata = (*self._metadata, ("chukan-request-id", uuid.uuid4().hex))
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return method(request, timeout=5, metadata=metadata)
            except grpc.RpcError as error:
                pause, reason = _said(error)
                lost = error.code() is grpc.StatusCode.UNAVAILABLE
                if time.monotonic() > until or not (lost or pause):
                    raise RefusedError(reason) from None
                time.sleep(pause or 0.2)


def _said(error: Any) -> tuple[float, str]:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    retry, info = error_details_pb2.RetryInfo(), error_details_pb2.ErrorInfo()
    for detail in Status.FromString(details).details:
        detail.Unpack(retry)
        detail.Unpack(info)
    return retry.retry_delay.ToMilliseconds() / 1000, info.reason or str(error.code().name)


def main(arguments: list[str]) -> int:
    """Ask, wait, write, acknowledge."""
    parser = argparse.ArgumentParser()
    for name in ("file", "out", "state", "target", "organization"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--ways", default="")
    given = parser.parse_args(arguments)
    book = Path(given.state) / "book.json"
    with grpc.insecure_channel(given.target) as channel:
        call, inquiries = Caller(given.organization, given.ways), InquiryServiceStub(channel)
        world = call(OperationServiceStub(channel).GetStatus, GetStatusRequest()).world_generation
        known = json.loads(book.read_text("utf-8")) if book.exists() else {}
        rows = known.get("rows", {}) if known.get("world") == world else {}
        lines = next(Path(given.file).glob("*.DAT")).read_text("ascii").splitlines()
        _note_specs(call, AddressServiceStub(channel), lines, rows)
        _keep(book, world, rows)
        for line in lines:
            _ask(call, inquiries, line, rows[line])
            _keep(book, world, rows)
        answered = [row for row in rows.values() if row["receipt"]]
        finished = {row["receipt"]: _wait(call, inquiries, row) for row in answered}
        groups = [[each] for each in reversed(finished)] if "singly" in given.ways else [list(finished)]
        results: dict[str, Any] = {}
        gone: dict[str, str] = {}
        for group in groups:
            _fetch(call, inquiries, [each for each in group if finished[each].answer_kind], results, gone)
            _write(Path(given.out), lines, rows, finished, results, gone)
            done = [each for each in group if each not in gone]
            if done:
                call(inquiries.AcknowledgeResults, pb.AcknowledgeResultsRequest(receipt_numbers=done))
    return 0


def _keep(book: Path, world: str, rows: dict[str, Any]) -> None:
    new = book.with_suffix(".new")
    new.write_text(json.dumps({"world": world, "rows": rows}), "utf-8")
    new.replace(book)


def _note_specs(call: Caller, addresses: Any, lines: list[str], rows: dict[str, Any]) -> None:
    """Give every new row its record id and integrated address number, before anything is sent."""
    new = [line for line in lines if line not in rows]
    keys = [address.LocalNumber(number_system=line[:2], local_address_number=line.split(",")[1]) for line in new]
    if keys:
        answer = call(addresses.ConvertNumbers, address.ConvertNumbersRequest(local_numbers=keys))
        for line, one in zip(new, answer.conversions, strict=True):
            number = one.integrated_address_number
            rows[line] = {"record": uuid.uuid4().hex, "number": number, "receipt": "", "reason": one.reason}


def _ask(call: Caller, inquiries: Any, line: str, row: dict[str, str]) -> None:
    if row["receipt"] or row["reason"]:
        return
    fields = line.split(",")
    spec = pb.InquirySpec(
        record_id=row["record"],
        integrated_address_number=row["number"],
        affair_code=fields[8],
        procedure_code=fields[9],
        provider_code="0220113112101700",
        information_code=fields[13],
    )
    try:
        if "stream" in call.ways:
            batch = pb.CreateInquiriesRequest(batch_id=f"of-{spec.record_id}", inquiries=[spec])
            answer = call(partial(_only, inquiries.CreateInquiries), batch)
            row["receipt"], row["reason"] = answer.receipt_numbers[0], "".join(each.reason for each in answer.failures)
        else:
            answer = call(inquiries.CreateInquiry, pb.CreateInquiryRequest(inquiry=spec))
            row["receipt"] = answer.inquiry.receipt_number
    except RefusedError as refused:
        row["reason"] = str(refused)


def _only(method: Any, request: Any, **options: Any) -> Any:
    """Call a method of streams with one request."""
    (answer,) = method(iter([request]), **options)
    return answer


def _wait(call: Caller, inquiries: Any, row: dict[str, str]) -> Any:
    until = time.monotonic() + _PATIENCE
    while True:
        if "list" in call.ways:
            every = call(inquiries.ListInquiries, pb.ListInquiriesRequest(page_size=100)).inquiries
            inquiry = next((each for each in every if each.receipt_number == row["receipt"]), pb.Inquiry())
        else:
            request = pb.GetInquiryRequest(receipt_number=row["receipt"])
            inquiry = call(inquiries.GetInquiry, request).inquiry
        if inquiry.state in _ENDED or time.monotonic() > until:
            return inquiry
        time.sleep(0.2)


def _fetch(call: Caller, inquiries: Any, receipts: list[str], results: dict[str, Any], gone: dict[str, str]) -> None:
    while receipts:
        answer = call(inquiries.GetInquiryResults, pb.GetInquiryResultsRequest(receipt_numbers=receipts))
        results.update({each.receipt_number: each for each in answer.results})
        gone.update({each.receipt_number: each.reason for each in answer.unavailable})
        receipts = list(answer.remaining_receipt_numbers)


def _write(  # noqa: PLR0917  # all that is known of the rows
    out: Path,
    lines: list[str],
    rows: dict[str, Any],
    finished: dict[str, Any],
    results: dict[str, Any],
    gone: dict[str, str],
) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for line in lines:
            row = rows[line]
            receipt = row["receipt"]
            one = finished.get(receipt, pb.Inquiry())
            reason = row["reason"] or gone.get(receipt, "") or one.reason
            items = {
                item.item_code: item for each in results.get(receipt, pb.InquiryResult()).records for item in each.items
            }
            zero, nil = (items.get(code, common.ItemValue()) for code in ("TK90002010000003", "TK90002010000004"))
            status = (one.status.row_status, one.status.information_status)
            kind = one.answer_kind or ""
            cells = (zero.value, nil.value, nil.nil_reason)
            writer.writerow([line.split(",")[1], receipt, *status, kind, reason, *cells])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
