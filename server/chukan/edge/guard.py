# SPDX-License-Identifier: Apache-2.0
"""What stands around every handler, in this order: metrics, pool, deadline, identity, validation, interposer, errors.

One wrapper does all steps, and it is put around each handler once, when a server is built: gRPC's interceptors are
looked up anew for every call and on the thread that hands out all calls, cost three times as much, and drop the pool
a method asked for. The in-process transport wraps with the same guard, so a call looks alike to a handler either way.
"""

from __future__ import annotations

from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from chukan.standard.reasons import ChukanError

from .caller import Caller, current_caller, set_caller
from .errors import ended_with, log_unexpected, status_of
from .interposition import CutOffError, spelling
from .local_context import CallEnded
from .pools import pool_refusal
from .service import full_methods, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import ThreadPoolExecutor

    from chukan.monitoring import MethodMetrics, Metrics

    from .identity import Identity
    from .interposition import Interposer, Passage
    from .pools import Pools
    from .service import Handler, Service
    from .validation import Validation

__all__ = ["Guard"]

#: A message of any method, or an iterator of them.
_Request: TypeAlias = Any
_Response: TypeAlias = Any

#: What an unreadable message is replaced with, so that the refusal carries a reason like any other.
_UNREADABLE: Any = object()


class Admission(NamedTuple):
    """Who may call a service (nobody named: everybody), and which mode an organization is set to (None: not asked)."""

    callers: frozenset[str] = frozenset()
    mode_of: Callable[[str], str] | None = None


class Guard:
    """Wraps the handlers of one server."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        identity: Identity | None,
        validation: Validation,
        interposer: Interposer | None = None,
    ) -> None:
        """Without `identity` nobody is asked who they are (health, reflection, channelz)."""
        self._interposer = interposer
        self._metrics = metrics
        self._identity = identity
        self._validation = validation

    def handlers(self, service: Service, pools: Pools | None = None) -> dict[str, Handler]:
        """All handlers of a service, guarded, by full method. Without pools they run where they are called."""
        return {
            method: self._wrap(method, handler, pools.named(pool_of(service, method)) if pools else None, service)
            for method, handler in full_methods(service).items()
        }

    def _wrap(self, full_method: str, handler: Handler, pool: ThreadPoolExecutor | None, served: Service) -> Handler:
        _, service, method = full_method.split("/")
        kind, constructor, behavior = _shape(handler)
        if getattr(behavior, "experimental_non_blocking", False):
            return handler  # health's Watch: it answers through callbacks and holds no thread
        metrics = self._metrics.method(kind=kind, service=service, method=method)
        call = (_Stream if handler.response_streaming else _Single)(self, full_method, behavior, metrics)
        call.streams_in = handler.request_streaming
        call.admission = Admission(served.callers, served.mode_of)
        call.experimental_thread_pool = pool
        return constructor(
            call,
            request_deserializer=_forgiving(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def admit(self, context: grpc.ServicerContext, admission: Admission) -> float | None:
        """Let the call in and say until when, or raise."""
        refusal = pool_refusal()
        if refusal:
            raise ChukanError(refusal, retry_after=1.0)
        if self._identity is None:
            return None
        caller = self._identity.of(context)
        if admission.callers and caller.organization not in admission.callers:
            # Whoever is not served here would be taken on and wait for ever: nobody holds keys in that name.
            raise ChukanError("CALLER_ORGANIZATION_UNKNOWN", field="chukan-organization")
        if caller.mode and admission.mode_of is not None and caller.mode != admission.mode_of(caller.organization):
            # Test data must not reach a production organization, nor the other way round, whatever the RPC.
            raise ChukanError("MODE_MISMATCH", field="chukan-mode")
        set_caller(caller)
        return caller.deadline

    def enter(self, method: str) -> Passage | None:
        """Return what watches the call that was let in, if anything does."""
        return None if self._interposer is None else self._interposer.enter(method, current_caller())

    def check(self, message: _Request) -> None:
        """Raise if the message can't be read or breaks a rule of the contract."""
        if message is _UNREADABLE:
            raise ChukanError("REQUEST_UNREADABLE")
        self._validation.check(message)

    def status(self, error: Exception, *, method: str, context: grpc.ServicerContext) -> Status | None:
        """Return the status to end the call with; None when gRPC has ended it already."""
        if isinstance(error, ChukanError):
            known = error
        elif isinstance(error, CutOffError):
            return Status(code=error.code.value[0])
        elif _ended_by_grpc(error, context):
            return None
        elif isinstance(error, NotImplementedError):
            known = ChukanError("FEATURE_NOT_AVAILABLE", feature=method)
        else:
            log_unexpected(error, method=method, organization=_caller().organization)
            known = ChukanError("INTERNAL_ERROR")
        if not _caller().world:  # what tests ask for in worlds of their own is no figure of this server's
            self._metrics.note_refused(known.code)
        return status_of(known)


