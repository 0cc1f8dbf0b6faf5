# SPDX-License-Identifier: Apache-2.0
"""What every call of a client has in common: who calls, a request id, a deadline, errors with their reasons.

A channel around the channel, not gRPC's client interceptors: those make a future of every call, and leave the errors
that come while a stream is read to everybody who reads one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from chukan.client.errors import error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chukan.standard.reasons import ChukanError

__all__ = ["REQUEST_ID", "CallSettings", "CallerChannel"]

__tracebackhide__ = True  # pytest shows the line that called

#: A message of any method; the generated stubs give each method its types.
_Message: TypeAlias = Any
REQUEST_ID = "chukan-request-id"


@dataclass(frozen=True, slots=True)
class CallSettings:
    """`metadata` goes with every call; `timeout` (seconds) is for calls with one answer that name none themselves."""

    metadata: tuple[tuple[str, str], ...]
    timeout: float
    next_request_id: Callable[[], str]

    def merged(self, own: Sequence[tuple[str, str]] | None, *, request_id: bool) -> list[tuple[str, str]]:
        """Add a call's own metadata; a key it names itself replaces the client's."""
        given = list(own or ())
        keys = {key for key, _ in given}
        merged = [item for item in self.metadata if item[0] not in keys] + given
        if request_id and REQUEST_ID not in keys:
            merged.append((REQUEST_ID, self.next_request_id()))
        return merged


class CallerChannel:
    """Stands in for the channel under generated stubs."""

    def __init__(self, channel: grpc.Channel, settings: CallSettings) -> None:
        self._channel: Any = channel
        self._settings = settings

    def unary_unary(self, *arguments: object, **options: object) -> _OneAnswer:
        """One request, one answer."""
        return _OneAnswer(self._channel.unary_unary(*arguments, **options), self._settings, request_id=True)

    def stream_unary(self, *arguments: object, **options: object) -> _OneAnswer:
        """Many requests, one answer."""
        return _OneAnswer(self._channel.stream_unary(*arguments, **options), self._settings, request_id=False)

    def unary_stream(self, *arguments: object, **options: object) -> _ManyAnswers:
        """One request, many answers."""
        return _ManyAnswers(self._channel.unary_stream(*arguments, **options), self._settings)

    def stream_stream(self, *arguments: object, **options: object) -> _ManyAnswers:
        """Many requests, many answers."""
        return _ManyAnswers(self._channel.stream_stream(*arguments, **options), self._settings)


class _OneAnswer:
    """A method with one answer, called as gRPC's multi-callables are."""

    def __init__(self, method: Any, settings: CallSettings, *, request_id: bool) -> None:  # noqa: ANN401  # of any types
        self._method = method
        self._settings = settings
        self._request_id = request_id

    def __call__(self, request: _Message, timeout: float | None = None, **options: Any) -> _Message:  # noqa: ANN401
        try:
            return self._method(request, **self._completed(timeout, options))
        except grpc.RpcError as error:
            raise _rebuilt(error) from error

    def with_call(self, request: _Message, timeout: float | None = None, **options: Any) -> _Message:  # noqa: ANN401
        """Return the answer and the call."""
        try:
            return self._method.with_call(request, **self._completed(timeout, options))
        except grpc.RpcError as error:
            raise _rebuilt(error) from error

    def future(self, request: _Message, timeout: float | None = None, **options: Any) -> _Pending:  # noqa: ANN401
        """Return at once; `result()` waits."""
        return _Pending(self._method.future(request, **self._completed(timeout, options)))

    def _completed(self, timeout: float | None, options: dict[str, Any]) -> dict[str, Any]:
        return {
            **options,
            "timeout": self._settings.timeout if timeout is None else timeout,
            "metadata": self._settings.merged(options.get("metadata"), request_id=self._request_id),
        }


class _ManyAnswers:
    """A method with a stream of answers. No deadline unless the call names one: a watch has none."""

    def __init__(self, method: Any, settings: CallSettings) -> None:  # noqa: ANN401  # of any types
        self._method = method
        self._settings = settings

    def __call__(self, request: _Message, timeout: float | None = None, **options: Any) -> _Answers:  # noqa: ANN401
        metadata = self._settings.merged(options.pop("metadata", None), request_id=False)
        return _Answers(self._method(request, timeout=timeout, metadata=metadata, **options))


class _Wrapped:
    """Everything of a gRPC call or future that is not said here is the call's own (`cancel`, `code`, …)."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401  # gRPC's calls have no common type
        self._call = call

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the call has
        return getattr(self._call, name)


class _Answers(_Wrapped):
    """A stream of answers whose failure is a ChukanError."""

    def __iter__(self) -> Iterator[_Message]:
        return self

    def __next__(self) -> _Message:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise _rebuilt(error) from error


class _Pending(_Wrapped):
    """An answer to wait for, whose failure is a ChukanError."""

    def result(self, timeout: float | None = None) -> _Message:
        """Wait for the answer."""
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise _rebuilt(error) from error
        except grpc.FutureCancelledError as error:
            raise _rebuilt(self._call) from error


def _rebuilt(failed: Any) -> ChukanError:  # noqa: ANN401  # gRPC's errors are calls as well, which no type says
    return error_of(failed)
