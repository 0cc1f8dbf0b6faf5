# SPDX-License-Identifier: Apache-2.0
"""Rules with time running faster: every duration and every age is divided, nothing else is touched."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chukan.monitoring.scaling import AGES, scale_alertmanager, scale_rules, seconds_of, stretches
from tests.monitoring.conftest import MONITORING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.monitoring.conftest import Rules

FILES = sorted((MONITORING / "prometheus" / "rules").glob("*.yml"))
ALERTMANAGER = (MONITORING / "alertmanager" / "alertmanager.yml").read_text("utf-8")
FACTORS = [1, 7.5, 60, 120]
RANGE = re.compile(r"(?<=\[)[0-9a-z]+(?=\])")
SECONDS = re.compile(r"\bchukan[a-z0-9_:]*seconds[a-z0-9_:]*")
NO_AGES = {"chukan:call_seconds:p99_5m"}
"""How long a call takes is no waiting: calls don't become quicker."""


def _rules(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def _age(name: str) -> re.Pattern[str]:
    return re.compile(rf"{name}(?:\{{[^}}]*\}})?(?: - time\(\))? [<>]=? ([0-9][0-9 */.]*[0-9]|[0-9])")


def _value(product: str) -> float:
    numbers = [float(each) for each in re.findall(r"[0-9.]+", product.replace("/", "*"))]
    operators = re.findall(r"[*/]", product)
    value = numbers[0]
    for operator, number in zip(operators, numbers[1:], strict=True):
        value = value * number if operator == "*" else value / number
    return value


def _bare(expression: str) -> str:
    """Return an expression without its durations and ages."""
    for name in AGES:
        expression = _age(name).sub(f"{name} AGE", expression)
    return RANGE.sub("DURATION", expression)


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_durations_and_ages_are_divided_and_nothing_else_is_touched(file: Path, factor: float) -> None:
    shipped = file.read_text("utf-8")
    pairs = list(zip(_rules(shipped), _rules(scale_rules(shipped, factor)), strict=True))

    assert pairs
    for before, after in pairs:
        assert {**after, "for": "", "expr": ""} == {**before, "for": "", "expr": ""}
        assert ("for" in after) == ("for" in before)
        assert _bare(after["expr"]) == _bare(before["expr"])
        ours = [seconds_of(each) for each in [*RANGE.findall(after["expr"]), *_for(after)]]
        theirs = [seconds_of(each) for each in [*RANGE.findall(before["expr"]), *_for(before)]]
        assert ours == pytest.approx([each / factor for each in theirs], abs=0.0005)
        for name in AGES:
            limits = [_value(each) / factor for each in _age(name).findall(before["expr"])]
            assert [_value(each) for each in _age(name).findall(after["expr"])] == pytest.approx(limits)


def _for(rule: dict[str, Any]) -> list[str]:
    return [rule["for"]] if "for" in rule else []


def test_no_wait_is_made_shorter_than_some_scrapes_and_it_says_by_how_much_it_is_longer(rules: Rules) -> None:
    shipped = (MONITORING / "prometheus" / "rules" / "alerts.yml").read_text("utf-8")
    scaled = {rule["alert"]: rule for rule in _rules(scale_rules(shipped, 120, least=2))}
    longer = stretches(shipped, 120, least=2)

    assert set(longer) == set(rules.alerts)
    assert {name for name, seconds in longer.items() if seconds} == {
        "ChukanDown",
        "ChukanCallsFailFast",
        "ChukanLaneHeld",
    }
    for name, alert in rules.alerts.items():
        if "for" in alert:
            waits = seconds_of(scaled[name]["for"])
            assert waits == pytest.approx(max(2, seconds_of(alert["for"]) / 120))
            assert longer[name] == pytest.approx(waits - seconds_of(alert["for"]) / 120)


def test_a_rule_that_waits_for_scrapes_waits_for_some_seconds_at_any_scale_and_no_other_does(rules: Rules) -> None:
    """On a machine at other work scrapes of a short interval are given up, and the server is not down."""
    shipped = (MONITORING / "prometheus" / "rules" / "alerts.yml").read_text("utf-8")
    for factor in (2, 120):
        limited, plain = (
            {rule["alert"]: rule for rule in _rules(scale_rules(shipped, factor, least=2, patience=seconds))}
            for seconds in (10, 0)
        )
        longer = stretches(shipped, factor, least=2, patience=10)
        for name, alert in rules.alerts.items():
            if re.search(r"\bup\{", alert["expr"]):
                wait = max(10, seconds_of(alert["for"]) / factor)
                assert seconds_of(limited[name]["for"]) == wait
                assert longer[name] == wait - seconds_of(alert["for"]) / factor
            else:
                assert limited[name] == plain[name]
                assert longer[name] == stretches(shipped, factor, least=2)[name]


def test_every_age_is_compared_somewhere(rules: Rules) -> None:
    """Else the list of ages has one the rules don't know, and the test above would pass over it."""
    for name in AGES:
        assert any(_age(name).search(alert["expr"]) for alert in rules.alerts.values()), name


def test_whatever_a_rule_asks_in_seconds_is_known_to_be_an_age_or_none(rules: Rules) -> None:
    """A new rule over a new age would else wait as long as shipped, and a drill would call it silent."""
    asked = {name for alert in rules.alerts.values() for name in SECONDS.findall(alert["expr"])}

    assert asked == set(AGES) | NO_AGES


def test_comments_and_names_that_look_like_durations_stay() -> None:
    text = "# waits [5m]\n- record: chukan:calls:rate5m\n  expr: rate(x[5m] offset 1h) + chukan:calls:rate5m[1h:5m]\n"

    assert scale_rules(text, 60) == (
        "# waits [5m]\n- record: chukan:calls:rate5m\n"
        "  expr: rate(x[5000ms] offset 60000ms) + chukan:calls:rate5m[60000ms:5000ms]\n"
    )


def test_rules_scaled_by_one_pass_every_shipped_case(tool: Callable[[str], str], tmp_path: Path) -> None:
    """They mean the same to Prometheus, though they are written in milliseconds."""
    (tmp_path / "rules").mkdir()
    for file in FILES:
        scaled = scale_rules(file.read_text("utf-8"), 1)
        assert scaled != file.read_text("utf-8")
        (tmp_path / "rules" / file.name).write_text(scaled, "utf-8")
    cases = shutil.copytree(MONITORING / "prometheus" / "tests", tmp_path / "tests")

    run = subprocess.run(
        [tool("promtool"), "test", "rules", *sorted(each.name for each in cases.glob("*.yml"))],
        cwd=cases,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("factor", FACTORS)
def test_scaled_files_are_understood_by_their_programs(
    factor: float, tool: Callable[[str], str], tmp_path: Path
) -> None:
    for file in FILES:
        (tmp_path / file.name).write_text(scale_rules(file.read_text("utf-8"), factor), "utf-8")
    (tmp_path / "alertmanager").write_text(scale_alertmanager(ALERTMANAGER, factor), "utf-8")

    for command in (
        [tool("promtool"), "check", "rules", *(file.name for file in FILES)],
        [tool("amtool"), "check-config", "alertmanager"],
    ):
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("factor", FACTORS)
def test_waits_of_alertmanager_are_divided_and_nothing_else_is_touched(factor: float) -> None:
    wait = re.compile(r"^(\s*(?:group_wait|group_interval|repeat_interval): )(\S+)$", re.MULTILINE)
    scaled = scale_alertmanager(ALERTMANAGER, factor)

    assert wait.sub(r"\1", scaled) == wait.sub(r"\1", ALERTMANAGER)
    shipped = [seconds_of(each) for _, each in wait.findall(ALERTMANAGER)]
    assert len(shipped) == 5
    assert [seconds_of(each) for _, each in wait.findall(scaled)] == pytest.approx(
        [each / factor for each in shipped], abs=0.0005
    )


@pytest.mark.parametrize("wrong", ["", "5", "m", "5 m", "-5m", "5m "])
def test_what_is_no_duration_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds_of(wrong)
