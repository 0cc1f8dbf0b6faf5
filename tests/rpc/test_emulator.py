# SPDX-License-Identifier: Apache-2.0
"""The emulator's controls over real gRPC: worlds that know nothing of each other, clocks, faults that strike alike."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, TAX, Body, address_number, eventually, fresh_serial
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chukan.command.composition import CONTROL_TOKEN_FILE, Running, start
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub
from chukan.server.config import Config
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1 import provision_service_pb2 as provision
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.operation_service_pb2_grpc import OperationServiceStub
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterator

GET_STATUS = "chukan.v1.OperationService/GetStatus"
NOON = datetime(2036, 7, 1, 3, tzinfo=UTC)


class WorldBody(Body):
    """A body that calls in a world."""

    world = ""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (*super().metadata, *((("chukan-world", self.world),) if self.world else ()))


@dataclass
class Emulator:
    """A running server with its control port."""

    running: Running
    channel: grpc.Channel
    control: grpc.Channel
    token: str

    def do(self, method: str, request: Any) -> Any:
        """Call a control RPC."""
        metadata = (("authorization", f"Bearer {self.token}"),)
        return getattr(EmulatorServiceStub(self.control), method)(request, metadata=metadata, timeout=20)

    def world(self, **given: Any) -> str:
        """Make a world and return its id."""
        return str(self.do("CreateWorld", pb.CreateWorldRequest(**given)).world.world_id)

    def body(self, world: str, organization: str = SHINJUKU) -> WorldBody:
        """Return an organization's systems in a world."""
        body = WorldBody(organization, self.channel)
        body.world = world
        return body

    def fault(self, world: str, kind: str, **given: Any) -> Any:
        """Add a fault."""
        request = pb.AddFaultRequest(world_id=world, fault=pb.Fault(kind=kind, **given))
        return self.do("AddFault", request).fault


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    data = tmp_path_factory.mktemp("emulator")
    config = Config(data=data, listen="127.0.0.1:0", control="127.0.0.1:0", metrics="", synchronous="OFF")
    running = start(config)
    token = (data / CONTROL_TOKEN_FILE).read_text("ascii").strip()
    with grpc.insecure_channel(running.listen) as channel, grpc.insecure_channel(running.control) as control:
        yield Emulator(running, channel, control, token)
    running.stop()


def reason(error: grpc.RpcError) -> str:
    """Return the reason an error carries; empty if it has none."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def refusal(call: Any) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return reason(caught.value)


def status_of(body: Body) -> Any:
    return OperationServiceStub(body.channel).GetStatus(operation.GetStatusRequest(), metadata=body.metadata)


def outcomes(body: Body, calls: int) -> list[str]:
    found = []
    for _ in range(calls):
        try:
            status_of(body)
            found.append("OK")
        except grpc.RpcError as error:
            found.append(error.code().name)  # type: ignore[attr-defined]  # it is a call as well
    return found


def provisions(body: Body) -> list[Any]:
    request = provision.ListProvisionsRequest()
    return list(ProvisionServiceStub(body.channel).ListProvisions(request, metadata=body.metadata).provisions)


def known(body: Body, number: str) -> bool:
    request = linkage.GetAddresseeRequest(integrated_address_number=number)
    try:
        LinkageCodeServiceStub(body.channel).GetAddressee(request, metadata=body.metadata)
    except grpc.RpcError as error:
        if reason(error) == "ADDRESSEE_UNKNOWN":
            return False
        raise
    return True


def linked(provider: Body, inquirer: Body) -> list[str]:
    """Let a person move: both bodies hold a code, the former one a replica."""
    serials = [fresh_serial()]
    provider.notify(serials)
    numbers = provider.link(serials)
    inquirer.link(serials)
    provider.replicas(numbers)
    return numbers


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
        request = pb.CreateWorldRequest(world_id="twice", random_seed=7)
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
            ({"kind": "ANSWER_LOST", "phase": pb.FAULT_PHASE_BEFORE_HANDLER}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "parameters": {"status": "FINE"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "STATUS", "parameters": {"colour": "red"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "SEND_CAP", "parameters": {"rows": "few"}}, "FAULT_PARAMETER_INVALID"),
            ({"kind": "DELAY", "parameters": {"seconds": "long"}}, "FAULT_PARAMETER_INVALID"),
        ],
    )
    def test_what_a_kind_does_not_take_is_refused(self, emulator: Emulator, given: Any, expected: str) -> None:
        world = emulator.world()

        assert refusal(lambda: emulator.fault(world, **given)) == expected

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


def test_many_worlds_at_once_cost_no_threads_of_their_own_until_they_work(emulator: Emulator) -> None:
    before = threading.active_count()
    for _ in range(10):
        emulator.world()

    assert threading.active_count() - before <= 2 * 10
