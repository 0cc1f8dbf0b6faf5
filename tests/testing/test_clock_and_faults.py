# SPDX-License-Identifier: Apache-2.0
"""A world's clock and faults as a test moves and sets them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.address.v1 import address_service_pb2
from chukan.network.v1 import member_service_pb2, network_service_pb2, resident_network_service_pb2
from chukan.standard.clock import JAPAN
from chukan.standard.reasons import ChukanError
from chukan.testing import faults as faults_module
from chukan.v1 import inquiry_service_pb2 as inquiry
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1 import replica_service_pb2

if TYPE_CHECKING:
    from chukan.testing import Emulator, World

SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"
GET_STATUS = "OperationService/GetStatus"
NEW_YEAR = datetime(2040, 1, 1, tzinfo=JAPAN)


def outcomes(world: World, calls: int, organization: str = SHINJUKU) -> str:
    """Return what became of some calls: a letter for each, . for an answer and the error's first else."""
    client, found = world.client(organization), ""
    for _ in range(calls):
        try:
            client.operation.GetStatus(operation.GetStatusRequest())
            found += "."
        except ChukanError as error:
            found += error.code[0]
    return found


def test_a_clock_stands_where_it_began_until_it_is_moved(emulator: Emulator) -> None:
    with emulator.new_world(now=NEW_YEAR) as world:
        clock = world.clock

        assert clock.now() == clock.now() == NEW_YEAR
        assert clock.today() == date(2040, 1, 1)
        assert clock.advance(days=1, hours=2, minutes=3, seconds=4) == NEW_YEAR + timedelta(
            1, hours=2, minutes=3, seconds=4
        )
        assert clock.advance_to(NEW_YEAR + timedelta(weeks=1)) == NEW_YEAR + timedelta(weeks=1)
        assert clock.today() == date(2040, 1, 8)


def test_a_clock_never_goes_back(emulator: Emulator) -> None:
    with emulator.new_world(now=NEW_YEAR) as world:
        for wrong in (lambda: world.clock.advance(days=-1), world.clock.advance):
            with pytest.raises(ChukanError, match="INVALID_FIELD"):
                wrong()
        with pytest.raises(ChukanError, match="CLOCK_BACKWARDS"):
            world.clock.advance_to(NEW_YEAR - timedelta(days=1))
        with pytest.raises(ValueError, match="instant: got a naive datetime"):
            world.clock.advance_to(datetime(2041, 1, 1))  # noqa: DTZ001  # on purpose


def test_a_clock_runs_and_stands_as_it_is_told(world: World) -> None:
    world.clock.run()
    assert world.clock.now() < world.clock.now()

    world.clock.freeze()
    assert world.clock.now() == world.clock.now()


def test_the_next_thing_due_is_told_and_reached(world: World) -> None:
    assert world.clock.next_due() is None
    moved = world.addressee(SHINJUKU, SETAGAYA)
    world.faults.add("PROVIDER_UNREACHABLE", peer=SHINJUKU)
    spec = world.inquiry_spec(moved, by=SETAGAYA, provider=SHINJUKU, time_out=timedelta(hours=1))
    world.client(SETAGAYA).inquiries.CreateInquiry(inquiry.CreateInquiryRequest(inquiry=spec))
    world.await_idle()

    due = world.clock.next_due()
    assert due is not None
    assert world.clock.now() < due
    assert world.clock.advance_to_next_due() == due
    assert f"next due: {world.clock.next_due():%Y-%m-%d}" in world.describe()


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({}, "OOOO"),
        ({"nth": 2}, ".O.."),
        ({"every": 2}, ".O.O"),
        ({"once": True}, "O..."),
        ({"first": 3}, "OOO."),
        ({"per_million": 1_000_000}, "OOOO"),
        ({"at_most": 1}, "O..."),
        ({"first": 3, "at_most": 2}, "OO.."),
        ({"after_commit": True, "nth": 3}, "..O."),
        ({"organization": "131121"}, "...."),
        ({"system": "other"}, "...."),
        ({"start": NEW_YEAR}, "...."),
        ({"end": NEW_YEAR}, "OOOO"),
    ],
)
def test_calls_are_struck_as_the_arguments_say(world: World, trigger: dict[str, object], expected: str) -> None:
    fault = world.faults.add("STATUS", method=GET_STATUS, reason="OVERLOADED", **trigger)  # type: ignore[arg-type]

    assert outcomes(world, 4) == expected
    assert fault.strikes == expected.count("O")


def test_strikes_are_counted_by_fault_and_end_with_it(world: World) -> None:
    first = world.faults.add("STATUS", method=GET_STATUS, nth=1, status="ABORTED")
    second = world.faults.add("STATUS", method=GET_STATUS, nth=2, fault_id="mine", status="ABORTED")
    outcomes(world, 2)

    assert world.faults.strikes() == {"status-1": 1, "mine": 1}
    assert (first.clear(), first.clear()) == (1, 0)
    assert world.faults.strikes() == {"mine": 1}
    assert world.faults.clear() == {"mine": 1}
    assert second.strikes == 0


def test_a_fault_of_messages_counts_batches_of_a_stream(world: World) -> None:
    numbers = [world.addressee(SHINJUKU, link=False).number(SHINJUKU) for _ in range(2)]
    lost = world.faults.add("ANSWER_LOST", method="ReplicaService/RegisterReplicas", messages=True, nth=2)
    world.replica(numbers[0], at=SHINJUKU)

    with pytest.raises(ChukanError):
        world.replica(numbers[1], at=SHINJUKU)
    assert lost.strikes == 1


def test_what_can_t_be_meant_is_refused(world: World) -> None:
    for wrong in ({"nth": 1, "once": True}, {"after_commit": True, "outbound": True}, {"colour": "red"}):
        with pytest.raises(ChukanError, match="FAULT_PARAMETER_INVALID"):
            world.faults.add("STATUS", **wrong)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ChukanError, match="FAULT_KIND_UNKNOWN"):
        world.faults.add("NO_SUCH")
    with pytest.raises(ChukanError, match="FAULT_PARAMETER_INVALID"):
        world.faults.add("STATUS", method="InquiryService/NoSuch")
    with pytest.raises(ValueError, match="start: got a naive datetime"):
        world.faults.add("STATUS", start=datetime(2040, 1, 1))  # noqa: DTZ001  # on purpose
    assert world.faults.strikes() == {}


def test_parameters_are_written_as_the_contract_has_them(world: World) -> None:
    delay = world.faults.add("DELAY", method=GET_STATUS, once=True, delay=timedelta(milliseconds=10))
    world.faults.add("SEND_CAP", rows=3)

    written = [dict(each.fault.parameters) for each in world.faults.states()]
    assert written == [{"delay": "0.01s"}, {"rows": "3"}]
    assert outcomes(world, 1) == "."
    assert delay.strikes == 1


@pytest.mark.parametrize(
    "module",
    [
        inquiry,
        operation,
        replica_service_pb2,
        address_service_pb2,
        member_service_pb2,
        network_service_pb2,
        resident_network_service_pb2,
    ],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_a_method_s_short_name_leads_to_its_package(module: object) -> None:
    (service,) = module.DESCRIPTOR.services_by_name.values()  # type: ignore[attr-defined]

    for method in service.methods:
        full = f"{service.full_name}/{method.name}"
        assert faults_module._full(f"{service.name}/{method.name}") == faults_module._full(full) == full
