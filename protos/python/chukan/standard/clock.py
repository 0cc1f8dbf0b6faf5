# SPDX-License-Identifier: Apache-2.0
"""Time as an argument: the real clock is made in one place, tests move a fixed one.

Instants are aware UTC; dates of law (in force, periods, ages) are dates in Japan.
"""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

__all__ = ["JAPAN", "Clock", "FixedClock", "SystemClock"]

JAPAN: Final = timezone(timedelta(hours=9), "Asia/Tokyo")
"""Japan standard time: no summer time since 1951, so no time zone data is needed."""


class Clock(Protocol):
    """What everything that needs the time is given."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def today(self) -> date:
        """Return the present date in Japan."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """Return the present date in Japan."""
        return self.now().astimezone(JAPAN).date()


class FixedClock:
    """A clock that stands still until it is advanced, and never runs backwards."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            message = "got a naive start, expected an aware one"
            raise ValueError(message)
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the instant the clock stands at, in UTC."""
        return self._now

    def today(self) -> date:
        """Return the date in Japan the clock stands at."""
        return self.now().astimezone(JAPAN).date()

    def advance(self, step: timedelta) -> datetime:
        """Move the clock forward and return the new instant."""
        if step < timedelta(0):
            message = "got a negative step, expected a clock that never runs backwards"
            raise ValueError(message)
        with self._lock:
            self._now += step
            return self._now
