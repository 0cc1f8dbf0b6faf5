# SPDX-License-Identifier: Apache-2.0
"""Servers that are busy, or newer than this adapter: what they say is waited for, or kept as it came."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.adapter.exchange import inquire
from chukan.adapter.patience import patiently
from chukan.adapter.refusals import refused_for
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from conftest import Peer

AT_ONCE = timedelta(0)
REASON = 28


def test_a_state_of_a_newer_server_is_not_the_end_of_an_inquiry(peer: Peer) -> None:
    """A client tolerates enum values it doesn't know; what has an end has a time of it."""
    peer.inquiries.decide = lambda _: pb.Inquiry(state=99)  # type: ignore[arg-type]
    file = peer.file(peer.row())

    report = inquire(peer.options(file, cut_off=AT_ONCE))

    assert (report.remainder, report.rows, report.is_complete) == (1, 1, False)
    peer.inquiries.decide = peer.inquiries.answered
    (stored,) = peer.inquiries.stored.values()
    stored.state = common_pb2.INQUIRY_STATE_ACCEPTED
    peer.inquiries.settle()
    assert inquire(peer.options(file)).values == 1


def test_a_state_of_a_newer_server_that_says_when_it_ended_is_the_end(peer: Peer) -> None:
    ended = pb.Inquiry(state=99, reason="REASON_OF_A_NEWER_SERVER")  # type: ignore[arg-type]
    ended.finish_time.seconds = 1_800_000_000
    peer.inquiries.decide = lambda _: ended

    report = inquire(peer.options(peer.file(peer.row())))

    assert (report.refused, peer.results()[0][REASON]) == (1, "REASON_OF_A_NEWER_SERVER")


def test_what_is_refused_with_a_delay_is_sent_again_after_it(peer: Peer) -> None:
    peer.inquiries.refusals = [ChukanError("OVERLOADED", retry_after=1.6)]

    report = inquire(peer.options(peer.file(peer.row())))

    first, second = peer.inquiries.times
    assert second - first >= 1.6
    assert peer.inquiries.batches[0] == peer.inquiries.batches[1]
    assert report.values == 1


def test_a_delay_beyond_the_cut_off_is_not_waited_for(peer: Peer) -> None:
    peer.inquiries.refusals = [ChukanError("OVERLOADED", retry_after=600)]

    report = inquire(peer.options(peer.file(peer.row()), cut_off=timedelta(seconds=2)))

    assert (report.remainder, len(peer.inquiries.batches)) == (1, 1)
    assert [each.code for each in report.warnings] == ["OVERLOADED"]
    assert "600 s" in report.warnings[0].english
    assert "600 秒" in report.warnings[0].japanese


@pytest.mark.parametrize("delay", [1e10, 3.15576e11])
def test_a_delay_of_centuries_ends_sending_with_the_servers_reason(peer: Peer, delay: float) -> None:
    peer.inquiries.refusals = [ChukanError("OVERLOADED", retry_after=delay)]

    report = inquire(peer.options(peer.file(peer.row()), cut_off=timedelta(seconds=30)))

    assert (report.remainder, [each.code for each in report.warnings]) == (1, ["OVERLOADED"])
    assert report.seconds < 10


def test_without_a_cut_off_one_wait_is_bounded_and_said(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chukan.adapter.exchange.run.LONGEST_WAIT", 1.2)
    peer.inquiries.refusals = [ChukanError("OVERLOADED", retry_after=3.15576e11)]
    told: list[tuple[str, int, int]] = []

    report = inquire(
        peer.options(peer.file(peer.row()), wait=True), lambda stage, done, total: told.append((stage, done, total))
    )

    first, second = peer.inquiries.times
    assert second - first >= 1.2
    assert ("pause", 0, 2) in told
    assert report.values == 1


def test_a_reason_of_a_newer_server_is_waited_for_if_its_status_says_that_it_passes(peer: Peer) -> None:
    newer = {"reason": "BUSY_OF_ANOTHER_VERSION", "status": "RESOURCE_EXHAUSTED"}
    peer.inquiries.refusals = [ChukanError("PEER_ANSWER_INVALID", params=newer, retry_after=2)]

    report = inquire(peer.options(peer.file(peer.row())))

    first, second = peer.inquiries.times
    assert second - first >= 2.0
    assert report.values == 1


def test_a_reason_of_a_newer_server_that_does_not_pass_ends_the_run(peer: Peer) -> None:
    newer = {"reason": "NO_OF_ANOTHER_VERSION", "status": "FAILED_PRECONDITION"}
    peer.inquiries.refusals = [ChukanError("PEER_ANSWER_INVALID", params=newer)]

    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(peer.file(peer.row())))

    assert caught.value.params == newer


def test_a_row_refused_for_a_reason_of_a_newer_server_ends_no_run(peer: Peer) -> None:
    peer.inquiries.not_taken = "NO_OF_ANOTHER_VERSION"

    report = inquire(peer.options(peer.file(peer.row())))

    assert (report.rows, report.failed, report.remainder) == (1, 1, 0)
    assert peer.results()[0][REASON] == "NO_OF_ANOTHER_VERSION"


