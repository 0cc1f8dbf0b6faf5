# SPDX-License-Identifier: Apache-2.0
"""The plugin in somebody else's pytest: what it costs, what it leaves alone, how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chukan.composition.running import CONTROL_TOKEN_FILE, start
from chukan.server.config import Config
from chukan.standard.reasons import ChukanError
from chukan.testing import Emulator
from tests.testing.runs import left_behind, run_pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chukan.composition.running import Running

PROBE = """
import json, sys
import pytest
before = set(sys.modules)
import chukan.testing.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""

QUIET = """
import gc, threading, pytest
def test_collector(chukan_world):
    assert gc.get_threshold() == THRESHOLD
    assert gc.get_freeze_count() == 0
    chukan_world.addressee("131041", "131121")
THRESHOLD = gc.get_threshold()
"""

THREADS = """
import threading
def pytest_unconfigure(config):
    print("THREADS", sorted(each.name for each in threading.enumerate()))
"""

TWO_WORLDS = """
import pytest
@pytest.mark.parametrize("which", ["first", "second"])
def test_nobody_is_here(chukan_world, chukan_emulator, which):
    assert which in chukan_world.id
    assert chukan_world.addressee("131041").individual_number .startswith("999996000")
"""

MARKED = """
import pytest
from datetime import datetime, timezone
@pytest.mark.chukan_world(clock="running")
def test_running(chukan_clock):
    assert chukan_clock.now() < chukan_clock.now()
@pytest.mark.chukan_world(now=datetime(2040, 1, 1, tzinfo=timezone.utc), random_seed=7)
def test_later(chukan_clock):
    assert chukan_clock.now() == chukan_clock.now() == datetime(2040, 1, 1, tzinfo=timezone.utc)
@pytest.mark.chukan_world(clok="running")
def test_misspelt(chukan_world): ...
@pytest.mark.chukan_world("running")
def test_unnamed(chukan_world): ...
@pytest.mark.chukan_world(clock="stopped")
def test_no_such_clock(chukan_world): ...
@pytest.mark.chukan_world(now=datetime(2020, 1, 1, tzinfo=timezone.utc))
def test_backwards(chukan_world): ...
@pytest.mark.chukan_world(now=datetime(2040, 1, 1))
def test_without_a_zone(chukan_world): ...
@pytest.mark.chukan_world(now="2040-01-01")
def test_no_instant(chukan_world): ...
"""


def test_loading_it_imports_nothing_of_the_emulator() -> None:
    """Every pytest of the environment loads it, whether or not it uses a fixture."""
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)

    assert {name for name in loaded if name.startswith("chukan")} == {
        "chukan",
        "chukan.testing",
        "chukan.testing.plugin",
    }
    assert not {name.partition(".")[0] for name in loaded} & {"grpc", "google", "sqlalchemy", "cryptography"}


def test_it_is_found_by_its_entry_point_and_declares_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one(): ...\n", "utf-8")

    told = "".join(run_pytest(tmp_path, option).stdout for option in ("--fixtures", "--help", "--markers"))

    for name in ("emulator", "world", "client", "clock", "faults"):
        assert f"chukan_{name}" in told
    for option in ("--chukan-target", "--chukan-control", "--chukan-token-file"):
        assert option in told
    assert "@pytest.mark.chukan_world(" in told
    assert "chukan_world" not in run_pytest(tmp_path, "--fixtures", "-p", "no:chukan").stdout


def test_it_leaves_collector_threads_and_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "test_quiet.py").write_text(QUIET, "utf-8")
    (tmp_path / "conftest.py").write_text(THREADS, "utf-8")
    before = {path.name for path in tmp_path.iterdir()}

    run = run_pytest(tmp_path, "-q", "-s")

    assert run.returncode == 0, run.stdout + run.stderr
    assert "THREADS ['MainThread']" in run.stdout
    assert {path.name for path in tmp_path.iterdir()} - before <= {"registered", "tmp", "base"}
    assert left_behind(tmp_path) == []


