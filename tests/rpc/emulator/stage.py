# SPDX-License-Identifier: Apache-2.0
"""A running emulator as tests use it: calls to its control port, bodies that call in its worlds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SHINJUKU, Body, fresh_serial
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1 import provision_service_pb2 as provision
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from chukan.v1.operation_service_pb2_grpc import OperationServiceStub
from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub

if TYPE_CHECKING:
    from chukan.composition.running import Running

GET_STATUS = "chukan.v1.OperationService/GetStatus"
LIST_WORLDS = "chukan.emulator.v1.EmulatorService/ListWorlds"
NOON = datetime(2036, 7, 1, 3, tzinfo=UTC)
SHINJUKU_BODY, SETAGAYA_BODY = "131041", "131121"


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
        request = pb.CreateWorldRequest(**{"seed": pb.WORLD_SEED_EMPTY, **given})
        return str(self.do("CreateWorld", request).world.world_id)

    def body(self, world: str, organization: str = SHINJUKU) -> WorldBody:
        """Return an organization's systems in a world."""
        body = WorldBody(organization, self.channel)
        body.world = world
        return body

    def fault(self, world: str, kind: str, **given: Any) -> Any:
        """Add a fault."""
        request = pb.AddFaultRequest(world_id=world, fault=pb.Fault(kind=kind, **given))
        return self.do("AddFault", request).fault

    def struck(self, world: str) -> list[int]:
        """Return how often each fault of a world struck."""
        faults = self.do("ListFaults", pb.ListFaultsRequest(world_id=world)).faults
        return [each.struck_count for each in faults]


def details(error: grpc.RpcError) -> dict[str, str]:
    """Return what an error says beside its reason."""
    info = error_info(error)
    return dict(info.metadata) if info else {}


def error_info(error: grpc.RpcError) -> error_details_pb2.ErrorInfo | None:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    return info if any(detail.Unpack(info) for detail in (status.details if status else ())) else None


def reason(error: grpc.RpcError) -> str:
    """Return the reason an error carries; empty if it has none."""
    info = error_info(error)
    return str(info.reason) if info else ""


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
