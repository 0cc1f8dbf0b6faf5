# SPDX-License-Identifier: Apache-2.0
"""Plays a user at a terminal: the installed `chukan` command, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chukan.command.demo.stage import ServerProcess
from chukan.people import write
from chukan.standard.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHINJUKU, SETAGAYA = "131041", "131121"
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


def command(*arguments: object) -> list[str]:
    """Return the command line of `chukan`."""
    return [sys.executable, "-m", "chukan.command", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return an environment that says nothing to Chukan but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
    return {**kept, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **more}


@pytest.fixture(scope="session")
def chukan() -> Callable[..., Ended]:
    """Run a command to its end."""

    def run(*arguments: object, **more: str) -> Ended:
        ended = subprocess.run(
            command(*arguments), capture_output=True, text=True, timeout=SECONDS, check=False, env=environment(**more)
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start servers; every one is stopped at the end."""
    started: list[ServerProcess] = []

    def start(folder: Path = tmp_path, *options: str) -> ServerProcess:
        folder.mkdir(exist_ok=True)
        started.append(ServerProcess(folder, options=options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Start one server for all tests that leave nothing behind."""
    server = ServerProcess(tmp_path_factory.mktemp("standing"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def two_bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of 新宿区 and 世田谷区, linked both ways, of last night."""
    folder = tmp_path_factory.mktemp("people")
    for body, other, encoding in ((SHINJUKU, SETAGAYA, "cp932"), (SETAGAYA, SHINJUKU, "utf-8")):
        write(
            folder / body,
            municipality=body,
            count=400,
            seed=7,
            reference_date=SystemClock().today() - timedelta(days=1),
            linked=[other],
            encoding=encoding,
        )
    return folder
