# SPDX-License-Identifier: Apache-2.0
"""Worlds over real gRPC that know nothing of each other, and their clocks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, address_number, eventually, fresh_serial

from chukan.composition.world import build_world
from chukan.composition.worlds import WorldMaker, all_worlds
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.server.config import Config
from chukan.server.emulator.clock import WorldClock
from chukan.server.emulator.faults import Faults
from chukan.server.emulator.world import Plan
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from tests.rpc.emulator.stage import (
    NOON,
    Emulator,
    details,
    known,
    linked,
    outcomes,
    reason,
    refusal,
    status_of,
)

if TYPE_CHECKING:
    from pathlib import Path


class TestWorlds:
    def test_worlds_know_nothing_of_each_other_nor_of_the_persistent_one(self, emulator: Emulator) -> None:
        number = address_number(fresh_serial())
        bodies = [emulator.body(world) for world in (emulator.world(), emulator.world(), "")]

        bodies[0].register([number])

        assert [known(body, number) for body in bodies] == [True, False, False]

    def test_a_reset_drops_the_data_and_is_another_generation(self, emulator: Emulator) -> None:
        number = address_number(fresh_serial())
        world = emulator.world()
        body = emulator.body(world)
        body.register([number])
        former = status_of(body).world_generation

        made = emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world)).world

        assert not known(body, number)
        assert (made.generation, made.world_generation) == (2, status_of(body).world_generation)
        assert made.world_generation != former

    @pytest.mark.parametrize("method", ["ResetWorld", "DeleteWorld"])
    def test_a_call_that_is_open_in_a_world_that_ends_is_told_so(self, emulator: Emulator, method: str) -> None:
        world = emulator.world()
        body = emulator.body(world)
        watch = LinkageCodeServiceStub(body.channel).WatchLinkageStates(
            linkage.WatchLinkageStatesRequest(), metadata=body.metadata
        )
        body.register([address_number(fresh_serial())])
        next(watch)
        emulator.do(method, getattr(pb, f"{method}Request")(world_id=world))

        def rest() -> None:
            for _ in watch:
                pass

        assert refusal(rest) == "WORLD_RESET"

    def test_an_exchange_runs_inside_a_world(self, emulator: Emulator) -> None:
        """Inquirer, network and provider of a world are its own: numbers, codes, keys, records."""
        world = emulator.world()
        provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
        (number,) = linked(provider, inquirer)

        done = inquirer.answer(number)

        assert (done.state, done.reason) == (common_pb2.INQUIRY_STATE_ANSWERED, "")

    def test_the_same_again_is_the_same_world_and_other_content_is_refused(self, emulator: Emulator) -> None:
        request = pb.CreateWorldRequest(world_id="twice", random_seed=7, seed=pb.WORLD_SEED_EMPTY)
        first, again = (emulator.do("CreateWorld", request).world for _ in range(2))
        request.random_seed = 8

        assert first.world_generation == again.world_generation
        assert refusal(lambda: emulator.do("CreateWorld", request)) == "WORLD_EXISTS"

    def test_a_deleted_world_is_unknown_and_may_be_deleted_again(self, emulator: Emulator) -> None:
        world = emulator.world()
        for _ in range(2):
            emulator.do("DeleteWorld", pb.DeleteWorldRequest(world_id=world))

        assert refusal(lambda: status_of(emulator.body(world))) == "WORLD_UNKNOWN"

    def test_the_persistent_world_is_not_dropped(self, emulator: Emulator) -> None:
        assert refusal(lambda: emulator.do("ResetWorld", pb.ResetWorldRequest())) == "DEFAULT_WORLD_KEPT"

    @pytest.mark.parametrize(
        ("method", "request_", "feature"),
        [
            ("CreateWorld", pb.CreateWorldRequest(seed=pb.WORLD_SEED_SNAPSHOT, snapshot_id="s"), "snapshots"),
            ("ResetWorld", pb.ResetWorldRequest(allow_default=True), "reset of the default world"),
            ("AdvanceClock", pb.AdvanceClockRequest(to_next_due=True), "moving the clock of the default world"),
            ("SetClock", pb.SetClockRequest(clock=pb.ClockSetting()), "moving the clock of the default world"),
            ("SaveSnapshot", pb.SaveSnapshotRequest(snapshot_id="s"), "snapshots"),
            ("ListJournal", pb.ListJournalRequest(), "journal"),
        ],
    )
    def test_what_is_not_offered_is_named(self, emulator: Emulator, method: str, request_: Any, feature: str) -> None:
        with pytest.raises(grpc.RpcError) as caught:
            emulator.do(method, request_)

        assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.UNIMPLEMENTED, "FEATURE_NOT_AVAILABLE")
        assert details(caught.value)["feature"] == feature

    @pytest.mark.parametrize(
        "given",
        [{"snapshot_id": "s"}, {"idle_time_to_live": timedelta(0)}, {"idle_time_to_live": timedelta(seconds=-1)}],
    )
    def test_what_makes_no_sense_for_a_world_is_refused(self, emulator: Emulator, given: Any) -> None:
        assert refusal(lambda: emulator.world(**given)) == "INVALID_FIELD"

    def test_a_page_token_nobody_gave_is_refused(self, emulator: Emulator) -> None:
        request = pb.ListWorldsRequest(page_token="NO TOKEN")  # noqa: S106 it is no secret

        assert refusal(lambda: emulator.do("ListWorlds", request)) == "PAGE_TOKEN_INVALID"

    def test_a_world_nobody_calls_in_for_its_time_is_deleted(self, emulator: Emulator) -> None:
        world = emulator.world(idle_time_to_live=timedelta(seconds=1))

        def listed() -> list[str]:
            return [each.world_id for each in emulator.do("ListWorlds", pb.ListWorldsRequest(page_size=1000)).worlds]

        eventually(lambda: world not in listed())

    def test_threads_in_worlds_of_their_own_do_not_disturb_each_other(self, emulator: Emulator) -> None:
        """Exchanges, faults and resets, two at a time, each in its own world."""

        def one(_: int) -> list[str]:
            world = emulator.world()
            provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
            seen = []
            for _ in range(2):
                (number,) = linked(provider, inquirer)
                seen.append(common_pb2.InquiryState.Name(inquirer.answer(number).state))
                emulator.fault(world, "STATUS", once=True)
                seen += outcomes(provider, 2)
                emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world))
            return seen

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(one, range(4)))

        assert found == [["INQUIRY_STATE_ANSWERED", "UNAVAILABLE", "OK"] * 2] * 4

    def test_worlds_are_listed_with_the_persistent_one_first(self, emulator: Emulator) -> None:
        made = {emulator.world(), emulator.world()}

        listed = emulator.do("ListWorlds", pb.ListWorldsRequest()).worlds

        assert listed[0].persistent
        assert made <= {world.world_id for world in listed}


class TestClock:
    def frozen(self, emulator: Emulator) -> str:
        setting = pb.ClockSetting(mode=pb.CLOCK_MODE_FROZEN)
        setting.now.FromDatetime(NOON)
        return emulator.world(clock=setting)

    def test_a_frozen_clock_stands_until_it_is_advanced(self, emulator: Emulator) -> None:
        world = self.frozen(emulator)
        request = pb.AdvanceClockRequest(world_id=world)
        request.by.FromTimedelta(timedelta(days=1))

        emulator.do("AdvanceClock", request)
        state = emulator.do("GetClock", pb.GetClockRequest(world_id=world)).clock

        assert (state.now.ToDatetime(tzinfo=UTC), state.today) == (NOON + timedelta(days=1), "20360702")
        assert status_of(emulator.body(world)).server_time == state.now
        assert emulator.do("GetClock", pb.GetClockRequest()).clock.mode == pb.CLOCK_MODE_SYSTEM

    def test_it_never_runs_backwards(self, emulator: Emulator) -> None:
        world = self.frozen(emulator)
        request = pb.SetClockRequest(world_id=world)
        request.clock.now.FromDatetime(NOON - timedelta(seconds=1))

        assert refusal(lambda: emulator.do("SetClock", request)) == "CLOCK_BACKWARDS"

    def test_a_world_does_not_begin_in_the_past(self, emulator: Emulator) -> None:
        setting = pb.ClockSetting(mode=pb.CLOCK_MODE_FROZEN)
        setting.now.FromDatetime(datetime(2020, 1, 1, tzinfo=UTC))

        assert refusal(lambda: emulator.world(clock=setting)) == "CLOCK_BACKWARDS"

    def test_a_reset_sets_the_clock_back_unless_it_is_kept(self, emulator: Emulator) -> None:
        world = self.frozen(emulator)
        advance = pb.AdvanceClockRequest(world_id=world)
        advance.by.FromTimedelta(timedelta(days=1))
        found = []
        for keep in (True, False):
            emulator.do("AdvanceClock", advance)
            made = emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world, keep_clock=keep)).world
            found.append(made.clock.now.ToDatetime(tzinfo=UTC) - NOON)

        assert found == [timedelta(days=1), timedelta(0)]

    def test_what_falls_due_is_done_before_the_answer(self, emulator: Emulator) -> None:
        """A processing number whose code never came is given up seven days later, and said so at once."""
        world = self.frozen(emulator)
        body = emulator.body(world)
        number = address_number(fresh_serial())
        body.register([number])
        body.request_codes([number])
        request = pb.AdvanceClockRequest(world_id=world)
        request.by.FromTimedelta(timedelta(days=8))

        emulator.do("AdvanceClock", request)

        assert not body.linkage(number).processing_number


def test_no_more_worlds_than_memory_is_set_aside_for() -> None:
    """The refused one leaves nothing; one that is deleted makes room."""
    config = Config(listen="127.0.0.1:0", metrics="", organizations=(SHINJUKU,))
    clock = WorldClock(SystemClock())
    faults = Faults(clock, seed="")
    default, maker = build_world(config, resting=True), WorldMaker(config)
    parts, size = maker("probe", Plan(seed="EMPTY"), clock, faults)
    parts.stop()
    worlds = all_worlds(default, maker, kept=False, budget=size)
    try:
        worlds.create("first", Plan(seed="EMPTY"))
        with pytest.raises(ChukanError) as caught:
            worlds.create("second", Plan(seed="EMPTY"))
        assert (caught.value.code, [each.id for each in worlds.all()]) == ("WORLD_BUDGET_EXHAUSTED", ["", "first"])
        worlds.reset("first")
        worlds.delete("first")
        assert worlds.create("second", Plan(seed="EMPTY")).id == "second"
    finally:
        worlds.stop()
        default.stop()


def test_a_middle_server_whose_network_is_elsewhere_has_no_worlds(tmp_path: Path) -> None:
    """That network is one for all of them: they would not be apart."""
    maker = WorldMaker(Config(data=tmp_path, role="middle", network="127.0.0.1:1"))
    clock = WorldClock(SystemClock())

    with pytest.raises(ChukanError, match="WORLDS_NOT_OFFERED"):
        maker("w", Plan(seed="EMPTY"), clock, Faults(clock, seed=""))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("CreateWorld", pb.CreateWorldRequest(seed=pb.WORLD_SEED_EMPTY)),
        ("CreateWorld", pb.CreateWorldRequest()),
        ("DeleteWorld", pb.DeleteWorldRequest(world_id="w")),
        ("ResetWorld", pb.ResetWorldRequest(world_id="w", seed=pb.WORLD_SEED_STANDARD)),
        ("ListWorlds", pb.ListWorldsRequest()),
        ("GetClock", pb.GetClockRequest()),
        ("SetClock", pb.SetClockRequest(clock=pb.ClockSetting())),
        ("AdvanceClock", pb.AdvanceClockRequest(to_next_due=True)),
        ("AwaitIdle", pb.AwaitIdleRequest()),
        ("ListFaultKinds", pb.ListFaultKindsRequest()),
        ("AddFault", pb.AddFaultRequest(fault=pb.Fault(kind="STATUS"))),
        ("ListFaults", pb.ListFaultsRequest()),
        ("ClearFaults", pb.ClearFaultsRequest()),
    ],
)
def test_the_production_profile_refuses_all_of_it(production: Emulator, method: str, request_: Any) -> None:
    assert refusal(lambda: production.do(method, request_)) == "PROFILE_REFUSES"


def test_many_worlds_at_once_cost_no_threads_of_their_own_until_they_work(emulator: Emulator) -> None:
    before = threading.active_count()
    for _ in range(10):
        emulator.world()

    assert threading.active_count() - before <= 2 * 10
