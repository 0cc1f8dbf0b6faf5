# SPDX-License-Identifier: Apache-2.0
"""How long things take and last: what a moved clock waits for, whose wait ends when, which worlds stay."""

from __future__ import annotations

import threading
from datetime import UTC, timedelta
from time import monotonic, sleep
from typing import Any

import grpc
import pytest
from builders import SETAGAYA, eventually

from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from tests.rpc.emulator.stage import GET_STATUS, NOON, Emulator, linked, outcomes, reason, refusal, status_of

HELD = pb.FaultTarget(methods=[GET_STATUS])


def frozen(emulator: Emulator) -> str:
    """Make a world whose clock stands."""
    setting = pb.ClockSetting(mode=pb.CLOCK_MODE_FROZEN)
    setting.now.FromDatetime(NOON)
    return emulator.world(clock=setting)


def idle(emulator: Emulator, world: str, seconds: float) -> Any:
    request = pb.AwaitIdleRequest(world_id=world)
    request.wait_time.FromTimedelta(timedelta(seconds=seconds))
    return emulator.do("AwaitIdle", request)


def asked_across_a_slow_way(emulator: Emulator, world: str, delay: str) -> tuple[Any, str]:
    """Ask about a person whose provider is slow to reach; return the inquirer and the receipt number."""
    provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
    (number,) = linked(provider, inquirer)
    way = pb.FaultTarget(methods=["chukan.network.v1.MemberService/DeliverInquiries"])
    emulator.fault(world, "DELAY", target=way, phase=pb.FAULT_PHASE_OUTBOUND, parameters={"delay": delay})
    return inquirer, inquirer.ask(inquirer.spec(number)).receipt_numbers[0]


class TestWaiting:
    def test_idle_is_when_what_an_answer_set_going_is_done(self, emulator: Emulator) -> None:
        world = emulator.world()
        inquirer, receipt = asked_across_a_slow_way(emulator, world, "0.5s")

        early, late = idle(emulator, world, 0.1), idle(emulator, world, 10)

        assert (early.idle, list(early.pending), late.idle) == (False, ["outbox"], True)
        assert inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED

    def test_nobody_waits_for_a_world_that_is_gone(self, emulator: Emulator) -> None:
        world = emulator.world()
        asked_across_a_slow_way(emulator, world, "5s")
        told: list[str] = []
        waiting = threading.Thread(target=lambda: told.append(refusal(lambda: idle(emulator, world, 10))))
        waiting.start()
        sleep(0.2)

        emulator.do("DeleteWorld", pb.DeleteWorldRequest(world_id=world))
        waiting.join(5)

        assert told == ["WORLD_RESET"]

    def test_a_clock_that_moved_has_waited_for_what_it_set_going(self, emulator: Emulator) -> None:
        world = frozen(emulator)
        provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
        (number,) = linked(provider, inquirer)
        away = emulator.fault(world, "PROVIDER_UNREACHABLE")
        receipt = inquirer.ask(inquirer.spec(number)).receipt_numbers[0]
        idle(emulator, world, 10)
        emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world, fault_ids=[away.fault.fault_id]))

        due = emulator.do("GetClock", pb.GetClockRequest(world_id=world)).clock.next_due_time
        answer = emulator.do("AdvanceClock", pb.AdvanceClockRequest(world_id=world, to_next_due=True))

        assert answer.clock.now == due
        assert [(job.kind, job.count) for job in answer.jobs] == [("retry", 1)]
        assert inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED

    def test_a_clock_is_set_to_an_instant_and_a_mode_at_once(self, emulator: Emulator) -> None:
        world = frozen(emulator)
        request = pb.SetClockRequest(world_id=world, clock=pb.ClockSetting(mode=pb.CLOCK_MODE_RUNNING))
        request.clock.now.FromDatetime(NOON + timedelta(days=3))

        clock = emulator.do("SetClock", request).clock
        sleep(0.01)
        later = emulator.do("GetClock", pb.GetClockRequest(world_id=world)).clock

        assert (clock.mode, clock.today) == (pb.CLOCK_MODE_RUNNING, "20360704")
        assert later.now.ToDatetime() > clock.now.ToDatetime()

    def test_who_has_gone_holds_no_clock(self, emulator: Emulator) -> None:
        world = frozen(emulator)
        asked_across_a_slow_way(emulator, world, "0.3s")
        request = pb.AdvanceClockRequest(world_id=world)
        request.by.FromTimedelta(timedelta(days=3000))
        metadata = (("authorization", f"Bearer {emulator.token}"),)
        stub = emulator.control.unary_unary(
            "/chukan.emulator.v1.EmulatorService/AdvanceClock",
            request_serializer=pb.AdvanceClockRequest.SerializeToString,
            response_deserializer=pb.AdvanceClockResponse.FromString,
        )
        with pytest.raises(grpc.RpcError):
            stub(request, metadata=metadata, timeout=0.1)

        def now() -> Any:
            return emulator.do("GetClock", pb.GetClockRequest(world_id=world)).clock.now.ToDatetime(tzinfo=UTC)

        eventually(lambda: refused_or_moved(emulator, world))
        stands = now()
        sleep(0.3)
        assert now() == stands

    @pytest.mark.parametrize(
        ("message", "seconds"), [("now", 253402300800), ("now", 2**62), ("until", 253402300799), ("until", -(2**62))]
    )
    def test_instants_no_clock_shows_are_refused(self, emulator: Emulator, message: str, seconds: int) -> None:
        world = frozen(emulator)
        request: Any
        if message == "now":
            request = pb.SetClockRequest(world_id=world)
            request.clock.now.seconds = seconds
        else:
            request = pb.AdvanceClockRequest(world_id=world)
            request.until.seconds = seconds

        told = refusal(lambda: emulator.do("SetClock" if message == "now" else "AdvanceClock", request))

        assert told in {"INVALID_FIELD", "CLOCK_BACKWARDS"}


