# SPDX-License-Identifier: Apache-2.0
"""The metrics have go-grpc-middleware's names, count every call once, and never name a person."""

from __future__ import annotations

import threading
import urllib.request
from typing import TYPE_CHECKING

import grpc
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from chukan.monitoring import Metrics, MetricsServer, start_metrics_server
from tests.rpc.edge.servers import FULL_NAME, METADATA, Edge, Start, finished

if TYPE_CHECKING:
    from types import SimpleNamespace

LABELS = {
    "grpc_type",
    "grpc_service",
    "grpc_method",
    "grpc_code",
    "le",
    "reason",
    "state",
    "information",
    "kind",
    "version",
    "profile",
}
INFORMATION = "TM00000000000002"


def rpc(edge: Edge, name: str, kind: str, method: str, **labels: str) -> float | None:
    return edge.sample(name, grpc_type=kind, grpc_service=FULL_NAME, grpc_method=method, **labels)


def test_every_call_and_message_is_counted_under_the_names_of_go_grpc_middleware(
    start: Start, echo: SimpleNamespace
) -> None:
    edge = start()
    for what in ("", "", "refuse", "crash"):
        _outcome(edge, echo, what)
    edge.stub.Gather(iter([echo.SayRequest()] * 3), metadata=METADATA)
    finished(edge.stub.Pour(iter([echo.SayRequest()] * 4), metadata=METADATA))

    assert rpc(edge, "grpc_server_started_total", "unary", "Say") == 4
    for code, count in {"OK": 2, "NotFound": 1, "Internal": 1}.items():
        assert rpc(edge, "grpc_server_handled_total", "unary", "Say", grpc_code=code) == count
    assert rpc(edge, "grpc_server_handling_seconds_count", "unary", "Say") == 4
    assert rpc(edge, "grpc_server_handling_seconds_bucket", "unary", "Say", le="+Inf") == 4
    assert rpc(edge, "grpc_server_msg_received_total", "unary", "Say") == 4
    assert rpc(edge, "grpc_server_msg_sent_total", "unary", "Say") == 2
    assert rpc(edge, "grpc_server_msg_received_total", "client_stream", "Gather") == 3
    assert rpc(edge, "grpc_server_msg_sent_total", "client_stream", "Gather") == 1
    assert rpc(edge, "grpc_server_msg_received_total", "bidi_stream", "Pour") == 4
    assert rpc(edge, "grpc_server_msg_sent_total", "bidi_stream", "Pour") == 4
    assert edge.sample("chukan_refusals_total", reason="ADDRESSEE_UNKNOWN") == 1
    assert edge.sample("chukan_refusals_total", reason="INTERNAL_ERROR") == 1


def _outcome(edge: Edge, echo: SimpleNamespace, what: str) -> None:
    try:
        edge.stub.Say(echo.SayRequest(what=what), metadata=METADATA)
    except grpc.RpcError:
        assert what


def test_a_watch_the_caller_leaves_ends_as_canceled(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    watch = edge.stub.Watch(echo.SayRequest(), metadata=METADATA)
    next(watch)

    watch.cancel()

    for _ in range(200):
        ended = [rpc(edge, "grpc_server_handled_total", "server_stream", "Watch", grpc_code=code) for code in _ENDS]
        if sum(filter(None, ended)) == 1:
            return
        threading.Event().wait(0.02)
    pytest.fail("the watch did not end")


#: A servicer that sees the caller gone may return or be closed.
_ENDS = ("OK", "Canceled")


def test_domain_metrics_count_what_the_verbs_say_and_ask_their_owner_at_each_scrape() -> None:
    metrics = Metrics(CollectorRegistry())
    states = {"accepted": 2}
    metrics.read_inquiries(lambda: states)
    metrics.read_replicas(lambda: {INFORMATION: 5})
    metrics.note_inquiry_state("ANSWERED", 1)
    metrics.note_inquiry_state("answered", 2)
    metrics.note_replicas(INFORMATION, 7)
    metrics.read_unsent(rows=lambda: {"request_permits": 2}, oldest=lambda: {"request_permits": 1.5})
    metrics.note_build(version="0.1.0", profile="emulator")
    sample = metrics.registry.get_sample_value

    assert sample("chukan_inquiries", {"state": "accepted"}) == 2
    states["accepted"] = 4
    assert sample("chukan_inquiries", {"state": "accepted"}) == 4
    assert sample("chukan_replicas", {"information": INFORMATION}) == 5
    assert sample("chukan_inquiry_transitions_total", {"state": "answered"}) == 3
    assert sample("chukan_replica_writes_total", {"information": INFORMATION}) == 7
    assert sample("chukan_oldest_unsent_seconds", {"kind": "request_permits"}) == 1.5
    assert sample("chukan_unsent", {"kind": "request_permits"}) == 2
    assert sample("chukan_build_info", {"version": "0.1.0", "profile": "emulator"}) == 1


def test_what_cannot_be_read_is_left_out_and_never_zero() -> None:
    metrics = Metrics(CollectorRegistry())

    def unreachable() -> dict[str, int]:
        raise OSError

    metrics.read_inquiries(unreachable)
    metrics.read_replicas(lambda: {INFORMATION: 1})

    text = generate_latest(metrics.registry).decode()
    assert "chukan_inquiries{" not in text
    assert 'chukan_replicas{information="TM00000000000002"} 1.0' in text
    assert "chukan_unreadable_gauges 1.0" in text


def test_no_label_can_be_a_person(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    number = "123456789018"
    edge.metrics.note_refused(number)
    edge.metrics.note_inquiry_state(number)
    edge.metrics.note_replicas(number)
    edge.metrics.read_unsent(rows=lambda: {number: 1}, oldest=lambda: {number: 1.0})
    edge.metrics.read_oldest_open_inquiries(lambda: {number: 1})
    edge.metrics.read_certificates(lambda: {number: 1})
    edge.metrics.note_failed_attempt(number)
    edge.metrics.read_replicas(lambda: {number: 1})
    edge.metrics.read_lanes(held=lambda: {number: 1}, stuck=lambda: {number: 1}, last_success=lambda: {number: 1})
    edge.stub.Say(echo.SayRequest(text=f"{number}."), metadata=METADATA)
    text = generate_latest(edge.metrics.registry).decode()

    labels = {name for family in text_string_to_metric_families(text) for one in family.samples for name in one.labels}
    assert labels <= LABELS
    assert number not in text


def test_metrics_are_served_on_loopback_only() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.note_build(version="0.1.0", profile="emulator")
    port = start_metrics_server("127.0.0.1:0", metrics.registry)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"chukan_build_info" in answer.read()

    for address in ("0.0.0.0:0", "192.0.2.1:0", "somewhere:0", "9090", "127.0.0.1:x"):
        with pytest.raises(ValueError, match="loopback only"):
            start_metrics_server(address, metrics.registry)


def test_a_metrics_server_gives_its_port_back() -> None:
    registry = CollectorRegistry()
    server = MetricsServer("localhost:0", registry)
    server.close()

    again = MetricsServer(f"localhost:{server.port}", registry)
    assert again.port == server.port
    again.close()
