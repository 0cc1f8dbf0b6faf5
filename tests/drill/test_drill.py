# SPDX-License-Identifier: Apache-2.0
"""`make drill` as its user runs it: it passes, is broken off, or says in a sentence why it can't."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.monitoring.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = [sys.executable, str(ROOT / "scripts" / "drill.py")]
SECONDS = 90


@pytest.fixture(scope="module")
def script() -> Any:
    """Return the script as a module, which saves a process for each wrong option."""
    spec = importlib.util.spec_from_file_location("drill_script", COMMAND[1])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
    return {**kept, "LC_ALL": "C.UTF-8", **more}


def _run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=_environment(**more),
        check=False,
        timeout=SECONDS,
    )


def _left(marker: str) -> list[str]:
    """Command lines of processes that work in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if marker in line:
            found.append(line)
    return found


def test_a_killed_server_is_noticed_in_the_persons_language(tool: Callable[[str], str], tmp_path: Path) -> None:
    for each in ("prometheus", "alertmanager"):
        tool(each)

    ended = _run("--scenario", "server-killed", LC_ALL="ja_JP.UTF-8", TMPDIR=str(tmp_path))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert "サーバーが強制終了する" in ended.stdout
    assert "ChukanDown" in ended.stdout
    assert "合格" in ended.stdout
    assert "計算値" in ended.stdout
    assert "ChukanApprovalWaiting: 2日待つ" in ended.stdout
    assert not list(tmp_path.iterdir())
    assert not _left(str(tmp_path))


def test_broken_off_it_leaves_nothing_running(tool: Callable[[str], str], tmp_path: Path) -> None:
    for each in ("prometheus", "alertmanager"):
        tool(each)

    with subprocess.Popen(
        [*COMMAND, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(TMPDIR=str(tmp_path)),
    ) as running:
        assert running.stderr is not None
        said = [running.stderr.readline(), running.stderr.readline()]
        time.sleep(1)
        assert len(_left(str(tmp_path))) >= 3  # the server, Prometheus, Alertmanager
        running.send_signal(signal.SIGINT)
        out, rest = running.communicate(timeout=SECONDS)

    assert "Under load" in said[1]
    assert running.returncode == 130
    assert out == ""
    assert "nothing is left running" in rest
    assert "Traceback" not in rest
    assert not _left(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_without_prometheus_it_says_so_in_a_sentence_and_ends_with_1(tmp_path: Path) -> None:
    for more, sentence in (({}, "The drill needs Prometheus"), ({"LC_ALL": "ja_JP.UTF-8"}, "訓練に必要なツール")):
        ended = _run(PATH=str(tmp_path), **more)

        assert ended.returncode == 1
        assert sentence in ended.stderr
        assert "apt-get install" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_told_with_its_reason(tool: Callable[[str], str]) -> None:
    for each in ("prometheus", "alertmanager"):
        tool(each)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = _run("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 1
    assert "ADDRESS_NOT_FREE" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scenario", "earthquake"), "--scenario: got 'earthquake', expected one of unforeseen-error"),
        (("--scale", "0.5"), "--scale: got 0.5, expected 1 to 120"),
        (("--scale", "121"), "--scale: got 121, expected 1 to 120"),
        (("--scale", "nan"), "--scale: got nan, expected 1 to 120"),
        (("--scale", "fast"), "--scale"),
        (("--port", "70000"), "--port: got 70000, expected 0 to 65535"),
        (("--lang", "fr"), "--lang"),
        (("--no-such-option",), "--no-such-option"),
    ],
)
def test_what_is_not_understood_is_said_in_a_sentence_with_2(
    arguments: tuple[str, ...], sentence: str, script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        script.main(arguments)

    said = capsys.readouterr()
    assert ended.value.code == 2
    assert sentence in said.err
    assert said.out == ""
