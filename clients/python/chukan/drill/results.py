# SPDX-License-Identifier: Apache-2.0
"""What came of a drill."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chukan.drill.scenarios import Scenario

__all__ = ["Noticed", "Outcome", "Quiet", "Result", "Scrapes", "Verdict"]


class Verdict(StrEnum):
    """What is to be said of a scenario, the worst first."""

    SILENT = "silent"
    """An alert did not come within its time."""
    UNRESOLVED = "unresolved"
    """It came and did not go within its time."""
    STRUCK_NOTHING = "struck_nothing"
    """The fault met no call: what rang, rang for something else."""
    WENT_EARLY = "went_early"
    """The alert was gone before the fault was: it did not ring for it, or not long enough."""
    FALSE_ALARM = "false_alarm"
    """Another one rang that nothing of the fault explains."""
    NOT_RUN = "not_run"
    """What was before it would not end."""
    NOT_OFFERED = "not_offered"
    """The emulator has no such fault."""
    PASSED = "passed"


@dataclass(slots=True)
class Noticed:
    """One expected alert: seconds from the fault to its arrival, and from the fault's end to its going.

    stretch: seconds its rule waits longer in the drill than its shipped wait divided by the scale.
    """

    alert: str
    stretch: float = 0.0
    detected: float | None = None
    resolved: float | None = None
    """Below zero: it was gone before the fault was taken away."""

    @property
    def verdict(self) -> Verdict:
        """What is to be said of this alert alone."""
        if self.detected is None:
            return Verdict.SILENT
        if self.resolved is None:
            return Verdict.UNRESOLVED
        return Verdict.WENT_EARLY if self.resolved < 0 else Verdict.PASSED

    def shipped(self, scale: float) -> tuple[float | None, float | None]:
        """Return what both are at the shipped times: calculated, not measured."""
        detected = None if self.detected is None else max(0.0, self.detected - self.stretch) * scale
        return detected, None if self.resolved is None else self.resolved * scale


@dataclass(slots=True)
class Outcome:
    """A scenario and what was seen."""

    scenario: Scenario
    noticed: list[Noticed] = field(default_factory=list)
    companions: tuple[str, ...] = ()
    false_alarms: tuple[str, ...] = ()
    struck: int = 0
    """Calls the fault struck, as the emulator counted."""
    again: int = 0
    """How often its alerts were waited for once more, because scrapes came too late."""
    skipped: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        """What is to be said of it."""
        if self.skipped is not None:
            return self.skipped
        said = {Verdict.PASSED, *(each.verdict for each in self.noticed)}
        if self.scenario.kind and not self.struck:
            said.add(Verdict.STRUCK_NOTHING)
        if self.false_alarms:
            said.add(Verdict.FALSE_ALARM)
        return next(verdict for verdict in Verdict if verdict in said)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A control period without a fault: how long, and what rang all the same."""

    seconds: float
    false_alarms: tuple[str, ...]
    answered: int
    """Calls of the load that were answered meanwhile: silence over a standing load would prove nothing."""

    @property
    def passed(self) -> bool:
        """Whether nothing rang over a server at work."""
        return not self.false_alarms and self.answered > 0


@dataclass(frozen=True, slots=True)
class Scrapes:
    """How often the server was scraped, and how many of these were given up, after so many seconds, as too late."""

    count: int
    late: int
    given_up_after: float


@dataclass(slots=True)
class Result:
    """The whole drill."""

    scale: float
    outcomes: list[Outcome] = field(default_factory=list)
    quiet: list[Quiet] = field(default_factory=list)
    scrapes: Scrapes | None = None

    @property
    def passed(self) -> bool:
        """Whether every fault was noticed by its alert, and nothing else rang. What was left out has not passed."""
        return (
            bool(self.outcomes)
            and all(each.verdict is Verdict.PASSED for each in self.outcomes)
            and bool(self.quiet)
            and all(each.passed for each in self.quiet)
        )
