# SPDX-License-Identifier: Apache-2.0
"""The scripted server: takes every call of the contract, and says what the case that is played says."""

from __future__ import annotations

import math
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc

from chukan.conformance.calls import plain
from chukan.conformance.contract import Method, methods_of
from chukan.conformance.examiner.received import Received, deadline_of, metadata_of
from chukan.conformance.examiner.refusals import DETAILS, refusal
from chukan.conformance.problem import KitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from google.protobuf.message import Message

    from chukan.conformance.examiner.play import Play, Reply

__all__ = ["ScriptedServer"]

_THREADS: Final = 48
_ACKNOWLEDGE: Final = "InquiryService/AcknowledgeResults"
_GLANCE: Final = 0.05
_PUSHBACK: Final = "grpc-retry-pushback-ms"
_LAST_PORT: Final = 65_535
_OPTIONS: Final = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 16 * 1024 * 1024))


class ScriptedServer:
    """Listens on an address; `played` is the case it answers by, None between cases.

    written: whether the results of these receipt numbers stand in the client's file, asked when they are acknowledged.
    """

    def __init__(self, listen: str) -> None:
        self.played: Play | None = None
        self.written: Callable[[Sequence[str]], bool] = bool
        self._pool = ThreadPoolExecutor(_THREADS)
        self._server = grpc.server(self._pool, options=_OPTIONS)
        self._server.add_generic_rpc_handlers([_Handler(self)])
        host, _, number = listen.rpartition(":")
        usable = bool(host) and number.isdecimal() and int(number) <= _LAST_PORT and _is_free(host, int(number))
        try:
            port = self._server.add_insecure_port(listen) if usable else 0
        except RuntimeError:
            port = 0
        if not port:
            self._pool.shutdown(wait=False)
            raise KitError(
                f"can't listen on {listen}: it is in use, or is no address of this machine; give another --listen",
                f"{listen} で待ち受けできません。使用中か、この端末のアドレスではありません。"
                "--listen に別のアドレスを指定してください",
            )
        self.target = f"{host}:{port}"
        self._server.start()

    def close(self) -> None:
        """End all calls and stop listening."""
        self.played = None
        self._server.stop(0).wait()
        self._pool.shutdown(wait=False)

    def handler(self, method: Method) -> Any:  # noqa: ANN401  # gRPC's own type is generic in its stubs only
        """Return what serves a method."""
        kind = ("stream" if method.request_stream else "unary") + ("_stream" if method.response_stream else "_unary")
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(
            partial(getattr(self, f"_{kind}"), method),
            request_deserializer=method.request().FromString,
            response_serializer=method.response().SerializeToString,
        )

    def _unary_unary(self, method: Method, request: Message, context: grpc.ServicerContext) -> Message:
        return next(self._answered(method, request, context))

    def _unary_stream(self, method: Method, request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        yield from self._answered(method, request, context)

    def _stream_stream(
        self, method: Method, requests: Iterator[Message], context: grpc.ServicerContext
    ) -> Iterator[Message]:
        for request in requests:
            yield from self._answered(method, request, context)

    def _answered(self, method: Method, request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        """Yield what is said to one request, or end the call."""
        play = self.played
        if play is None:
            context.abort(grpc.StatusCode.UNAVAILABLE, "no case is played")
        document = plain(request)
        call = Received(
            method.path[1:],
            document,
            metadata_of(context.invocation_metadata()),
            deadline_of(context.time_remaining()),
            play.task,
            method.name == _ACKNOWLEDGE and self.written(document.get("receipt_numbers", [])),
        )
        play.note(call)
        reply = play.reply(method, request)
        if reply is not None:
            yield from self._said(play, call, reply, method, context)
            return
        details = refusal(grpc.StatusCode.UNIMPLEMENTED, "FEATURE_NOT_AVAILABLE", feature=method.name)
        _end(call, context, grpc.StatusCode.UNIMPLEMENTED, details, "FEATURE_NOT_AVAILABLE")

    def _said(
        self, play: Play, call: Received, reply: Reply, method: Method, context: grpc.ServicerContext
    ) -> Iterator[Message]:
        """Yield what an answer of the case says, and end the call as it does."""
        answer = reply.answer
        if answer.silent:
            self._wait_while(play, context)
            context.abort(grpc.StatusCode.UNAVAILABLE, "the case is over")
        failing = bool(answer.status) or answer.lost
        for response in self._responses(play, reply, method, context):
            call.answers.append(plain(response))
            if not failing:
                call.answered("OK")
            yield response
        if failing:
            self._fail(call, reply, context)

    def _responses(self, play: Play, reply: Reply, method: Method, context: grpc.ServicerContext) -> Iterator[Message]:
        answer = reply.answer
        if not method.response_stream or method.request_stream:
            self._wait_while(play, context, answer.delay)
            if not (answer.status or answer.lost):
                yield from reply.responses
            return
        sent = 0
        while reply.pending or sent < len(reply.responses):
            if not (self.played is play and context.is_active()):
                return
            if sent < len(reply.responses):
                self._wait_while(play, context, answer.delay)
                yield reply.responses[sent]
                sent += 1
            else:
                play.resumed(reply, method, _GLANCE)
        if not (answer.status or answer.lost):
            self._wait_while(play, context)

    def _wait_while(self, play: Play, context: grpc.ServicerContext, seconds: float = math.inf) -> None:
        """Hold a call for so long, or until the client ends it or the case is over."""
        until = time.monotonic() + seconds
        while self.played is play and context.is_active() and time.monotonic() < until:
            with play.changed:
                play.changed.wait(_GLANCE)

    @staticmethod
    def _fail(call: Received, reply: Reply, context: grpc.ServicerContext) -> None:
        answer = reply.answer
        status = grpc.StatusCode[answer.status] if answer.status else grpc.StatusCode.UNAVAILABLE
        bare = answer.lost or not answer.reason
        details = b"" if bare else refusal(status, answer.reason, retry_after=answer.retry_after)
        pushback = ((_PUSHBACK, str(int(answer.retry_after * 1000))),) if answer.pushback else ()
        _end(call, context, status, details, answer.reason, pushback)


def _is_free(host: str, port: int) -> bool:
    """Whether an address can be listened on; asked first, because gRPC complains on its own where it can't."""
    plain_host = host.strip("[]")
    try:
        family = socket.getaddrinfo(plain_host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((plain_host, port))
    except (OSError, UnicodeError):
        return False
    return True


def _end(  # noqa: PLR0917  # all that ends a call
    call: Received,
    context: grpc.ServicerContext,
    status: grpc.StatusCode,
    details: bytes,
    reason: str,
    beside: tuple[tuple[str, str], ...] = (),
) -> None:
    call.answered(status.name, reason)
    if details:
        context.set_trailing_metadata(((DETAILS, details), *beside))
    context.abort(status, reason or "the connection broke")


class _Handler(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # no generic class at run time
    def __init__(self, server: ScriptedServer) -> None:
        self._server = server

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401  # a handler or None
        """Return the handler of a method of the contract; None is UNIMPLEMENTED."""
        service, _, name = str(handler_call_details.method).removeprefix("/").rpartition("/")
        try:
            return self._server.handler(methods_of(service)[name])
        except (LookupError, ValueError):
            return None
