# SPDX-License-Identifier: Apache-2.0
"""`make drill` as its user runs it: it is broken off, or says in a sentence why it can't go on."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.drill.conftest import COMMAND, SECONDS, environment, left

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def script() -> Any:
    """Return the script as a module, which saves a process for each wrong option."""
    spec = importlib.util.spec_from_file_location("drill_script", COMMAND[1])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=environment(**more),
        check=False,
        timeout=SECONDS,
    )


def test_broken_off_it_leaves_nothing_running(tool: Callable[[str], str], tmp_path: Path) -> None:
    for each in ("prometheus", "alertmanager"):
        tool(each)

    with subprocess.Popen(
        [*COMMAND, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path)),
    ) as running:
        assert running.stderr is not None
        said = [running.stderr.readline(), running.stderr.readline()]
        time.sleep(1)
        assert len(left(str(tmp_path))) >= 3  # the server, Prometheus, Alertmanager
        running.send_signal(signal.SIGINT)
        out, rest = running.communicate(timeout=SECONDS)

    assert "Under load" in said[1]
    assert running.returncode == 130
    assert out == ""
    assert "nothing is left running" in rest
    assert "Traceback" not in rest
    assert not left(str(tmp_path))
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
        (("--scenario", "approval-waiting", "--scale", "1441"), "--scale: got 1441, expected 1 to 1440"),
        (
            ("--scenario", "approval-waiting", "--scenario", "overload", "--scale", "121"),
            "--scale: got 121, expected 1 to 120",
        ),
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
