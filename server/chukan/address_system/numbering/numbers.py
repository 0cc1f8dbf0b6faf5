# SPDX-License-Identifier: Apache-2.0
"""Integrated address numbers (団体内統合宛名番号): 15 digits, issued in order, never twice.

Each organization counts for itself. Its numbers begin at 700,000,000,000,001 [own] (docs/divergences "Address system"):
a range apart from numbers migrated from a former system, which the real rule forbids to issue again. A body whose
migrated numbers lie there sets another first number (setting first_integrated_numbers). The counter is advanced in the
write that issues, so a number is used in the order of COMMITs and one of a failed write goes to the next person;
nothing ever lowers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.address_system.environment import Environment
    from chukan.durable import Connection

__all__ = ["COUNTER", "FIRST_NUMBER", "NumberBlock"]

COUNTER: Final = "integrated_address_number"
FIRST_NUMBER: Final = 700_000_000_000_001
_LAST_NUMBER: Final = 999_999_999_999_999


class NumberBlock:
    """Numbers of one organization for one write, as surrogates; its turn is held meanwhile."""

    def __init__(self, environment: Environment, organization: str, last: int) -> None:
        self._counters = environment.stores.counters
        self._organization = organization
        self._first = environment.tenants.first(organization)
        first = environment.first_numbers.get(organization, FIRST_NUMBER)
        self._begun_at = last
        self._last = max(last, first - 1)

    @classmethod
    def begin(cls, environment: Environment, connection: Connection, organization: str) -> NumberBlock:
        """Begin after the last number issued."""
        return cls(environment, organization, environment.stores.counters.last(connection, organization, COUNTER))

    def next(self) -> int:
        """Return the surrogate with the next number. Errors: NUMBERS_EXHAUSTED."""
        if self._last >= _LAST_NUMBER:
            raise ChukanError("NUMBERS_EXHAUSTED")
        self._last += 1
        return self._first + self._last

    def save(self, connection: Connection) -> None:
        """Note inside the write what was issued."""
        if self._last != self._begun_at:
            self._counters.advance(connection, self._organization, COUNTER, self._last)
