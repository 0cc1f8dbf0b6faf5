# SPDX-License-Identifier: Apache-2.0
"""Every metric, declared once, on a registry that is an argument.

The gRPC ones have the names of go-grpc-middleware's Prometheus provider, so existing dashboards and alerts fit. No
label is ever a person: labels are codes of lists (state, reason, information, method), and a value that does not look
like its list's codes is counted as "other".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .rpc import MethodMetrics, RpcMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

__all__ = ["Metrics"]

_OTHER: Final = "other"
_UPPER_SNAKE: Final = re.compile(r"[A-Z][A-Z_]{1,63}")
_SNAKE: Final = re.compile(r"[a-z][a-z_]{0,63}")
_INFORMATION: Final = re.compile(r"TM[0-9A-Z]{14}")


class Metrics:
    """One server's metrics. Verbs count what happened; `read_*` take functions that are asked at each scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._rpcs = RpcMetrics()
        registry.register(self._rpcs)
        self._refused = Counter("chukan_refusals_total", "Refusals, by reason.", ("reason",), registry=registry)
        self._states = Counter(
            "chukan_inquiry_transitions_total", "Inquiries that entered a state.", ("state",), registry=registry
        )
        self._stored = Counter(
            "chukan_replica_writes_total", "Replicas written, by information.", ("information",), registry=registry
        )
        self._build = Gauge("chukan_build_info", "1, with what is running.", ("version", "profile"), registry=registry)
        self._scrape = _AtScrape()
        registry.register(self._scrape)

    def method(self, *, kind: str, service: str, method: str) -> MethodMetrics:
        """Return the numbers of one RPC; `kind` is unary, client_stream, server_stream or bidi_stream."""
        return self._rpcs.method(kind=kind, service=service, method=method)

    def note_refused(self, reason: str, count: int = 1) -> None:
        """Count calls or records refused with this reason."""
        self._refused.labels(_code(reason, _UPPER_SNAKE)).inc(count)

    def note_inquiry_state(self, state: str, count: int = 1) -> None:
        """Count inquiries that entered a state."""
        self._states.labels(_code(state.lower(), _SNAKE)).inc(count)

    def note_replicas(self, information: str, count: int = 1) -> None:
        """Count replicas of an information that were written (registered, corrected or deleted)."""
        self._stored.labels(_code(information, _INFORMATION)).inc(count)

    def note_build(self, *, version: str, profile: str) -> None:
        """Say what is running."""
        self._build.labels(version, profile).set(1)

    def read_inquiries(self, source: Callable[[], Mapping[str, int]]) -> None:
        """Ask `source` at each scrape how many inquiries stand in each state (lower case)."""
        self._scrape.add("chukan_inquiries", "Inquiries, by state.", ("state", _SNAKE), source)

    def read_replicas(self, source: Callable[[], Mapping[str, int]]) -> None:
        """Ask `source` at each scrape how many current replicas of each information are held."""
        self._scrape.add("chukan_replicas", "Replicas held, by information.", ("information", _INFORMATION), source)

    def read_unsent(self, source: Callable[[], Mapping[str, float]]) -> None:
        """Ask `source` at each scrape how old the oldest unsent item of each kind is; 0 when nothing waits."""
        text = "Age of the oldest unsent item of the outbox, by kind; 0 when nothing waits."
        self._scrape.add("chukan_oldest_unsent_seconds", text, ("kind", _SNAKE), source)

    def read_lanes(
        self,
        *,
        held: Callable[[], Mapping[str, float]],
        stuck: Callable[[], Mapping[str, float]],
        last_success: Callable[[], Mapping[str, float]],
    ) -> None:
        """Ask at each scrape, by information, how the lanes of replicas stand: of all organizations the worst one.

        A kind of replicas can lie still for months while every other kind arrives (会津若松市 2023 [P]): held by the
        server, refused batch by batch, or never sent. Each has its gauge, and none names an organization: three series
        per information are the whole budget.
        """
        label = ("information", _INFORMATION)
        text = "How long a lane has been held, by information; 0 when none is."
        self._scrape.add("chukan_lane_held_seconds", text, label, held)
        text = "How long a lane has taken nothing of what came, by information; 0 once it takes all, or is resumed."
        self._scrape.add("chukan_lane_stuck_seconds", text, label, stuck)
        text = "When a replica was last written, by information, at the organization that has waited longest."
        self._scrape.add("chukan_replica_last_success_timestamp_seconds", text, label, last_success)


class _AtScrape(Collector):
    """Gauges read from their owner at each scrape. One that can't be read is left out: unknown, never zero."""

    def __init__(self) -> None:
        self._gauges: list[tuple[str, str, tuple[str, re.Pattern[str]], Callable[[], Mapping[str, float]]]] = []

    def add(
        self, name: str, text: str, label: tuple[str, re.Pattern[str]], source: Callable[[], Mapping[str, float]]
    ) -> None:
        self._gauges.append((name, text, label, source))

    def describe(self) -> list[Metric]:
        """Nothing is known before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        failed = 0
        for name, text, (label, pattern), source in self._gauges:
            try:
                values = source()
            except Exception:  # noqa: BLE001  # a scrape must not fail because one owner can't be reached
                failed += 1
                continue
            family = GaugeMetricFamily(name, text, labels=(label,))
            for code, value in values.items():
                family.add_metric((_code(code, pattern),), value)
            yield family
        yield GaugeMetricFamily(
            "chukan_unreadable_gauges", "Gauges that could not be read for this scrape.", value=failed
        )


def _code(value: str, pattern: re.Pattern[str]) -> str:
    return value if pattern.fullmatch(value) else _OTHER
