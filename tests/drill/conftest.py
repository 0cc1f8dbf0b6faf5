# SPDX-License-Identifier: Apache-2.0
"""The tools a drill needs, without which a test says NOT RUN; a whole drill that goes on while other tests wait."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.monitoring.conftest import ROOT, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["tool"]

COMMAND = [sys.executable, str(ROOT / "scripts" / "drill.py")]
SECONDS = 90
WHOLE = ("certificate-expires", "server-killed")
"""What the whole drill plays: faults that need no call to strike, so a busy machine is no matter."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of somebody who has set nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def left(marker: str) -> list[str]:
    """Return the command lines of processes that work in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


@dataclass(frozen=True, slots=True)
class Running:
    """A drill as a process, and the folder it works in."""

    process: subprocess.Popen[str]
    folder: Path


@pytest.fixture(scope="session")
def whole_drill(tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Start a drill of few scenarios in Japanese; it mostly waits, so others may work beside it."""
    for each in ("prometheus", "alertmanager"):
        tool(each)
    folder = tmp_path_factory.mktemp("whole")
    with subprocess.Popen(
        [*COMMAND, *(word for name in WHOLE for word in ("--scenario", name))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(LC_ALL="ja_JP.UTF-8", TMPDIR=str(folder)),
    ) as process:
        try:
            yield Running(process, folder)
        finally:
            process.terminate()
