# SPDX-License-Identifier: Apache-2.0
"""How many rows go into one response."""

from __future__ import annotations

from chukan.server.rpc.sizes import MOST_BYTES, that_fit
from chukan.v1.common_pb2 import ItemValue


def test_rows_are_taken_while_they_fit() -> None:
    rows = [ItemValue(value="x" * (MOST_BYTES // 3)) for _ in range(5)]

    assert len(that_fit(rows)) == 2
    assert len(that_fit(rows[:2])) == 2
    assert that_fit([]) == []


def test_one_row_is_always_taken_so_that_a_listing_goes_on() -> None:
    assert len(that_fit([ItemValue(value="x" * (MOST_BYTES + 1))] * 2)) == 1
