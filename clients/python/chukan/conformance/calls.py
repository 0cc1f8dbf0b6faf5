# SPDX-License-Identifier: Apache-2.0
"""One call over plain gRPC, and all that came back of it: answers as JSON has them, the error with its details."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from chukan.conformance.problem import NOT_REACHABLE, KitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

    from chukan.conformance.contract import Method
    from chukan.conformance.profile import Profile

__all__ = ["Answer", "Channels", "call", "plain"]

_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    ("grpc.enable_retries", 0),
)
_CONNECT_SECONDS: Final = 5.0
_UNREADABLE: Final = "UNREADABLE"


@dataclass(slots=True)
class Answer:
    """What one call came to. status: "OK" or the name of the gRPC status."""

    status: str = "OK"
    responses: list[Any] = field(default_factory=list)
    error: dict[str, Any] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def gone(self) -> bool:
        """Whether nobody of the contract answered: UNAVAILABLE without a reason."""
        return self.status == "UNAVAILABLE" and not self.error.get("reason")


class Channels:
    """One channel per role, because with TLS each organization has its own certificate."""

    def __init__(self, target: str, profile: Profile) -> None:
        self._target = target
        self._profile = profile
        self._open: dict[str, grpc.Channel] = {}

    def of(self, role: str) -> grpc.Channel:
        """Return the channel of a role."""
        key = role if self._profile.tls else ""
        if key not in self._open:
            self._open[key] = self._connected(role)
        return self._open[key]

    def close(self) -> None:
        """Close them all."""
        for channel in self._open.values():
            channel.close()

    def _connected(self, role: str) -> grpc.Channel:
        options = list(_OPTIONS)
        if self._profile.tls:
            channel = grpc.secure_channel(self._target, self._credentials(role), options)
        else:
            channel = grpc.insecure_channel(self._target, options)
        if not _reached(channel):
            channel.close()
            raise KitError(
                f"nobody answers at {self._target}: start the server, or give its --target (and tls in the profile)",
                f"{self._target} に接続できません。サーバーを起動するか、--target と(TLS なら)"
                "プロファイルの tls を確認してください",
                code=NOT_REACHABLE,
            )
        return channel

    def _credentials(self, role: str) -> grpc.ChannelCredentials:
        folder, code = Path(self._profile.tls), self._profile.organizations.get(role, "")
        try:
            ca, key, certificate = ((folder / name).read_bytes() for name in ("ca.pem", f"{code}.key", f"{code}.pem"))
        except OSError as error:
            raise KitError(
                f"the profile's tls folder has no readable {error.filename}",
                f"プロファイルの tls フォルダーで {error.filename} を読めません",
            ) from None
        return grpc.ssl_channel_credentials(ca, key, certificate)


def _reached(channel: grpc.Channel) -> bool:
    """Whether somebody answers; a refused connection is believed at once."""
    known, found = Event(), []

    def note(state: grpc.ChannelConnectivity) -> None:
        if state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            found.append(state)
            known.set()

    channel.subscribe(note, try_to_connect=True)
    known.wait(_CONNECT_SECONDS)
    channel.unsubscribe(note)
    return grpc.ChannelConnectivity.READY in found


@contextmanager
def channels(target: str, profile: Profile) -> Iterator[Channels]:
    """Open channels and close them at the end."""
    with closing(Channels(target, profile)) as opened:
        yield opened


def call(
    channel: grpc.Channel,
    method: Method,
    requests: Iterable[Message],
    *,
    metadata: list[tuple[str, str]],
    seconds: float,
    take: int = 0,
) -> Answer:
    """Call and return what came of it; never raises for what the target does."""
    kind = ("stream" if method.request_stream else "unary") + ("_stream" if method.response_stream else "_unary")
    invoke = getattr(channel, kind)(method.path, method.request().SerializeToString, method.response().FromString)
    sent = list(requests)
    answer = Answer()
    try:
        got = invoke(iter(sent) if method.request_stream else sent[0], timeout=seconds, metadata=metadata)
        if method.response_stream:
            for response in got:
                answer.responses.append(plain(response))
                if take and len(answer.responses) >= take:
                    got.cancel()
                    answer.cancelled = True
                    break
        else:
            answer.responses.append(plain(got))
    except grpc.RpcError as error:
        failed: Any = error
        answer.status = failed.code().name
        answer.error = _error(failed)
    return answer


def plain(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it; what is absent is not there, zero and empty text are."""
    try:
        document: dict[str, Any] = json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    except (json_format.Error, ValueError, TypeError, OverflowError):  # an instant that there is not, and the like
        return {}
    return document


def _error(failed: Any) -> dict[str, Any]:  # noqa: ANN401  # gRPC's errors are calls as well, which no type says
    found: dict[str, Any] = {"status": failed.code().name, "text": failed.details() or "", "messages": {}}
    for key, value in failed.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                found.update(_details(Status.FromString(value)))
            except ValueError:  # no Status at all
                found["reason"] = _UNREADABLE
    return found


def _details(status: Status) -> dict[str, Any]:
    found: dict[str, Any] = {"messages": {}, "violations": []}
    for detail in status.details:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        retry, sentence = error_details_pb2.RetryInfo(), error_details_pb2.LocalizedMessage()
        if detail.Unpack(info):
            found |= {"reason": info.reason, "domain": info.domain, "metadata": dict(info.metadata)}
        elif detail.Unpack(request):
            found["violations"] = [
                {"field": each.field, "description": each.description} for each in request.field_violations
            ]
        elif detail.Unpack(retry):
            found["retry_after"] = retry.retry_delay.ToMilliseconds() / 1000
        elif detail.Unpack(sentence):
            found["messages"][sentence.locale] = sentence.message
    return found
