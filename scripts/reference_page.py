# SPDX-License-Identifier: Apache-2.0
"""How a generated reference page is written: head, tables, cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["cell", "code", "page", "table"]


def page(title: str, source: str, *parts: str) -> str:
    """Return a page of this title; source says what it is made from."""
    made = f"*Generated from {source} by `make generate`; not edited by hand.*"
    return "\n\n".join([f"# {title}", made, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; nothing when there are no rows."""
    lines = ["| " + " | ".join(cell(each) for each in row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *lines])


def cell(value: object) -> str:
    """Return a value as the text of one cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def code(value: object) -> str:
    """Return a value as code, nothing for nothing."""
    return f"`{value}`" if value not in ("", None) else ""
