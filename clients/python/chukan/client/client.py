# SPDX-License-Identifier: Apache-2.0
"""One connection to a server, in the name of one organization."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

import grpc

from chukan.client.calls import REQUEST_ID, CallerChannel, CallSettings
from chukan.standard.clock import SystemClock
from chukan.standard.ids import Ids, SystemIds
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from types import TracebackType

    from grpc_health.v1.health_pb2_grpc import HealthStub

    from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
    from chukan.client.tls import ClientTls
    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub
    from chukan.network.v1.member_service_pb2_grpc import MemberServiceStub
    from chukan.network.v1.network_service_pb2_grpc import NetworkServiceStub
    from chukan.network.v1.resident_network_service_pb2_grpc import ResidentNetworkServiceStub
    from chukan.v1.access_service_pb2_grpc import AccessServiceStub
    from chukan.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
    from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub
    from chukan.v1.in_house_service_pb2_grpc import InHouseServiceStub
    from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
    from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
    from chukan.v1.notice_service_pb2_grpc import NoticeServiceStub
    from chukan.v1.operation_service_pb2_grpc import OperationServiceStub
    from chukan.v1.provision_service_pb2_grpc import ProvisionServiceStub
    from chukan.v1.replica_service_pb2_grpc import ReplicaServiceStub
    from chukan.v1.security_service_pb2_grpc import SecurityServiceStub
    from chukan.v1.self_information_service_pb2_grpc import SelfInformationServiceStub
    from chukan.v1.staff_service_pb2_grpc import StaffServiceStub

__all__ = ["Client"]

_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


class Client:
    """Calls every service of a Chukan server; each failure is a `ChukanError`.

        with Client("localhost:50051", organization="0220113104101700") as client:
            client.inquiries.GetInquiry(GetInquiryRequest(receipt_number=...))

    organization: 機関コード, 16 digits. tls: without it, plaintext. system, terminal, department, user: who works at
    the organization. mode: test or production, as the organization is set. world: an isolated universe for tests.
    network, address: where the network and the integrated address system answer, if not at the target.
    timeout: seconds for calls with one answer. retries: repeat what may be repeated while the server is unavailable
    (the published service_config.json). ids: where request ids come from.
    """

    def __init__(
        self,
        target: str,
        *,
        organization: str,
        tls: ClientTls | None = None,
        network: str = "",
        address: str = "",
        system: str = "",
        terminal: str = "",
        department: str = "",
        user: str = "",
        mode: str = "test",
        world: str = "",
        token: str = "",
        timeout: float = 30.0,
        retries: bool = True,
        ids: Ids | None = None,
    ) -> None:
        named = {
            "chukan-organization": organization,
            "chukan-system": system,
            "chukan-terminal": terminal,
            "chukan-department": department,
            "chukan-user": user,
            "chukan-mode": mode,
            "chukan-world": world,
            "authorization": f"Bearer {token}" if token else "",
        }
        self._target = target
        self._closed = False
        self._ids = ids or SystemIds(SystemClock())
        self._elsewhere = {"network": network, "address": address}
        places = {target, *filter(None, self._elsewhere.values())}
        self._channels = {place: _open(place, tls=tls, retries=retries) for place in places}
        self._settings = CallSettings(
            metadata=tuple((key, value) for key, value in named.items() if value),
            timeout=timeout,
            next_request_id=lambda: self._ids.next("request"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; running calls end with CALL_CANCELLED, later ones with ValueError."""
        self._closed = True
        for channel in self._channels.values():
            channel.close()

    def wait_until_reachable(self, timeout: float = 10.0) -> None:
        """Return once the target takes connections; PEER_UNREACHABLE after `timeout` seconds."""
        try:
            grpc.channel_ready_future(self._channels[self._target]).result(timeout)
        except grpc.FutureTimeoutError:
            raise ChukanError("PEER_UNREACHABLE", params={"target": self._target}) from None

    def new_request(self) -> tuple[tuple[str, str], ...]:
        """Return metadata that name a request: who gives it to a call and to its repetitions is served once."""
        return ((REQUEST_ID, self._ids.next("request")),)

    def calls(self, at: str = "") -> Any:  # noqa: ANN401  # stands in for a channel, whose type grpc leaves open
        """Return what generated stubs are made on; at: the part called (network, address), which may be elsewhere."""
        if self._closed:  # gRPC ends the process where a stub is made on a closed channel
            raise ValueError("got a call of a closed client, expected an open one")
        return CallerChannel(self._channels[self._elsewhere.get(at) or self._target], self._settings)

    def _stub(self, module: str, name: str, *, at: str = "") -> Any:  # noqa: ANN401  # the property says which
        """Import the generated module only now: a command that asks one service loads one."""
        return getattr(import_module(module), name)(self.calls(at))

    @cached_property
    def linkage_codes(self) -> LinkageCodeServiceStub:
        """Linkage codes (符号): addressees, acquisition, states."""
        stub: LinkageCodeServiceStub = self._stub("chukan.v1.linkage_code_service_pb2_grpc", "LinkageCodeServiceStub")
        return stub

    @cached_property
    def replicas(self) -> ReplicaServiceStub:
        """Replicas (副本): registration, reading, lanes."""
        stub: ReplicaServiceStub = self._stub("chukan.v1.replica_service_pb2_grpc", "ReplicaServiceStub")
        return stub

    @cached_property
    def inquiries(self) -> InquiryServiceStub:
        """Inquiries (情報照会)."""
        stub: InquiryServiceStub = self._stub("chukan.v1.inquiry_service_pb2_grpc", "InquiryServiceStub")
        return stub

    @cached_property
    def provisions(self) -> ProvisionServiceStub:
        """Provisions (情報提供) to other organizations."""
        stub: ProvisionServiceStub = self._stub("chukan.v1.provision_service_pb2_grpc", "ProvisionServiceStub")
        return stub

    @cached_property
    def disclosure(self) -> DisclosureServiceStub:
        """Disclosure flags (自動応答不可, 不開示)."""
        stub: DisclosureServiceStub = self._stub("chukan.v1.disclosure_service_pb2_grpc", "DisclosureServiceStub")
        return stub

    @cached_property
    def exchange_records(self) -> ExchangeRecordServiceStub:
        """Exchange records (情報提供等記録)."""
        stub: ExchangeRecordServiceStub = self._stub(
            "chukan.v1.exchange_record_service_pb2_grpc", "ExchangeRecordServiceStub"
        )
        return stub

    @cached_property
    def in_house(self) -> InHouseServiceStub:
        """In-house exchange (庁内連携)."""
        stub: InHouseServiceStub = self._stub("chukan.v1.in_house_service_pb2_grpc", "InHouseServiceStub")
        return stub

    @cached_property
    def security(self) -> SecurityServiceStub:
        """Permission lists, master versions, delegations, keys."""
        stub: SecurityServiceStub = self._stub("chukan.v1.security_service_pb2_grpc", "SecurityServiceStub")
        return stub

    @cached_property
    def access(self) -> AccessServiceStub:
        """Systems, terminals, revocations."""
        stub: AccessServiceStub = self._stub("chukan.v1.access_service_pb2_grpc", "AccessServiceStub")
        return stub

    @cached_property
    def operation(self) -> OperationServiceStub:
        """Status, batches, statistics, calendar, erasure, audit."""
        stub: OperationServiceStub = self._stub("chukan.v1.operation_service_pb2_grpc", "OperationServiceStub")
        return stub

    @cached_property
    def self_information(self) -> SelfInformationServiceStub:
        """A person's own information and history."""
        stub: SelfInformationServiceStub = self._stub(
            "chukan.v1.self_information_service_pb2_grpc", "SelfInformationServiceStub"
        )
        return stub

    @cached_property
    def notices(self) -> NoticeServiceStub:
        """Notices (お知らせ)."""
        stub: NoticeServiceStub = self._stub("chukan.v1.notice_service_pb2_grpc", "NoticeServiceStub")
        return stub

    @cached_property
    def staff(self) -> StaffServiceStub:
        """Staff and sign-in."""
        stub: StaffServiceStub = self._stub("chukan.v1.staff_service_pb2_grpc", "StaffServiceStub")
        return stub

    @cached_property
    def network(self) -> NetworkServiceStub:
        """The information provision network's core (情報提供ネットワークシステム)."""
        stub: NetworkServiceStub = self._stub(
            "chukan.network.v1.network_service_pb2_grpc", "NetworkServiceStub", at="network"
        )
        return stub

    @cached_property
    def resident_network(self) -> ResidentNetworkServiceStub:
        """The resident network (住基ネット), simulated; it stands where the network does."""
        stub: ResidentNetworkServiceStub = self._stub(
            "chukan.network.v1.resident_network_service_pb2_grpc", "ResidentNetworkServiceStub", at="network"
        )
        return stub

    @cached_property
    def member(self) -> MemberServiceStub:
        """What the network calls at a middle server."""
        stub: MemberServiceStub = self._stub("chukan.network.v1.member_service_pb2_grpc", "MemberServiceStub")
        return stub

    @cached_property
    def address(self) -> AddressServiceStub:
        """The integrated address system (統合宛名システム)."""
        stub: AddressServiceStub = self._stub(
            "chukan.address.v1.address_service_pb2_grpc", "AddressServiceStub", at="address"
        )
        return stub

    @cached_property
    def emulator(self) -> EmulatorServiceStub:
        """Worlds, clock, faults, journal (control port)."""
        stub: EmulatorServiceStub = self._stub("chukan.emulator.v1.emulator_service_pb2_grpc", "EmulatorServiceStub")
        return stub

    @cached_property
    def health(self) -> HealthStub:
        """Whether the server is ready."""
        stub: HealthStub = self._stub("grpc_health.v1.health_pb2_grpc", "HealthStub")
        return stub


def _open(target: str, *, tls: ClientTls | None, retries: bool) -> grpc.Channel:
    options: list[tuple[str, int | str]] = [*_OPTIONS]
    if retries:
        policy = files("chukan.client").joinpath("service_config.json").read_text("utf-8")
        options.append(("grpc.service_config", policy))
    if tls is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, tls.credentials(), options)
