# SPDX-License-Identifier: Apache-2.0
"""The example of docs/emulator.md runs as it is written, and the page names the kinds of faults there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from chukan.composition.running import start
from chukan.server.config import Config
from chukan.server.emulator.fault_catalogue import KINDS
from chukan.standard.clock import SystemClock

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "emulator.md").read_text("utf-8")
LISTEN, CONTROL = "127.0.0.1:50051", "127.0.0.1:50052"


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert LISTEN in program
    assert CONTROL in program
    config = Config(data=tmp_path / "emulator", listen="127.0.0.1:0", control="127.0.0.1:0", metrics="")
    running = start(config)
    try:
        program = program.replace(LISTEN, running.listen).replace(CONTROL, running.control)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
        before = SystemClock().today()
        run = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        after = SystemClock().today()
    finally:
        running.stop()

    assert run.returncode == 0, run.stderr
    day, *rest = run.stdout.splitlines()
    assert day in {f"it is {each + timedelta(days=1):%Y%m%d}" for each in (before, after)}
    assert rest == ["refused: OVERLOADED", "answered", "generation 2"]


def test_the_page_lists_the_kinds_there_are() -> None:
    table = PAGE.partition("## Faults")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == set(KINDS)
