# SPDX-License-Identifier: Apache-2.0
"""Adapter or server killed while loading: the next load completes, nothing is lost, nothing doubled."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from chukan.client import Client
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as pb
from tests.e2e.conftest import SHINJUKU, command, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.command.demo.stage import ServerProcess
    from tests.e2e.conftest import Ended

ORGANIZATION = "0220113104101700"
KINDS = ("TM00000000000001", "TM00000000000002", "TM00000000000010", "TM00000000000015")


def load_arguments(people: Path, state: Path, target: str) -> tuple[object, ...]:
    folder = people / SHINJUKU
    return (
        *("adapter", "load", "--people", folder, "--extracts", folder / "extracts", "--batch", 50),
        *("--state", state, "--target", target, "--organization", SHINJUKU, "--json"),
    )


def held(target: str) -> tuple[dict[str, int], int]:
    """Return the replicas held of each information, and the addressees linked."""
    with Client(target, organization=ORGANIZATION) as client:
        lanes = client.replicas.ListLanes(pb.ListLanesRequest()).lanes
        states = client.linkage_codes.ListLinkageStates(
            linkage.ListLinkageStatesRequest(states=[linkage.LINKAGE_STATE_LINKED], page_size=1000)
        )
    return {lane.information_code: lane.replica_count for lane in lanes}, len(states.linkage_statuses)


def exported(target: str) -> list[tuple[str, str, str, str]]:
    """Return what names each replica, from an export."""
    with Client(target, organization=ORGANIZATION) as client:
        pages = [
            page
            for information in KINDS
            for page in client.replicas.ExportReplicas(pb.ExportReplicasRequest(information_code=information))
        ]
    return [
        (page.information_code, page.data_set, number, key)
        for page in pages
        for number, key in zip(page.integrated_address_numbers, page.record_keys, strict=True)
    ]


def wait_until_something_is_held(target: str) -> None:
    until = time.monotonic() + 30
    while not any(held(target)[0].values()):
        assert time.monotonic() < until, "nothing was registered"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(two_bodies: Path, chukan: Callable[..., Ended], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Load once without killing anything: what the others must come to."""
    from chukan.command.demo.stage import ServerProcess  # noqa: PLC0415  # one server for this module

    folder = tmp_path_factory.mktemp("undisturbed")
    server = ServerProcess(folder)
    try:
        ended = chukan(*load_arguments(two_bodies, folder / "state", server.target))
        assert ended.code == 0, ended.out
        return held(server.target), sorted(exported(server.target))
    finally:
        server.stop()


def test_a_killed_adapter_goes_on_where_it_was(
    undisturbed: Any,
    two_bodies: Path,
    serve: Callable[..., ServerProcess],
    chukan: Callable[..., Ended],
    tmp_path: Path,
) -> None:
    server = serve()
    arguments = load_arguments(two_bodies, tmp_path / "state", server.target)
    with subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, env=environment()) as adapter:
        wait_until_something_is_held(server.target)
        adapter.kill()
    assert held(server.target) != undisturbed[0], "the adapter was killed too late"

    ended = chukan(*arguments)

    assert ended.code == 0, ended.out
    assert (held(server.target), sorted(exported(server.target))) == undisturbed


def test_a_killed_server_has_what_it_acknowledged(
    undisturbed: Any,
    two_bodies: Path,
    serve: Callable[..., ServerProcess],
    chukan: Callable[..., Ended],
    tmp_path: Path,
) -> None:
    """The adapter meets a server that dies and comes back at the same address; the next load brings the rest."""
    server = serve()
    arguments = load_arguments(two_bodies, tmp_path / "state", server.target)
    with subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL, env=environment()) as adapter:
        wait_until_something_is_held(server.target)
        assert adapter.poll() is None, "the load was over too soon"
        server.kill()
        (tmp_path / "ready.json").unlink()
        again = serve(tmp_path, "--listen", server.target)
        adapter.wait(60)

    ended = chukan(*arguments)

    assert ended.code == 0, ended.out
    assert (held(again.target), sorted(exported(again.target))) == undisturbed
