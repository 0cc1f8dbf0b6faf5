# SPDX-License-Identifier: Apache-2.0
"""A batch of people on its way through the steps of their lane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.mapping.people import MappedPeople
    from chukan.adapter.sync.rows import Rows

__all__ = ["PeopleBatch"]


@dataclass(slots=True)
class PeopleBatch:
    """Rows under way; numbers and what follows is filled in by the answers."""

    id: str
    business_id: str
    rows: Rows
    local: Sequence[str]
    keys: Sequence[bytes]
    mapped: MappedPeople
    numbers: Sequence[str] = ()
    taken: list[int] = field(default_factory=list)
    """Rows that go on: linked to somebody and not refused since."""
    speaking: list[int] = field(default_factory=list)
    """Of these, the rows that speak for their person, each person's last."""
    asked: list[int] = field(default_factory=list)
    """A row of everybody who needs a code, each person's last."""
    is_repetition: bool = False

    def last_of_each(self, rows: Sequence[int]) -> list[int]:
        """Return each person's last row of these."""
        return sorted({self.numbers[row]: row for row in rows}.values())
