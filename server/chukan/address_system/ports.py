# SPDX-License-Identifier: Apache-2.0
"""What the address system needs of the world outside: the resident network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BasicAttributes", "ResidentNetwork"]


class BasicAttributes(NamedTuple):
    """基本4情報; one may be empty in a search."""

    name: str
    birth_date: str
    sex: str
    residential_address: str


class ResidentNetwork(Protocol):
    """The resident network (住基ネット), simulated. Errors: those of an unreachable peer."""

    def submit(
        self, organization: str, batch_id: str, processing_numbers: Sequence[str], individual_numbers: Sequence[str]
    ) -> list[tuple[int, str]]:
        """Submit processing numbers with individual numbers; return (row, reason) of refused ones.

        The same batch again answers as before.
        """

    def search(self, organization: str, queries: Sequence[BasicAttributes]) -> list[list[str]]:
        """Return the individual numbers of everybody who matches, per query."""
