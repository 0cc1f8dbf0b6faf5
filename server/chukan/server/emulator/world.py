# SPDX-License-Identifier: Apache-2.0
"""One world: what it was made of, its clock and faults, and how its time is moved on."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from chukan.server.emulator.clock import ClockMode
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chukan.server.emulator.clock import WorldClock
    from chukan.server.emulator.faults import Faults

__all__ = ["LATEST", "Parts", "Patience", "Plan", "World"]

LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)
"""No clock goes beyond it: what is due some years later has to be a date as well."""

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

    def run_due(self) -> Counter[str]:
        """Do what has become due; return how often, by kind of job."""

    def next_due(self) -> datetime | None:
        """Return when something falls due."""

    def drain(self, timeout: float) -> bool:
        """Wait until nothing due is left."""


class Patience(Protocol):
    """How long the caller of something that takes a while will wait."""

    def left(self) -> float:
        """Return the seconds left; 0 once the time is over or the caller has gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a world starts from; the same plan under the same id is the same world."""

    seed: str
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
    visitors: int = 0
    """Calls that are open in it."""
    _moving: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

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

    @contextmanager
    def visited(self) -> Iterator[None]:
        """Count a call that is open."""
        with self._counting:
            self.visitors += 1
        try:
            yield
        finally:
            with self._counting:
                self.visitors -= 1
                self.called = monotonic()

    def is_idle(self) -> bool:
        """Whether nobody has called in it for as long as it lives then."""
        return not self.visitors and monotonic() - self.called > self.plan.idle.total_seconds()

    def drain(self, seconds: float) -> bool:
        """Wait until nothing due is left, or raise WORLD_RESET."""
        idle = self._of_parts(lambda: self.parts.drain(seconds))
        if idle is None or self.ended:
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

    def advance_by(self, step: timedelta, patience: Patience) -> Counter[str]:
        """Move the clock on by so much, doing everything at its hour; return what was done, by kind of job."""
        with self._move(patience):
            now = self.clock.now()
            if step > LATEST - now:
                raise ChukanError("INVALID_FIELD", field="by")
            return self._advance(now + step, patience)

    def advance_to(
        self, until: datetime, patience: Patience, *, named: str, mode: ClockMode | None = None
    ) -> Counter[str]:
        """Move the clock on to an instant, doing everything at its hour; then let it go in a mode.

        named: the field that has the instant. Errors: CLOCK_BACKWARDS.
        """
        with self._move(patience):
            if until < self.clock.now():
                raise ChukanError("CLOCK_BACKWARDS", field=named)
            ran = self._advance(until, patience)
            self.clock.set(mode, None)
            return ran

    def advance_to_next_due(self, patience: Patience) -> Counter[str]:
        """Move the clock on to the next thing due and do it; nothing happens if none waits."""
        with self._move(patience):
            until = self.parts.next_due()
            return Counter() if until is None else self._advance(until, patience)

    def set_mode(self, mode: ClockMode | None, patience: Patience) -> Counter[str]:
        """Let the clock go in a mode; where it falls in with real time, what is due until then is done before."""
        with self._move(patience):
            real = self.clock.real()
            falls_in = mode is ClockMode.SYSTEM and self.clock.now() < real
            ran = self._advance(real, patience) if falls_in else Counter[str]()
            self.clock.set(mode, None)
            return ran

    @contextmanager
    def _move(self, patience: Patience) -> Iterator[None]:
        """Let one caller at a time move the clock; whatever goes wrong when the world has ended is WORLD_RESET."""
        if not self._moving.acquire(timeout=patience.left()):
            raise ChukanError("DEADLINE_EXCEEDED")
        try:
            yield
        except Exception:
            if self.ended:
                raise ChukanError("WORLD_RESET") from None
            raise
        finally:
            self._moving.release()

    def _advance(self, until: datetime, patience: Patience) -> Counter[str]:
        rounds, last = 0, None
        ran = Counter[str]()
        while (due := self.parts.next_due()) is not None and due <= until:
            rounds = rounds + 1 if due == last else 0
            last = due
            if rounds >= _SAME_INSTANT:
                break
            ran += self._reach(due, patience)
        return ran + self._reach(until, patience)

    def _reach(self, instant: datetime, patience: Patience) -> Counter[str]:
        if self.ended:
            raise ChukanError("WORLD_RESET")
        if patience.left() <= 0:
            raise ChukanError("DEADLINE_EXCEEDED")
        self.clock.move_to(instant)
        ran = self.parts.run_due()
        if not self.parts.drain(patience.left()):
            raise ChukanError("DEADLINE_EXCEEDED")
        return ran
