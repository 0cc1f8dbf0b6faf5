# SPDX-License-Identifier: Apache-2.0
"""HTTP with an end to patience: a connection that sends no whole request in some seconds is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["PatientProtocol"]

_SECONDS: Final = 5.0
_MOST_CONNECTIONS: Final = 400
"""Open at a time, below the files a process may usually have open."""


class PatientProtocol(H11Protocol):
    """uvicorn's, whose own time limit begins after the first answer and ends with the next byte."""

    _ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait; above the most connections, don't."""
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait on while no request is whole."""
        super().data_received(data)
        if self._idle():
            self._wait()
        else:
            self._stop_waiting()

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        if self._ending is None:
            self._ending = self.loop.call_later(_SECONDS, self._end)

    def _stop_waiting(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _end(self) -> None:
        self._ending = None
        if self._idle():
            self.transport.close()
