# SPDX-License-Identifier: Apache-2.0
"""The drill itself: quiet, fault, alert, healed, resolved, quiet again; one scenario after another."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from chukan.drill.results import Noticed, Outcome, Quiet, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chukan.drill.hands import Hands
    from chukan.drill.load import SteadyLoad
    from chukan.drill.prometheus import Prometheus
    from chukan.drill.scenarios import Scenario
    from chukan.drill.webhook import Webhook

__all__ = ["Pace", "Rehearsal"]

_FIRST_QUIET: Final = timedelta(minutes=10)
_QUIET: Final = timedelta(minutes=5)
_LEAST_QUIET: Final = 2.0
_SETTLE: Final = timedelta(minutes=45)
_AGAIN: Final = timedelta(hours=1)
"""The longest `for`: so long a rule waits once more if a scrape that came too late broke off its waiting."""
_TIMES_AGAIN: Final = 3
_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast time runs, and what it takes that no scale makes shorter.

    notice_slack: scraping, evaluating and telling. resolve_slack: the pauses between a server's attempts, a minute at
    most, and its start. quiet: the control period before the first fault, at the shipped times. stretches: seconds by
    which alerts wait longer than their shipped wait divided by the scale. settle: the longest that what the rules look
    back on rings after a fault is gone: half an hour, and a quarter to wait.
    """

    scale: float
    notice_slack: float = 15.0
    resolve_slack: float = 90.0
    quiet: timedelta = _FIRST_QUIET
    settle: timedelta = _SETTLE
    stretches: Mapping[str, float] = field(default_factory=dict)

    def seconds(self, shipped: timedelta) -> float:
        """Return how long a time of the shipped rules takes here."""
        return shipped.total_seconds() / self.scale


class Rehearsal:
    """Plays scenarios against what is running. tell: called with each outcome as soon as it is known."""

    def __init__(
        self,
        hands: Hands,
        webhook: Webhook,
        prometheus: Prometheus,
        load: SteadyLoad,
        pace: Pace,
        *,
        tell: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._hands = hands
        self._webhook = webhook
        self._prometheus = prometheus
        self._load = load
        self._pace = pace
        self._tell = tell

    def run(self, scenarios: Iterable[Scenario]) -> Result:
        """Play all; what comes after a scenario whose alerts won't go is not run."""
        result = Result(self._pace.scale)
        begun = time.monotonic()
        self._warm_up()
        kinds = self._hands.kinds()
        result.quiet.append(self._keep_quiet(self._pace.quiet))
        settled = True
        for scenario in scenarios:
            if scenario.kind and scenario.kind not in kinds:
                outcome = Outcome(scenario, skipped=Verdict.NOT_OFFERED)
            elif not settled:
                outcome = Outcome(scenario, skipped=Verdict.NOT_RUN)
            else:
                outcome, settled = self._play(scenario)
                result.quiet.append(self._keep_quiet(_QUIET))
            result.outcomes.append(outcome)
            self._tell(outcome)
        result.scrapes = self._prometheus.scrapes(time.monotonic() - begun)
        return result

    def _warm_up(self) -> None:
        """Wait until all is seen and nothing rings: before the first scrape the server counts as down."""
        until = time.monotonic() + _START_SECONDS
        while not (self._prometheus.sees_the_server() and self._is_settled()):
            if time.monotonic() > until:
                message = f"no quiet start within {_START_SECONDS:.0f} s; alerts: {sorted(self._ringing()) or 'none'}"
                raise OSError(message)
            time.sleep(_POLL_SECONDS)

    def _keep_quiet(self, shipped: timedelta) -> Quiet:
        begun, answered = time.monotonic(), self._load.answered
        seconds = max(_LEAST_QUIET, self._pace.seconds(shipped))
        standing = self._webhook.firing()
        time.sleep(seconds)
        told = {notice.alert for notice in self._webhook.told(begun) if notice.firing}
        return Quiet(seconds, tuple(sorted(standing | told)), self._load.answered - answered)

    def _play(self, scenario: Scenario) -> tuple[Outcome, bool]:
        outcome = Outcome(scenario, [Noticed(alert, self._pace.stretches.get(alert, 0.0)) for alert in scenario.alerts])
        self._hands.struck = 0
        begun = time.monotonic()
        scenario.inject(self._hands)
        longer = max(each.stretch for each in outcome.noticed)
        outcome.again = self._await(set(scenario.alerts), begun, begun + self._pace.seconds(scenario.notice) + longer)
        healed = time.monotonic()
        scenario.heal(self._hands)
        outcome.struck = self._hands.struck
        deadline = healed + self._pace.seconds(scenario.resolve) + self._pace.resolve_slack
        self._webhook.wait(lambda: not self._webhook.firing() & set(scenario.alerts), deadline)
        for each in outcome.noticed:
            self._measure(each, begun, healed)
        settled = self._settle()
        others = self._fired(begun) - set(scenario.alerts)
        outcome.companions = tuple(sorted(others & scenario.companions))
        outcome.false_alarms = tuple(sorted(others - scenario.companions))
        return outcome, settled

    def _await(self, alerts: set[str], begun: float, expected: float) -> int:
        """Wait for alerts; once more if scrapes came too late meanwhile, and again if more did; return how often."""
        deadline, late = expected + self._pace.notice_slack, 0
        for again in range(_TIMES_AGAIN + 1):
            if self._webhook.wait(lambda: alerts <= self._fired(begun), deadline):
                return again
            before, late = late, self._prometheus.scrapes(time.monotonic() - begun).late
            if late == before:
                return again
            deadline = time.monotonic() + self._pace.seconds(_AGAIN) + self._pace.notice_slack
        return _TIMES_AGAIN

    def _measure(self, each: Noticed, begun: float, healed: float) -> None:
        told = [notice for notice in self._webhook.told(begun) if notice.alert == each.alert]
        first = next((notice.at for notice in told if notice.firing), None)
        if first is None or first > healed:  # what comes later is too late
            return
        each.detected = first - begun
        if each.alert not in self._webhook.firing():
            each.resolved = max(notice.at for notice in told if not notice.firing) - healed

    def _settle(self) -> bool:
        """Wait until nothing rings or is about to, and the load is answered again."""
        until = time.monotonic() + self._pace.seconds(self._pace.settle) + self._pace.resolve_slack
        answered = self._load.answered
        while time.monotonic() < until:
            if self._is_settled() and self._load.answered > answered:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _is_settled(self) -> bool:
        return not self._ringing()

    def _ringing(self) -> set[str]:
        return self._webhook.firing() | self._prometheus.alerts()

    def _fired(self, since: float) -> set[str]:
        return {notice.alert for notice in self._webhook.told(since) if notice.firing}
