# SPDX-License-Identifier: Apache-2.0
"""Worlds with people in them: those that `chukan people generate` writes files about, loaded already."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chukan.adapter.exchange import InquireOptions, inquire
from chukan.composition.seeds import SEED_DATE, STANDARD_PEOPLE
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.people import write
from chukan.standard.organizations import by_municipality
from chukan.v1 import replica_service_pb2 as replicas
from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
from tests.rpc.emulator.stage import SETAGAYA_BODY, SHINJUKU_BODY, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rpc.emulator.stage import Emulator


def held(emulator: Emulator, world: str) -> int:
    """Count the replicas 新宿区 holds in a world."""
    body = emulator.body(world)
    request = replicas.ListLanesRequest()
    lanes = ReplicaServiceStub(body.channel).ListLanes(request, metadata=body.metadata).lanes
    return sum(lane.replica_count for lane in lanes)


@pytest.fixture(scope="module")
def inquiries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the inquiry file 世田谷区 would write about the people of the seed who moved there."""
    folder = tmp_path_factory.mktemp("files")
    write(
        folder,
        municipality=SETAGAYA_BODY,
        count=STANDARD_PEOPLE,
        seed=1,
        reference_date=SEED_DATE,
        linked=[SHINJUKU_BODY],
        encoding="utf-8",
    )
    return folder / "inquiries"


def test_a_world_begins_with_people_unless_another_seed_is_named(emulator: Emulator) -> None:
    worlds = [
        emulator.do("CreateWorld", pb.CreateWorldRequest(seed=seed)).world
        for seed in (pb.WORLD_SEED_UNSPECIFIED, pb.WORLD_SEED_STANDARD, pb.WORLD_SEED_EMPTY)
    ]

    counts = [held(emulator, each.world_id) for each in worlds]

    assert [each.seed for each in worlds] == [1, 1, 2]
    assert counts[0] == counts[1] > STANDARD_PEOPLE
    assert counts[2] == 0


def test_its_people_are_those_of_the_generator(emulator: Emulator, inquiries: Path, tmp_path: Path) -> None:
    """Who writes the inquiry file of the same seed with it gets each row answered; a few people have no replica."""
    options = InquireOptions(
        inputs=(inquiries,),
        out=tmp_path / "result.csv",
        target=emulator.running.listen,
        organization=by_municipality(SETAGAYA_BODY).code,
        state=tmp_path / "state",
        wait=True,
        world=emulator.do("CreateWorld", pb.CreateWorldRequest()).world.world_id,
    )

    report = inquire(options)

    assert report.is_complete
    assert report.values + report.no_replica == report.sent
    assert report.values > report.no_replica


def test_a_reset_brings_back_what_was_there_or_what_is_asked_for(emulator: Emulator) -> None:
    made = pb.CreateWorldRequest(world_id="to-and-fro")
    world = emulator.do("CreateWorld", made).world.world_id
    full = held(emulator, world)

    counts = []
    for seed in (pb.WORLD_SEED_EMPTY, pb.WORLD_SEED_UNSPECIFIED, pb.WORLD_SEED_EMPTY, pb.WORLD_SEED_STANDARD):
        emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world, seed=seed))
        counts.append(held(emulator, world))

    assert counts == [0, full, 0, full]
    assert emulator.do("CreateWorld", made).world.generation == 5
    assert refusal(lambda: emulator.world(world_id=world)) == "WORLD_EXISTS"


def test_commands_reach_a_world_by_its_id(emulator: Emulator, inquiries: Path, tmp_path: Path) -> None:
    """`chukan adapter inquire --world ID`, as a vendor would have the file of the seed answered."""
    world = emulator.do("CreateWorld", pb.CreateWorldRequest()).world.world_id
    command = [sys.executable, "-m", "chukan.command", "adapter", "inquire", "--file", str(inquiries), "--wait"]
    command += ["--world", world]
    command += [
        "--target",
        emulator.running.listen,
        "--organization",
        SETAGAYA_BODY,
        "--out",
        str(tmp_path / "out.csv"),
    ]

    ended = subprocess.run([*command, "--state", str(tmp_path / "state"), "--json"], capture_output=True, check=False)

    document = json.loads(ended.stdout)
    assert ended.returncode == 0, document
    assert (tmp_path / "out.csv").read_bytes().count(b"\n") > 10
