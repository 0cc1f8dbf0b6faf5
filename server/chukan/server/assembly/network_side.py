# SPDX-License-Identifier: Apache-2.0
"""Builds the network core: its keys apart from the members', its tables, its deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.edge.service import Service
from chukan.edge.transport import ChannelTransport
from chukan.network.v1.network_service_pb2_grpc import add_NetworkServiceServicer_to_server
from chukan.network.v1.resident_network_service_pb2_grpc import add_ResidentNetworkServiceServicer_to_server
from chukan.server.dispatch.delivery import NetworkDeliveries
from chukan.server.network.core import Core, NetworkSettings
from chukan.server.network.masters import Directory
from chukan.server.rpc.member_client import MemberClient
from chukan.server.rpc.network_service import NetworkServicer
from chukan.server.rpc.resident_network_service import ResidentNetworkServicer
from chukan.server.storage.network_exchanges import ExchangeStore
from chukan.server.storage.network_linkage_codes import NetworkLinkageCodeStore
from chukan.server.storage.network_members import MemberStore
from chukan.server.storage.network_processing_numbers import ProcessingNumberStore
from chukan.server.storage.network_residents import ResidentStore
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.edge.tls import TlsFiles
    from chukan.edge.transport import Transport
    from chukan.server.assembly.foundation import Foundation
    from chukan.server.crypto.exchange_keys import RingKeys
    from chukan.server.domain.masters import Masters
    from chukan.server.rpc.member_client import MemberRoutes

__all__ = ["EndpointRoutes", "LocalRoutes", "NetworkSide", "build_network_side"]


@dataclass(frozen=True, slots=True)
class NetworkSide:
    """The core and what it serves and carries on."""

    core: Core
    deliveries: NetworkDeliveries
    services: list[Service]


class LocalRoutes:
    """Members in this process, reached through the same encoded bytes as over gRPC."""

    def __init__(
        self, organizations: frozenset[str], transport: Transport, way_to: Callable[[str, Transport], Transport]
    ) -> None:
        self._ways = {organization: way_to(organization, transport) for organization in organizations}

    def to(self, organization: str) -> Transport:
        """Return the transport to a member served here."""
        way = self._ways.get(organization)
        if way is None:
            raise ChukanError("PEER_UNREACHABLE", params={"peer": organization})
        return way


class EndpointRoutes:
    """Members elsewhere, where they said they are reached; a channel per endpoint."""

    def __init__(
        self, directory: Directory, tls: TlsFiles | None, way_to: Callable[[str, Transport], Transport]
    ) -> None:
        self._way_to = way_to
        self._directory = directory
        self._tls = tls
        self._channels: dict[str, ChannelTransport] = {}

    def to(self, organization: str) -> Transport:
        """Return the transport to a member that announced itself."""
        endpoint = self._directory.endpoint_of(organization)
        if not endpoint:
            raise ChukanError("PEER_UNREACHABLE", params={"peer": organization})
        channel = self._channels.get(endpoint)
        if channel is None:
            channel = self._channels.setdefault(endpoint, ChannelTransport(endpoint, tls=self._tls))
        return self._way_to(organization, channel)

    def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            channel.close()


def build_network_side(
    foundation: Foundation, masters: Masters, keys: RingKeys, *, hosted: frozenset[str]
) -> tuple[Core, Directory]:
    """Return the core; hosted: members in this process, connected before they announce anything."""
    directory = Directory(
        foundation.database, MemberStore(), codec=foundation.codec, keys=keys, master=masters, hosted=hosted
    )
    directory.load()
    core = Core(
        environment=foundation.environment(masters),
        outbox=foundation.outbox,
        codec=foundation.codec,
        keys=keys,
        processing_numbers=ProcessingNumberStore(),
        residents=ResidentStore(),
        linkage_codes=NetworkLinkageCodeStore(),
        exchanges=ExchangeStore(),
        directory=directory,
        settings=NetworkSettings(
            processing_number_lifetime=foundation.config.processing_number_days,
            permit_lifetime=foundation.config.permit_days,
            statement_lifetime=foundation.config.permit_days,
        ),
    )
    return core, directory


def with_routes(core: Core, routes: MemberRoutes) -> NetworkSide:
    """Return the core with its ways to the members."""
    client = MemberClient(routes)
    service = Service(
        NetworkServicer(core),
        add_NetworkServiceServicer_to_server,
        "chukan.network.v1.NetworkService",
        pool="member",
    )
    residents = Service(
        ResidentNetworkServicer(core),
        add_ResidentNetworkServiceServicer_to_server,
        "chukan.network.v1.ResidentNetworkService",
        pool="member",
        pools={"NotifyResidents": "bulk"},
    )
    deliveries = NetworkDeliveries(core, exchange_member=client, code_member=client)
    return NetworkSide(core, deliveries, [service, residents])
