# SPDX-License-Identifier: Apache-2.0
"""A server that stands between the kit and the emulator and breaks one clause: what the kit must notice.

It forwards every call, metadata and error details included, and lets a mutant change requests, answers or errors.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from chukan.conformance.contract import Method, methods_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

__all__ = ["Mutant", "Proxy", "Refusal"]

_DETAILS = "grpc-status-details-bin"


@dataclass
class Refusal:
    """An error on its way back: status, text and details; a mutant may change it or swallow it."""

    status: grpc.StatusCode
    text: str
    details: Status
    sent: Message
    answer: type[Message]

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        """The ErrorInfo among the details."""
        return self.packed(error_details_pb2.ErrorInfo())

    def packed(self, detail: Any) -> Any:
        """Return the detail of this kind, empty if there is none."""
        for each in self.details.details:
            if each.Unpack(detail):
                break
        return detail

    def replace(self, detail: Any) -> None:
        """Put a detail in place of the one of its kind."""
        self.drop(type(detail))
        packed = Packed()
        packed.Pack(detail)
        self.details.details.append(packed)

    def drop(self, kind: Any) -> None:
        """Take all details of a kind away."""
        kept = [each for each in self.details.details if not each.Is(kind.DESCRIPTOR)]
        del self.details.details[:]
        self.details.details.extend(kept)


@dataclass(frozen=True)
class Mutant:
    """One broken clause. Each hook returns whether it changed anything; a mutant that never did is VOID.

    request(method, message, metadata) may change what is forwarded; answer(method, message) what comes back;
    refusal(method, refusal) an error, and an answer it returns replaces that error.
    """

    name: str
    group: str
    kills: tuple[str, ...]
    request: Callable[[str, Any, dict[str, str]], bool] | None = None
    answer: Callable[[str, Any], bool] | None = None
    refusal: Callable[[str, Refusal], Any] | None = None


class Proxy:
    """Serves on a port of its own. changed: how often the mutant changed something."""

    def __init__(self, target: str, mutant: Mutant | None = None) -> None:
        self.mutant = mutant
        self.changed = 0
        self._channel = grpc.insecure_channel(target, [("grpc.max_receive_message_length", -1)])
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers([_Handler(self)])
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop(0).wait()
        self._channel.close()

    def handler(self, method: Method) -> grpc.RpcMethodHandler:
        """Return what serves a method."""
        kind = ("stream" if method.request_stream else "unary") + ("_stream" if method.response_stream else "_unary")
        behaviour = self._many(method) if method.response_stream else self._one(method)
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handler: grpc.RpcMethodHandler = make(
            behaviour,
            request_deserializer=method.request().FromString,
            response_serializer=method.response().SerializeToString,
        )
        return handler

    def _one(self, method: Method) -> Callable[..., Any]:
        def serve(request: Any, context: grpc.ServicerContext) -> Any:
            return next(self._forward(method, request, context))

        return serve

    def _many(self, method: Method) -> Callable[..., Any]:
        def serve(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            yield from self._forward(method, request, context)

        return serve

    def _forward(self, method: Method, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        metadata = {str(key): value for key, value in context.invocation_metadata() if str(key).startswith("chukan-")}
        sent = list(request) if method.request_stream else [request]
        if self.mutant and self.mutant.request:
            for each in sent:
                self.changed += self.mutant.request(method.name, each, metadata)
        kind = ("stream" if method.request_stream else "unary") + ("_stream" if method.response_stream else "_unary")
        invoke = getattr(self._channel, kind)(
            method.path, method.request().SerializeToString, method.response().FromString
        )
        try:
            got = invoke(iter(sent) if method.request_stream else sent[0], metadata=list(metadata.items()), timeout=20)
            if method.response_stream:
                context.add_callback(got.cancel)
            for answer in got if method.response_stream else [got]:
                if self.mutant and self.mutant.answer:
                    self.changed += self.mutant.answer(method.name, answer)
                yield answer
        except grpc.RpcError as error:
            yield from self._refuse(method, error, sent[-1], context)

    def _refuse(self, method: Method, failed: Any, sent: Any, context: Any) -> Iterator[Any]:
        trailing = dict(failed.trailing_metadata() or ())
        refusal = Refusal(
            failed.code(), failed.details(), Status.FromString(trailing.get(_DETAILS, b"")), sent, method.response()
        )
        if self.mutant and self.mutant.refusal:
            before = (refusal.status, refusal.text, refusal.details.SerializeToString(deterministic=True))
            instead = self.mutant.refusal(method.name, refusal)
            self.changed += instead is not None or before != (
                refusal.status,
                refusal.text,
                refusal.details.SerializeToString(deterministic=True),
            )
            if instead is not None:
                yield instead
                return
        context.set_trailing_metadata([(_DETAILS, refusal.details.SerializeToString())])
        context.abort(refusal.status, refusal.text)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        _, service, name = handler_call_details.method.split("/")
        try:
            return self._proxy.handler(methods_of(service)[name])
        except LookupError:
            return None
