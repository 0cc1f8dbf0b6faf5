# SPDX-License-Identifier: Apache-2.0
"""The call, as handler and caller see it, when both are in this process."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["CallEnded", "LocalContext"]

_Metadata = tuple[tuple[str, str | bytes], ...]


class CallEnded(Exception):  # noqa: N818  # the way out of an aborted handler, not an error of its own
    """The call has its status."""


class LocalContext(grpc.ServicerContext):
    """One call's context. Who listens to cancellation is told at the end: a caller in this process can't leave."""

    def __init__(self, metadata: Sequence[tuple[str, str]], timeout: float) -> None:
        self._metadata: _Metadata = tuple(metadata)
        self._until = monotonic() + timeout
        self._code: grpc.StatusCode | None = None
        self._details = ""
        self._trailing: _Metadata = ()
        self._callbacks: list[Callable[[], None]] | None = []

    def end(self) -> None:
        """Take the handler's return: raise if it said another status than OK, or said it too late."""
        callbacks, self._callbacks = self._callbacks or [], None
        for callback in callbacks:
            callback()
        if self._code in {None, grpc.StatusCode.OK} and monotonic() > self._until:
            self._code = grpc.StatusCode.DEADLINE_EXCEEDED
        if self._code not in {None, grpc.StatusCode.OK}:
            raise CallEnded

    def invocation_metadata(self) -> _Metadata:
        """Return what the caller sent."""
        return self._metadata

    def time_remaining(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(self._until - monotonic(), 0.0)

    def is_active(self) -> bool:
        """Whether the call still runs."""
        return self._callbacks is not None

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call back at the end of the call; False if it is over."""
        if self._callbacks is None:
            return False
        self._callbacks.append(callback)
        return True

    def cancel(self) -> None:
        """End the call."""
        self._code = grpc.StatusCode.CANCELLED

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with a status."""
        self._code, self._details = code, details
        raise CallEnded

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """End the call with a rich status."""
        self._trailing = tuple(status.trailing_metadata or ())
        self.abort(status.code, status.details)

    def set_code(self, code: grpc.StatusCode) -> None:
        """Say the status the call will end with."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Say its text."""
        self._details = details

    def code(self) -> grpc.StatusCode:
        """Return the status so far."""
        return self._code  # type: ignore[return-value]  # gRPC's own context answers None before the end, too

    def details(self) -> str:
        """Return its text."""
        return self._details

    def trailing_metadata(self) -> _Metadata:
        """Return what goes back after the answer."""
        return self._trailing

    def set_trailing_metadata(self, trailing_metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Say what goes back after the answer."""
        self._trailing = tuple(trailing_metadata)

    def send_initial_metadata(self, initial_metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Do nothing: nobody reads it here."""

    def peer(self) -> str:
        """Say where the caller is."""
        return "inprocess:"

    def peer_identities(self) -> None:
        """Return nothing: nobody has shown a certificate."""

    def peer_identity_key(self) -> None:
        """Return nothing: nobody has shown a certificate."""

    def auth_context(self) -> Mapping[str, Any]:
        """Return nothing: nobody has shown a certificate."""
        return {}
