# SPDX-License-Identifier: Apache-2.0
"""The load beneath `make monitor` and `make drill`: 世田谷区 keeps asking 新宿区, now and then what the list refuses.

What is loaded is the demo's: dummy people of both, their replicas, one inquiry file.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from chukan.adapter.exchange import InquireOptions, inquire
from chukan.adapter.sync import LoadOptions, load
from chukan.people import write
from chukan.standard.clock import SystemClock
from chukan.standard.organizations import by_municipality
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from chukan.client import Client
    from chukan.drill.certificates import Certificates

__all__ = ["INQUIRER", "PROVIDER", "Questions", "SteadyLoad", "carry_people", "write_people"]

_PROVIDING: Final = "131041"
_ASKING: Final = "131121"
"""Municipality codes: 新宿区 provides, 世田谷区 asks."""
PROVIDER: Final = by_municipality(_PROVIDING).code
INQUIRER: Final = by_municipality(_ASKING).code
_NOT_PERMITTED: Final = "JT01010000000001"
"""The procedure for bank accounts, which may not ask for tax."""
_ONE_IN: Final = 20
_PAGE: Final = 100
_ANSWER_SECONDS: Final = 20.0


def write_people(folder: Path, count: int) -> None:
    """Write the files of both bodies; count: records of each resident register."""
    last_night = SystemClock().today() - timedelta(days=1)
    for body, other in ((_PROVIDING, _ASKING), (_ASKING, _PROVIDING)):
        write(
            folder / body,
            municipality=body,
            count=count,
            seed=1,
            reference_date=last_night,
            linked=[other],
            encoding="utf-8",
        )


def carry_people(folder: Path, target: str, certificates: Certificates | None = None) -> None:
    """Load both bodies and answer the inquiry file. certificates: of a server with TLS."""
    for body in (_PROVIDING, _ASKING):
        place, code = folder / body, by_municipality(body).code
        load(
            LoadOptions(
                target=target,
                organization=code,
                people=(place / "residents.csv", place / "non_residents.csv"),
                extracts=place / "extracts",
                state=place / "state",
                tls=None if certificates is None else certificates.of(code),
            )
        )
    inquire(
        InquireOptions(
            inputs=(folder / _ASKING / "inquiries",),
            out=folder / "result.csv",
            target=target,
            organization=INQUIRER,
            state=folder / _ASKING / "ledger",
            wait=True,
            tls=None if certificates is None else certificates.of(INQUIRER),
        )
    )


class Questions:
    """Inquiries to send, one after another without end: those of the file again, under ids of their own."""

    def __init__(self, client: Client, name: str) -> None:
        """`client` calls in the inquirer's name."""
        listed = client.inquiries.ListInquiries(pb.ListInquiriesRequest(page_size=_PAGE)).inquiries
        self._specs = [each.spec for each in listed]
        self._name = name
        self._number = 0

    def next(self, *, time_out: timedelta | None = None) -> pb.CreateInquiryRequest:
        """Return the next; time_out: one the list permits, given up after that."""
        spec = pb.InquirySpec()
        spec.CopyFrom(self._specs[self._number % len(self._specs)])
        spec.record_id = f"{self._name}-{self._number}"
        if time_out is not None:
            spec.time_out.FromTimedelta(time_out)
        elif self._number % _ONE_IN == 0:
            spec.procedure_code = _NOT_PERMITTED
        self._number += 1
        return pb.CreateInquiryRequest(inquiry=spec)


class SteadyLoad:
    """Asks so many times a second from a thread of its own, however long answers take, until left."""

    def __init__(self, client: Client, *, per_second: float) -> None:
        self._client = client
        self._pause = 1 / per_second
        self._questions = Questions(client, "load")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="chukan-load", daemon=True)
        self._lock = threading.Lock()
        self._answered = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def answered(self) -> int:
        """Calls answered so far, refusals not counted."""
        return self._answered

    def _ask(self) -> None:
        while not self._ended.wait(self._pause):
            pending = self._client.inquiries.CreateInquiry.future(self._questions.next(), timeout=_ANSWER_SECONDS)
            pending.add_done_callback(self._note)

    def _note(self, call: object) -> None:
        if call.code().name == "OK":  # type: ignore[attr-defined]  # gRPC's future, which no stub types
            with self._lock:
                self._answered += 1
