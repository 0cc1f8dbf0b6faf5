# SPDX-License-Identifier: Apache-2.0
"""The catalogue names faults, alerts and companions that exist, and leaves no shipped alert unmentioned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from chukan.drill.scenarios import NOT_DRILLED, SCENARIOS
from chukan.monitoring.scaling import seconds_of
from chukan.server.emulator.fault import KINDS
from tests.monitoring.conftest import MONITORING, ROOT

if TYPE_CHECKING:
    from chukan.drill.scenarios import Scenario

ALERTS = (MONITORING / "prometheus" / "rules" / "alerts.yml").read_text("utf-8")
SHIPPED = re.findall(r"^ +- alert: (\w+)$", ALERTS, re.MULTILINE)
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龯]")


def test_the_page_lists_every_scenario_with_its_alerts_and_companions() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    listed = re.findall(r"^\| `([a-z-]+)`: [^|]+ \| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)

    assert [name for name, _, _ in listed if not SCENARIOS[name].long] == [
        name for name, scenario in SCENARIOS.items() if not scenario.long
    ]
    assert {name for name, _, _ in listed} == set(SCENARIOS)
    for name, alerts, companions in listed:
        assert alerts.split(", ") == list(SCENARIOS[name].alerts)
        assert set(companions.split(", ")) == (SCENARIOS[name].companions or {"–"})


def test_every_shipped_alert_is_drilled_or_said_why_not() -> None:
    drilled = {alert for scenario in SCENARIOS.values() for alert in scenario.alerts}

    assert SHIPPED
    assert drilled | set(NOT_DRILLED) == set(SHIPPED)
    assert not drilled & set(NOT_DRILLED)
    for english, japanese in NOT_DRILLED.values():
        assert english
        assert not JAPANESE.search(english)
        assert JAPANESE.search(japanese)


def test_the_page_names_what_is_not_drilled_and_nothing_else_as_such() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    told = page.split("Not drilled, and told so: ")[1].split(".")[0]

    assert set(told.split(", ")) == set(NOT_DRILLED)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_a_scenario_names_what_exists_in_both_languages(scenario: Scenario) -> None:
    assert SCENARIOS[scenario.name] is scenario
    assert scenario.kind in {"", *KINDS}
    assert scenario.alerts
    assert scenario.companions <= set(SHIPPED) - set(scenario.alerts)
    assert not JAPANESE.search(scenario.english)
    assert JAPANESE.search(scenario.japanese)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_a_scenario_gives_its_alerts_the_time_their_rules_wait(scenario: Scenario) -> None:
    """A limit shorter than `for` would call every drill silent; one of many minutes would make nobody wait for it."""
    for alert in scenario.alerts:
        rule = ALERTS.split(f"- alert: {alert}\n")[1].split("- alert:")[0]
        waits = re.search(r"^ +for: (\S+)$", rule, re.MULTILINE)
        least = seconds_of(waits[1]) if waits else 0
        assert least < scenario.notice.total_seconds()
    assert scenario.notice.total_seconds() / scenario.scale <= (240 if scenario.long else 60)
