# SPDX-License-Identifier: Apache-2.0
"""`kill -9` of the adapter or of the server in the middle of a load: nothing is lost and nothing doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from chukan_adapter_load import Body, people

from chukan.adapter.sync.memory import Memory
from chukan.standard.ids import SeededIds
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replica

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chukan.adapter.sync import Report

INFORMATION = ("TM00000000000001", "TM00000000000002", "TM00000000000010", "TM00000000000015")
CHUKAN = [sys.executable, "-m", "chukan.command"]


@contextmanager
def server(data: Path, listen: str = "127.0.0.1:0") -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start `chukan serve` as a process of its own."""
    ready = data.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    options = ["--data", data, "--listen", listen, "--control", "", "--metrics", "", "--ready-file", ready]
    quick = {**os.environ, "CHUKAN_SYNCHRONOUS": "OFF"}  # a killed process loses nothing it wrote, synchronous or not
    process = subprocess.Popen([*CHUKAN, "serve", *map(str, options)], stdout=subprocess.DEVNULL, env=quick)
    try:
        wait_for(lambda: ready.exists() and ready.read_bytes().endswith(b"}\n"))
        yield process, json.loads(ready.read_bytes())["listen"]
    finally:
        process.kill()
        process.wait(10)


def wait_for(question: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def written(body: Body) -> int:
    """Return how many replicas the server has written in all imports, repetitions not counted."""
    total, token = 0, ""
    with body.client() as client:
        while True:
            page = client.replicas.ListImports(replica.ListImportsRequest(page_size=1000, page_token=token))
            total += sum(each.committed_count for each in page.imports)
            token = page.next_page_token
            if not token:
                return total


def linked(body: Body, state: int) -> int:
    with body.client() as client:
        request = linkage.ListLinkageStatesRequest(states=[state], page_size=1000)  # type: ignore[list-item]
        return len(client.linkage_codes.ListLinkageStates(request).linkage_statuses)


def check(body: Body, last: Report) -> None:
    """Nothing lost: all is there. Nothing doubled: no replica was written twice."""
    replicas = sum(len(body.replicas(information)) for information in INFORMATION)
    not_provided = sum(each.not_provided_no_individual_number for each in last.lanes)
    assert last.complete
    assert last.dead_letters == 0
    assert last.codes.open == 0
    assert replicas == sum(each.rows for each in last.lanes if each.kind == "replicas") - not_provided
    assert written(body) == replicas
    assert linked(body, linkage.LINKAGE_STATE_REQUESTED) == 0
    assert linked(body, linkage.LINKAGE_STATE_LINKED) > 0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return people(tmp_path_factory.mktemp("people"), "131041", count=100)


def test_a_load_killed_again_and_again_completes_with_nothing_lost_and_nothing_doubled(
    files: Path, tmp_path: Path
) -> None:
    with server(tmp_path / "data") as (_, target):
        body = Body("131041", files, tmp_path / "state", target)
        command = [*CHUKAN, "adapter", "load", "--people", files, "--extracts", files / "extracts"]
        command += ["--target", target, "--organization", "131041", "--state", body.state, "--batch", "10"]
        killed = 0
        for wanted in (
            lambda: linked(body, linkage.LINKAGE_STATE_LINKED) > 0,
            lambda: written(body) > 30,
            lambda: written(body) > 100,
            lambda: written(body) > 200,
        ):
            process = subprocess.Popen([str(each) for each in command], stdout=subprocess.DEVNULL)
            wait_for(lambda wanted=wanted, process=process: wanted() or process.poll() is not None)
            killed += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait(10)

        report = body.load()

        assert killed >= 2
        check(body, report)


def test_a_server_killed_in_the_middle_is_waited_for_and_the_load_goes_on(files: Path, tmp_path: Path) -> None:
    data, reports = tmp_path / "data", []
    with server(data) as (process, target):
        body = Body("131041", files, tmp_path / "state", target)
        loading = threading.Thread(target=lambda: reports.append(body.load(batch=10)))
        loading.start()
        wait_for(lambda: linked(body, linkage.LINKAGE_STATE_LINKED) > 0)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    with server(data, target) as (process, _):
        wait_for(lambda: written(body) > 50)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)

    with server(data, target):
        loading.join(90)

        check(body, reports[0])
        again = body.load()
        assert [each.sent for each in again.lanes] == [0] * len(again.lanes)


def test_one_state_is_used_by_one_load_at_a_time(files: Path, target: str, tmp_path: Path) -> None:
    body = Body("131041", files, tmp_path / "state", target)
    body.load(people=(), extracts=files / "extracts", dry_run=True)
    (folder,) = body.state.iterdir()
    held = Memory(folder / "residents.db", secret=b"k" * 32, ids=SeededIds(1))
    with pytest.raises(ChukanError) as raised:
        body.load()
    held.close()

    assert raised.value.code == "RUN_IN_PROGRESS"


def test_a_server_that_has_nothing_of_what_was_sent_is_sent_everything_again(files: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with server(tmp_path / "one") as (_, target):
        Body("131041", files, state, target).load()

    with server(tmp_path / "other", target):
        body = Body("131041", files, state, target)
        report = body.load()

        check(body, report)
        assert [note for note in report.notes if "sent again" in note.english] == report.notes, "it is said once"
        assert len(report.notes) == 1


def test_a_server_of_another_world_is_sent_everything_again_though_it_has_some_of_it(
    files: Path, tmp_path: Path
) -> None:
    """Others were at work there already: that it knows addressees and replicas does not make it the same server."""
    with server(tmp_path / "one") as (_, target):
        Body("131041", files, tmp_path / "state", target).load()

    with server(tmp_path / "other", target):
        some = files / "extracts" / "child_allowance.csv"
        (tmp_path / "some").mkdir()
        (tmp_path / "some" / some.name).write_bytes(some.read_bytes())
        Body("131041", files, tmp_path / "others", target).load(extracts=tmp_path / "some")
        body = Body("131041", files, tmp_path / "state", target)
        report, again = body.load(), body.load()

        lanes = [each for each in report.lanes if each.kind == "replicas"]
        provided = [each.rows - each.not_provided_no_individual_number for each in lanes]
        assert (report.complete, report.dead_letters, report.codes.open, len(report.notes)) == (True, 0, 0, 1)
        assert [len(body.replicas(each.information_code)) for each in lanes] == provided
        assert [each.not_changed for each in report.lanes] == [0] * len(report.lanes)
        assert ([each.sent for each in again.lanes], again.notes) == ([0] * len(again.lanes), [])
