# SPDX-License-Identifier: Apache-2.0
"""The shipped rules, and the tools that judge them; without the tools a test says NOT RUN."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from chukan.monitoring.stack import ToolMissingError, find_tool

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"


@dataclass(frozen=True, slots=True)
class Rules:
    """What monitoring/prometheus/rules holds, by name."""

    alerts: dict[str, dict[str, Any]]
    recorded: dict[str, str]

    @property
    def expressions(self) -> list[str]:
        """Every expression."""
        return [*self.recorded.values(), *(rule["expr"] for rule in self.alerts.values())]


@pytest.fixture(scope="session")
def rules() -> Rules:
    """Read the rules."""
    files = sorted((MONITORING / "prometheus" / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text("utf-8"))["groups"]]
    every = [rule for group in groups for rule in group["rules"]]
    return Rules(
        {rule["alert"]: rule for rule in every if "alert" in rule},
        {rule["record"]: rule["expr"] for rule in every if "record" in rule},
    )


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Find a tool, or leave the test out and say so."""

    def find(name: str) -> str:
        try:
            return find_tool(name)
        except ToolMissingError as missing:
            if os.environ.get("TESTS_REQUIRE_ALL"):
                pytest.fail(f"NOT RUN: {missing}")
            pytest.skip(f"NOT RUN: {missing}")

    return find
