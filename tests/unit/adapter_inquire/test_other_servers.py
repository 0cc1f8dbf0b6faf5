# SPDX-License-Identifier: Apache-2.0
"""Servers that are busy, or newer than this adapter: what they say is waited for, or kept as it came."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chukan.adapter.exchange import inquire
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
