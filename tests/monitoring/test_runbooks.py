# SPDX-License-Identifier: Apache-2.0
"""Every alert has its page in Japanese, and what a page tells to type exists."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from chukan.command.root import command_line
from chukan.standard.reasons import all_reasons
from tests.monitoring.conftest import MONITORING, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.monitoring.conftest import Rules

RUNBOOKS = MONITORING / "runbooks"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.stem != "README")
HEADINGS = ["意味", "影響", "最初に見るもの", "コマンド", "対処", "連絡の基準"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(chukan [^`]+)`")


def test_every_alert_has_its_page_and_every_page_its_alert(rules: Rules) -> None:
    assert {page.stem for page in PAGES} == set(rules.alerts)


def test_the_index_lists_every_alert_with_its_severity(rules: Rules) -> None:
    index = (RUNBOOKS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (.+?) \| `(\w+)` \|$", index, re.MULTILINE)

    assert rows == [
        (name, name, alert["annotations"]["summary_ja"], alert["labels"]["severity"])
        for name, alert in rules.alerts.items()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_all_an_operator_asks(page: Path, rules: Rules) -> None:
    text = page.read_text("utf-8")
    alert = rules.alerts[page.stem]

    assert text.startswith(f"# {page.stem}: {alert['annotations']['summary_ja']}\n")
    assert f"`{alert['labels']['severity']}`" in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert all(part.strip() for part in re.split(r"^## .+$", text, flags=re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_of_a_page_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    assert lines

    root = typer.main.get_command(command_line())
    for line in [*lines, *INLINE.findall(text)]:
        _check(root, line)


def _check(root: Any, line: str) -> None:
    name, *words = shlex.split(line)
    assert name == "chukan", line
    command = root
    while getattr(command, "commands", None) and words:
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_metrics_reasons_and_alerts_that_a_page_names_exist(page: Path, rules: Rules) -> None:
    text = page.read_text("utf-8")
    operation = (ROOT / "docs" / "operation.md").read_text("utf-8")

    assert [name for name in re.findall(r"`(chukan_\w+)", text) if f"`{name}" not in operation] == []
    assert set(re.findall(r"`(Chukan\w+)`", text)) <= set(rules.alerts)
    reasons = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text))
    assert reasons <= {reason.code for reason in all_reasons()}
