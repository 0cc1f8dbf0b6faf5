# SPDX-License-Identifier: Apache-2.0
"""System management (システム管理, SYM): how the middle server is doing. Never waits for a peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from chukan.server.domain.operation import Component, HealthState, Queue, Status
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chukan.server.ports import Connection, Environment

__all__ = ["Operation", "Queues"]

_TO_NETWORK: Final = frozenset(
    {
        "commit_outcomes",
        "forward_inquiries",
        "issue_processing_numbers",
        "pull_network_records",
        "request_permits",
        "return_answers",
    }
)


class Queues(Protocol):
    """Where waiting work is counted."""

    def queues(self, connection: Connection, organization: str, /) -> Sequence[Queue]:
        """Return an organization's queues in order of kind."""


class Operation:
    """The operating state, for every organization served here."""

    def __init__(self, environment: Environment, queues: Queues, *, dispatching: Callable[[], bool]) -> None:
        self._environment = environment
        self._queues = queues
        self._dispatching = dispatching
        self._started = environment.clock.now()

    def status(self, organization: str) -> Status:
        """Return how the middle server is doing for this organization."""
        environment = self._environment
        with environment.database.read() as connection:
            queues = self._queues.queues(connection, organization)
        dispatcher = HealthState.OK if self._dispatching() else HealthState.DOWN
        return Status(
            components=[
                Component("clock", HealthState.OK),
                Component("dispatcher", dispatcher, "" if dispatcher is HealthState.OK else "NOT_READY"),
                self._master(),
                _network(queues),
                Component("storage", HealthState.OK),
                Component("vault", HealthState.OK),
            ],
            queues=queues,
            mode=environment.master.mode(organization),
            permission_list_version=environment.master.permissions.version,
            master_version=environment.master.version,
            change_seq=environment.database.changes.last(),
            server_time=environment.clock.now(),
            start_time=self._started,
            world_generation=self._generation(),
        )

    def _generation(self) -> str:
        """Return the world's generation, empty before the network told it: asking how things are never fails."""
        try:
            return self._environment.master.world_generation
        except ChukanError:
            return ""

    def _master(self) -> Component:
        """Without the network's world generation nothing can be signed."""
        try:
            known = bool(self._environment.master.world_generation)
        except ChukanError as error:
            return Component("master", HealthState.DEGRADED, error.code)
        return Component("master", HealthState.OK if known else HealthState.UNKNOWN)


def _network(queues: Sequence[Queue]) -> Component:
    """Say how well the network is by the work that goes there: an attempt that failed and waits is a sign."""
    failed = next((queue for queue in queues if queue.kind in _TO_NETWORK and queue.retrying), None)
    if failed is None:
        return Component("network", HealthState.OK)
    return Component("network", HealthState.DEGRADED, failed.last_reason)
