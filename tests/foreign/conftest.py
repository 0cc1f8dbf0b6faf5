# SPDX-License-Identifier: Apache-2.0
"""An emulator as a user starts it: the command, in a process of its own, reached over loopback only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 30.0


@pytest.fixture(scope="session")
def emulator_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an emulator that is ready."""
    folder = tmp_path_factory.mktemp("emulator")
    ready = folder / "ready.json"
    loopback = "127.0.0.1:0"
    command = [sys.executable, "-m", "chukan.command", "serve", "--data", str(folder / "data"), "--listen", loopback]
    command += ["--control", loopback, "--metrics", loopback, "--ready-file", str(ready)]
    with subprocess.Popen(command) as process:
        until = time.monotonic() + _START_SECONDS
        while not ready.exists():
            assert process.poll() is None, "the emulator ended before it was ready"
            assert time.monotonic() < until, "the emulator was not ready in time"
            time.sleep(0.05)
        yield json.loads(ready.read_text())["listen"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
