# SPDX-License-Identifier: Apache-2.0
"""Faults over real gRPC: they strike alike whenever the same is done, and what can't strike is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, TAX, address_number, eventually, fresh_serial

from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as linkage
from tests.rpc.emulator.stage import (
    GET_STATUS,
    LIST_WORLDS,
    NOON,
    Emulator,
    known,
    linked,
    outcomes,
    provisions,
    reason,
    refusal,
    status_of,
)


class TestFaults:
    @pytest.mark.parametrize(
        ("trigger", "expected"),
        [
            ({"nth": 2}, "OK UNAVAILABLE OK OK"),
            ({"once": True}, "UNAVAILABLE OK OK OK"),
            ({"every_kth": 2}, "OK UNAVAILABLE OK UNAVAILABLE"),
            ({"first_n": 3}, "UNAVAILABLE UNAVAILABLE UNAVAILABLE OK"),
            ({}, "UNAVAILABLE UNAVAILABLE UNAVAILABLE UNAVAILABLE"),
        ],
    )
    def test_calls_are_struck_by_their_number(self, emulator: Emulator, trigger: Any, expected: str) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", target=pb.FaultTarget(methods=[GET_STATUS]), **trigger)

        assert " ".join(outcomes(emulator.body(world), 4)) == expected

    def test_each_organization_counts_for_itself(self, emulator: Emulator) -> None:
        """Tests that run beside each other in one world don't take each other's faults."""
        world = emulator.world()
        emulator.fault(world, "STATUS", nth=2)

        first, second = emulator.body(world), emulator.body(world, SETAGAYA)

        assert outcomes(first, 1) + outcomes(second, 1) == ["OK", "OK"]
        assert outcomes(first, 1) + outcomes(second, 1) == ["UNAVAILABLE", "UNAVAILABLE"]

    def test_chances_fall_alike_in_worlds_of_one_seed(self, emulator: Emulator) -> None:
        drawn = []
        for world in ("chance", "chance"):
            emulator.do("DeleteWorld", pb.DeleteWorldRequest(world_id=world))
            emulator.world(world_id=world, random_seed=5)
            emulator.fault(world, "STATUS", fault_id="half", per_million=500_000)
            drawn.append(outcomes(emulator.body(world), 20))

        assert drawn[0] == drawn[1]
        assert set(drawn[0]) == {"OK", "UNAVAILABLE"}

    def test_a_fault_strikes_in_its_world_only_and_not_once_it_is_cleared(self, emulator: Emulator) -> None:
        world, other = emulator.world(), emulator.world()
        emulator.fault(world, "STATUS")

        assert outcomes(emulator.body(other), 1) + outcomes(emulator.body(""), 1) == ["OK", "OK"]
        (cleared,) = emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world)).faults
        assert outcomes(emulator.body(world), 1) == ["OK"]
        assert cleared.struck_count == 0

    def test_a_lost_answer_was_done_and_the_repetition_gets_it(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        number = address_number(fresh_serial())
        emulator.fault(world, "ANSWER_LOST", unit=pb.FAULT_UNIT_MESSAGE, once=True)

        with pytest.raises(grpc.RpcError) as caught:
            body.register([number], batch_id="again")
        assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.UNAVAILABLE, "")
        assert known(body, number)
        again = body.register([number], batch_id="again")

        assert len(again.outcomes) == 1

    def test_a_reason_can_be_named(self, emulator: Emulator) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", parameters={"reason": "OVERLOADED"})

        assert refusal(lambda: status_of(emulator.body(world))) == "OVERLOADED"

    def test_an_unreachable_member_gets_its_code_once_it_is_reached(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        serial = fresh_serial()
        number = address_number(serial)
        body.notify([serial])
        body.register([number])
        emulator.fault(world, "PROVIDER_UNREACHABLE", target=pb.FaultTarget(peer_organization_code=SHINJUKU))

        body.submit(body.request_codes([number]), [serial])
        listed = eventually(
            lambda: [
                each
                for each in emulator.do("ListFaults", pb.ListFaultsRequest(world_id=world)).faults
                if each.struck_count
            ]
        )
        assert body.linkage(number).state != linkage.LINKAGE_STATE_LINKED
        emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world))

        assert listed[0].fault.kind == "PROVIDER_UNREACHABLE"
        eventually(lambda: body.linkage(number).state == linkage.LINKAGE_STATE_LINKED)

    def test_a_lane_is_stuck_for_one_information_until_somebody_resumes_it(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        numbers = [address_number(fresh_serial()) for _ in range(3)]
        body.register(numbers)
        emulator.fault(world, "STUCK_LANE", target=pb.FaultTarget(information_code=TAX), once=True)

        stuck, held = body.replicas(numbers), body.replicas(numbers)

        assert [response.failures[0].reason for response in (stuck, held)] == ["SEND_CAP_EXCEEDED", "LANE_HELD"]

    def test_a_lowered_send_cap_counts_rows(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        numbers = [address_number(fresh_serial()) for _ in range(3)]
        body.register(numbers)
        emulator.fault(world, "SEND_CAP", parameters={"rows": "2"})

        within, over = body.replicas(numbers[:2]), body.replicas(numbers)

        assert [len(response.failures) for response in (within, over)] == [0, 1]
        assert over.failures[0].reason == "SEND_CAP_EXCEEDED"

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"kind": "NO_SUCH"}, "FAULT_KIND_UNKNOWN"),
            ({"kind": "SEND_CAP", "parameters": {"rows": "１０"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "parameters": {"rows": "1_0"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "target": pb.FaultTarget(information_code="tax")}, "FAULT_PARAMETER_INVALID"),
            (
                {"kind": "PROVIDER_UNREACHABLE", "target": pb.FaultTarget(organization_code=SHINJUKU)},
                "FAULT_PARAMETER_INVALID",
            ),
            (
                {
                    "kind": "DELAY",
                    "phase": pb.FAULT_PHASE_OUTBOUND,
                    "target": pb.FaultTarget(methods=[GET_STATUS]),
                },
                "FAULT_PARAMETER_INVALID",
            ),
            ({"kind": "ANSWER_LOST", "phase": pb.FAULT_PHASE_BEFORE_HANDLER}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "parameters": {"status": "FINE"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "parameters": {"colour": "red"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "parameters": {"rows": "few"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "parameters": {"rows": "-1"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "unit": pb.FAULT_UNIT_MESSAGE}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "target": pb.FaultTarget(system_id="tax")}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "target": pb.FaultTarget(methods=[GET_STATUS])}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "DELAY", "parameters": {"delay": "long"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "DELAY", "parameters": {"delay": "61s"}}, "FAULT_PARAMETER_INVALID"),
            (
                {"kind": "STATUS", "parameters": {"status": "ABORTED", "reason": "OVERLOADED"}},
                "FAULT_PARAMETER_INVALID",
            ),
            ({"kind": "STATUS", "phase": pb.FAULT_PHASE_BEFORE_COMMIT}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "phase": pb.FAULT_PHASE_OUTBOUND}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "unit": pb.FAULT_UNIT_ROW}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "target": pb.FaultTarget(methods=["chukan.v1.No/Such"])}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "target": pb.FaultTarget(methods=[GET_STATUS + "x"])}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "target": pb.FaultTarget(methods=[LIST_WORLDS])}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "target": pb.FaultTarget(information_code=TAX)}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "target": pb.FaultTarget(peer_organization_code=SETAGAYA)}, "FAULT_PARAMETER_INVALID"),
            (
                {"kind": "STATUS", "target": pb.FaultTarget(fields=[pb.FieldMatch(path="receipt_number")])},
                "FAULT_PARAMETER_INVALID",
            ),
        ],
    )
    def test_what_a_kind_does_not_take_is_refused(self, emulator: Emulator, given: Any, expected: str) -> None:
        world = emulator.world()

        assert refusal(lambda: emulator.fault(world, **given)) == expected

    def test_a_delay_holds_the_call_in_real_time_and_a_cleared_one_lets_it_go(self, emulator: Emulator) -> None:
        world = emulator.world()
        emulator.fault(world, "DELAY", parameters={"delay": "0.4s"}, once=True)
        begun = monotonic()
        assert outcomes(emulator.body(world), 1) == ["OK"]
        assert monotonic() - begun >= 0.4

        emulator.fault(world, "DELAY", parameters={"delay": "60s"}, fault_id="long")
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(outcomes, emulator.body(world), 1)
            eventually(lambda: emulator.do("ListFaults", pb.ListFaultsRequest(world_id=world)).faults[1].struck_count)
            emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world))
            assert held.result(10) == ["OK"]

    def test_faults_are_listed_page_by_page_as_they_were_added(self, emulator: Emulator) -> None:
        world = emulator.world()
        added = [emulator.fault(world, "STATUS", nth=n + 1).fault.fault_id for n in range(3)]
        request = pb.ListFaultsRequest(world_id=world, page_size=2)
        first = emulator.do("ListFaults", request)
        request.page_token = first.next_page_token
        second = emulator.do("ListFaults", request)
        request.page_token = "no token"  # noqa: S105 it is no secret

        assert [each.fault.fault_id for each in (*first.faults, *second.faults)] == added
        assert not second.next_page_token
        assert refusal(lambda: emulator.do("ListFaults", request)) == "PAGE_TOKEN_INVALID"

    def test_a_fault_holds_between_its_hours_by_the_world_s_clock(self, emulator: Emulator) -> None:
        setting = pb.ClockSetting(mode=pb.CLOCK_MODE_FROZEN)
        setting.now.FromDatetime(NOON)
        world = emulator.world(clock=setting)
        fault = pb.Fault(kind="STATUS")
        fault.start_time.FromDatetime(NOON + timedelta(hours=1))
        fault.end_time.FromDatetime(NOON + timedelta(hours=2))
        added = emulator.do("AddFault", pb.AddFaultRequest(world_id=world, fault=fault)).fault
        advance = pb.AdvanceClockRequest(world_id=world)
        advance.by.FromTimedelta(timedelta(hours=1))
        found = []
        for _ in range(3):
            found += outcomes(emulator.body(world), 1)
            emulator.do("AdvanceClock", advance)

        assert found == ["OK", "UNAVAILABLE", "OK"]
        assert (added.fault.start_time, added.fault.end_time) == (fault.start_time, fault.end_time)

    def test_a_reset_drops_the_faults_or_counts_the_kept_ones_anew(self, emulator: Emulator) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", once=True)
        assert outcomes(emulator.body(world), 2) == ["UNAVAILABLE", "OK"]

        emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world, keep_faults=True))
        assert outcomes(emulator.body(world), 2) == ["UNAVAILABLE", "OK"]
        emulator.do("ResetWorld", pb.ResetWorldRequest(world_id=world))
        assert outcomes(emulator.body(world), 2) == ["OK", "OK"]

    def test_kinds_say_what_they_do_and_what_a_client_should(self, emulator: Emulator) -> None:
        kinds = emulator.do("ListFaultKinds", pb.ListFaultKindsRequest()).kinds

        assert all(kind.phases and kind.description_ja and kind.expected_client_behaviour for kind in kinds)

    def test_half_an_exchange_is_recorded_at_the_provider_and_missing_at_the_inquirer(self, emulator: Emulator) -> None:
        world = emulator.world()
        provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
        (number,) = linked(provider, inquirer)
        emulator.fault(world, "HALF_EXCHANGE")

        receipt = inquirer.ask(inquirer.spec(number)).receipt_numbers[0]
        eventually(lambda: len(provisions(provider)) == 1)

        assert inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_PERMITTED
        emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world))
        assert inquirer.finished(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED

    def test_a_permit_whose_signature_is_wrong_is_answered_with_nothing(self, emulator: Emulator) -> None:
        """The provider keeps no record of it; the same permit with its true signature is answered later."""
        world = emulator.world()
        provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
        (number,) = linked(provider, inquirer)
        emulator.fault(world, "WRONG_PERMIT_SIGNATURE")

        receipt = inquirer.ask(inquirer.spec(number)).receipt_numbers[0]
        eventually(lambda: emulator.do("ListFaults", pb.ListFaultsRequest(world_id=world)).faults[0].struck_count >= 1)

        eventually(lambda: inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_PERMITTED)
        assert not provisions(provider)
        emulator.do("ClearFaults", pb.ClearFaultsRequest(world_id=world))
        assert inquirer.finished(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED


class TestCounts:
    """What is told of a fault is what it did."""

    def state(self, emulator: Emulator, world: str) -> Any:
        (state,) = emulator.do("ListFaults", pb.ListFaultsRequest(world_id=world)).faults
        return state

    def test_no_more_strikes_than_the_limit_and_then_it_is_exhausted(self, emulator: Emulator) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", strike_limit=2)

        seen = outcomes(emulator.body(world), 4)

        assert seen == ["UNAVAILABLE", "UNAVAILABLE", "OK", "OK"]
        state = self.state(emulator, world)
        assert (state.matched_count, state.struck_count, state.exhausted) == (4, 2, True)

    def test_an_answer_that_never_came_to_be_was_not_lost(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        emulator.fault(world, "ANSWER_LOST", strike_limit=1)

        assert not known(body, address_number(fresh_serial()))
        assert self.state(emulator, world).struck_count == 0
        assert outcomes(body, 2) == ["UNAVAILABLE", "OK"]
        assert self.state(emulator, world).struck_count == 1

    def test_of_two_faults_that_end_a_call_the_first_strikes(self, emulator: Emulator) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", parameters={"status": "ABORTED"}, once=True)
        emulator.fault(world, "STATUS", parameters={"status": "UNAVAILABLE"}, once=True)

        assert outcomes(emulator.body(world), 2) == ["ABORTED", "OK"]
        assert emulator.struck(world) == [1, 0]

    @pytest.mark.parametrize(("organization", "expected"), [(SHINJUKU, True), ("", False)])
    def test_once_is_over_when_the_only_organization_was_struck(
        self, emulator: Emulator, *, organization: str, expected: bool
    ) -> None:
        world = emulator.world()
        emulator.fault(world, "STATUS", target=pb.FaultTarget(organization_code=organization), once=True)

        assert outcomes(emulator.body(world), 2) == ["UNAVAILABLE", "OK"]
        assert self.state(emulator, world).exhausted is expected

    def test_a_fault_whose_hours_are_over_is_exhausted(self, emulator: Emulator) -> None:
        setting = pb.ClockSetting(mode=pb.CLOCK_MODE_FROZEN)
        setting.now.FromDatetime(NOON)
        world = emulator.world(clock=setting)
        fault = pb.Fault(kind="STATUS")
        fault.end_time.FromDatetime(NOON + timedelta(hours=1))
        emulator.do("AddFault", pb.AddFaultRequest(world_id=world, fault=fault))
        before = self.state(emulator, world).exhausted
        advance = pb.AdvanceClockRequest(world_id=world)
        advance.by.FromTimedelta(timedelta(hours=1))
        emulator.do("AdvanceClock", advance)

        assert (before, self.state(emulator, world).exhausted) == (False, True)
        assert outcomes(emulator.body(world), 1) == ["OK"]

    def test_a_signature_spoilt_by_two_faults_is_not_whole_again(self, emulator: Emulator) -> None:
        world = emulator.world()
        provider, inquirer = emulator.body(world), emulator.body(world, SETAGAYA)
        (number,) = linked(provider, inquirer)
        for _ in range(2):
            emulator.fault(world, "WRONG_PERMIT_SIGNATURE")

        inquirer.ask(inquirer.spec(number))
        eventually(lambda: min(emulator.struck(world)) >= 1)

        assert not provisions(provider)

    def test_a_status_after_the_commit_ends_what_was_done(self, emulator: Emulator) -> None:
        world = emulator.world()
        body = emulator.body(world)
        number = address_number(fresh_serial())
        emulator.fault(
            world,
            "STATUS",
            phase=pb.FAULT_PHASE_AFTER_COMMIT,
            parameters={"reason": "OVERLOADED"},
            target=pb.FaultTarget(methods=["chukan.v1.LinkageCodeService/RegisterAddressees"]),
        )

        assert refusal(lambda: body.register([number])) == "OVERLOADED"
        assert known(body, number)
