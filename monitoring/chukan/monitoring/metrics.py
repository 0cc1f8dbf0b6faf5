# SPDX-License-Identifier: Apache-2.0
"""Every metric, declared once, on a registry that is an argument.

The gRPC ones have the names of go-grpc-middleware's Prometheus provider, so existing dashboards and alerts fit. No
label is ever a person: labels are codes of lists (state, reason, information, method), and a value that does not look
like its list's codes is counted as "other".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .rpc import MethodMetrics, RpcMetrics
from .watched import WATCHED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

__all__ = ["Metrics"]

_OTHER: Final = "other"
_UPPER_SNAKE: Final = re.compile(r"[A-Z][A-Z_]{1,63}")
_SNAKE: Final = re.compile(r"[a-z][a-z_]{0,63}")
_INFORMATION: Final = re.compile(r"TM[0-9A-Z]{14}")
_Label: TypeAlias = "tuple[str, re.Pattern[str]]"
"""A label's name and what its values look like."""


class Metrics:
    """One server's metrics. Verbs count what happened; `read_*` take functions that are asked at each scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._rpcs = RpcMetrics()
        registry.register(self._rpcs)
        self._refused = Counter("chukan_refusals_total", "Refusals, by reason.", ("reason",), registry=registry)
        self._failed = Counter(
            "chukan_failed_attempts_total",
            "Rows of the outbox whose attempt failed and is repeated, by reason.",
            ("reason",),
            registry=registry,
        )
        self._replaced = Counter(
            "chukan_labels_replaced_total",
            'Values that did not look like a code of their list and were counted as "other".',
            registry=registry,
        )
        self._states = Counter(
            "chukan_inquiry_transitions_total", "Inquiries that entered a state.", ("state",), registry=registry
        )
        self._stored = Counter(
            "chukan_replica_writes_total", "Replicas written, by information.", ("information",), registry=registry
        )
        self._build = Gauge("chukan_build_info", "1, with what is running.", ("version", "profile"), registry=registry)
        for reason in WATCHED:  # at 0 from the start: a rate sees nothing of a series that begins with 1
            self._refused.labels(reason)
            self._failed.labels(reason)
        self._scrape = _AtScrape(self._replaced)
        registry.register(self._scrape)

    def method(self, *, kind: str, service: str, method: str) -> MethodMetrics:
        """Return the numbers of one RPC; `kind` is unary, client_stream, server_stream or bidi_stream."""
        return self._rpcs.method(kind=kind, service=service, method=method)

    def expect_states(self, states: Iterable[str]) -> None:
        """Show these states of inquiries (lower case) from the start, as 0."""
        for state in states:
            self._states.labels(state)

    def note_refused(self, reason: str, count: int = 1) -> None:
        """Count calls or records refused with this reason."""
        self._refused.labels(self._code(reason, _UPPER_SNAKE)).inc(count)

    def note_failed_attempt(self, reason: str, count: int = 1) -> None:
        """Count rows of the outbox that could not be done for this reason; INTERNAL_ERROR if nobody foresaw it."""
        self._failed.labels(self._code(reason, _UPPER_SNAKE)).inc(count)

    def note_inquiry_state(self, state: str, count: int = 1) -> None:
        """Count inquiries that entered a state."""
        self._states.labels(self._code(state.lower(), _SNAKE)).inc(count)

    def note_replicas(self, information: str, count: int = 1) -> None:
        """Count replicas of an information that were written (registered, corrected or deleted)."""
        self._stored.labels(self._code(information, _INFORMATION)).inc(count)

    def note_build(self, *, version: str, profile: str) -> None:
        """Say what is running."""
        self._build.labels(version, profile).set(1)

    def read_inquiries(self, source: Callable[[], Mapping[str, int]]) -> None:
        """Ask `source` at each scrape how many inquiries stand in each state (lower case)."""
        self._scrape.add("chukan_inquiries", "Inquiries, by state.", ("state", _SNAKE), source)

    def read_oldest_open_inquiries(self, source: Callable[[], Mapping[str, float]]) -> None:
        """Ask `source` at each scrape how old the oldest inquiry in each open state (lower case) is."""
        text = "Age of the oldest open inquiry, by state; 0 when none is in it."
        self._scrape.add("chukan_oldest_open_inquiry_seconds", text, ("state", _SNAKE), source)

    def read_codes(self, *, pending: Callable[[], int], oldest: Callable[[], float]) -> None:
        """Ask at each scrape how many processing numbers wait for their linkage code, and since when the first does."""
        text = "Linkage codes asked for under a processing number and not there yet."
        self._scrape.add_one("chukan_codes_pending", text, pending)
        text = "How long the code whose processing number runs out first has been waited for; 0 when none is."
        self._scrape.add_one("chukan_oldest_pending_code_seconds", text, oldest)

    def read_half_exchanges(self, source: Callable[[], int]) -> None:
        """Ask `source` at each scrape how many exchanges the provider signed for and the inquirer did not."""
        text = "Exchanges of which the network holds the provider's signed answer and no receipt of the inquirer."
        self._scrape.add_one("chukan_half_exchanges", text, source)

    def read_replicas(self, source: Callable[[], Mapping[str, int]]) -> None:
        """Ask `source` at each scrape how many current replicas of each information are held."""
        self._scrape.add("chukan_replicas", "Replicas held, by information.", ("information", _INFORMATION), source)

    def read_certificates(self, source: Callable[[], Mapping[str, float]]) -> None:
        """Ask `source` at each scrape when the certificate of each kind runs out, in seconds since 1970."""
        text = "When a certificate runs out, by what it is for."
        self._scrape.add("chukan_certificate_expiry_timestamp_seconds", text, ("kind", _SNAKE), source)

    def read_unsent(
        self, *, rows: Callable[[], Mapping[str, float]], oldest: Callable[[], Mapping[str, float]]
    ) -> None:
        """Ask at each scrape how many items of each kind are unsent and how old the oldest is; 0 when none is."""
        text = "Unsent items of the outbox, by kind."
        self._scrape.add("chukan_unsent", text, ("kind", _SNAKE), rows)
        text = "Age of the oldest unsent item of the outbox, by kind; 0 when nothing waits."
        self._scrape.add("chukan_oldest_unsent_seconds", text, ("kind", _SNAKE), oldest)

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
        text = "How long a lane has taken nothing of what came, by information; 0 once a replica was written again."
        self._scrape.add("chukan_lane_stuck_seconds", text, label, stuck)
        text = "When a replica was last written, by information, at the organization that has waited longest."
        self._scrape.add("chukan_replica_last_success_timestamp_seconds", text, label, last_success)

    def _code(self, value: str, pattern: re.Pattern[str]) -> str:
        return _code(value, pattern, self._replaced)


class _AtScrape(Collector):
    """Gauges read from their owner at each scrape. One that can't be read is left out: unknown, never zero."""

    def __init__(self, replaced: Counter) -> None:
        self._replaced = replaced
        self._gauges: list[tuple[str, str, _Label | None, Callable[[], Mapping[str, float]]]] = []

    def add(self, name: str, text: str, label: _Label, source: Callable[[], Mapping[str, float]]) -> None:
        self._gauges.append((name, text, label, source))

    def add_one(self, name: str, text: str, source: Callable[[], float]) -> None:
        self._gauges.append((name, text, None, lambda: {"": source()}))

    def describe(self) -> list[Metric]:
        """Nothing is known before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        failed = 0
        for name, text, label, source in self._gauges:
            try:
                values = source()
            except Exception:  # noqa: BLE001  # a scrape must not fail because one owner can't be reached
                failed += 1
                continue
            if label is None:
                yield GaugeMetricFamily(name, text, value=values[""])
                continue
            family = GaugeMetricFamily(name, text, labels=(label[0],))
            for code, value in values.items():
                family.add_metric((_code(code, label[1], self._replaced),), value)
            yield family
        yield GaugeMetricFamily(
            "chukan_unreadable_gauges", "Gauges that could not be read for this scrape.", value=failed
        )


def _code(value: str, pattern: re.Pattern[str], replaced: Counter) -> str:
    if pattern.fullmatch(value):
        return value
    replaced.inc()
    return _OTHER
