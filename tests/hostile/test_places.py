# SPDX-License-Identifier: Apache-2.0
"""`chukan` commands given places that can't be used, and a server without room: a sentence and a code, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import grpc
import pytest

from chukan.people.writing import write
from tests.builders import SHINJUKU, Body, address_number, fresh_serial
from tests.hostile.world import command_line, outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.conftest import Stage


BODY: Final = "131016"
"""千代田区: nobody else asks for codes in its name, which a load would wait for."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places") / "people"
    write(folder, municipality=BODY, count=30, seed=5, reference_date=date(2026, 10, 1))
    return folder


def run(*arguments: object, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, with files no larger than a limit."""
    return subprocess.run(
        command_line(*arguments, limit=limit),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
    )


LOADS: Final[dict[str, tuple[Callable[[Path], Any], dict[str, str], int, str]]] = {
    "a file as state folder": (lambda folder: (folder / "s").touch(), {}, 0, "FILE_UNUSABLE"),
    "nobody's folder of people": (lambda folder: shutil.rmtree(folder / "people"), {}, 0, "FILE_NOT_FOUND"),
    "a folder without people": (
        lambda folder: [each.unlink() for each in (folder / "people").glob("*.csv")], {}, 0, "FOLDER_WITHOUT_FILES",
    ),
    "mappings nobody can read": (
        lambda folder: ((folder / "m").mkdir(), (folder / "m" / "x.toml").write_bytes(b"\xff\xfe")),
        {"--mappings": "m"}, 0, "MAPPING_INVALID",
    ),
    "mappings there are none of": (lambda _: None, {"--mappings": "m"}, 0, "FILE_NOT_FOUND"),
    "an edition there is none of": (
        lambda _: None, {"--edition": "9999", "--extracts": "people/extracts"}, 0, "EDITION_UNKNOWN",
    ),
    "an organization there is none of": (lambda _: None, {"--organization": "999999"}, 0, "ORGANIZATION_UNKNOWN"),
    "a disk that is full at once": (lambda _: None, {}, 4_096, "STORAGE_FULL"),
    "a disk that gets full": (lambda _: None, {}, 60_000, "STORAGE_FULL"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOADS)
def test_a_load_that_cannot_go_on_says_why(stage: Stage, people: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(people, tmp_path / "people")
    prepare, options, limit, expected = LOADS[name]
    prepare(tmp_path)
    given = {"--people": "people", "--state": "s", "--organization": BODY, **options}
    places = {key: tmp_path / value if key in {"--people", "--state", "--mappings", "--extracts"} else value
              for key, value in given.items()}  # fmt: skip

    ended = run("adapter", "load", *[part for pair in places.items() for part in pair],
                "--target", stage.world.target, "--lang", "en", limit=limit)  # fmt: skip

    assert ended.returncode == 1
    assert expected in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr


def test_two_loads_on_one_state_folder_at_once_are_one_or_after_another(
    stage: Stage, people: Path, tmp_path: Path
) -> None:
    given = ["--people", people, "--extracts", people / "extracts", "--state", tmp_path / "s"]
    place = ["--organization", BODY, "--target", stage.world.target]
    line = [sys.executable, "-m", "chukan.command", "adapter", "load", *map(str, given + place)]
    started = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    ends = [process.communicate(timeout=60)[0] for process in started]

    after = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)

    assert all("Traceback" not in end for end in ends)
    assert sum(process.returncode == 0 for process in started) >= 1
    assert after.returncode == 0


SERVED: Final[dict[str, tuple[Callable[[Path], Any], str]]] = {
    "a file as data folder": (lambda folder: (folder / "data").touch(), ""),
    "a database that is noise": (
        lambda folder: ((folder / "data").mkdir(), (folder / "data" / "middle.db").write_bytes(os.urandom(50_000))),
        "DATABASE_DAMAGED",
    ),
    "a folder as database": (lambda folder: (folder / "data" / "middle.db").mkdir(parents=True), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVED)
def test_a_server_does_not_start_on_what_is_no_database(tmp_path: Path, name: str) -> None:
    prepare, expected = SERVED[name]
    prepare(tmp_path)

    ended = run("serve", "--data", tmp_path / "data", *("--listen", "127.0.0.1:0", "--control", "", "--metrics", ""))

    assert ended.returncode not in {0, None}
    assert expected in ended.stderr + ended.stdout
    assert ended.stderr.strip()
    assert "Traceback" not in ended.stderr


def test_a_server_whose_disk_is_full_says_so_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    given = ("serve", "--data", tmp_path / "data", "--control", "", "--metrics", "", "--listen", "127.0.0.1:0")

    def start(limit: int) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(command_line(*given, "--ready-file", ready, limit=limit), stdout=log, stderr=log)
        until = time.monotonic() + 30
        while not ready.exists():
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.02)
        return process

    def target() -> str:
        return str(json.loads(ready.read_text("utf-8"))["listen"])

    acknowledged: list[str] = []
    process = start(8_000_000)
    with grpc.insecure_channel(target()) as channel:
        body = Body(SHINJUKU, channel)
        end = "OK"
        while end == "OK" and len(acknowledged) < 200_000:
            numbers = [address_number(fresh_serial()) for _ in range(2_000)]
            end = outcome(lambda numbers=numbers: body.register(numbers))
            acknowledged += numbers if end == "OK" else []
    process.kill()
    process.wait()
    ready.unlink()
    process = start(0)
    with grpc.insecure_channel(target()) as channel:
        known = outcome(lambda: Body(SHINJUKU, channel).register(acknowledged[-2_000:]))
        answer = Body(SHINJUKU, channel).register(acknowledged[-2_000:])
    process.terminate()
    process.wait(30)

    assert end.split()[:2] in (["RESOURCE_EXHAUSTED", "STORAGE_FULL"], ["UNAVAILABLE", "STORAGE_UNAVAILABLE"])
    assert known == "OK"
    assert set(answer.outcomes) == {2}, "what was acknowledged is not there"
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8", "replace")
