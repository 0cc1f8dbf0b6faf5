# SPDX-License-Identifier: Apache-2.0
"""Every service of the contract is served; what a later version offers says so by name, whatever the request holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SHINJUKU, fresh_serial
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chukan.network.v1 import network_service_pb2 as network
from chukan.server.assembly.later import control_services, later_services
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1.operation_service_pb2_grpc import OperationServiceStub

if TYPE_CHECKING:
    from conftest import Emulator

LATER = [
    (service.full_name, method.name)
    for service in later_services()
    for method in descriptor_pool.Default().FindServiceByName(service.full_name).methods
]


def _call(channel: grpc.Channel, service: str, method: str, organization: str = SHINJUKU) -> Any:
    described = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(method)
    request = message_factory.GetMessageClass(described.input_type)()
    kinds = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    call = kinds[described.client_streaming, described.server_streaming](
        f"/{service}/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=message_factory.GetMessageClass(described.output_type).FromString,
    )
    sent = iter([request]) if described.client_streaming else request
    answer = call(sent, metadata=(("chukan-organization", organization),), timeout=10)
    return list(answer) if described.server_streaming else answer


@pytest.mark.parametrize(("service", "method"), LATER)
def test_a_later_feature_is_named_in_the_refusal(emulator: Emulator, service: str, method: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        _call(emulator.channel, service, method)

    status = rpc_status.from_call(refused.value)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert any(detail.Unpack(info) for detail in status.details)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert (info.reason, bool(info.metadata["feature"])) == ("FEATURE_NOT_AVAILABLE", True)


def test_every_service_of_the_contract_is_served_somewhere(emulator: Emulator) -> None:
    pool = descriptor_pool.Default()
    served = {service.full_name for app in (emulator.middle.app, emulator.network.app) for service in app.services} | {
        each.full_name for each in control_services(lambda: None)
    }

    for package in ("chukan.v1", "chukan.network.v1", "chukan.emulator.v1"):
        declared = {
            name
            for name in (
                "AccessService",
                "DisclosureService",
                "EmulatorService",
                "ExchangeRecordService",
                "InHouseService",
                "InquiryService",
                "LinkageCodeService",
                "MemberService",
                "NetworkService",
                "NoticeService",
                "OperationService",
                "ProvisionService",
                "ReplicaService",
                "ResidentNetworkService",
                "SecurityService",
                "SelfInformationService",
                "StaffService",
            )
            if _declared(pool, f"{package}.{name}")
        }
        assert {f"{package}.{name}" for name in declared} <= served


def test_the_status_names_components_and_what_waits(emulator: Emulator) -> None:
    status = OperationServiceStub(emulator.channel).GetStatus(
        operation.GetStatusRequest(), metadata=emulator.shinjuku.metadata
    )

    assert status.state == operation.HEALTH_STATE_OK
    names = [component.component for component in status.components]
    assert names == sorted(names)
    assert {"dispatcher", "network", "storage", "vault"} <= set(names)
    assert status.permission_list_version


def test_the_status_names_the_generation_the_network_signs_in(emulator: Emulator) -> None:
    """What a client remembers is of no use in another generation: it has to be able to ask."""
    emulator.setagaya.link([fresh_serial()])  # the middle server has called the network by then
    metadata = emulator.setagaya.metadata

    status = OperationServiceStub(emulator.channel).GetStatus(operation.GetStatusRequest(), metadata=metadata)

    told = emulator.setagaya.network.PullMaster(network.PullMasterRequest(), metadata=metadata)
    assert status.world_generation == told.world_generation != ""


def _declared(pool: Any, name: str) -> bool:
    try:
        pool.FindServiceByName(name)
    except KeyError:
        return False
    return True


SHIBUYA = "0220113113001700"  # resolves by its code like any municipality, and is none of those shipped


@pytest.mark.parametrize(
    ("service", "method"),
    [("chukan.v1.InquiryService", "ListInquiries"), ("chukan.v1.LinkageCodeService", "GetLinkageState"), LATER[0]],
)
def test_an_organization_that_is_not_served_is_told_so(emulator: Emulator, service: str, method: str) -> None:
    """Taken on, its people would wait for linkage codes for ever: nobody holds keys in its name."""
    with pytest.raises(grpc.RpcError) as refused:
        _call(emulator.channel, service, method, SHIBUYA)

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "CALLER_ORGANIZATION_UNKNOWN" in str(rpc_status.from_call(refused.value))
