# SPDX-License-Identifier: Apache-2.0
"""Errors on the wire: one way from a `ChukanError` to a google.rpc.Status and back.

Every error carries ErrorInfo (the stable reason), BadRequest (paths), RetryInfo and LocalizedMessage in Japanese and
English. An exception that is not a ChukanError never reaches the wire or the log as text: it may quote a value of a
person.
"""

from __future__ import annotations

from pathlib import PurePath
from traceback import extract_tb
from typing import TYPE_CHECKING, NamedTuple, Protocol

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

__all__ = [
    "DETAILS_KEY",
    "DOMAIN",
    "Ended",
    "EndedCall",
    "ended_with",
    "error_of_call",
    "error_of_status",
    "log_unexpected",
    "status_of",
]

DOMAIN = "chukan.example"
#: Where gRPC carries a google.rpc.Status.
DETAILS_KEY = "grpc-status-details-bin"
#: What gRPC's own retries wait for, in every language (gRFC A6); below zero: no retry.
_PUSHBACK_KEY = "grpc-retry-pushback-ms"

#: Trailing metadata over 8 KiB is dropped with the whole answer by most gRPC stacks; base64 adds a third.
_ROOM_FOR_VIOLATIONS = 2500
_LONGEST_PARAMETER = 200
_LONGEST_CHAIN = 4
_MOST_FRAMES = 12

#: What a status without our details means: it was made by gRPC itself or by something between us.
_BARE = {
    grpc.StatusCode.UNAVAILABLE: "PEER_UNREACHABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.CANCELLED: "CALL_CANCELLED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "MESSAGE_TOO_LARGE",
    grpc.StatusCode.UNIMPLEMENTED: "FEATURE_NOT_AVAILABLE",
    grpc.StatusCode.UNAUTHENTICATED: "CALLER_UNKNOWN",
    grpc.StatusCode.PERMISSION_DENIED: "METHOD_NOT_ALLOWED",
}


def status_of(error: ChukanError) -> Status:
    """Write an error as a rich status."""
    reason = error.reason
    status = Status(code=code_pb2.Code.Value(reason.call_status), message=reason.english)
    for detail in _details(error):
        status.details.add().Pack(detail)
    return status


class Ended(NamedTuple):
    """What a call is ended with, as gRPC wants it."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, str | bytes], ...]


def ended_with(status: Status, seconds_left: float | None) -> Ended:
    """Return how to end a call with a rich status; a delay it names holds gRPC's own retries back, too.

    A delay beyond the caller's deadline means no retry, so that the caller gets the reason and not a deadline.
    """
    ended = to_status(status)
    metadata = tuple(ended.trailing_metadata or ())
    retry = error_details_pb2.RetryInfo()
    if any(detail.Unpack(retry) for detail in status.details):
        delay = retry.retry_delay.ToMilliseconds()
        late = seconds_left is not None and delay >= seconds_left * 1000
        metadata += ((_PUSHBACK_KEY, str(-1 if late else delay)),)
    return Ended(ended.code, ended.details, metadata)


def _details(error: ChukanError) -> Iterator[Message]:
    reason = error.reason
    metadata = {name: value[:_LONGEST_PARAMETER] for name, value in error.params.items()}
    if error.feature:
        metadata["feature"] = error.feature
    if error.field:
        metadata["field"] = error.field
    violations = list(error.violations)
    shown = _fitting(violations)
    if len(shown) < len(violations):
        metadata["violations"] = str(len(violations))
    yield error_details_pb2.ErrorInfo(reason=reason.code, domain=DOMAIN, metadata=metadata)
    if error.field or shown:
        request = error_details_pb2.BadRequest()
        if error.field:
            request.field_violations.add(field=error.field, description=reason.english, reason=reason.code)
        for path, rule in shown:
            request.field_violations.add(field=path, description=rule)
        yield request
    if error.retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        yield error_details_pb2.RetryInfo(retry_delay=delay)
    yield error_details_pb2.LocalizedMessage(locale="ja", message=reason.japanese + reason.action_japanese)
    yield error_details_pb2.LocalizedMessage(locale="en", message=f"{reason.english}: {reason.action_english}")


def _fitting(violations: list[tuple[str, str]]) -> list[tuple[str, str]]:
    room = _ROOM_FOR_VIOLATIONS
    shown = []
    for path, rule in violations:
        room -= len(path.encode()) + len(rule.encode()) + 8
        if room < 0:
            break
        shown.append((path, rule))
    return shown


def error_of_status(status: Status) -> ChukanError | None:
    """Return the error a rich status was made of; None if it is not one of ours or of a reason we don't know."""
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for wanted in (info, request, retry):
            detail.Unpack(wanted)
    if info.domain != DOMAIN:
        return None
    params = dict(info.metadata)
    field = params.pop("field", "")
    violations = [(item.field, item.description) for item in request.field_violations if not item.reason]
    retry_after = retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None
    try:
        return ChukanError(
            info.reason,
            field=field,
            violations=violations,
            feature=params.pop("feature", ""),
            params=params,
            retry_after=retry_after,
        )
    except LookupError:
        return ChukanError(
            "PEER_ANSWER_INVALID", params={"reason": info.reason[:_LONGEST_PARAMETER]}, retry_after=retry_after
        )


class EndedCall(Protocol):
    """What is read of a call that failed."""

    def code(self) -> grpc.StatusCode:
        """Return the status."""

    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None:
        """Return the metadata the status came with."""


def error_of_call(call: EndedCall) -> ChukanError:
    """Return the error a failed call stands for, whoever made it."""
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            error = error_of_status(Status.FromString(value))
            if error is not None:
                return error
    code = call.code()
    reason = _BARE.get(code, "PEER_ANSWER_INVALID")
    return ChukanError(reason, params={"status": code.name})


def log_unexpected(error: BaseException, *, method: str, organization: str) -> None:
    """Log what kind of exception came from where; not its text, arguments or locals."""
    import structlog  # noqa: PLC0415  # 50 ms that a server without surprises never needs

    chain: list[dict[str, object]] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < _LONGEST_CHAIN:
        frames = [
            f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in extract_tb(cause.__traceback__)
        ]
        chain.append({"type": f"{type(cause).__module__}.{type(cause).__qualname__}", "frames": frames[-_MOST_FRAMES:]})
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    structlog.get_logger("chukan.edge").error(
        "unexpected_error", method=method, organization=organization, exceptions=chain
    )
