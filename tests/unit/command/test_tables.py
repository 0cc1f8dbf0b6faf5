# SPDX-License-Identifier: Apache-2.0
"""Rules of tables: at any width, what is copied from them is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from chukan.command.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable

HEADS = ["受付番号", "state", "provider", "information", "accepted"]
ROW = ["20261124000000000001", "ANSWERED", "0220113104101700 新宿区", "TM00000000000002", "2026-11-28 09:00:00 JST"]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[int, list[str]], str]:
    """Print the row on a terminal of so many columns."""

    def show(width: int, row: list[str]) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("FORCE_COLOR", "1")
        print_table(HEADS[: len(row)], [row])
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    return show


@pytest.mark.parametrize("width", [40, 80, 81, 100, 120, 200])
def test_numbers_and_codes_are_never_broken(width: int, at: Callable[[int, list[str]], str]) -> None:
    """Who copies a receipt number gets all of it."""
    shown = at(width, ROW)

    assert all(part in shown for cell in ROW for part in cell.split())


def test_a_table_that_is_too_wide_becomes_a_line_per_cell(at: Callable[[int, list[str]], str]) -> None:
    narrow, wide = at(60, ROW), at(160, ROW)

    assert len(narrow.strip().splitlines()) == len(HEADS)
    assert all(len(line) <= 60 for line in narrow.splitlines())
    assert " ".join(ROW) in " ".join(wide.split())


def test_brackets_are_no_markup(at: Callable[[int, list[str]], str]) -> None:
    assert "[bold]x" in at(80, ["[bold]x"])


@pytest.mark.parametrize("width", [70, 72, 76, 80, 84, 88, 92, 100])
def test_long_japanese_texts_lose_nothing(width: int, at: Callable[[int, list[str]], str]) -> None:
    """However narrow the terminal: what doesn't fit is folded, never cut off."""
    row = [
        "ネットワークが提供者に到達できない",
        "ChukanInquiriesOld",
        "18.3秒 (36分31秒)",
        "10.0秒 (20分0秒)",
        "警報は届きましたが、(障害を受けた呼出し: 9件)、ほかに鳴った警報もあります",
    ]

    shown = at(width, row)

    for cell in row:
        assert all(shown.count(character) >= cell.count(character) for character in set(cell) - {" "}), cell
