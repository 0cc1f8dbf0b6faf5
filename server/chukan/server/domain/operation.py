# SPDX-License-Identifier: Apache-2.0
"""How a middle server is doing for one organization (稼働状況): components, work that waits, counts only."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.server.domain.exchange import Mode

__all__ = ["Component", "HealthState", "Queue", "Status"]


class HealthState(IntEnum):
    """How a component is doing; numbers as in the contract. What can't be known is UNKNOWN, never OK."""

    OK = 1
    DEGRADED = 2
    DOWN = 3
    UNKNOWN = 5


_FROM_WORST: Final = (HealthState.DOWN, HealthState.UNKNOWN, HealthState.DEGRADED, HealthState.OK)


class Queue(NamedTuple):
    """Work of one kind that waits; oldest in microseconds since 1970, 0 = none; last_reason of a failed attempt."""

    kind: str
    waiting: int
    retrying: int
    oldest: int
    last_reason: str


class Component(NamedTuple):
    """A component and how it is doing; a reason if it is not OK."""

    name: str
    state: HealthState
    reason: str = ""


class Status(NamedTuple):
    """The whole."""

    components: Sequence[Component]
    queues: Sequence[Queue]
    mode: Mode
    permission_list_version: str
    master_version: str
    change_seq: int
    server_time: datetime
    start_time: datetime
    world_generation: str = ""

    @property
    def state(self) -> HealthState:
        """The worst of the components."""
        states = {component.state for component in self.components}
        return next((state for state in _FROM_WORST if state in states), HealthState.UNKNOWN)
