# SPDX-License-Identifier: Apache-2.0
"""Refusals as the contract has them: a google.rpc.Status with ErrorInfo, RetryInfo and a sentence in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message

__all__ = ["DETAILS", "refusal"]

DETAILS: Final = "grpc-status-details-bin"
_DOMAIN: Final = "chukan.example"


def refusal(status: grpc.StatusCode, reason: str, *, retry_after: float = 0.0, feature: str = "") -> bytes:
    """Return the details of a refusal."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=_DOMAIN)
    if feature:
        info.metadata["feature"] = feature
    details: list[Message] = [
        info,
        error_details_pb2.LocalizedMessage(locale="ja", message=f"適合性試験の応答です({reason})。"),
        error_details_pb2.LocalizedMessage(locale="en", message=f"an answer of the conformance kit ({reason})"),
    ]
    if retry_after:
        delay = Duration()
        delay.FromMilliseconds(int(retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    said = Status(code=int(status.value[0]), message=reason)
    for detail in details:
        packed = Packed()
        packed.Pack(detail)
        said.details.append(packed)
    return bytes(said.SerializeToString())
