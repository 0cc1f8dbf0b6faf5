# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002  # gRPC names its methods in CamelCase and passes a context
"""The watch of codes: a stream that ran its time is taken up again, a server that keeps away is given up in time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from chukan.adapter.sync.acquisition import Acquisition
from chukan.adapter.sync.report import FAILED, CodeReport
from chukan.adapter.sync.streams import Waiting
from chukan.adapter.worlds import Server
from chukan.client import Client
from chukan.edge.errors import ended_with, status_of
from chukan.standard.ids import SeededIds
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1.linkage_code_service_pb2_grpc import (
    LinkageCodeServiceServicer,
    add_LinkageCodeServiceServicer_to_server,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Codes(LinkageCodeServiceServicer):
    """Watches as the test says; one code stays open for ever."""

    def __init__(self, watch: Callable[[int, grpc.ServicerContext], Iterator[Any]]) -> None:
        self.times: list[float] = []
        self._watch = watch

    def WatchLinkageStates(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        self.times.append(time.monotonic())
        yield from self._watch(len(self.times), context)

    def ListLinkageStates(self, request: Any, context: grpc.ServicerContext) -> Any:
        row = linkage.LinkageStatus(integrated_address_number="1", state=linkage.LINKAGE_STATE_REQUESTED)
        return linkage.ListLinkageStatesResponse(linkage_statuses=[row])


def refuse(context: grpc.ServicerContext, code: str, retry_after: float | None = None) -> None:
    status = status_of(ChukanError(code, retry_after=retry_after))
    context.abort_with_status(ended_with(status, None))  # type: ignore[arg-type]


def silent(_: int, context: grpc.ServicerContext) -> Iterator[Any]:
    while context.is_active():
        time.sleep(0.02)
    yield from ()


@contextmanager
def following(codes: Codes, folder: Path, *, stall: float, patience: float) -> Iterator[tuple[Acquisition, CodeReport]]:
    server = grpc.server(ThreadPoolExecutor(4))
    add_LinkageCodeServiceServicer_to_server(codes, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    report = CodeReport()
    report.asked = 1
    try:
        with Client(f"127.0.0.1:{port}", organization="0220113104101700", retries=False) as client:
            acquisition = Acquisition(
                client,
                report,
                Waiting(stall=stall, patience=patience, stop=threading.Event()),
                token_file=folder / "token",
                server=Server(),
                ids=SeededIds(1),
                progress=None,
            )
            acquisition.start()
            yield acquisition, report
            acquisition.stop()
    finally:
        server.stop(0).wait()


def test_a_watch_that_ran_its_time_goes_on_whatever_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chukan.adapter.sync.acquisition.STREAM_SECONDS", 0.3)
    codes = Codes(silent)

    with following(codes, tmp_path, stall=2.0, patience=0.1) as (acquisition, report):
        acquisition.finish()

    assert len(codes.times) >= 3
    assert (report.state, report.problem) == (FAILED, "CODE_ANSWER_TIMED_OUT")


def test_a_watch_that_is_cut_off_before_its_time_again_and_again_is_given_up_when_patience_ends(
    tmp_path: Path,
) -> None:
    def cut(_: int, context: grpc.ServicerContext) -> Iterator[Any]:
        refuse(context, "DEADLINE_EXCEEDED")
        yield

    codes = Codes(cut)
    begun = time.monotonic()

    with following(codes, tmp_path, stall=30.0, patience=0.5) as (acquisition, report):
        acquisition.finish()

    assert time.monotonic() - begun < 10
    assert len(codes.times) > 1
    assert (report.state, report.problem) == (FAILED, "PEER_UNREACHABLE")


def test_a_watch_is_opened_again_after_the_delay_the_server_names(tmp_path: Path) -> None:
    def busy_once(attempt: int, context: grpc.ServicerContext) -> Iterator[Any]:
        if attempt == 1:
            refuse(context, "OVERLOADED", 1.1)
        yield from silent(attempt, context)

    codes = Codes(busy_once)

    with following(codes, tmp_path, stall=2.0, patience=30.0) as (acquisition, _):
        acquisition.finish()

    assert codes.times[1] - codes.times[0] >= 1.1


@pytest.mark.parametrize("delay", [60.0, 1e10, 3.15576e11])
def test_a_delay_beyond_the_patience_gives_the_watch_up_at_once(tmp_path: Path, delay: float) -> None:
    def busy(_: int, context: grpc.ServicerContext) -> Iterator[Any]:
        refuse(context, "OVERLOADED", delay)
        yield

    codes = Codes(busy)

    with following(codes, tmp_path, stall=30.0, patience=5.0) as (acquisition, report):
        acquisition.finish()

    assert len(codes.times) == 1
    assert (report.state, report.problem) == (FAILED, "OVERLOADED")
