# SPDX-License-Identifier: Apache-2.0
"""Builds the middle servers of every organization served here: use cases, servicers, handlers, timers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from chukan.durable.idempotency import forget_old
from chukan.durable.timer import Timer
from chukan.edge.service import Service
from chukan.server.assembly.exchange_side import build_exchange_side
from chukan.server.middle.code_acquisition import CodeAcquisition
from chukan.server.middle.comparison import ReplicaComparison
from chukan.server.middle.linkage_codes import LinkageCodes
from chukan.server.middle.number_requests import ISSUE
from chukan.server.middle.operation import Operation
from chukan.server.middle.replicas import Replicas
from chukan.server.rpc.linkage_code_service import LinkageCodeServicer
from chukan.server.rpc.operation_service import OperationServicer
from chukan.server.rpc.replica_service import ReplicaServicer
from chukan.server.rpc.resuming import Positions
from chukan.server.storage.addressees import AddresseeStore
from chukan.server.storage.imports import ImportStore
from chukan.server.storage.operation import OperationStore
from chukan.server.storage.replicas import ReplicaStore
from chukan.v1.linkage_code_service_pb2_grpc import add_LinkageCodeServiceServicer_to_server
from chukan.v1.operation_service_pb2_grpc import add_OperationServiceServicer_to_server
from chukan.v1.replica_service_pb2_grpc import add_ReplicaServiceServicer_to_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.server.assembly.exchange_side import ExchangeSide
    from chukan.server.assembly.foundation import Foundation
    from chukan.server.crypto.exchange_keys import RingKeys
    from chukan.server.domain.masters import Masters
    from chukan.server.ports import OutboxItem
    from chukan.server.rpc.network_client import NetworkClient

__all__ = ["MiddleSide", "build_middle_side", "handlers_of"]

_UPKEEP_EVERY: Final = 60.0


@dataclass(frozen=True, slots=True)
class MiddleSide:
    """What middle servers serve and carry on."""

    member_service: Service
    services: list[Service]
    acquisition: CodeAcquisition
    exchange: ExchangeSide
    addressees: AddresseeStore
    replicas: ReplicaStore
    imports: ImportStore
    upkeep: Timer
    """Gives up acquisitions whose code never came, forgets kept answers."""


def build_middle_side(
    foundation: Foundation, masters: Masters, keys: RingKeys, network: NetworkClient, *, dispatching: Callable[[], bool]
) -> MiddleSide:
    """Return the middle servers of every organization served here."""
    environment = foundation.environment(masters)
    addressees, replicas = AddresseeStore(foundation.vault), ReplicaStore(foundation.vault)
    acquisition = CodeAcquisition(environment, addressees, foundation.outbox, network)
    exchange = build_exchange_side(
        environment,
        outbox=foundation.outbox,
        codec=foundation.codec,
        keys=keys,
        network=network,
        addressees=addressees,
        replicas=replicas,
    )
    imports = ImportStore()
    replica_desk = Replicas(environment, addressees, replicas, imports, send_cap=foundation.send_cap)
    operation = Operation(environment, OperationStore(), dispatching=dispatching)
    own = [
        Service(
            LinkageCodeServicer(
                LinkageCodes(environment, addressees, replicas, foundation.outbox), Positions(environment)
            ),
            add_LinkageCodeServiceServicer_to_server,
            "chukan.v1.LinkageCodeService",
            pools={"RegisterAddressees": "bulk", "BatchRequestCodes": "bulk", "WatchLinkageStates": "watch"},
        ),
        Service(
            ReplicaServicer(replica_desk, ReplicaComparison(replica_desk)),
            add_ReplicaServiceServicer_to_server,
            "chukan.v1.ReplicaService",
            pools={"RegisterReplicas": "bulk", "ExportReplicas": "bulk", "CompareReplicas": "bulk"},
        ),
        Service(
            OperationServicer(operation, software_version=_software_version),
            add_OperationServiceServicer_to_server,
            "chukan.v1.OperationService",
        ),
    ]
    member_service = exchange.member_service(acquisition)
    return MiddleSide(
        member_service,
        [*own, *exchange.services],
        acquisition,
        exchange,
        addressees,
        replicas,
        imports,
        _upkeep(foundation, acquisition),
    )


def handlers_of(middle: MiddleSide) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
    """Return the handlers of the middle servers' outbox kinds."""
    return {ISSUE: middle.acquisition.issue, **middle.exchange.steps.handlers()}


def gave_up_of(middle: MiddleSide) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
    """Return what becomes of the middle servers' outbox rows after their last attempt, by kind."""
    return {ISSUE: middle.acquisition.give_up, **middle.exchange.steps.gave_up()}


def _upkeep(foundation: Foundation, acquisition: CodeAcquisition) -> Timer:
    def run_due() -> int:
        return acquisition.end_run_out() + forget_old(foundation.database, foundation.clock)

    return Timer("tidy_middle_servers", run_due, seconds=_UPKEEP_EVERY)


@cache
def _software_version() -> str:
    """Return the version of the installed package; reading it costs 15 ms, so only when asked."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 rarely needed

    try:
        return version("chukan")
    except PackageNotFoundError:
        return "unknown"
