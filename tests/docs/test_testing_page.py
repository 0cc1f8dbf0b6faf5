# SPDX-License-Identifier: Apache-2.0
"""The tests of docs/testing.md run as they are written, and its tables name what there is."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

from chukan.testing import Clock, Faults, World
from tests.testing.runs import ROOT, run_pytest

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")


def test_every_test_of_the_page_passes(tmp_path: Path) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for number, program in enumerate(programs):
        (tmp_path / f"test_page_{number}.py").write_text(program, "utf-8")

    run = run_pytest(tmp_path, "-q", "--strict-markers")

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{PAGE.count('def test_')} passed" in run.stdout


def test_the_page_names_the_arguments_of_a_fault() -> None:
    table = PAGE.partition("## Faults")[2].partition("\n## ")[0]
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    taken = {
        name
        for name, each in inspect.signature(Faults.add).parameters.items()
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    }

    assert named == taken - {"fault_id"}


def test_the_page_names_what_a_world_and_a_clock_can_do() -> None:
    for owner in (World, Clock):
        missing = [
            name
            for name, _ in inspect.getmembers(owner, inspect.isfunction)
            if not name.startswith("_") and f"{name}(" not in PAGE
        ]
        assert set(missing) <= {"client", "close", "describe", "next_id", "own_client", "state"}
