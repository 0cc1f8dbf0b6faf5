# SPDX-License-Identifier: Apache-2.0
"""Lets each scrape ask what waits, what stands in which state and since when; every question is a count or an age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.durable.instants import to_micros
from chukan.server.assembly.lane_metrics import measure_lanes
from chukan.server.domain.inquiry import OPEN_STATES, InquiryState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.durable.dispatcher import Dispatcher
    from chukan.monitoring import Metrics
    from chukan.server.assembly.foundation import Foundation
    from chukan.server.assembly.middle_side import MiddleSide
    from chukan.server.network.core import Core
    from chukan.standard.clock import Clock

__all__ = ["measure_middle", "measure_network", "measure_outbox"]

_MICROS: Final = 1_000_000
_MICROS_PER_MILLI: Final = 1_000


def measure_outbox(metrics: Metrics, dispatcher: Dispatcher, kinds: Iterable[str]) -> None:
    """Show what of these kinds is unsent."""
    names = sorted(kinds)

    def rows() -> dict[str, int]:
        waiting = dispatcher.backlog()
        return {kind: waiting[kind].rows if kind in waiting else 0 for kind in names}

    def oldest() -> dict[str, float]:
        waiting = dispatcher.backlog()
        return {kind: waiting[kind].oldest_seconds if kind in waiting else 0.0 for kind in names}

    metrics.read_unsent(rows=rows, oldest=oldest)


def measure_middle(foundation: Foundation, middle: MiddleSide) -> None:
    """Show inquiries, codes, replicas and lanes of all organizations served here together."""
    metrics, database, clock = foundation.metrics, foundation.database, foundation.clock
    inquiries, imports, addressees = middle.exchange.inquiries, middle.imports, middle.addressees

    def states() -> dict[str, int]:
        with database.read() as connection:
            counted = inquiries.counts(connection)
        return {state.name.lower(): counted.get(state, 0) for state in InquiryState}

    def oldest_open() -> dict[str, float]:
        with database.read() as connection:
            oldest = inquiries.oldest_open(connection)
        return {state.name.lower(): _age(clock, oldest.get(state, 0) * _MICROS_PER_MILLI) for state in OPEN_STATES}

    def held() -> dict[str, int]:
        with database.read() as connection:
            return imports.held(connection)

    def pending() -> int:
        with database.read() as connection:
            return addressees.pending(connection)

    def oldest_pending() -> float:
        with database.read() as connection:
            return _age(clock, addressees.oldest_pending(connection))

    metrics.expect_states(state.name.lower() for state in InquiryState)
    metrics.read_inquiries(states)
    metrics.read_oldest_open_inquiries(oldest_open)
    metrics.read_replicas(held)
    metrics.read_codes(pending=pending, oldest=oldest_pending)
    measure_lanes(metrics, database, clock, imports)


def measure_network(foundation: Foundation, core: Core) -> None:
    """Show what only the network sees: exchanges one side has and the other lacks."""

    def half() -> int:
        with foundation.database.read() as connection:
            return core.exchanges.half(connection)

    foundation.metrics.read_half_exchanges(half)


def _age(clock: Clock, since: int) -> float:
    """Return seconds since an instant in microseconds, 0 for none."""
    return max(0.0, (to_micros(clock.now()) - since) / _MICROS) if since else 0.0
