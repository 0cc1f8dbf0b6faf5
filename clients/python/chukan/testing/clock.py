# SPDX-License-Identifier: Apache-2.0
"""A world's clock as a test moves it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.standard.clock import JAPAN

if TYPE_CHECKING:
    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub

__all__ = ["Clock", "aware", "setting"]

__tracebackhide__ = True  # a failure is shown at the line of the test

_MODES = {"frozen": pb.CLOCK_MODE_FROZEN, "running": pb.CLOCK_MODE_RUNNING, "system": pb.CLOCK_MODE_SYSTEM}


def aware(name: str, instant: datetime) -> datetime:
    """Return an instant that says its time zone; ValueError for one that doesn't, which would be taken as UTC."""
    if not isinstance(instant, datetime):
        raise TypeError(f"{name}: got {type(instant).__name__}, expected a datetime with a time zone")
    if instant.tzinfo is None:
        raise ValueError(f"{name}: got a naive datetime, expected an aware one")
    return instant


def setting(mode: str, now: datetime | None) -> pb.ClockSetting:
    """Return how a clock is set."""
    if mode not in _MODES:
        raise ValueError(f"clock: got {mode!r}, expected {', '.join(_MODES)}")
    made = pb.ClockSetting(mode=_MODES[mode])
    if now is not None:
        made.now.FromDatetime(aware("now", now))
    return made


class Clock:
    """Moves forward only; each move returns when all that fell due in between is done, each thing at its instant.

    timeout: seconds of real time a move may take.
    """

    def __init__(self, control: EmulatorServiceStub, world_id: str) -> None:
        self._control = control
        self._world = world_id

    def __repr__(self) -> str:
        return f"<clock of world {self._world}>"

    def state(self) -> pb.ClockState:
        """Return the clock as the server tells it: mode, now, today, next due time."""
        return self._control.GetClock(pb.GetClockRequest(world_id=self._world)).clock

    def now(self) -> datetime:
        """Return the world's time, in Japan's."""
        return _instant(self.state())

    def today(self) -> date:
        """Return the world's day in Japan."""
        return self.now().date()

    def next_due(self) -> datetime | None:
        """Return when the next thing falls due; None when nothing waits for time."""
        state = self.state()
        if not state.HasField("next_due_time"):
            return None
        return state.next_due_time.ToDatetime(UTC).astimezone(JAPAN)

    def advance(
        self,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        timeout: float = 60.0,
    ) -> datetime:
        """Let so much time go by and return what the clock then says."""
        request = pb.AdvanceClockRequest(world_id=self._world)
        request.by.FromTimedelta(timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds))
        return self._advanced(request, timeout)

    def advance_to(self, instant: datetime, *, timeout: float = 60.0) -> datetime:
        """Let time go by until an instant."""
        request = pb.AdvanceClockRequest(world_id=self._world)
        request.until.FromDatetime(aware("instant", instant))
        return self._advanced(request, timeout)

    def advance_to_next_due(self, *, timeout: float = 60.0) -> datetime:
        """Let time go by until the next thing falls due, which is done; nothing happens where none waits."""
        return self._advanced(pb.AdvanceClockRequest(world_id=self._world, to_next_due=True), timeout)

    def freeze(self) -> None:
        """Let it stand from here on."""
        self._set("frozen")

    def run(self) -> None:
        """Let it run from here on."""
        self._set("running")

    def _set(self, mode: str) -> None:
        self._control.SetClock(pb.SetClockRequest(world_id=self._world, clock=setting(mode, None)))

    def _advanced(self, request: pb.AdvanceClockRequest, timeout: float) -> datetime:
        return _instant(self._control.AdvanceClock(request, timeout=timeout).clock)


def _instant(state: pb.ClockState) -> datetime:
    return state.now.ToDatetime(UTC).astimezone(JAPAN)
