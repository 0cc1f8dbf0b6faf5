# SPDX-License-Identifier: Apache-2.0
"""Tables and lines of fields, as wide as the terminal.

Numbers and codes are never broken: who copies a receipt number gets all of it. Where a table can't be shown without
breaking them, each row becomes a block of lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["print_fields", "print_table", "width_of"]

_PIPE: Final = 240
"""Columns of a table that goes into a file or a pipe."""
_LONGEST_CODE: Final = 64
_LONGEST_NAME: Final = 20
_NARROWEST: Final = 12
_BETWEEN: Final = 3
_EDGES: Final = 2
_UNBROKEN: Final = re.compile("[!-~…—–]+")
"""Numbers, codes, words without a space."""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> None:
    """Print a table, or blocks where it doesn't fit."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPE
    least = [_least(head, cells) for head, cells in zip(heads, zip(*rows, strict=True), strict=True)]
    if sum(least) + _BETWEEN * (len(least) - 1) + _EDGES > console.width:
        _print_blocks(heads, rows, title=title)
        return
    wanted = [max(map(width_of, (head, *cells))) for head, cells in zip(heads, zip(*rows, strict=True), strict=True)]
    room = console.width - _BETWEEN * (len(least) - 1) - _EDGES
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for head, width in zip(heads, _shared(least, wanted, room), strict=True):
        # Fixed: given least widths only, Rich makes columns wider than there is room, and cuts off the text.
        table.add_column(Text(head), overflow="fold", width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def print_fields(pairs: Sequence[tuple[str, str]]) -> None:
    """Print what each is called and what it is, a line each."""
    width = max((width_of(label) for label, _ in pairs), default=0)
    for label, value in pairs:
        print(f"{label}{' ' * (width - width_of(label))}  {value}")


def width_of(text: str) -> int:
    """Return how many columns of a terminal the text takes: Japanese characters take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _least(head: str, cells: Sequence[str]) -> int:
    """Return the width a column must have so that no number, code or short name in it is broken."""
    width = max(map(width_of, cells))
    whole = width if width <= _LONGEST_NAME and not any(" " in cell for cell in cells) else 0
    unbroken = max((len(part) for cell in (head, *cells) for part in _UNBROKEN.findall(cell)), default=0)
    text = min(width, _NARROWEST) if any(not cell.isascii() or " " in cell for cell in cells) else 0
    return max(whole, min(unbroken, _LONGEST_CODE), text, *(width_of(part) for part in head.split() or ("",)))


def _shared(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Share out the room: each column has its least, then those that want more get it evenly."""
    widths = list(least)
    left = room - sum(widths)
    while left > 0 and (short := [at for at, width in enumerate(widths) if width < wanted[at]]):
        for at in short[:left]:
            widths[at] += 1
        left -= len(short[:left])
    return widths


def _print_blocks(heads: Sequence[str], rows: Sequence[Sequence[str]], *, title: str) -> None:
    if title:
        print(title)
    for row in rows:
        print()
        print_fields([(head, cell) for head, cell in zip(heads, row, strict=True) if cell])
    print()
