# SPDX-License-Identifier: Apache-2.0
"""What is read about one organization: state, components, waiting work, lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.server.console.language import Text
from chukan.server.console.problem import problem_of_reason
from chukan.server.console.words import HEALTH, LANE_STATES, UNKNOWN, information_name, instant, organization_name
from chukan.v1 import operation_service_pb2 as operation
from chukan.v1 import replica_service_pb2 as replica

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.client import Client
    from chukan.server.console.problem import Problem
    from chukan.server.console.words import Badge

__all__ = ["Component", "Lane", "Queue", "Status", "lanes_of", "status_of"]


class Component(NamedTuple):
    """A component and how it is doing."""

    name: str
    badge: Badge
    says: Text


class Queue(NamedTuple):
    """Work of one kind that waits."""

    kind: str
    waiting: int
    retrying: int
    oldest: datetime | None


class Status(NamedTuple):
    """How an organization's middle server is doing (稼働状況)."""

    badge: Badge
    components: Sequence[Component]
    queues: Sequence[Queue]
    software_version: str
    permission_list_version: str
    started: datetime | None

    @property
    def waiting(self) -> int:
        """Entries that wait, of every kind."""
        return sum(each.waiting for each in self.queues)

    @property
    def retrying(self) -> int:
        """Entries that failed and wait for another attempt."""
        return sum(each.retrying for each in self.queues)

    @property
    def oldest(self) -> datetime | None:
        """Since when the oldest waits."""
        return min((each.oldest for each in self.queues if each.oldest), default=None)


class Lane(NamedTuple):
    """The lane of one information of one organization."""

    organization: str
    organization_name: str
    code: str
    name: Text
    badge: Badge
    held: bool
    stuck: bool
    reason: Problem | None
    replicas: int
    refused: int
    last_success: datetime | None
    last_refusal: datetime | None


def status_of(client: Client) -> Status:
    """Ask how it is doing. Errors: those of GetStatus."""
    answer = client.operation.GetStatus(operation.GetStatusRequest())
    return Status(
        HEALTH.get(answer.state, UNKNOWN),
        [
            Component(each.component, HEALTH.get(each.state, UNKNOWN), Text(each.message, each.message_ja))
            for each in answer.components
        ],
        [
            Queue(each.kind, each.waiting_count, each.retrying_count, instant(each.oldest_time))
            for each in answer.queues
        ],
        answer.software_version,
        answer.permission_list_version,
        instant(answer.start_time),
    )


def lanes_of(client: Client, code: str) -> list[Lane]:
    """Ask for the lanes, held ones first, then those whose batches are refused. Errors: those of ListLanes."""
    answer = client.replicas.ListLanes(replica.ListLanesRequest())
    found = [_lane(code, each) for each in answer.lanes]
    return sorted(found, key=lambda each: (not each.held, not each.stuck, each.code))


def _lane(organization: str, lane: replica.Lane) -> Lane:
    success, refusal = instant(lane.last_success_time), instant(lane.last_refusal_time)
    held = lane.state == replica.LANE_STATE_HELD
    return Lane(
        organization,
        organization_name(organization),
        lane.information_code,
        information_name(lane.information_code),
        LANE_STATES.get(lane.state, UNKNOWN),
        held,
        not held and refusal is not None and (success is None or refusal > success),
        problem_of_reason(lane.hold_reason) if lane.hold_reason else None,
        lane.replica_count,
        lane.refused_count,
        success,
        refusal,
    )
