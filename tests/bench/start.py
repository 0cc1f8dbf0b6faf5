# SPDX-License-Identifier: Apache-2.0
"""`start`: from starting the process to the first inquiry's answer read, against importing the libraries it stands on.

The server finds a data folder with a small world in it, as after any stop. The caller's libraries are loaded before;
the answer is checked.
"""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING

from chukan.client.client import Client
from chukan.v1.common_pb2 import InquiryState, Period
from chukan.v1.inquiry_service_pb2 import (
    CreateInquiryRequest,
    GetInquiryResultsRequest,
    InquirySpec,
    WatchInquiriesRequest,
)

from . import seed
from .processes import emulator, serving, timed
from .report import ratio_row

if TYPE_CHECKING:
    from .processes import Process
    from .report import Context, Row
    from .seed import Seeded

__all__ = ["bench"]

_PEOPLE = 20
_RUNS = 20
_FLOOR = [sys.executable, "-c", "import grpc, sqlalchemy, cryptography"]


def bench(context: Context) -> list[Row]:
    """Alternate the imports and the start."""
    world = context.below("world")
    with serving(emulator(world, None), world / "ready.json", log=world / "log") as server:
        seeded = seed.seed(server.target, _PEOPLE)
    runs = 1 if context.quick else max(_RUNS, context.runs)
    floors: list[float] = []
    starts: list[float] = []
    ready: list[float] = []
    peak = 0.0
    for turn in range(runs):
        floors.append(timed(_FLOOR).seconds)
        folder = context.below(f"start-{turn}")
        shutil.copytree(world / "data", folder / "data")
        begun = time.perf_counter()
        with serving(emulator(folder, None), folder / "ready.json", log=folder / "log", look_every=0.002) as server:
            ready.append(time.perf_counter() - begun)
            _ask(server, seeded, turn)
            starts.append(time.perf_counter() - begun)
            peak = max(peak, server.peak_rss_mb())
        context.say(f"start: ready {ready[-1]:.3f} s, answered {starts[-1]:.3f} s; imports alone {floors[-1]:.3f} s")
    shutil.rmtree(world)
    return [
        ratio_row("start", "s", values=starts, floors=floors, peak_rss_mb=round(peak, 1), n=1),
        ratio_row("start.ready", "s", values=ready, floors=floors, peak_rss_mb=round(peak, 1), n=1),
    ]


def _ask(server: Process, seeded: Seeded, turn: int) -> None:
    person = turn % _PEOPLE
    with Client(server.target, organization=seed.INQUIRER) as client:
        spec = InquirySpec(
            record_id=f"start-{turn}",
            integrated_address_number=seeded.numbers[person],
            nondisclosure_code="1",
            affair_code=seed.AFFAIR,
            procedure_code=seed.PROCEDURE,
            provider_code=seed.PROVIDER,
            information_code=seed.INFORMATION,
            condition_kind="0",
            year_kind="0",
            period=Period(start_date=seed.PERIOD[0], end_date=seed.PERIOD[1]),
        )
        receipt = client.inquiries.CreateInquiry(CreateInquiryRequest(inquiry=spec)).inquiry.receipt_number
        _await(client, receipt)
        (result,) = client.inquiries.GetInquiryResults(GetInquiryResultsRequest(receipt_numbers=[receipt])).results
        values = {item.item_code: item.value for item in result.records[0].items}
        if values != seeded.values[person]:
            raise AssertionError("the first answer holds other values than were registered")


def _await(client: Client, receipt: str) -> None:
    watch = client.inquiries.WatchInquiries(WatchInquiriesRequest(finished_only=True), timeout=20)
    for response in watch:
        for inquiry in response.inquiries:
            if inquiry.receipt_number == receipt:
                if inquiry.state != InquiryState.INQUIRY_STATE_ANSWERED:
                    raise AssertionError(f"the first inquiry ended as {inquiry.state} {inquiry.reason}")
                watch.cancel()
                return
