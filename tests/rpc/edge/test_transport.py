# SPDX-License-Identifier: Apache-2.0
"""A call looks alike in one process and over gRPC: answers, errors, what the handler knows of its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from chukan.client import Client
from chukan.edge import Caller, ChannelTransport, InProcessTransport, Transport, current_caller
from chukan.monitoring import Metrics
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import CALLER, FULL_NAME, ORGANIZATION, Edge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

WHATS = ["", "refuse", "refuse-many", "refuse-record", "crash", "abort", "caller"]


@pytest.fixture(scope="module")
def pair(edge: Edge) -> Iterator[tuple[Transport, Transport]]:
    """Offer the same service twice: over gRPC and in this process."""
    channel = ChannelTransport(edge.target)
    local = InProcessTransport([edge.behaviour.service()], metrics=Metrics(CollectorRegistry()))
    yield channel, local
    channel.close()
    local.close()


def outcome(transport: Transport, echo: SimpleNamespace, request: Any, **options: Any) -> tuple[Any, ...]:
    method = options.pop("method", "Say")
    options.setdefault("caller", CALLER)
    try:
        answer = transport.call(f"/{FULL_NAME}/{method}", request, echo.SayResponse, **options)
    except ChukanError as error:
        return error.code, error.field, error.violations, error.params, error.retry_after, error.feature
    return (answer.text.partition("deadline")[0],)


@pytest.mark.parametrize("what", WHATS)
def test_answers_and_errors_are_the_same(pair: tuple[Transport, Transport], echo: SimpleNamespace, what: str) -> None:
    over_grpc, in_process = (outcome(transport, echo, echo.SayRequest(text="t", what=what)) for transport in pair)

    assert over_grpc == in_process


def test_edge_failures_are_the_same(pair: tuple[Transport, Transport], echo: SimpleNamespace) -> None:
    cases: dict[str, tuple[Any, dict[str, Any]]] = {
        "FEATURE_NOT_AVAILABLE": (echo.SayRequest(), {"method": "Later"}),
        "INVALID_FIELD": (echo.SayRequest(text="x" * 41), {}),
        "CALLER_UNKNOWN": (echo.SayRequest(), {"caller": Caller(organization="")}),
        "CALLER_METADATA_INVALID": (echo.SayRequest(), {"caller": Caller(organization="12")}),
        "WORLDS_NOT_OFFERED": (echo.SayRequest(), {"caller": Caller(organization=ORGANIZATION, world="w")}),
        "DEADLINE_EXCEEDED": (echo.SayRequest(what="sleep"), {"timeout": 0.05}),
        "MESSAGE_TOO_LARGE": (echo.SayRequest(text="x" * (17 * 1024 * 1024)), {}),
    }
    for code, (request, options) in cases.items():
        outcomes = [outcome(transport, echo, request, **options) for transport in pair]

        assert outcomes[0][0] == outcomes[1][0] == code
        assert outcomes[0][1:3] == outcomes[1][1:3]


def test_an_unknown_method_is_refused_alike(pair: tuple[Transport, Transport], echo: SimpleNamespace) -> None:
    outcomes = [outcome(transport, echo, echo.SayRequest(), method="Sing") for transport in pair]

    assert [found[0] for found in outcomes] == ["FEATURE_NOT_AVAILABLE"] * 2
    assert [found[5] for found in outcomes] == [f"/{FULL_NAME}/Sing"] * 2


def test_the_handler_gets_a_parsed_copy_and_its_own_caller(
    pair: tuple[Transport, Transport], echo: SimpleNamespace
) -> None:
    """What is handed over in this process is what went through bytes; the caller's own identity does not leak in."""
    caller = Caller(organization=ORGANIZATION, system="s", department="d", user="u", request_id="r", traceparent="00-a")

    texts = [outcome(transport, echo, echo.SayRequest(what="caller"), caller=caller)[0] for transport in pair]

    assert texts[0] == texts[1]
    assert "system='s'" in texts[0]
    assert "traceparent='00-a'" in texts[0]
    with pytest.raises(LookupError):
        current_caller()


def test_the_client_rebuilds_the_same_error_as_a_transport(
    edge: Edge, pair: tuple[Transport, Transport], echo: SimpleNamespace
) -> None:
    with Client(edge.target, organization=ORGANIZATION) as client:
        stub = echo.Stub(client.calls())
        for what in WHATS[1:-1]:
            with pytest.raises(ChukanError) as caught:
                stub.Say(echo.SayRequest(what=what))

            error = caught.value
            found = (error.code, error.field, error.violations, error.params, error.retry_after, error.feature)
            assert found == outcome(pair[0], echo, echo.SayRequest(what=what))


def test_a_request_id_is_not_carried_onward() -> None:
    caller = Caller(organization=ORGANIZATION, user="u", request_id="r", deadline=1.0)

    assert dict(caller.onward().metadata()) == {
        "chukan-organization": ORGANIZATION,
        "chukan-user": "u",
    }
