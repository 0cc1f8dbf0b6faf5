# SPDX-License-Identifier: Apache-2.0
"""What every call of a client has in common: who calls, a request id, a deadline, errors with their reasons.

A channel around the channel, not gRPC's client interceptors: those make a future of every call, and leave the errors
that come while a stream is read to everybody who reads one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from chukan.client.errors import error_of
from chukan.client.repeating import Gate, Policy, Repetition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chukan.standard.reasons import ChukanError

__all__ = ["CallSettings", "CallerChannel"]

__tracebackhide__ = True  # pytest shows the line that called

#: A message of any method; the generated stubs give each method its types.
_Message: TypeAlias = Any
_REQUEST_ID = "chukan-request-id"


@dataclass(frozen=True, slots=True)
class CallSettings:
    """`metadata` goes with every call; `timeout` (seconds) is for calls with one answer that name none themselves.

    `policy` says what is repeated, and `gate` is where it is waited for.
    """

    metadata: tuple[tuple[str, str], ...]
    timeout: float
    next_request_id: Callable[[], str]
    policy: Policy = field(default_factory=Policy)
    gate: Gate = field(default_factory=Gate)

    def merged(self, own: Sequence[tuple[str, str]] | None, *, request_id: bool) -> list[tuple[str, str]]:
        """Add a call's own metadata; a key it names itself replaces the client's."""
        given = list(own or ())
        keys = {key for key, _ in given}
        merged = [item for item in self.metadata if item[0] not in keys] + given
        if request_id and _REQUEST_ID not in keys:
            merged.append((_REQUEST_ID, self.next_request_id()))
        return merged


class CallerChannel:
    """Stands in for the channel under generated stubs."""

    def __init__(self, channel: grpc.Channel, settings: CallSettings) -> None:
        self._channel: Any = channel
        self._settings = settings

    def unary_unary(self, name: str, *arguments: object, **options: object) -> _OneAnswer:
        """One request, one answer."""
        method = self._channel.unary_unary(name, *arguments, **options)
        return _OneAnswer(name, method, self._settings, request_id=True)

    def stream_unary(self, name: str, *arguments: object, **options: object) -> _OneAnswer:
        """Many requests, one answer."""
        method = self._channel.stream_unary(name, *arguments, **options)
        return _OneAnswer(name, method, self._settings, request_id=False)

    def unary_stream(self, name: str, *arguments: object, **options: object) -> _ManyAnswers:
        """One request, many answers."""
        return _ManyAnswers(name, self._channel.unary_stream(name, *arguments, **options), self._settings)

    def stream_stream(self, name: str, *arguments: object, **options: object) -> _ManyAnswers:
        """Many requests, many answers."""
        return _ManyAnswers(name, self._channel.stream_stream(name, *arguments, **options), self._settings)


class _Method:
    """A method of gRPC's, and what its calls have in common."""

    def __init__(self, name: str, method: Any, settings: CallSettings, *, request_id: bool = False) -> None:  # noqa: ANN401  # of any types
        self._name = name
        self._method = method
        self._settings = settings
        self._request_id = request_id

    def _repetition(self, timeout: float | None) -> Repetition:
        return Repetition(self._settings.policy, self._settings.gate, self._name, timeout)

    def _completed(self, options: dict[str, Any]) -> dict[str, Any]:
        metadata = self._settings.merged(options.get("metadata"), request_id=self._request_id)
        return {**options, "metadata": metadata}


class _OneAnswer(_Method):
    """A method with one answer, called as gRPC's multi-callables are."""

    def __call__(self, request: _Message, timeout: float | None = None, **options: Any) -> _Message:  # noqa: ANN401
        return self._called(self._method, request, timeout, options)

    def with_call(self, request: _Message, timeout: float | None = None, **options: Any) -> _Message:  # noqa: ANN401
        """Return the answer and the call."""
        return self._called(self._method.with_call, request, timeout, options)

    def future(self, request: _Message, timeout: float | None = None, **options: Any) -> _Pending:  # noqa: ANN401
        """Return at once; `result()` waits, and repeats what is to be repeated."""
        completed = self._completed(options)
        return _Pending(partial(self._method.future, request, **completed), self._repetition(self._seconds(timeout)))

    def _called(
        self,
        method: Callable[..., _Message],
        request: _Message,
        timeout: float | None,
        options: dict[str, Any],
    ) -> _Message:
        completed, repetition = self._completed(options), self._repetition(self._seconds(timeout))
        while True:
            try:
                return method(request, timeout=repetition.left, **completed)
            except grpc.RpcError as error:
                if not repetition.after(error):
                    raise _rebuilt(error) from error

    def _seconds(self, timeout: float | None) -> float:
        return self._settings.timeout if timeout is None else timeout


class _ManyAnswers(_Method):
    """A method with a stream of answers. No deadline unless the call names one: a watch has none."""

    def __call__(self, request: _Message, timeout: float | None = None, **options: Any) -> _Answers:  # noqa: ANN401
        call = partial(self._method, request, **self._completed(options))
        return _Answers(call, self._repetition(timeout))


class _Wrapped:
    """Everything of a gRPC call or future that is not said here is the call's own (`code`, `done`, …)."""

    def __init__(self, make: Callable[..., Any], repetition: Repetition) -> None:
        self._make = make
        self._repetition = repetition
        self._call = make(timeout=repetition.left)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the call has
        return getattr(self._call, name)

    def cancel(self) -> bool:
        """End the call, and its repetition."""
        self._repetition.cancel()
        return bool(self._call.cancel())

    def _is_made_again(self, failed: Any) -> bool:  # noqa: ANN401  # as in _rebuilt
        """Make the call once more if it is to be, after the delay."""
        if not self._repetition.after(failed):
            return False
        self._call = self._make(timeout=self._repetition.left)
        if self._repetition.cancelled:  # meanwhile
            self._call.cancel()
        return True


class _Answers(_Wrapped):
    """A stream of answers whose failure is a ChukanError; repeated only while nothing of it was read."""

    _is_begun = False

    def __iter__(self) -> Iterator[_Message]:
        return self

    def __next__(self) -> _Message:
        while True:
            try:
                answer = next(self._call)
            except grpc.RpcError as error:
                if self._is_begun or not self._is_made_again(error):
                    raise _rebuilt(error) from error
            else:
                self._is_begun = True
                return answer


class _Pending(_Wrapped):
    """An answer to wait for, whose failure is a ChukanError."""

    def result(self, timeout: float | None = None) -> _Message:
        """Wait for the answer; timeout: seconds for each attempt."""
        while True:
            try:
                return self._call.result(timeout)
            except grpc.RpcError as error:
                if not self._is_made_again(error):
                    raise _rebuilt(error) from error
            except grpc.FutureCancelledError as error:
                raise _rebuilt(self._call) from error


def _rebuilt(failed: Any) -> ChukanError:  # noqa: ANN401  # gRPC's errors are calls as well, which no type says
    return error_of(failed)
