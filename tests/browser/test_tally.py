# SPDX-License-Identifier: Apache-2.0
"""Counting inquiries by following their changes: right after changes and in another world; too many are not counted."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING

import grpc
import pytest

from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.server.console.tally import Tally
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb
from tests.builders import SETAGAYA, Body, address_number, fresh_serial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.browser.conftest import Held


@pytest.fixture
def client(held: Held) -> Iterator[Client]:
    """Call as the inquirer."""
    with Client(held.server.target, organization=SETAGAYA) as opened:
        yield opened


def listed(client: Client) -> Counter[int]:
    """Count what the list holds."""
    found: Counter[int] = Counter()
    token = ""
    while True:
        page = client.inquiries.ListInquiries(pb.ListInquiriesRequest(page_size=1000, page_token=token))
        found.update(each.state for each in page.inquiries)
        token = page.next_page_token
        if not token:
            return found


def test_a_count_is_what_the_list_holds_and_follows_changes(held: Held, client: Client) -> None:
    tally = Tally()
    assert tally.look(client).states == listed(client)

    receipt = held.setagaya.ask(held.setagaya.spec(held.numbers[-4])).receipt_numbers[0]
    held.setagaya.finished(receipt)
    client.inquiries.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=[receipt]))

    after = tally.look(client)
    assert after.complete
    assert after.states == listed(client)
    assert after.states[common_pb2.INQUIRY_STATE_ANSWERED] >= 60


def test_a_look_without_changes_reads_one_row(client: Client) -> None:
    """Many open pages cost little."""
    tally = Tally()
    tally.look(client)
    tally.look(client)  # what others committed meanwhile was looked at
    request = pb.ListInquiriesRequest(page_size=1)
    before = client.inquiries.ListInquiries(request).resume_token

    assert tally.look(client).complete
    assert tally._stood == before


def test_another_world_is_counted_anew(client: Client, tmp_path: Path) -> None:
    """Where the former one's tokens count no more."""
    tally = Tally()
    tally.look(client)
    server = ServerProcess(tmp_path)
    try:
        with Client(server.target, organization=SETAGAYA) as elsewhere:
            assert tally.look(elsewhere).states == {}
            with grpc.insecure_channel(server.target) as channel:
                body = Body(SETAGAYA, channel)
                body.ask(body.spec(address_number(fresh_serial())))
            assert tally.look(elsewhere).states == {common_pb2.INQUIRY_STATE_REFUSED: 1}
    finally:
        server.stop()

    assert tally.look(client).states == listed(client)


def test_too_many_are_said_not_to_be_counted(client: Client) -> None:
    tally = Tally(most=10)
    tally.look(client)

    counts = tally.look(client)

    assert counts.overflow
    assert not counts.complete
    assert counts.states == {}


def test_a_quiet_watch_after_a_change_is_waited_for_shortly(client: Client) -> None:
    """Traffic moves the order at every look, often with nothing to read."""
    tally = Tally()
    tally.look(client)
    tally._stood = "elsewhere"
    begun = monotonic()

    assert tally.look(client).complete
    assert monotonic() - begun < 0.3
