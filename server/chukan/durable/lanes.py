# SPDX-License-Identifier: Apache-2.0
"""Which lane of an outbox runs next: lanes are served in turn, one batch at a time, and woken by rows or by time.

A lane is one kind of work for one organization. A lane that failed for its peer's sake is suspect: suspect lanes share
half of the workers, so that unreachable peers never take the ones the others need.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lane", "Lanes"]

_SECOND: Final = 1_000_000
_LONGEST_SLEEP: Final = 3_600.0


class _State(Enum):
    IDLE = auto()
    QUEUED = auto()
    RUNNING = auto()


class Lane:
    """One lane's place in the order; limit is how many rows its next batch may have."""

    __slots__ = ("again", "kind", "later", "limit", "organization", "resume_at", "state", "suspect", "wake_at")

    def __init__(self, organization: str, kind: str, limit: int) -> None:
        self.organization = organization
        self.kind = kind
        self.limit = limit
        self.state = _State.IDLE
        self.again = False
        self.later = False
        self.suspect = False
        self.resume_at = 0
        self.wake_at: int | None = None


class Lanes:
    """The lanes of one dispatcher; now returns the clock's instant as stored."""

    def __init__(self, *, now: Callable[[], int], workers: int, batch: int) -> None:
        self._now = now
        self._batch = batch
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._time = threading.Condition(self._lock)
        self._quiet = threading.Condition(self._lock)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._ready: deque[Lane] = deque()
        self._suspects: deque[Lane] = deque()
        self._suspects_running = 0
        self._suspects_most = max(1, workers // 2)
        self._timers: list[tuple[int, int, Lane]] = []
        self._timer_count = 0
        self._busy = 0
        self._open = True

    def touch(self, rows: list[tuple[str, str, int]]) -> None:
        """Wake the lanes of these rows (organization, kind, due), now or when they are due."""
        now = self._now()
        with self._lock:
            for organization, kind, due in rows:
                lane = self._lanes.get((organization, kind))
                if lane is None:
                    lane = self._lanes[organization, kind] = Lane(organization, kind, self._batch)
                if due > now:
                    self._schedule(lane, due)
                else:
                    self._wake(lane, now)

    def take(self) -> Lane | None:
        """Wait for a lane to run; None when the dispatcher stops."""
        with self._lock:
            while self._open:
                if self._ready:
                    return self._start(self._ready.popleft())
                if self._suspects and self._suspects_running < self._suspects_most:
                    self._suspects_running += 1
                    return self._start(self._suspects.popleft())
                self._work.wait()
            return None

    def release(self, lane: Lane, *, was_suspect: bool, more: bool, next_due: int | None) -> None:
        """Take a lane back: more asks for another turn at once, next_due for one then."""
        now = self._now()
        with self._lock:
            if was_suspect:
                self._suspects_running -= 1
                if self._suspects:
                    self._work.notify()
            self._busy -= 1
            again = more or lane.again
            lane.state, lane.again = _State.IDLE, False
            if next_due is not None:
                self._schedule(lane, next_due)
            if again:
                self._wake(lane, now)
            if not self._busy:
                self._quiet.notify_all()

    def rest(self, lane: Lane, seconds: float) -> None:
        """Let rows gather on a lane that got some while it ran, unless other lanes have work."""
        with self._lock:
            if lane.again:
                self._work.wait_for(lambda: self._ready or not self._open, seconds)

    def pause(self, lane: Lane, until: int) -> None:
        """Leave a lane alone until then, whatever arrives; half of the workers serve it from now on."""
        with self._lock:
            lane.suspect = True
            lane.resume_at = until
            self._schedule(lane, until)

    def fire(self) -> int:
        """Wake the lanes whose time has come and return how many."""
        now = self._now()
        fired = 0
        with self._lock:
            while self._timers and self._timers[0][0] <= now:
                due, _, lane = heapq.heappop(self._timers)
                if lane.wake_at == due:
                    lane.wake_at, lane.later = None, True
                    self._wake(lane, now)
                    fired += 1
        return fired

    def next_due(self) -> int | None:
        """Return when the next lane that waits for time is to be woken; None when none is."""
        with self._lock:
            while self._timers and self._timers[0][2].wake_at != self._timers[0][0]:
                heapq.heappop(self._timers)  # woken or set earlier since
            return self._timers[0][0] if self._timers else None

    def sleep(self) -> bool:
        """Wait until a lane may be due or an earlier one is set; False when the dispatcher stops."""
        with self._lock:
            if self._open:
                wait = (self._timers[0][0] - self._now()) / _SECOND if self._timers else _LONGEST_SLEEP
                if wait > 0:
                    self._time.wait(min(wait, _LONGEST_SLEEP))
            return self._open

    def quiet(self, timeout: float | None) -> bool:
        """Wait until no lane runs or is about to."""
        with self._lock:
            return self._quiet.wait_for(lambda: not self._busy or not self._open, timeout) and not self._busy

    def close(self) -> None:
        """Give out no more lanes."""
        with self._lock:
            self._open = False
            for condition in (self._work, self._time, self._quiet):
                condition.notify_all()

    def _start(self, lane: Lane) -> Lane:
        lane.state = _State.RUNNING
        return lane

    def _wake(self, lane: Lane, now: int) -> None:
        if lane.resume_at > now:
            return
        if lane.state is _State.RUNNING:
            lane.again = True
        elif lane.state is _State.IDLE:
            lane.state = _State.QUEUED
            self._busy += 1
            (self._suspects if lane.suspect else self._ready).append(lane)
            self._work.notify()

    def _schedule(self, lane: Lane, due: int) -> None:
        lane.later = True
        due = max(due, lane.resume_at)
        if lane.wake_at is None or due < lane.wake_at:
            lane.wake_at = due
            self._timer_count += 1
            heapq.heappush(self._timers, (due, self._timer_count, lane))
            self._time.notify()
