# SPDX-License-Identifier: Apache-2.0
"""A cut of the drill, for real: what isn't noticed and what rings without cause are failures, and told apart."""

from __future__ import annotations

import dataclasses
import re
import signal
import threading
import time
import urllib.request
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chukan.client import Client
from chukan.command.demo.stage import ServerProcess
from chukan.drill.certificates import Certificates
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


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A loaded server and the files callers show it."""

    server: ServerProcess
    certificates: Certificates
    load: SteadyLoad

    def scraped(self) -> str:
        """Return what a scrape gets."""
        with urllib.request.urlopen(f"http://{self.server.metrics}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def gauges(self, name: str) -> dict[str, float]:
        """Return a gauge's values by the value of its one label."""
        found = re.findall(rf'^{name}\{{\w+="(\w+)"\}} (\S+)$', self.scraped(), re.MULTILINE)
        return {label: float(value) for label, value in found}


@pytest.fixture(scope="module")
def stage(whole_drill: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start a loaded server. The whole drill goes on beside it."""
    del whole_drill
    folder = tmp_path_factory.mktemp("drill")
    with ExitStack() as stack:
        write_people(folder, 200)
        tls = folder / "tls"
        server = ServerProcess(folder, options=("--tls", str(tls)))
        stack.callback(server.stop)
        certificates = Certificates(tls, expiring=tls / "server.pem")
        carry_people(folder, server.target, certificates)
        client = Client(server.target, organization=INQUIRER, tls=certificates.of(INQUIRER), retries=False)
        load = stack.enter_context(SteadyLoad(stack.enter_context(client), per_second=5))
        yield Stage(server, certificates, load)


@pytest.fixture(scope="module")
def play(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Result]]:
    """Watch the server, and play scenarios with hands against it when called."""
    with Webhook() as webhook:
        watching = Stack(
            MONITORING,
            tmp_path_factory.mktemp("watching"),
            metrics=stage.server.metrics,
            webhook=webhook.url,
            interval=1,
            scale=120,
        )
        pace = Pace(120, notice_slack=3, quiet=timedelta(minutes=5))

        def run(hands: type[Hands], *scenarios: object, **slower: Any) -> Result:
            with hands(stage.server, stage.certificates) as playing:
                changed = dataclasses.replace(pace, **slower)
                rehearsal = Rehearsal(playing, webhook, Prometheus(watching.prometheus), stage.load, changed)
                return rehearsal.run(scenarios)  # type: ignore[arg-type]  # scenarios all

        with watching:
            yield run


@pytest.fixture(scope="module")
def hands(stage: Stage) -> Iterator[Hands]:
    """Hands for a test that watches nothing; one for all of them, for each counts what it sends."""
    with Hands(stage.server, stage.certificates) as ready:
        yield ready


def _becomes(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not (seen := true()) and time.monotonic() < until:
        time.sleep(0.1)
    return seen


def test_scrapes_that_come_too_late_are_no_server_that_is_down_and_a_fault_is_waited_for_again(
    play: Callable[..., Result], stage: Stage
) -> None:
    """As on a machine at other work: the process stands still, its port is open, scrapes are given up."""

    def halt(hands: Hands) -> None:
        fault.inject(hands)
        stage.server.signal(signal.SIGSTOP)
        going_on.start()

    fault = SCENARIOS["certificate-unreadable"]
    late = dataclasses.replace(fault, name="late", notice=timedelta(0), inject=halt)
    going_on = threading.Timer(8, stage.server.signal, (signal.SIGCONT,))
    try:
        result = play(Hands, late)
    finally:
        stage.server.signal(signal.SIGCONT)
        going_on.cancel()
    (outcome,) = result.outcomes

    assert outcome.verdict is Verdict.PASSED
    assert outcome.false_alarms == ()
    assert outcome.noticed[0].detected is not None
    assert outcome.noticed[0].detected > 8
    assert result.passed
    assert result.scrapes is not None
    assert 5 <= result.scrapes.late < result.scrapes.count
    assert result.scrapes.given_up_after == 1


def test_an_inquiry_staff_leave_waits_until_two_people_have_decided(stage: Stage, hands: Hands) -> None:
    def waited() -> float:
        return stage.gauges("chukan_oldest_open_inquiry_seconds")["waiting_for_approval"]

    assert waited() == 0
    SCENARIOS["approval-waiting"].inject(hands)
    assert _becomes(lambda: waited() > 1)
    SCENARIOS["approval-waiting"].heal(hands)
    assert _becomes(lambda: waited() == 0)


def test_a_damaged_certificate_is_a_gauge_that_cannot_be_read_until_it_is_there_again(
    stage: Stage, hands: Hands
) -> None:
    kinds = {"tls", "tls_authority"}
    assert set(stage.gauges("chukan_certificate_expiry_timestamp_seconds")) == kinds
    assert "\nchukan_unreadable_gauges 0.0\n" in stage.scraped()
    SCENARIOS["certificate-unreadable"].inject(hands)
    assert not stage.gauges("chukan_certificate_expiry_timestamp_seconds")
    assert "\nchukan_unreadable_gauges 1.0\n" in stage.scraped()
    SCENARIOS["certificate-unreadable"].heal(hands)
    assert set(stage.gauges("chukan_certificate_expiry_timestamp_seconds")) == kinds


def test_a_night_brings_something_new_of_every_kind(stage: Stage, hands: Hands) -> None:
    """What stands already and is sent again is no arrival."""

    def last() -> dict[str, float]:
        return stage.gauges("chukan_replica_last_success_timestamp_seconds")

    for _ in range(2):
        before = last()
        SCENARIOS["replicas-absent"].inject(hands)
        after = last()
        assert len(after) >= 4
        assert all(after[kind] > at for kind, at in before.items())


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
    """The last one here: its fault stays."""
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