def test_a_marker_says_how_the_world_begins_and_a_wrong_one_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(MARKED, "utf-8")

    run = run_pytest(tmp_path, "-q")

    assert "2 passed, 6 errors" in run.stdout, run.stdout + run.stderr
    for told in (
        "@pytest.mark.chukan_world: got clok, expected seed, clock, now, random_seed",
        "@pytest.mark.chukan_world: got 'running', expected seed, clock, now, random_seed",
        "no world for this test: clock: got 'stopped', expected frozen, running, system",
        "no world for this test: CLOCK_BACKWARDS",
        "no world for this test: now: got a naive datetime, expected an aware one",
        "no world for this test: now: got str, expected a datetime with a time zone",
    ):
        assert told in run.stdout
    assert "Traceback" not in run.stdout
    assert "plugin.py" not in run.stdout


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Running]:
    config = Config(data=tmp_path / "emulator", listen="127.0.0.1:0", control="127.0.0.1:0", metrics="")
    running = start(config)
    yield running
    running.stop()


def options(served: Running, tmp_path: Path) -> dict[str, str]:
    return {
        "--chukan-target": served.listen,
        "--chukan-control": served.control,
        "--chukan-token-file": str(tmp_path / "emulator" / CONTROL_TOKEN_FILE),
    }


def told(given: dict[str, str]) -> list[str]:
    return [word for pair in given.items() for word in pair]


def test_an_emulator_that_runs_already_is_shared_by_runs_and_has_no_world_of_theirs_left(
    served: Running, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_worlds.py").write_text(TWO_WORLDS, "utf-8")
    given = options(served, tmp_path)

    run = run_pytest(folder, "-q", "-n", "2", *told(given))

    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
    with Emulator.running(*given.values()) as emulator:
        from chukan.emulator.v1 import emulator_service_pb2 as pb  # noqa: PLC0415  # for this line

        worlds = emulator.controls.emulator.ListWorlds(pb.ListWorldsRequest()).worlds
    assert [each.world_id for each in worlds] == [""]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"--chukan-control": "", "--chukan-token-file": ""}, "needs --chukan-control and --chukan-token-file as well"),
        ({"--chukan-token-file": "nowhere"}, "--chukan-token-file nowhere can't be read: No such file or directory"),
        ({"--chukan-token-file": __file__}, "can't be used: CONTROL_TOKEN_INVALID"),
    ],
)
def test_an_emulator_that_can_t_be_used_is_told_in_a_sentence(
    served: Running, tmp_path: Path, wrong: dict[str, str], expected: str
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_worlds.py").write_text(TWO_WORLDS, "utf-8")

    run = run_pytest(folder, "-q", "-k", "first", *told({**options(served, tmp_path), **wrong}))

    assert run.returncode != 0
    assert expected in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize("wrong", ["--chukan-target", "--chukan-control"])
def test_an_emulator_that_does_not_answer_on_both_ports_is_refused_at_once(
    served: Running, tmp_path: Path, wrong: str
) -> None:
    given = {**options(served, tmp_path), wrong: "127.0.0.1:1"}

    with pytest.raises(ChukanError, match="PEER_UNREACHABLE"):
        Emulator.running(*given.values())


def test_a_control_port_is_not_taken_for_the_services(served: Running, tmp_path: Path) -> None:
    given = {**options(served, tmp_path), "--chukan-target": served.control}

    with pytest.raises(ChukanError, match="FEATURE_NOT_AVAILABLE"):
        Emulator.running(*given.values())


def test_worlds_are_closed_whatever_becomes_of_one(served: Running, tmp_path: Path) -> None:
    emulator = Emulator.running(*options(served, tmp_path).values())
    worlds = [emulator.new_world(name) for name in ("one", "two", "three")]
    worlds[1]._control = None  # type: ignore[assignment]  # can't be deleted

    with pytest.raises(AttributeError):
        emulator.close()

    assert [world.closed for world in worlds] == [True, False, True]
