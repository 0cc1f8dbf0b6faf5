# SPDX-License-Identifier: Apache-2.0
"""The newest first of a list that is read from its oldest on: at every length, in few rows, in another world."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chukan.server.console.newest import Newest
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb

ANSWERED, OPEN = common_pb2.INQUIRY_STATE_ANSWERED, common_pb2.INQUIRY_STATE_ACCEPTED


class Listed:
    """A list as the server has it: a full page has a token though nothing may follow."""

    def __init__(self, rows: int) -> None:
        self.rows = [(number, OPEN) for number in range(1, rows + 1)]
        self.read = 0
        self.world = "a"
        self.inquiries = SimpleNamespace(ListInquiries=self._list)

    def _list(self, request: pb.ListInquiriesRequest) -> pb.ListInquiriesResponse:
        world, _, after = (request.page_token or f"{self.world}-0").partition("-")
        if world != self.world:
            raise ChukanError("PAGE_TOKEN_INVALID")
        left = [row for row in self.rows if row[0] > int(after) and (not request.states or row[1] in request.states)]
        page = left[: request.page_size]
        self.read += len(page)
        return pb.ListInquiriesResponse(
            inquiries=[pb.Inquiry(receipt_number=f"{number:06}", state=state) for number, state in page],
            next_page_token=f"{world}-{page[-1][0]}" if len(page) == request.page_size else "",
        )


def look(newest: Newest, listed: Listed, state: str = "") -> list[int]:
    page = newest.look(cast("Any", listed), "organization", state=state)
    return [int(each.receipt_number) for each in page.inquiries] if page.complete else []


@pytest.mark.parametrize("rows", [0, 1, 49, 50, 51, 99, 100, 101, 300, 301, 5_000])
def test_the_newest_come_first_and_so_do_those_that_come_later(rows: int) -> None:
    newest, listed = Newest(), Listed(rows)
    for _ in range(3):
        assert look(newest, listed) == [number for number, _ in listed.rows[: -51 if listed.rows else None : -1]]
        listed.rows += [(len(listed.rows) + more, OPEN) for more in range(1, 8)]


def test_a_further_look_reads_few_rows() -> None:
    newest, listed = Newest(), Listed(20_000)
    for _ in range(8):
        listed.read = 0
        look(newest, listed)

    assert listed.read <= 400


def test_those_that_left_the_state_are_not_missed_nor_shown() -> None:
    newest, listed = Newest(), Listed(1_000)
    assert look(newest, listed, "accepted")[0] == 1_000
    listed.rows = [(number, ANSWERED if number > 200 else OPEN) for number, _ in listed.rows]

    assert look(newest, listed, "accepted") == list(range(200, 150, -1))


def test_another_world_is_read_from_its_beginning() -> None:
    """One that refuses the tokens of the former, and one that takes them."""
    for world in "ab":
        newest, listed = Newest(), Listed(1_000)
        look(newest, listed)
        listed.rows, listed.world = listed.rows[:3], world

        assert look(newest, listed) == [3, 2, 1]


def test_a_look_that_takes_long_says_so_and_the_next_goes_on() -> None:
    newest, listed = Newest(seconds=0), Listed(2_000)
    looks = [look(newest, listed) for _ in range(20)]

    assert looks[0] == []
    assert looks[-1][0] == 2_000
