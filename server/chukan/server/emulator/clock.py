# SPDX-License-Identifier: Apache-2.0
"""A world's clock: it goes with the machine's, runs from where it was set, or stands; it never runs backwards."""

from __future__ import annotations

import threading
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

from chukan.standard.clock import JAPAN
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import date, datetime

    from chukan.standard.clock import Clock

__all__ = ["ClockMode", "WorldClock"]


class ClockMode(IntEnum):
    """How it goes; the numbers are the contract's."""

    SYSTEM = 1
    RUNNING = 2
    FROZEN = 3


class WorldClock:
    """One world's time over the machine's."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        self._stands: datetime | None = None
        self._mode = ClockMode.SYSTEM

    @property
    def mode(self) -> ClockMode:
        """How it goes now."""
        return self._mode

    @property
    def offset(self) -> timedelta:
        """The world's time less the machine's."""
        return timedelta(0) if self._mode is ClockMode.SYSTEM else self.now() - self._real.now()

    def copy(self) -> WorldClock:
        """Return a clock of its own that stands or runs where this one does."""
        fresh = WorldClock(self._real)
        with self._lock:
            fresh._mode, fresh._offset, fresh._stands = self._mode, self._offset, self._stands
        return fresh

    def now(self) -> datetime:
        """Return the world's instant, aware, in UTC."""
        stands = self._stands
        return stands if stands is not None else self._real.now() + self._offset

    def real(self) -> datetime:
        """Return the machine's instant."""
        return self._real.now()

    def today(self) -> date:
        """Return the world's date in Japan."""
        return self.now().astimezone(JAPAN).date()

    def set(self, mode: ClockMode | None, to: datetime | None) -> None:
        """Change how it goes and, if `to` is given, where it is."""
        with self._lock:
            now = self.now()
            if to is not None and to < now:
                raise ChukanError("CLOCK_BACKWARDS", field="clock.now")
            mode = mode or (ClockMode.RUNNING if self._mode is ClockMode.SYSTEM and to is not None else self._mode)
            if mode is ClockMode.SYSTEM and now > self._real.now():
                raise ChukanError("STATE_NOT_ALLOWED", field="clock.mode", params={"expected": "no clock ahead"})
            self._place(mode, to or now)

    def move_to(self, instant: datetime) -> None:
        """Move it on; nothing happens if it is there already."""
        with self._lock:
            if instant > self.now():
                mode = ClockMode.RUNNING if self._mode is ClockMode.SYSTEM else self._mode
                self._place(mode, instant)

    def _place(self, mode: ClockMode, instant: datetime) -> None:
        self._mode = mode
        self._offset = timedelta(0) if mode is ClockMode.SYSTEM else instant - self._real.now()
        self._stands = instant if mode is ClockMode.FROZEN else None
