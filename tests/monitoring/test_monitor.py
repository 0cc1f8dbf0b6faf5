# SPDX-License-Identifier: Apache-2.0
"""`make monitor`, for real: a loaded server, Prometheus, Alertmanager; every query has an answer; nothing is left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.monitoring.conftest import MONITORING, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.monitoring.conftest import Rules

SECONDS = 60.0
SERIES = 6_000
DOMAIN_SERIES = 400
"""Of what is ours, beside the calls' own: 24 kinds of replicas would add some hundred."""
LABELS = {"information", "kind", "profile", "reason", "state", "version", "le"}
CALL_LABELS = {"grpc_type", "grpc_service", "grpc_method", "grpc_code", "le"}
METRIC = re.compile(r"\b(?:chukan:[a-z0-9_:]+|(?:chukan|grpc_server)_[a-z0-9_]+)\b")
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
COMMAND = [sys.executable, str(ROOT / "scripts" / "monitor.py")]


@dataclass(frozen=True, slots=True)
class Monitored:
    """Where everything is reached."""

    where: dict[str, Any]

    def metrics(self) -> str:
        """Return what a scrape gets."""
        with urllib.request.urlopen(self.where["metrics"], timeout=10) as answer:  # noqa: S310  # loopback
            return str(answer.read().decode())

    def ask(self, path: str, **parameters: str) -> Any:
        """Ask Prometheus; its answer's data."""
        url = f"{self.where['prometheus']}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  # loopback
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def series(self, expression: str) -> int:
        """How many series an expression has now."""
        return len(self.ask("query", query=expression)["result"])


def _clean(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def _wait_for(holds: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def monitored(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """Run it with few people, end it as Ctrl-C does, and look whether anything is left."""
    tool("prometheus")
    tool("alertmanager")
    ready = tmp_path_factory.mktemp("ready") / "ready.json"
    temporary = tmp_path_factory.mktemp("monitor")
    command = [*COMMAND, "--people", "200", "--interval", "1", "--ready-file", str(ready)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_clean(TMPDIR=str(temporary))
    ) as running:
        try:
            _wait_for(lambda: ready.exists() or running.poll() is not None, "it did not start")
            assert running.poll() is None, running.stderr.read() if running.stderr else ""
            where = json.loads(ready.read_text("utf-8"))
            yield Monitored(where)
        finally:
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=SECONDS)

    assert running.returncode == 0
    assert said == ""
    assert not [pid for pid in where["pids"] if Path(f"/proc/{pid}").exists()]
    assert not list(temporary.iterdir())


def _queries() -> dict[str, str]:
    """Every query of the dashboards, by its panel's title."""
    found = {}
    for file in sorted((MONITORING / "grafana").glob("*.json")):
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", []):
                found[f"{file.stem}: {panel['title']} {target['refId']}"] = target["expr"]
    return found


def test_every_query_of_the_dashboards_has_data_under_load(monitored: Monitored) -> None:
    queries = _queries()
    assert len(queries) > 20

    def without_data() -> list[str]:
        return [name for name, expression in queries.items() if not monitored.series(expression)]

    _wait_for(lambda: not without_data(), f"no data: {without_data()}")


def test_metrics_of_rules_and_dashboards_are_served_or_recorded(monitored: Monitored, rules: Rules) -> None:
    text = monitored.metrics()
    served = {name for name, _, _ in SAMPLE.findall(text)} | set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    asked = {name for each in [*rules.expressions, *_queries().values()] for name in METRIC.findall(each)}

    assert asked - served - set(rules.recorded) == set()


def test_every_rule_is_evaluated_without_error_and_none_fires_over_a_healthy_server(
    monitored: Monitored, rules: Rules
) -> None:
    def evaluated() -> list[dict[str, Any]]:
        return [rule for group in monitored.ask("rules")["groups"] for rule in group["rules"]]

    _wait_for(lambda: all(rule["health"] == "ok" for rule in evaluated()), "rules not healthy")

    assert {rule["name"] for rule in evaluated()} == set(rules.alerts) | set(rules.recorded)
    assert [alert["labels"] for alert in monitored.ask("alerts")["alerts"]] == []


def test_prometheus_tells_alertmanager(monitored: Monitored) -> None:
    _wait_for(lambda: bool(monitored.ask("alertmanagers")["activeAlertmanagers"]), "no Alertmanager")


def test_the_console_shows_what_alertmanager_holds(monitored: Monitored) -> None:
    with urllib.request.urlopen(f"{monitored.where['console']}en/alerts", timeout=10) as answer:  # noqa: S310  # loopback
        page = answer.read().decode()

    assert "No alerts." in page
    assert "not known" not in page


def test_series_stay_within_their_budget_and_no_label_is_a_person_or_an_organization(monitored: Monitored) -> None:
    samples = [
        (name, re.findall(r'(\w+)="([^"]*)"', labels)) for name, labels, _ in SAMPLE.findall(monitored.metrics())
    ]
    ours = [(name, labels) for name, labels in samples if name.startswith("chukan_") and "late" not in name]

    assert len(samples) < SERIES
    assert len(ours) < DOMAIN_SERIES
    assert {label for _, labels in ours for label, _ in labels} <= LABELS
    assert {label for name, labels in samples if name.startswith("grpc_") for label, _ in labels} <= CALL_LABELS
    values = {value for _, labels in samples for _, value in labels}
    assert [value for value in values if re.search(r"\d{9,}", value) and not re.fullmatch(r"TM\d{14}", value)] == []


def test_without_prometheus_it_says_so_in_a_sentence_and_ends_with_1(tmp_path: Path) -> None:
    for more, sentence in (({}, "Monitoring needs Prometheus"), ({"LC_ALL": "ja_JP.UTF-8"}, "監視に必要なツール")):
        ended = subprocess.run(
            COMMAND, capture_output=True, text=True, env=_clean(PATH=str(tmp_path), **more), check=False, timeout=60
        )

        assert ended.returncode == 1
        assert sentence in ended.stderr
        assert "apt-get install" in ended.stderr
        assert "Traceback" not in ended.stderr