def test_a_refusal_in_an_answer_is_told_by_its_reason_or_its_code() -> None:
    known, newer = refused_for("LANE_HELD", "information_code"), refused_for("NO_OF_ANOTHER_VERSION")

    assert (known.code, known.field) == ("LANE_HELD", "information_code")
    assert (newer.code, newer.params) == ("PEER_ANSWER_INVALID", {"reason": "NO_OF_ANOTHER_VERSION"})


@pytest.mark.parametrize("method", ["GetStatus", "GetInquiryResults", "AcknowledgeResults"])
def test_a_busy_server_is_asked_again_in_the_same_run_after_its_delay(peer: Peer, method: str) -> None:
    peer.inquiries.faults = {method: [ChukanError("OVERLOADED", retry_after=1.1)]}

    report = inquire(peer.options(peer.file(peer.row())))

    first, second = peer.inquiries.calls[method][:2]
    assert second - first >= 1.1
    assert (report.values, len(peer.inquiries.acknowledged)) == (1, 1)


@pytest.mark.parametrize("method", ["GetStatus", "GetInquiryResults", "AcknowledgeResults"])
def test_a_server_that_fails_for_a_moment_without_naming_a_delay_is_asked_again(peer: Peer, method: str) -> None:
    peer.inquiries.faults = {method: [ChukanError("SHUTTING_DOWN"), ChukanError("SHUTTING_DOWN")]}

    report = inquire(peer.options(peer.file(peer.row())))

    assert (report.values, len(peer.inquiries.acknowledged)) == (1, 1)


@pytest.mark.parametrize("method", ["GetStatus", "GetInquiryResults"])
def test_a_server_that_goes_on_failing_without_naming_a_delay_is_given_up_soon(peer: Peer, method: str) -> None:
    peer.inquiries.faults = {method: [ChukanError("SHUTTING_DOWN")] * 100}
    begun = time.monotonic()

    with pytest.raises(ChukanError, match="SHUTTING_DOWN"):
        inquire(peer.options(peer.file(peer.row())))

    assert time.monotonic() - begun < 25
    assert 2 < len(peer.inquiries.calls[method]) < 30


def test_results_that_can_not_be_acknowledged_are_written_and_told_by_the_next_run(peer: Peer) -> None:
    peer.inquiries.faults = {"AcknowledgeResults": [ChukanError("SHUTTING_DOWN")] * 100}
    file = peer.file(peer.row())

    first = inquire(peer.options(file))
    peer.inquiries.faults = {}
    again = inquire(peer.options(file))

    assert [each.code for each in first.warnings] == ["SHUTTING_DOWN"]
    assert (first.values, again.values, len(peer.results()), again.warnings) == (1, 1, 1, [])
    assert len(peer.inquiries.acknowledged) == 1


@pytest.mark.parametrize("code", ["CONCURRENT_CHANGE", "IDEMPOTENCY_IN_PROGRESS", "OVERLOADED"])
def test_a_batch_refused_for_what_passes_is_sent_again(peer: Peer, code: str) -> None:
    peer.inquiries.refusals = [ChukanError(code)]

    report = inquire(peer.options(peer.file(peer.row())))

    assert (report.values, len(peer.inquiries.batches)) == (1, 2)


def test_a_server_that_answered_meanwhile_is_asked_for_a_moment_once_more() -> None:
    """As in a restart: gone, not ready yet, gone, there."""
    failures = [
        ChukanError("PEER_UNREACHABLE"),
        ChukanError("NOT_READY", retry_after=0.3),
        ChukanError("PEER_UNREACHABLE"),
    ]

    def call() -> str:
        if failures:
            raise failures.pop(0)
        return "there"

    assert patiently(call, moment=0.15) == "there"


@pytest.mark.parametrize("method", ["GetStatus", "GetInquiryResults"])
def test_a_delay_beyond_the_patience_ends_the_run_at_once_with_the_servers_reason(peer: Peer, method: str) -> None:
    peer.inquiries.faults = {method: [ChukanError("OVERLOADED", retry_after=1e10)]}

    with pytest.raises(ChukanError) as caught:
        inquire(peer.options(peer.file(peer.row())))

    assert (caught.value.code, caught.value.retry_after) == ("OVERLOADED", 1e10)
    assert len(peer.inquiries.calls[method]) == 1


def test_streams_that_are_cut_by_their_deadline_lose_and_double_nothing(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sending", "following"):
        monkeypatch.setattr(f"chukan.adapter.exchange.{module}.STREAM_SECONDS", 0.4)
    peer.inquiries.silent.set()  # the first batch is taken in and never answered: the deadline ends the stream

    def answer_what_comes_later() -> None:
        while not peer.inquiries.times:
            time.sleep(0.01)
        time.sleep(0.2)
        peer.inquiries.silent.clear()

    threading.Thread(target=answer_what_comes_later, daemon=True).start()

    report = inquire(peer.options(peer.file(*(peer.row() for _ in range(5)))))

    assert len({each.batch_id for each in peer.inquiries.batches}) == 1
    assert (report.values, len(peer.inquiries.stored), len(peer.results())) == (5, 5, 5)