def refused_or_moved(emulator: Emulator, world: str) -> bool:
    """Whether somebody else may move the clock again."""
    request = pb.AdvanceClockRequest(world_id=world)
    request.by.FromTimedelta(timedelta(microseconds=1))
    try:
        emulator.do("AdvanceClock", request)
    except grpc.RpcError:
        return False
    return True


class TestLives:
    def test_a_call_held_before_a_reset_does_nothing_after_it(self, emulator: Emulator) -> None:
        """Neither before its handler nor with its answer: both belong to the generation that is gone."""
        for phase in (pb.FAULT_PHASE_BEFORE_HANDLER, pb.FAULT_PHASE_AFTER_COMMIT):
            world = emulator.world()
            emulator.fault(world, "DELAY", target=HELD, phase=phase, parameters={"delay": "20s"})
            told: list[str] = []
            held = threading.Thread(
                target=lambda told=told, world=world: told.append(refusal(lambda: status_of(emulator.body(world))))
            )
            held.start()
            eventually(lambda world=world: emulator.struck(world) == [1])

            emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world))
            held.join(5)

            assert told == ["WORLD_RESET"]

    def test_a_delay_ends_with_its_callers_patience(self, emulator: Emulator) -> None:
        """No thread is held for one who has gone."""
        world = emulator.world()
        body = emulator.body(world)
        emulator.fault(world, "DELAY", target=HELD, parameters={"delay": "30s"})
        begun = monotonic()
        for _ in range(32):  # twice as many as may be answered at once
            with pytest.raises(grpc.RpcError):
                emulator.channel.unary_unary(f"/{GET_STATUS}")(b"", metadata=body.metadata, timeout=0.05)

        assert outcomes(emulator.body(emulator.world()), 1) == ["OK"]
        assert monotonic() - begun < 10

    def test_a_world_in_which_a_watch_is_open_is_not_idle(self, emulator: Emulator) -> None:
        world = emulator.world(idle_time_to_live=timedelta(seconds=1))
        body = emulator.body(world)
        watch = InquiryServiceStub(body.channel).WatchInquiries(
            inquiry.WatchInquiriesRequest(from_now=True), metadata=body.metadata
        )
        sleep(2.5)

        assert outcomes(body, 1) == ["OK"]
        watch.cancel()

    def test_whoever_makes_a_world_again_or_looks_at_it_keeps_it(self, emulator: Emulator) -> None:
        made = {"world_id": "kept-by-looking", "idle_time_to_live": timedelta(seconds=2)}
        world = emulator.world(**made)
        for _ in range(4):
            sleep(0.8)
            emulator.world(**made)

        assert emulator.do("CreateWorld", pb.CreateWorldRequest(seed=pb.WORLD_SEED_EMPTY, **made)).world.generation == 1
        assert outcomes(emulator.body(world), 1) == ["OK"]

    def test_page_tokens_are_of_one_world(self, emulator: Emulator) -> None:
        bodies = [emulator.body(emulator.world(), SETAGAYA) for _ in range(2)]
        for each in bodies:
            provider = emulator.body(each.world)
            numbers = [linked(provider, each)[0] for _ in range(2)]
            for number in numbers:
                each.ask(each.spec(number))
        request = inquiry.ListInquiriesRequest(page_size=1)
        page = InquiryServiceStub(emulator.channel).ListInquiries(request, metadata=bodies[0].metadata)
        request.page_token = page.next_page_token

        with pytest.raises(grpc.RpcError) as caught:
            InquiryServiceStub(emulator.channel).ListInquiries(request, metadata=bodies[1].metadata)

        assert reason(caught.value) == "PAGE_TOKEN_INVALID"
