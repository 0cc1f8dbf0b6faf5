# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and the kit and breaks one clause: to the kit it looks as if the client did.

Calls go on with their metadata and what is left of their deadline; a stream of batches goes batch by batch, each with
its answer, as the contract has it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import grpc
from google.rpc.status_pb2 import Status

from chukan.conformance.contract import Method, methods_of
from chukan.conformance.examiner.received import deadline_of
from tests.conformance.proxy import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from google.protobuf.message import Message

__all__ = ["Breaker", "BrokenClient"]

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class BrokenClient:
    """One broken clause. Each hook returns whether it changed anything; a mutant that never did is VOID.

    request(method, message, metadata, memory) may change what goes out, answer(method, message, memory) what comes
    back; refusal(method, refusal, memory) an error, and an answer it returns stands in its place. again(method,
    answer): how often the same request goes out once more. aside(method, message): a call made before, as (method,
    request). instead(method): fields of an answer that is given without any call. state(folder): what is done to the
    client's state before a run. dies(answer): whether the client breaks down over it, at once and without a word.
    memory lives as long as a run. client: what is broken, "adapter" or "polling",
    and the ways the latter goes.
    """

    name: str
    kills: tuple[str, ...]
    request: Callable[[str, Any, dict[str, str], dict[str, Any]], bool] | None = None
    answer: Callable[[str, Any, dict[str, Any]], bool] | None = None
    refusal: Callable[[str, Refusal, dict[str, Any]], Any] | None = None
    again: Callable[[str, Any], int] | None = None
    instead: Callable[[str], dict[str, Any] | None] | None = None
    aside: Callable[[str, Any], tuple[str, Any] | None] | None = None
    state: Callable[[Path], bool] | None = None
    dies: Callable[[Any], bool] | None = None
    deadlines: bool = True
    client: str = "adapter"
    ways: str = ""


class Breaker:
    """Serves on a port of its own. note: called when the mutant changed something."""

    def __init__(self, target: str, mutant: BrokenClient, note: Callable[[], None], port: int = 0) -> None:
        self.mutant = mutant
        self._note = note
        self._memory: dict[str, Any] = {}
        self._channel = grpc.insecure_channel(target, [("grpc.enable_retries", 0)])
        self._server = grpc.server(ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([_Handler(self)])
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        self.target = f"127.0.0.1:{self.port}"
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop(0).wait()
        self._channel.close()

    def handler(self, method: Method) -> Any:
        """Return what serves a method."""
        kind = _kind(method)
        behaviour = {"unary_unary": self._one, "unary_stream": self._many, "stream_stream": self._batches}[kind]
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            lambda request, context: behaviour(method, request, context),
            request_deserializer=method.request().FromString,
            response_serializer=method.response().SerializeToString,
        )

    def _one(self, method: Method, request: Message, context: grpc.ServicerContext) -> Any:
        options = self._outgoing(method, request, context)
        made_up = self.mutant.instead(method.name) if self.mutant.instead else None
        if made_up is not None:
            self._note()
            return method.response()(**made_up)
        try:
            answer = self._invoked(method)(request, **options)
            for _ in range(self.mutant.again(method.name, answer) if self.mutant.again else 0):
                self._note()
                self._invoked(method)(request, **options)
        except grpc.RpcError as error:
            return self._refused(method, error, request, context)
        return self._incoming(method, answer)

    def _many(self, method: Method, request: Message, context: grpc.ServicerContext) -> Iterator[Any]:
        call = self._invoked(method)(request, **self._outgoing(method, request, context))
        context.add_callback(call.cancel)
        try:
            for answer in call:
                yield self._incoming(method, answer)
        except grpc.RpcError as error:
            self._refused(method, error, request, context)

    def _batches(self, method: Method, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        sent: SimpleQueue[Any] = SimpleQueue()
        call: Any = None
        for request in requests:
            options = self._outgoing(method, request, context)
            if call is None:
                call = self._invoked(method)(iter(sent.get, None), **options)
                context.add_callback(call.cancel)
                context.add_callback(lambda: sent.put(None))
            sent.put(request)
            try:
                answer = next(call)
                for _ in range(self.mutant.again(method.name, answer) if self.mutant.again else 0):
                    self._note()
                    sent.put(request)
                    next(call)
            except grpc.RpcError as error:
                answer = self._refused(method, error, request, context)
            yield self._incoming(method, answer)
        sent.put(None)

    def _invoked(self, method: Method) -> Any:
        make = getattr(self._channel, _kind(method))
        return make(method.path, method.request().SerializeToString, method.response().FromString)

    def _outgoing(self, method: Method, request: Message, context: grpc.ServicerContext) -> dict[str, Any]:
        metadata = {str(key): str(text) for key, text in context.invocation_metadata() if str(key).startswith("chukan")}
        mutant = self.mutant
        aside = mutant.aside(method.name, request) if mutant.aside else None
        if aside is not None:
            self._note()
            service, _, name = aside[0].rpartition("/")
            self._invoked(methods_of(service)[name])(aside[1], metadata=list(metadata.items()), timeout=5)
        if mutant.request and mutant.request(method.name, request, metadata, self._memory):
            self._note()
        left = deadline_of(context.time_remaining())
        if not mutant.deadlines and left is not None:
            self._note()
            left = None
        return {"metadata": list(metadata.items()), "timeout": left}

    def _incoming(self, method: Method, answer: Any) -> Any:
        if self.mutant.dies and self.mutant.dies(answer):
            self._note()
            os._exit(1)
        if self.mutant.answer and self.mutant.answer(method.name, answer, self._memory):
            self._note()
        return answer

    def _refused(self, method: Method, failed: Any, sent: Any, context: grpc.ServicerContext) -> Any:
        """End the call as the kit did, or return what the mutant takes for its answer."""
        trailing = dict(failed.trailing_metadata() or ())
        details = Status.FromString(trailing.get(_DETAILS, b""))
        refusal = Refusal(failed.code(), failed.details() or "", details, sent, method.response())
        if self.mutant.dies and self.mutant.dies(refusal.info):
            self._note()
            os._exit(1)
        if self.mutant.refusal:
            before = (refusal.status, refusal.details.SerializeToString(deterministic=True))
            instead = self.mutant.refusal(method.name, refusal, self._memory)
            after = (refusal.status, refusal.details.SerializeToString(deterministic=True))
            if instead is not None or before != after:
                self._note()
            if instead is not None:
                return instead
        if refusal.details.details:
            context.set_trailing_metadata(((_DETAILS, refusal.details.SerializeToString()),))
        return context.abort(refusal.status, refusal.text)


def _kind(method: Method) -> str:
    return ("stream" if method.request_stream else "unary") + ("_stream" if method.response_stream else "_unary")


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        _, service, name = handler_call_details.method.split("/")
        try:
            return self._breaker.handler(methods_of(service)[name])
        except LookupError:
            return None
