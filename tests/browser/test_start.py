# SPDX-License-Identifier: Apache-2.0
"""When `chukan serve` has a console, and the sentence when it can't have one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chukan.command.demo.stage import ServerProcess
from tests.browser.fetching import get
from tests.builders import SHINJUKU
from tests.e2e.conftest import command, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Held

NOTHING_ELSE = ("--data", ":memory:", "--listen", "127.0.0.1:0", "--control=", "--metrics=")


def serve(*options: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is expected not to start."""
    return subprocess.run(
        command("serve", *NOTHING_ELSE, *options),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--console", "0.0.0.0:0"], "the console is served on loopback only"),
        (["--console", "192.0.2.1:8080"], "the console is served on loopback only"),
        (["--console", "[::]:8080"], "the console is served on loopback only"),
        (["--console", "localhost"], "expected host:port"),
        (["--console", "127.0.0.1:0", "--alertmanager", "file:///etc/passwd"], "expected an address of the web"),
        (["--console", "127.0.0.1:0", "--alertmanager", "http://127.0.0.1:port"], "expected an address of the web"),
        (["--console", "127.0.0.1:0", "--alertmanager", "http://127.0.0.1:99999"], "expected an address of the web"),
        (
            ["--console", "127.0.0.1:0", "--alertmanager", "http://me:word@localhost"],
            "expected an address of the web",
        ),
        (["--alertmanager", "http://127.0.0.1:9093"], "give the setting console"),
        (["--console", "127.0.0.1:0", "--profile", "production"], "the production profile has none"),
        (["--console", "127.0.0.1:0", "--role", "network", "--authority", "x"], "the role network has none"),
    ],
)
def test_what_can_not_be_is_said_and_nothing_starts(options: list[str], said: str) -> None:
    ended = serve(*options)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_address_in_use_is_named(held: Held) -> None:
    ended = serve("--console", held.console.removeprefix("http://").rstrip("/"))

    assert ended.returncode == 1
    assert "ADDRESS_NOT_FREE" in ended.stderr
    assert "--console" in ended.stderr


def test_without_its_libraries_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    """Before anything is made."""
    code = (
        "import sys; sys.modules['starlette'] = None\n"
        "from chukan.command.serving import serve\n"
        f"sys.exit(serve({{'data': {str(tmp_path / 'data')!r}, 'console': '127.0.0.1:0', 'listen': '127.0.0.1:0',"
        " 'control': '', 'metrics': ''}))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, env=environment()
    )

    assert ended.returncode == 1
    assert "CONSOLE_NOT_INSTALLED" in ended.stderr
    assert "pip install 'chukan[console]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_with_tls_it_calls_with_the_certificates_of_the_folder(tmp_path: Path) -> None:
    """An organization's own certificate speaks for it; pages are as without TLS."""
    tls = tmp_path / "tls"
    server = ServerProcess(tmp_path, options=("--tls", str(tls), "--console", "localhost:0"))
    try:
        answer = get(f"{server.where['console']}en/organizations/{SHINJUKU}")

        assert answer.status == 200
        assert "works" in answer.words
    finally:
        server.stop()
    (tls / f"{SHINJUKU}.key").unlink()
    (tls / "ca.key").unlink()  # so that no certificate is made again

    ended = serve("--tls", str(tls), "--console", "127.0.0.1:0")

    assert ended.returncode == 1
    assert "FILE_NOT_FOUND" in ended.stderr
    assert f"{SHINJUKU}.key" in ended.stderr


def test_the_start_says_where_it_is_and_the_end_gives_the_port_back(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, options=("--console", "127.0.0.1:0"))
    address = str(server.where["console"])
    try:
        assert address in server.last_words()
        assert json.loads((tmp_path / "ready.json").read_text())["console"] == address
        assert get(f"{address}en/alerts").status == 200
    finally:
        assert server.stop() == 0

    assert "Traceback" not in server.last_words()
    with pytest.raises(ConnectionRefusedError):
        get(address)
