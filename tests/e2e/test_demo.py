# SPDX-License-Identifier: Apache-2.0
"""The demo: everything that 1/7 is for, on dummy people, verified step by step; and nothing is left of it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import command, environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Ended


def test_the_demo_holds_and_leaves_nothing(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    ended = chukan("demo", "--people", 600, "--json", TMPDIR=str(tmp_path))

    assert ended.code == 0, [each for each in ended.document["checks"] if not each["holds"]]
    assert ended.document["ok"]
    assert len(ended.document["checks"]) > 30
    assert not list(tmp_path.iterdir())


def test_what_is_kept_can_be_served_again(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    """In Japanese, for people; every check shown; the server of the demo is gone."""
    ended = chukan("demo", "--people", 300, "--seed", 2, "--keep", tmp_path / "kept", "--lang", "ja")

    assert ended.code == 0, ended.out
    assert "✗" not in ended.out
    assert "3者の記録は一致しています" in ended.out
    assert {"131041", "131121", "data", "result.csv", "server.log"} <= {
        path.name for path in (tmp_path / "kept").iterdir()
    }
    assert not (tmp_path / "kept" / "ready.json").exists()


@pytest.mark.parametrize(
    ("shown", "later", "number"),
    [
        ("services 127.0.0.1", 0, signal.SIGINT),
        ("no acquisition failed unexpectedly", 0.15, signal.SIGINT),
        ("4. ", 0.15, signal.SIGINT),
        ("services 127.0.0.1", 0.1, signal.SIGTERM),
        ("4. ", 0, signal.SIGHUP),
    ],
)
def test_whatever_ends_a_demo_ends_everything(tmp_path: Path, shown: str, later: float, number: signal.Signals) -> None:
    """Broken off in any step: the signal's exit code at once, no traceback, no server, no folder."""
    with subprocess.Popen(
        command("demo", "--people", 1000),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(tmp_path), PYTHONUNBUFFERED="1"),
    ) as demo:
        assert demo.stdout
        assert any(shown in line for line in demo.stdout)
        server = json.loads(next(tmp_path.glob("*/ready.json")).read_text())["pid"]
        time.sleep(later)

        demo.send_signal(number)
        try:
            _, err = demo.communicate(timeout=20)
        finally:
            demo.kill()

    assert demo.returncode == 128 + number
    assert "Traceback" not in err
    assert not Path(f"/proc/{server}").exists()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_has_something_in_it_is_left_alone(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    """Refused before anything is written: what an earlier demo kept there would not fit the new one."""
    (tmp_path / "mine.txt").write_text("mine")

    ended = chukan("demo", "--people", 200, "--keep", tmp_path)

    assert ended.code == 1
    assert "FOLDER_NOT_EMPTY" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_too_few_people_are_refused_with_the_least_number(chukan: Callable[..., Ended]) -> None:
    english, japanese = chukan("demo", "--people", 10), chukan("demo", "--people", 10, "--lang", "ja")

    assert english.code == japanese.code == 2
    assert "got 10, expected 200 or more" in english.err
    assert "200 以上" in japanese.err
