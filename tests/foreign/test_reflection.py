# SPDX-License-Identifier: Apache-2.0
"""What grpcurl does: list the services by reflection, describe them, call one without any generated code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

SETAGAYA = "0220113112101700"
SERVICES = {
    "chukan.v1": [
        "LinkageCodeService",
        "ReplicaService",
        "InquiryService",
        "ProvisionService",
        "DisclosureService",
        "ExchangeRecordService",
        "InHouseService",
        "SecurityService",
        "AccessService",
        "OperationService",
        "SelfInformationService",
        "NoticeService",
        "StaffService",
    ],
    "chukan.network.v1": ["NetworkService", "ResidentNetworkService", "MemberService"],
    "chukan.address.v1": ["AddressService"],
    "grpc.health.v1": ["Health"],
}


@pytest.fixture(scope="module")
def channel(emulator_address: str) -> Iterator[grpc.Channel]:
    """Give a channel to the emulator."""
    with grpc.insecure_channel(emulator_address) as opened:
        yield opened


@pytest.fixture(scope="module")
def pool(channel: grpc.Channel) -> DescriptorPool:
    """Give what the server says of itself."""
    return DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


def test_every_service_of_the_contract_is_listed(channel: grpc.Channel) -> None:
    listed = set(ProtoReflectionDescriptorDatabase(channel).get_services())

    wanted = {f"{package}.{name}" for package, names in SERVICES.items() for name in names}
    assert wanted <= listed


def test_every_rpc_can_be_described(pool: DescriptorPool) -> None:
    for package, names in SERVICES.items():
        for name in names:
            service = pool.FindServiceByName(f"{package}.{name}")
            assert service.methods, name
            assert all(method.input_type.full_name and method.output_type.full_name for method in service.methods)


def test_a_permission_is_checked_by_a_call_made_from_reflection_alone(
    channel: grpc.Channel, pool: DescriptorPool
) -> None:
    method = pool.FindMethodByName("chukan.v1.InquiryService.CheckPermission")
    question = {
        "affair_code": "JM01000000121000",
        "procedure_code": "JT01010000000214",
        "provider_code": "0220113104101700",
        "information_code": "TM00000000000002",
    }
    call = channel.unary_unary(
        "/chukan.v1.InquiryService/CheckPermission",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )

    answer = MessageToDict(
        call(
            ParseDict(question, GetMessageClass(method.input_type)()),
            metadata=[("chukan-organization", SETAGAYA)],
            timeout=10,
        ),
        preserving_proto_field_name=True,
    )

    assert answer["permitted"] is True
    assert answer["permission_row_id"]
    assert answer["legal_basis"]
