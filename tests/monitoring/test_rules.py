# SPDX-License-Identifier: Apache-2.0
"""Every alert is told in two languages, has a page, and was seen firing and silent; every recording was seen too."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chukan.monitoring import VERIFICATION, WATCHED
from chukan.standard.reasons import all_reasons
from tests.monitoring.conftest import MONITORING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.monitoring.conftest import Rules

FILES = sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龯]")


def _cases() -> list[dict[str, Any]]:
    return [case for file in FILES for case in yaml.safe_load(file.read_text("utf-8"))["tests"]]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rules_do_what_their_cases_say(file: Path, tool: Callable[[str], str]) -> None:
    run = subprocess.run(
        [tool("promtool"), "test", "rules", file.name], cwd=file.parent, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_configurations_are_understood_by_their_programs(tool: Callable[[str], str]) -> None:
    for command in (
        [tool("promtool"), "check", "config", "prometheus/prometheus.yml"],
        [tool("amtool"), "check-config", "alertmanager/alertmanager.yml"],
    ):
        run = subprocess.run(command, cwd=MONITORING, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(rules: Rules) -> None:
    seen = {
        (test["alertname"], bool(test.get("exp_alerts")))
        for case in _cases()
        for test in case.get("alert_rule_test", [])
    }

    assert seen == {(name, fires) for name in rules.alerts for fires in (True, False)}


def test_every_recording_has_a_case_with_a_value_and_one_without_or_at_rest(rules: Rules) -> None:
    tests = [test for case in _cases() for test in case.get("promql_expr_test", [])]
    for name in rules.recorded:
        values = [
            any(sample["value"] for sample in test["exp_samples"] or []) for test in tests if test["expr"] == name
        ]
        assert sorted(set(values)) == [False, True], name


def test_every_alert_says_what_is_wrong_in_both_languages(rules: Rules) -> None:
    for name, alert in rules.alerts.items():
        texts = alert["annotations"]
        assert alert["labels"]["severity"] in {"critical", "warning"}, name
        assert texts["summary"], name
        assert texts["description"], name
        assert not JAPANESE.search(texts["summary"] + texts["description"]), name
        assert JAPANESE.search(texts["summary_ja"]), name
        assert JAPANESE.search(texts["description_ja"]), name
        assert texts["runbook_url"] == f"monitoring/runbooks/{name}.md"


def test_reasons_that_rules_ask_for_exist_and_stand_at_zero_from_the_start(rules: Rules) -> None:
    """A counter that begins with 1 shows no increase: the first event would be missed."""
    named = {
        reason
        for expression in rules.expressions
        for value in re.findall(r'reason=~?"([^"]+)"', expression)
        for reason in value.split("|")
    }

    assert named <= set(WATCHED)
    assert set(VERIFICATION) <= named
    assert set(WATCHED) <= {reason.code for reason in all_reasons()}


def test_an_alert_that_divides_calls_or_inquiries_has_a_guard_against_few_of_them(rules: Rules) -> None:
    for name in ("ChukanCallsFailFast", "ChukanCallsFailSlow", "ChukanInquiriesTimeOut"):
        assert re.search(r">= \d+$", rules.alerts[name]["expr"].strip()), name
