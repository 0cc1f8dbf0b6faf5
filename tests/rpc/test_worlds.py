# SPDX-License-Identifier: Apache-2.0
"""A process holds any number of worlds: one begins with another's image, and from then on they share nothing."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from builders import SHINJUKU, Body, address_number, fresh_serial

from chukan.client import Client
from chukan.composition.world import World, WorldImage, build_world, in_memory
from chukan.edge import EdgeConfig, Validation, build_server
from chukan.emulator.v1 import emulator_service_pb2
from chukan.server.config import Config
from chukan.standard.clock import FixedClock
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.operation_service_pb2_grpc import OperationServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = Config(synchronous="OFF", control="", metrics="")
NOON = datetime(2026, 7, 1, 3, tzinfo=UTC)


@contextmanager
def served(world: World) -> Iterator[Body]:
    """Serve a world on a port of its own; yield a body that calls it."""
    server = build_server(
        EdgeConfig("127.0.0.1:0", unvalidated=world.server.unvalidated),
        world.services,
        metrics=world.server.metrics,
        clock=world.server.clock,
        ready=world.server.ready,
    )
    server.start()
    world.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Body(SHINJUKU, channel)
    finally:
        server.stop(None)
        world.stop()


def known(body: Body, number: str) -> bool:
    request = linkage.GetLinkageStateRequest(integrated_address_number=number)
    try:
        LinkageCodeServiceStub(body.channel).GetLinkageState(request, metadata=body.metadata)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:  # type: ignore[attr-defined]  # it is a call as well
            return False
        raise
    return True


def generation(body: Body) -> str:
    request = operation.GetStatusRequest()
    return str(OperationServiceStub(body.channel).GetStatus(request, metadata=body.metadata).world_generation)


@pytest.fixture(scope="module")
def seed() -> Iterator[tuple[WorldImage, str, str]]:
    """Return the image of a world with one addressee, whose number it is, and the world's generation."""
    number = address_number(fresh_serial())
    world = build_world(CONFIG)
    with served(world) as body:
        body.register([number])
        yield world.image(), number, generation(body)


def test_worlds_of_one_image_hold_its_people_and_nothing_of_each_other(seed: tuple[WorldImage, str, str]) -> None:
    image, number, _ = seed
    other = address_number(fresh_serial())

    with (
        served(build_world(CONFIG, image=image, resting=True)) as first,
        served(build_world(CONFIG, image=image, resting=True)) as second,
    ):
        first.register([other])

        assert [known(body, number) for body in (first, second)] == [True, True]
        assert [known(body, other) for body in (first, second)] == [True, False]


def test_a_world_of_an_image_is_another_generation(seed: tuple[WorldImage, str, str]) -> None:
    """What a client remembers of the image's world, and what was signed in it, counts in no other."""
    image, _, former = seed

    with served(build_world(CONFIG, image=image, resting=True)) as body:
        assert generation(body) not in {"", former}


def test_a_resting_world_begins_its_threads_with_its_first_work(seed: tuple[WorldImage, str, str]) -> None:
    """A hundred worlds of a test run cost no thousand threads."""
    image, number, _ = seed
    world = build_world(CONFIG, image=image, resting=True)
    before = threading.active_count()
    world.start()
    assert threading.active_count() == before
    world.stop()

    with served(build_world(CONFIG, image=image, resting=True)) as body:
        assert body.request_codes([number])


def test_a_world_says_what_falls_due_next_and_does_it_when_its_clock_gets_there(
    seed: tuple[WorldImage, str, str],
) -> None:
    image, number, _ = seed
    clock = FixedClock(NOON)
    world = build_world(CONFIG, image=image, clock=clock, resting=True)

    with served(world) as body:
        assert world.next_due() is None
        body.request_codes([number])
        assert world.drain(10)
        clock.advance(timedelta(days=8))
        world.run_due()

        assert world.drain(10)
        assert not body.linkage(number).processing_number


def test_worlds_learn_the_rules_of_messages_together(seed: tuple[WorldImage, str, str]) -> None:
    image, _, _ = seed
    validation = Validation()
    worlds = [build_world(CONFIG, image=image, validation=validation, resting=True) for _ in range(2)]

    assert all(world.server.foundation.validation is validation for world in worlds)
    for world in worlds:
        world.stop()


def test_a_world_in_memory_keeps_the_settings_but_no_place_on_disk(tmp_path: object) -> None:
    config = Config(data=tmp_path, mode="production")  # type: ignore[arg-type]

    beside = in_memory(config)

    assert (beside.data, beside.keys_directory, beside.master_key_file) == (None, None, None)
    assert beside.mode == "production"


def test_who_starts_an_emulator_in_its_own_process_can_reach_its_controls() -> None:
    """In memory the token is in no file."""
    from chukan.composition.running import start  # noqa: PLC0415

    running = start(Config(listen="127.0.0.1:0", control="127.0.0.1:0", metrics="", organizations=(SHINJUKU,)))
    try:
        with Client(running.control, organization=SHINJUKU, token=running.control_token, retries=False) as client:
            reasons = [_refused(client)]
        with Client(running.control, organization=SHINJUKU, retries=False) as client:
            reasons.append(_refused(client))
    finally:
        running.stop()

    assert reasons == ["FEATURE_NOT_AVAILABLE", "CONTROL_TOKEN_INVALID"]
    assert running.control_token not in repr(running)


def _refused(client: Client) -> str:
    with pytest.raises(ChukanError) as caught:
        client.emulator.ListSnapshots(emulator_service_pb2.ListSnapshotsRequest())
    return caught.value.code
