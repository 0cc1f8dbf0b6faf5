# SPDX-License-Identifier: Apache-2.0
"""One world: what it was made of, its clock and faults, and how its time is moved on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chukan.server.emulator.clock import ClockMode, WorldClock
    from chukan.server.emulator.faults import Faults

__all__ = ["Parts", "Plan", "World"]

_T = TypeVar("_T")
_IDLE: Final = timedelta(hours=1)
_SAME_INSTANT: Final = 8
"""Rounds at one instant before time moves on: what is due again at once would hold the clock for ever."""


class Parts(Protocol):
    """What a world is made of, as its owner sees it."""

    @property
    def servicers(self) -> Mapping[str, object]:
        """What answers in it, by the full name of the service."""

    @property
    def generation(self) -> str:
        """Name of this generation, as statements made in it carry it."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def run_due(self) -> None:
        """Do what has become due."""

    def next_due(self) -> datetime | None:
        """Return when something falls due."""

    def drain(self, timeout: float) -> bool:
        """Wait until nothing due is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a world starts from; the same plan under the same id is the same world."""

    seed: str
    snapshot: str = ""
    random_seed: int = 0
    clock_mode: ClockMode | None = None
    clock_now: datetime | None = None
    idle: timedelta = _IDLE


@dataclass(slots=True, kw_only=True)
class World:
    """One generation of one world."""

    id: str
    generation: int
    asked: Plan
    """What it was made of at first; `plan`: what this generation was."""
    plan: Plan
    clock: WorldClock
    faults: Faults
    size: int
    parts: Parts
    created: datetime
    last_call: datetime
    called: float = field(default_factory=monotonic)
    ended: bool = False
    """Nothing answers in it any more: what was open there was reset."""
    kept: bool = False
    """Whether it is on disk."""
    moving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def servicers(self) -> Mapping[str, object]:
        """What answers in it."""
        return self.parts.servicers

    @property
    def name(self) -> str:
        """Name of this generation, as statements made in it carry it; empty once it has ended."""
        return self._of_parts(lambda: self.parts.generation) or ""

    def next_due(self) -> datetime | None:
        """Return when something falls due; nothing does once it has ended."""
        return self._of_parts(self.parts.next_due)

    def drain(self, seconds: float) -> bool:
        """Wait until nothing due is left, or raise WORLD_RESET."""
        idle = self._of_parts(lambda: self.parts.drain(seconds))
        if idle is None:
            raise ChukanError("WORLD_RESET")
        return idle

    def _of_parts(self, ask: Callable[[], _T]) -> _T | None:
        """Ask the parts, whose databases are closed at any moment once the world has ended."""
        try:
            return ask()
        except Exception:
            if not self.ended:
                raise
            return None

    def advance(self, until: datetime | None, deadline: float) -> None:
        """Move the clock on, doing everything at its hour; None: up to the next thing due."""
        try:
            self._advance(until, deadline)
        except Exception:
            if self.ended:
                raise ChukanError("WORLD_RESET") from None
            raise

    def _advance(self, until: datetime | None, deadline: float) -> None:
        with self.moving:
            if until is None:
                until = self.parts.next_due()
                if until is None:
                    return
            rounds, last = 0, None
            while (due := self.parts.next_due()) is not None and due <= until:
                rounds = rounds + 1 if due == last else 0
                last = due
                if rounds >= _SAME_INSTANT:
                    break
                self._reach(due, deadline)
            self._reach(until, deadline)

    def _reach(self, instant: datetime, deadline: float) -> None:
        if monotonic() > deadline:
            raise ChukanError("DEADLINE_EXCEEDED")
        self.clock.move_to(instant)
        self.parts.run_due()
        if not self.parts.drain(max(0.0, deadline - monotonic())):
            raise ChukanError("DEADLINE_EXCEEDED")
