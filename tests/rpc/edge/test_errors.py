# SPDX-License-Identifier: Apache-2.0
"""Every failure of a call reaches the caller as a rich status with a reason, and nothing else of it does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from structlog.testing import capture_logs

from chukan.edge.errors import ended_with, error_of_call, error_of_status, status_of
from chukan.standard.reasons import ChukanError, all_reasons
from tests.rpc.edge.servers import CANARY, FULL_NAME, METADATA, ORGANIZATION, Edge, finished

if TYPE_CHECKING:
    from types import SimpleNamespace


def refused(call: Any, request: Any) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        finished(call(request, metadata=METADATA, timeout=5))
    return caught.value


def details(error: Any) -> dict[Any, Any]:
    found = {}
    for detail in rpc_status.from_call(error).details:
        name = detail.type_url.rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        detail.Unpack(message)
        found[(name, message.locale) if name == "LocalizedMessage" else name] = message
    return found


def test_an_error_carries_reason_path_delay_and_both_languages(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Say, echo.SayRequest(what="refuse"))

    found = details(error)
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert found["ErrorInfo"].reason == "ADDRESSEE_UNKNOWN"
    assert found["ErrorInfo"].domain == "chukan.example"
    assert found["ErrorInfo"].metadata["row"] == "3"
    assert found["BadRequest"].field_violations[0].field == "number"
    assert found["RetryInfo"].retry_delay.ToMilliseconds() == 1500
    assert "登録" in found["LocalizedMessage", "ja"].message
    assert "registered" in found["LocalizedMessage", "en"].message


@pytest.mark.parametrize("shape", ["Say", "Watch", "Pour", "Relay"])
def test_every_shape_of_rpc_ends_with_the_same_error(edge: Edge, echo: SimpleNamespace, shape: str) -> None:
    request = echo.SayRequest(what="refuse")

    error = refused(getattr(edge.stub, shape), iter([request]) if shape == "Pour" else request)

    rebuilt = error_of_call(error)
    assert (rebuilt.code, rebuilt.field, rebuilt.params, rebuilt.retry_after) == (
        "ADDRESSEE_UNKNOWN",
        "number",
        {"row": "3"},
        1.5,
    )


def test_a_records_reason_ends_a_call_as_failed_precondition(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Say, echo.SayRequest(what="refuse-record"))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error_of_call(error).code == "ROW_SHORT"


@pytest.mark.parametrize("what", ["crash", "crash-with-cause"])
@pytest.mark.parametrize("shape", ["Say", "Watch", "Pour"])
def test_an_unexpected_exception_shows_a_fixed_text_and_logs_where_but_not_what(
    edge: Edge, echo: SimpleNamespace, shape: str, what: str
) -> None:
    request = echo.SayRequest(what=what, text=CANARY)
    with capture_logs() as logs:
        error = refused(getattr(edge.stub, shape), iter([request]) if shape == "Pour" else request)

    assert error.code() is grpc.StatusCode.INTERNAL
    assert error_of_call(error).code == "INTERNAL_ERROR"
    written = json.dumps(logs)
    assert CANARY not in str(error)
    assert CANARY not in written
    assert logs[0]["method"] == f"/{FULL_NAME}/{shape}"
    assert logs[0]["organization"] == ORGANIZATION
    assert [entry["type"] for entry in logs[0]["exceptions"]] == (
        ["builtins.KeyError"] if what == "crash" else ["builtins.RuntimeError", "builtins.ValueError"]
    )
    assert any("servers.py" in frame and "answer" in frame for frame in logs[0]["exceptions"][0]["frames"])


def test_a_message_that_cannot_be_parsed_is_refused_with_a_reason(edge: Edge) -> None:
    garbage = edge.channel.unary_unary(f"/{FULL_NAME}/Say")
    error = refused(garbage, b"\xff\xff\xff")
    assert (error.code(), error_of_call(error).code) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_UNREADABLE")

    stream = edge.channel.stream_stream(f"/{FULL_NAME}/Pour")
    error = refused(stream, iter([b"\xff\xff\xff"]))
    assert error_of_call(error).code == "REQUEST_UNREADABLE"


def test_an_unknown_method_is_refused_with_its_name(edge: Edge) -> None:
    for method in ("/chukan_test.v1.EchoService/Sing", "/nobody.v1.Nothing/At"):
        error = refused(edge.channel.unary_unary(method), b"")

        rebuilt = error_of_call(error)
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert (rebuilt.code, rebuilt.feature) == ("FEATURE_NOT_AVAILABLE", method)


def test_an_rpc_of_a_later_version_names_its_feature(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Later, echo.SayRequest())

    assert (error.code(), error_of_call(error).feature) == (grpc.StatusCode.UNIMPLEMENTED, "later answers")


def test_a_status_a_servicer_set_itself_is_left_as_it_is(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Say, echo.SayRequest(what="abort"))

    assert error.code() is grpc.StatusCode.DATA_LOSS
    assert edge.sample(
        "grpc_server_handled_total",
        grpc_type="unary",
        grpc_service=FULL_NAME,
        grpc_method="Say",
        grpc_code="DataLoss",
    )


def test_an_error_with_thousands_of_violations_still_fits_into_metadata(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Say, echo.SayRequest(what="refuse-many"))

    rebuilt = error_of_call(error)
    assert rebuilt.code == "INVALID_FIELD"
    assert rebuilt.params == {"violations": "5000"}
    assert 50 < len(rebuilt.violations) < 5000
    assert len(rpc_status.from_call(error).SerializeToString()) < 5000


def test_every_reason_of_the_table_survives_the_wire() -> None:
    for reason in all_reasons():
        error = ChukanError(
            reason.code, field="a.b", violations=[("c[1]", "rule")], params={"row": "1"}, retry_after=0.25, feature="f"
        )

        rebuilt = error_of_status(Status.FromString(status_of(error).SerializeToString()))

        assert rebuilt is not None
        assert str(rebuilt) == str(error)
        assert rebuilt.retry_after == error.retry_after
        assert rebuilt.violations == error.violations


def test_a_status_of_somebody_else_is_not_taken_for_ours() -> None:
    status = Status(code=5, message="no")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="ADDRESSEE_UNKNOWN", domain="another.example"))
    assert error_of_status(status) is None

    status.details[0].Pack(error_details_pb2.ErrorInfo(reason="OF_A_NEWER_SERVER", domain="chukan.example"))
    rebuilt = error_of_status(status)
    assert rebuilt is not None
    assert (rebuilt.code, rebuilt.params) == ("PEER_ANSWER_INVALID", {"reason": "OF_A_NEWER_SERVER"})


def test_a_reason_of_a_newer_server_keeps_its_delay() -> None:
    status = Status(code=8, message="later")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="OF_A_NEWER_SERVER", domain="chukan.example"))
    status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=3)))

    rebuilt = error_of_status(status)

    assert rebuilt is not None
    assert rebuilt.retry_after == 3.0


@pytest.mark.parametrize(("seconds_left", "pushback"), [(None, "1500"), (30.0, "1500"), (1.0, "-1")])
def test_a_delay_is_told_to_grpcs_own_retries_and_one_beyond_the_deadline_forbids_them(
    seconds_left: float | None, pushback: str
) -> None:
    status = status_of(ChukanError("SHUTTING_DOWN", retry_after=1.5))

    metadata = dict(ended_with(status, seconds_left).trailing_metadata)

    assert metadata["grpc-retry-pushback-ms"] == pushback
    assert Status.FromString(metadata["grpc-status-details-bin"]) == status  # type: ignore[arg-type]


def test_an_error_without_a_delay_leaves_grpcs_own_retries_alone() -> None:
    assert dict(ended_with(status_of(ChukanError("SHUTTING_DOWN")), 5.0).trailing_metadata).keys() == {
        "grpc-status-details-bin"
    }


def test_a_server_that_cannot_be_reached_is_said_so() -> None:
    with grpc.insecure_channel("localhost:1") as channel:
        error = refused(channel.unary_unary("/a/b"), b"")

    assert error_of_call(error).code == "PEER_UNREACHABLE"


def test_a_message_over_16_mib_is_refused(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge.stub.Say, echo.SayRequest(text="x" * (16 * 1024 * 1024 + 1)))

    assert error_of_call(error).code == "MESSAGE_TOO_LARGE"
