# SPDX-License-Identifier: Apache-2.0
"""A deterministic source of choices.

Only ``random.Random.random`` is used, the one method whose sequence Python promises to keep between versions.
"""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")


class Draw:
    """Choices that depend on the key's parts and on nothing else."""

    __slots__ = ("unit",)

    def __init__(self, *key: object) -> None:
        self.unit = random.Random("|".join(str(part) for part in key)).random
        """A float in [0, 1)."""

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.unit() < probability

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, choices: Sequence[_T]) -> _T:
        """Return one of the choices, each as likely."""
        return choices[int(self.unit() * len(choices))]

    def early(self, choices: Sequence[_T]) -> _T:
        """Return a choice in which the first ones come up more often, as with surnames."""
        return choices[int(self.unit() ** 1.6 * len(choices))]

    def day(self, first: date, last: date) -> date:
        """Return a day from first to last, both included; first if last is earlier."""
        span = last.toordinal() - first.toordinal()
        return date.fromordinal(first.toordinal() + int(self.unit() * (span + 1))) if span > 0 else first
