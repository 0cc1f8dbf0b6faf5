# SPDX-License-Identifier: Apache-2.0
"""From a failed call to the `ChukanError` the server raised, with the same reason, paths, parameters and delay.

A failure that no server of ours made (nobody answers, a proxy refuses) becomes the reason that says so, with the bare
status in its parameters. The gRPC error stays reachable as `__cause__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import grpc
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["error_of"]

_DOMAIN: Final = "chukan.example"
_DETAILS_KEY: Final = "grpc-status-details-bin"
_BARE: Final = {
    grpc.StatusCode.UNAVAILABLE: "PEER_UNREACHABLE",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
    grpc.StatusCode.CANCELLED: "CALL_CANCELLED",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "MESSAGE_TOO_LARGE",
    grpc.StatusCode.UNIMPLEMENTED: "FEATURE_NOT_AVAILABLE",
    grpc.StatusCode.UNAUTHENTICATED: "CALLER_UNKNOWN",
    grpc.StatusCode.PERMISSION_DENIED: "METHOD_NOT_ALLOWED",
}


class _Ended(Protocol):
    def code(self) -> grpc.StatusCode: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def error_of(call: _Ended) -> ChukanError:
    """Rebuild the error of a failed call."""
    for key, value in call.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            error = _rebuilt(Status.FromString(value))
            if error is not None:
                return error
    code = call.code()
    return ChukanError(_BARE.get(code, "PEER_ANSWER_INVALID"), params={"status": code.name})


def _rebuilt(status: Status) -> ChukanError | None:
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        for wanted in (info, request, retry):
            detail.Unpack(wanted)
    if info.domain != _DOMAIN:
        return None
    params = dict(info.metadata)
    retry_after = retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None
    try:
        return ChukanError(
            info.reason,
            field=params.pop("field", ""),
            violations=[(item.field, item.description) for item in request.field_violations if not item.reason],
            feature=params.pop("feature", ""),
            params=params,
            retry_after=retry_after,
        )
    except LookupError:  # a reason of a newer server: whether to come back is told by the status and the delay
        known = {"reason": info.reason, "status": _status_name(status.code)}
        return ChukanError("PEER_ANSWER_INVALID", params=known, retry_after=retry_after)


def _status_name(code: int) -> str:
    return code_pb2.Code.Name(code) if code in code_pb2.Code.values() else str(code)
