# SPDX-License-Identifier: Apache-2.0
"""A cut of the drill, for real: what isn't noticed and what rings without cause are failures, and told apart."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.drill.hands import Hands
from chukan.drill.load import INQUIRER, SteadyLoad, carry_people, write_people
from chukan.drill.prometheus import Prometheus
from chukan.drill.rehearsal import Pace, Rehearsal
from chukan.drill.results import Verdict
from chukan.drill.scenarios import SCENARIOS
from chukan.drill.webhook import Webhook
from chukan.monitoring.stack import Stack
from tests.monitoring.conftest import MONITORING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chukan.drill.results import Result
    from tests.drill.conftest import Running

ASK = "chukan.v1.InquiryService/CreateInquiry"


def _unforeseen(hands: Hands) -> None:
    hands.add("STATUS", method=ASK, parameters={"reason": "INTERNAL_ERROR"}, once=True)


def _forge_and_more(hands: Hands) -> None:
    SCENARIOS["forged-permits"].inject(hands)
    _unforeseen(hands)


SILENT = dataclasses.replace(
    SCENARIOS["slow-answers"],
    name="hardly-slow",
    notice=timedelta(0),
    inject=lambda hands: hands.add("DELAY", method=ASK, parameters={"delay": "0.01s"}),
)
"""Ten milliseconds are no fault an alert would tell."""
WITH_ANOTHER = dataclasses.replace(SCENARIOS["forged-permits"], name="forged-and-more", inject=_forge_and_more)
LASTING = dataclasses.replace(SCENARIOS["forged-permits"], name="lasting", resolve=timedelta(0), heal=lambda _: None)
"""Nobody takes this fault away."""
ABSENT = dataclasses.replace(SCENARIOS["overload"], name="absent", kind="NO_SUCH_FAULT")


class Treacherous(Hands):
    """Hands that break something as soon as the first quiet period begins."""

    def kinds(self) -> set[str]:
        _unforeseen(self)
        return super().kinds()


@pytest.fixture(scope="module")
def play(whole_drill: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Result]]:
    """Everything a drill needs, running; called with hands and scenarios. The whole drill goes on beside it."""
    del whole_drill
    folder = tmp_path_factory.mktemp("drill")
    with ExitStack() as stack:
        webhook = stack.enter_context(Webhook())
        write_people(folder, 200)
        server = ServerProcess(folder)
        stack.callback(server.stop)
        carry_people(folder, server.target)
        stacked = Stack(MONITORING, folder, metrics=server.metrics, webhook=webhook.url, interval=1, scale=120)
        watching = stack.enter_context(stacked)
        client = stack.enter_context(Client(server.target, organization=INQUIRER, retries=False))
        load = stack.enter_context(SteadyLoad(client, per_second=5))
        pace = Pace(120, notice_slack=3, quiet=timedelta(minutes=5))

        def run(hands: type[Hands], *scenarios: object, **slower: Any) -> Result:
            with hands(server) as playing:
                changed = dataclasses.replace(pace, **slower)
                rehearsal = Rehearsal(playing, webhook, Prometheus(watching.prometheus), load, changed)
                return rehearsal.run(scenarios)  # type: ignore[arg-type]  # scenarios all

        yield run


def test_a_silent_fault_and_a_false_alarm_are_reported_as_such(play: Callable[..., Result]) -> None:
    result = play(Hands, SILENT, WITH_ANOTHER, ABSENT)
    silent, forged, absent = result.outcomes

    assert silent.verdict is Verdict.SILENT
    assert silent.struck > 0
    assert silent.false_alarms == ()
    assert forged.verdict is Verdict.FALSE_ALARM
    assert forged.false_alarms == ("ChukanUnexpectedErrors",)
    assert forged.noticed[0].detected is not None
    assert 0 < forged.noticed[0].detected < 8
    assert forged.noticed[0].resolved is not None
    assert 5 < forged.noticed[0].resolved < 20  # the rule looks back 7.5 s
    assert absent.verdict is Verdict.NOT_OFFERED
    assert [each.passed for each in result.quiet] == [True, True, True]
    assert not result.passed


def test_what_rings_in_a_quiet_period_and_what_does_not_go_is_reported_and_ends_the_drill(
    play: Callable[..., Result],
) -> None:
    late = timedelta(minutes=16)  # a busy machine tells it late
    result = play(Treacherous, LASTING, SCENARIOS["overload"], resolve_slack=1.0, settle=timedelta(0), quiet=late)
    lasting, after = result.outcomes
    first, second = result.quiet

    assert first.false_alarms == ("ChukanUnexpectedErrors",)
    assert lasting.verdict is Verdict.UNRESOLVED
    assert lasting.noticed[0].detected is not None
    assert lasting.false_alarms == ()
    assert "ChukanVerificationFailed" in second.false_alarms
    assert after.verdict is Verdict.NOT_RUN
    assert not result.passed