class _Call:
    """One method of one server."""

    #: Where gRPC looks for the pool to run this method in.
    experimental_thread_pool: ThreadPoolExecutor | None = None
    streams_in = False
    admission = Admission()

    def __init__(
        self,
        guard: Guard,
        method: str,
        behavior: Callable[[Any, grpc.ServicerContext], Any],
        metrics: MethodMetrics,
    ) -> None:
        self._guard = guard
        self._method = method
        self._behavior = behavior
        self._metrics = metrics

    def _accepted(self, request: _Request, passage: Passage | None) -> _Request:
        if self.streams_in:
            return self._incoming(request, passage)
        self._guard.check(request)
        if passage is not None:
            passage.message(request)
        return request

    def _incoming(self, requests: Iterator[Any], passage: Passage | None) -> Iterator[Any]:
        receive, check = self._metrics.receive, self._guard.check
        for request in requests:
            receive()
            check(request)
            if passage is not None:
                passage.message(request)
            yield request

    def _end(self, error: Exception, context: grpc.ServicerContext, begun: float, passage: Passage | None) -> NoReturn:
        status = self._guard.status(error, method=self._method, context=context)
        if status is None:
            code = _code(context) or grpc.StatusCode.CANCELLED
            self._finish(spelling(code), begun, passage)
            raise error
        ended = ended_with(status, context.time_remaining())
        self._finish(spelling(ended.code), begun, passage, error)
        context.abort_with_status(ended)  # type: ignore[arg-type]  # it has all that grpc.Status has

    def _finish(self, code: str, begun: float, passage: Passage | None, error: Exception | None = None) -> None:
        self._metrics.finish(code, perf_counter() - begun, received=not self.streams_in)
        if passage is not None:
            passage.end(code, error.code if isinstance(error, ChukanError) else "")


class _Single(_Call):
    """One response: unary and client streaming."""

    def __call__(self, request: _Request, context: grpc.ServicerContext) -> _Response:
        begun = perf_counter()
        passage = None
        self._metrics.begin()
        try:
            deadline = self._guard.admit(context, self.admission)
            passage = self._guard.enter(self._method)
            response = self._behavior(self._accepted(request, passage), context)
            if passage is not None:
                passage.answer(response)
        except Exception as error:  # noqa: BLE001  # the outermost catch-all
            self._end(error, context, begun, passage)
        late = deadline is not None and monotonic() > deadline
        self._metrics.finish("OK", perf_counter() - begun, received=not self.streams_in, sent=1, late=late)
        if passage is not None:
            passage.end("OK", "")
        return response


class _Stream(_Call):
    """Many responses: server and bidirectional streaming."""

    def __call__(self, request: _Request, context: grpc.ServicerContext) -> Iterator[_Response]:
        begun = perf_counter()
        passage = None
        metrics = self._metrics
        metrics.begin()
        try:
            self._guard.admit(context, self.admission)
            passage = self._guard.enter(self._method)
            for response in self._behavior(self._accepted(request, passage), context):
                if passage is not None:
                    passage.answer(response)
                metrics.send()
                yield response
        except GeneratorExit:
            self._finish("Canceled", begun, passage)
            raise
        except Exception as error:  # noqa: BLE001  # the outermost catch-all
            self._end(error, context, begun, passage)
        self._finish("OK", begun, passage)


def _shape(handler: Handler) -> tuple[str, Callable[..., Handler], Any]:
    if handler.request_streaming and handler.response_streaming:
        return "bidi_stream", grpc.stream_stream_rpc_method_handler, handler.stream_stream
    if handler.request_streaming:
        return "client_stream", grpc.stream_unary_rpc_method_handler, handler.stream_unary
    if handler.response_streaming:
        return "server_stream", grpc.unary_stream_rpc_method_handler, handler.unary_stream
    return "unary", grpc.unary_unary_rpc_method_handler, handler.unary_unary


def _forgiving(deserializer: Callable[[bytes], Any] | None) -> Callable[[bytes], Any] | None:
    if deserializer is None:
        return None

    def deserialize(data: bytes) -> _Request:
        try:
            return deserializer(data)
        except DecodeError:
            return _UNREADABLE

    return deserialize


def _ended_by_grpc(error: Exception, context: grpc.ServicerContext) -> bool:
    """Whether the caller went away (while we read its stream) or the servicer called context.abort itself."""
    gone = type(error) is grpc.RpcError
    aborted = type(error) is Exception and not error.args and _code(context) is not None
    return gone or aborted or isinstance(error, CallEnded)


def _caller() -> Caller:
    """Return who calls; nobody where that is not known yet."""
    try:
        return current_caller()
    except LookupError:
        return Caller(organization="")


def _code(context: grpc.ServicerContext) -> grpc.StatusCode | None:
    code: grpc.StatusCode | None = context.code()  # type: ignore[attr-defined]  # newer than the stubs
    return code
