# SPDX-License-Identifier: Apache-2.0
"""Lets each scrape ask how the lanes of replicas stand, so that one kind lying still is seen (会津若松市 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.durable.instants import to_micros

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.durable.database import Database
    from chukan.monitoring import Metrics
    from chukan.server.domain.replica_rows import LaneAges
    from chukan.server.storage.imports import ImportStore
    from chukan.standard.clock import Clock

__all__ = ["measure_lanes"]

_MICROS: Final = 1_000_000


def measure_lanes(metrics: Metrics, database: Database, clock: Clock, imports: ImportStore) -> None:
    """Give the gauges of lanes their sources; a lane that nothing is wrong with has age 0."""

    def each(value: Callable[[LaneAges], float]) -> Callable[[], dict[str, float]]:
        def read() -> dict[str, float]:
            with database.read() as connection:
                return {information: value(ages) for information, ages in imports.ages(connection).items()}

        return read

    def age(since: int) -> float:
        return max(0.0, (to_micros(clock.now()) - since) / _MICROS) if since else 0.0

    metrics.read_lanes(
        held=each(lambda lane: age(lane.held)),
        stuck=each(lambda lane: age(lane.stuck)),
        last_success=each(lambda lane: lane.last_success / _MICROS),
    )
