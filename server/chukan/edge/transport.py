# SPDX-License-Identifier: Apache-2.0
"""How one part calls a unary RPC of another, in this process or over gRPC, alike to the byte.

The in-process transport encodes and parses request, response and error exactly as the wire does and runs the same
guard, so that nothing can be built that works only in one process. It proves nobody's identity: the caller is believed
like on plaintext loopback.
"""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import grpc

from chukan.standard.reasons import ChukanError

from .channel import MAX_MESSAGE_BYTES, open_channel
from .errors import error_of_call
from .guard import Guard
from .identity import Identity
from .interposition import spelling
from .local_context import CallEnded, LocalContext
from .validation import Validation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

    from chukan.monitoring import Metrics

    from .caller import Caller
    from .interposition import Interposer
    from .service import Handler, Service
    from .tls import TlsFiles

__all__ = ["ChannelTransport", "InProcessTransport", "InterposedTransport", "Transport"]

_Answer = TypeVar("_Answer", bound="Message")

#: A call between servers that takes longer is repeated by the dispatcher.
_TIMEOUT = 30.0


class Transport(Protocol):
    """Calls unary RPCs of one peer; every failure is a ChukanError."""

    def call(
        self, full_method: str, request: Message, response_type: type[_Answer], *, caller: Caller, timeout: float = ...
    ) -> _Answer:
        """Call `/package.Service/Method` in the name of `caller` and wait for the answer."""

    def close(self) -> None:
        """Give back what is open."""


class ChannelTransport:
    """Over gRPC; safe to use from many threads."""

    def __init__(self, target: str, *, tls: TlsFiles | None = None) -> None:
        self._channel = open_channel(target, tls=tls)
        self._methods: dict[tuple[str, type[Message]], grpc.UnaryUnaryMultiCallable[Any, Any]] = {}

    def call(
        self,
        full_method: str,
        request: Message,
        response_type: type[_Answer],
        *,
        caller: Caller,
        timeout: float = _TIMEOUT,
    ) -> _Answer:
        """See `Transport`."""
        method = self._methods.get((full_method, response_type))
        if method is None:
            method = self._methods[full_method, response_type] = self._channel.unary_unary(
                full_method,
                request_serializer=_encode,
                response_deserializer=response_type.FromString,
            )
        try:
            answer: _Answer = method(request, timeout=timeout, metadata=caller.metadata())
        except grpc.RpcError as error:
            raise error_of_call(error) from None  # type: ignore[arg-type]  # the client's errors are calls as well
        return answer

    def close(self) -> None:
        """Close the channel; running calls end with CALL_CANCELLED."""
        self._channel.close()


class InProcessTransport:
    """In this process, on the caller's thread. Services may be added after it was handed out."""

    def __init__(
        self, services: Iterable[Service] = (), *, metrics: Metrics, validation: Validation | None = None
    ) -> None:
        """Share a `validation` with other transports of the process: learning its rules takes 50 ms."""
        identity = Identity(tls=False)
        self._guard = Guard(metrics=metrics, identity=identity, validation=validation or Validation())
        self._handlers: dict[str, Handler] = {}
        self.add(services)

    def add(self, services: Iterable[Service]) -> None:
        """Serve these too."""
        for service in services:
            self._handlers.update(self._guard.handlers(service))

    def call(
        self,
        full_method: str,
        request: Message,
        response_type: type[_Answer],
        *,
        caller: Caller,
        timeout: float = _TIMEOUT,
    ) -> _Answer:
        """See `Transport`."""
        handler = self._handlers.get(full_method)
        if handler is None or handler.unary_unary is None:
            raise ChukanError("FEATURE_NOT_AVAILABLE", feature=full_method)
        context = LocalContext(caller.metadata(), timeout)
        try:
            sent = _fitting(_encode(request))
            # Each call has a context of its own, as on a server: the handler must not see its caller's caller.
            data = Context().run(_serve, handler, sent, context)
            context.end()
        except CallEnded:
            raise error_of_call(context) from None
        return response_type.FromString(_fitting(data))

    def close(self) -> None:
        """Nothing is open."""


class InterposedTransport:
    """The calls that leave for one peer."""

    def __init__(self, transport: Transport, interposer: Interposer, *, peer: str) -> None:
        self._transport = transport
        self._interposer = interposer
        self._peer = peer

    def call(
        self,
        full_method: str,
        request: Message,
        response_type: type[_Answer],
        *,
        caller: Caller,
        timeout: float = _TIMEOUT,
    ) -> _Answer:
        """See `Transport`."""
        passage = self._interposer.enter(full_method, caller, peer=self._peer)
        if passage is None:
            return self._transport.call(full_method, request, response_type, caller=caller, timeout=timeout)
        try:
            passage.message(request)
            answer = self._transport.call(full_method, request, response_type, caller=caller, timeout=timeout)
            passage.answer(answer)
        except ChukanError as error:
            passage.end(spelling(grpc.StatusCode[error.reason.call_status]), error.code)
            raise
        passage.end("OK", "")
        return answer

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _serve(handler: Handler, data: bytes, context: LocalContext) -> bytes:
    behavior: Any = handler.unary_unary
    request = handler.request_deserializer(data) if handler.request_deserializer else data
    response: Any = behavior(request, context)
    answer: bytes = handler.response_serializer(response) if handler.response_serializer else response
    return answer


def _fitting(data: bytes) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise ChukanError("MESSAGE_TOO_LARGE", params={"status": "RESOURCE_EXHAUSTED"})
    return data
