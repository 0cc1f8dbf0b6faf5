# SPDX-License-Identifier: Apache-2.0
"""The overview: every organization served here at one look, each with what could be read or why it couldn't."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.console.inquiries import OPEN_STATES
from chukan.server.console.organizations import lanes_of, status_of
from chukan.server.console.problem import problem_of
from chukan.server.console.tally import Tally
from chukan.server.console.words import organization_name
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.server.console.callers import Callers
    from chukan.server.console.organizations import Lane, Status
    from chukan.server.console.problem import Problem
    from chukan.server.console.tally import Counts

__all__ = ["Look", "Overview", "Row"]

_AT_ONCE: Final = 4
"""Calls under way at a time: the services have other callers."""
_LOOK_SECONDS: Final = 5.0
_NOBODY: Final = frozenset({"PEER_UNREACHABLE", "DEADLINE_EXCEEDED"})
"""Who hears this from all asked first asks no more."""
_FRESH_SECONDS: Final = 2.0
"""Several open pages share one look."""


class Row(NamedTuple):
    """One organization: what was read, or the problem."""

    code: str
    name: str
    status: Status | None = None
    lanes: Sequence[Lane] = ()
    counts: Counts | None = None
    problem: Problem | None = None

    @property
    def active(self) -> bool:
        """Whether anything ever happened here."""
        return bool(self.lanes or (self.counts and (self.counts.states or self.counts.overflow)))

    @property
    def inquiries(self) -> Mapping[int, int]:
        """Inquiries by state."""
        return self.counts.states if self.counts else {}


class Look(NamedTuple):
    """What one look found."""

    rows: Sequence[Row]

    @property
    def problem(self) -> Problem | None:
        """The problem, if every organization has the same one: then it is the server's, and said once."""
        problems = {row.problem for row in self.rows}
        return problems.pop() if len(problems) == 1 else None

    @property
    def active(self) -> list[Row]:
        """Those with traffic, or a problem."""
        return [row for row in self.rows if row.active or row.problem]

    @property
    def quiet(self) -> list[Row]:
        """The others."""
        return [row for row in self.rows if not row.active and not row.problem]

    @property
    def lanes(self) -> list[Lane]:
        """Every lane, held ones first."""
        every = [lane for row in self.rows for lane in row.lanes]
        return sorted(every, key=lambda lane: (not lane.held, not lane.stuck))

    @property
    def counted(self) -> bool:
        """Whether every organization's inquiries were counted."""
        return all(row.counts is not None and row.counts.complete for row in self.rows)

    @property
    def open_inquiries(self) -> int | None:
        """Inquiries that are not finished; None if they were not counted everywhere."""
        every = sum(row.inquiries.get(state, 0) for row in self.rows for state in OPEN_STATES)
        return every if self.counted else None

    @property
    def all_inquiries(self) -> int | None:
        """Inquiries of every state; None if they were not counted everywhere."""
        return sum(sum(row.inquiries.values()) for row in self.rows) if self.counted else None

    @property
    def waiting(self) -> int | None:
        """Entries of the outbox that wait; None if that is not known everywhere."""
        if any(row.status is None for row in self.rows):
            return None
        return sum(row.status.waiting for row in self.rows if row.status)


class Overview:
    """Looks at all organizations."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._tallies = {code: Tally() for code in callers.organizations}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="chukan-console-look")
        self._lock = threading.Lock()
        self._last: Look | None = None
        self._at = 0.0

    def look(self) -> Look:
        """Return a look that is at most some seconds old."""
        with self._lock:
            if self._last is None or monotonic() - self._at > _FRESH_SECONDS:
                self._last = Look(self._rows())
                self._at = monotonic()
            return self._last

    def counts(self, organization: str) -> Counts:
        """Count one organization's inquiries. Errors: those of the RPCs."""
        client = self._callers.of(organization)
        return self._tallies[organization].look(client)

    def close(self) -> None:
        """End the looks."""
        self._pool.shutdown(cancel_futures=True)

    def _rows(self) -> list[Row]:
        """Ask for some, and for the others unless nobody answers; who takes too long is not known."""
        codes, until = self._callers.organizations, monotonic() + _LOOK_SECONDS
        rows = self._within(codes[:_AT_ONCE], until)
        problems = {row.problem for row in rows}
        only = problems.pop() if len(problems) == 1 else None
        if only is not None and only.code in _NOBODY:
            return rows + [Row(code, organization_name(code), problem=only) for code in codes[_AT_ONCE:]]
        return rows + self._within(codes[_AT_ONCE:], until)

    def _within(self, codes: Sequence[str], until: float) -> list[Row]:
        asked = {code: self._pool.submit(self._row, code) for code in codes}
        wait(asked.values(), timeout=max(until - monotonic(), 0))
        late = problem_of(ChukanError("DEADLINE_EXCEEDED"))
        rows = []
        for code, row in asked.items():
            row.cancel()
            done = row.done() and not row.cancelled()
            rows.append(row.result() if done else Row(code, organization_name(code), problem=late))
        return rows

    def _row(self, code: str) -> Row:
        name = organization_name(code)
        try:
            client = self._callers.of(code)
            return Row(code, name, status_of(client), lanes_of(client, code), self.counts(code))
        except ChukanError as error:
            return Row(code, name, problem=problem_of(error))
