# SPDX-License-Identifier: Apache-2.0
"""The servicer of システム管理: the operating state; all else belongs to a later version and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from google.protobuf.timestamp_pb2 import Timestamp

from chukan.durable.instants import from_micros
from chukan.edge.caller import current_caller
from chukan.edge.unimplemented import unimplemented
from chukan.standard.reasons import reason
from chukan.v1 import operation_service_pb2 as wire
from chukan.v1.operation_service_pb2_grpc import OperationServiceServicer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import grpc

    from chukan.server.domain.operation import Component, Queue
    from chukan.server.middle.operation import Operation

__all__ = ["OperationServicer"]

_FEATURE: Final = "system management"


class OperationServicer(OperationServiceServicer):
    """Serves OperationService."""

    def __init__(self, operation: Operation, *, software_version: Callable[[], str]) -> None:
        self._operation = operation
        self._software_version = software_version

    def GetStatus(self, request: wire.GetStatusRequest, context: grpc.ServicerContext) -> wire.GetStatusResponse:
        """Say how the middle server is doing for the caller's organization."""
        status = self._operation.status(current_caller().organization)
        now = _timestamp(status.server_time)
        return wire.GetStatusResponse(
            state=cast("Any", int(status.state)),
            components=[_component(each, now) for each in status.components],
            queues=[_queue(each) for each in status.queues],
            mode=cast("Any", int(status.mode)),
            software_version=self._software_version(),
            permission_list_version=status.permission_list_version,
            master_version=status.master_version,
            change_seq=status.change_seq,
            server_time=now,
            start_time=_timestamp(status.start_time),
            world_generation=status.world_generation,
        )

    ListBatches = unimplemented(_FEATURE)
    GetStatistics = unimplemented(_FEATURE)
    ImportCaseCounts = unimplemented(_FEATURE)
    GetCalendar = unimplemented(_FEATURE)
    SetCalendar = unimplemented(_FEATURE)
    PurgeExpired = unimplemented(_FEATURE)
    GetErasureCertificate = unimplemented(_FEATURE)
    ListErasureCertificates = unimplemented(_FEATURE)
    ListAuditEvents = unimplemented(_FEATURE)
    ReviewAuditEvents = unimplemented(_FEATURE)


def _component(value: Component, checked: Timestamp) -> wire.ComponentStatus:
    message = wire.ComponentStatus(
        component=value.name, state=cast("Any", int(value.state)), reason=value.reason, check_time=checked
    )
    if value.reason:
        try:
            known = reason(value.reason)
        except LookupError:
            return message
        message.message, message.message_ja = known.english, known.japanese
    return message


def _queue(value: Queue) -> wire.QueueStatus:
    return wire.QueueStatus(
        kind=value.kind,
        waiting_count=value.waiting,
        retrying_count=value.retrying,
        oldest_time=_timestamp(from_micros(value.oldest)) if value.oldest else None,
    )


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message
