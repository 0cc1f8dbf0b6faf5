# SPDX-License-Identifier: Apache-2.0
"""Serves the pages on this machine, in a thread of its own, until it is closed."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

import uvicorn

from chukan.server.console.alerts import AlertSource
from chukan.server.console.callers import Callers
from chukan.server.console.guards import Guard
from chukan.server.console.newest import Newest
from chukan.server.console.overview import Overview
from chukan.server.console.pages import Pages, application
from chukan.server.console.patience import PatientProtocol
from chukan.server.console.rendering import Rendering
from chukan.standard.loopback import is_loopback

if TYPE_CHECKING:
    from chukan.server.console.settings import ConsoleSettings
    from chukan.standard.clock import Clock

__all__ = ["ConsoleServer"]

_GRACE_SECONDS: Final = 1


class ConsoleServer:
    """The console at an address; port 0 takes a free one, `url` tells which.

    address: host:port on loopback. Errors: ValueError for another one, OSError where it is not free, FILE_NOT_FOUND
    without the certificates to call with.
    """

    def __init__(self, address: str, settings: ConsoleSettings, *, clock: Clock, refresh: int = 5) -> None:
        settings.check()
        host, family = _loopback(address)
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, int(address.rpartition(":")[2])))
        except BaseException:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        self.url = f"http://{shown}:{self.port}/"
        self._callers = Callers(settings)
        self._overview = Overview(self._callers)
        pages = Pages(
            self._callers,
            self._overview,
            Newest(),
            AlertSource(settings.alertmanager),
            clock,
            Rendering(refresh=refresh),
        )
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(application(pages), host=shown, port=self.port),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                http=PatientProtocol,
                loop="asyncio",
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="chukan-console", daemon=True
        )
        self._socket.listen()  # who reads the address may call at once
        self._thread.start()

    def close(self) -> None:
        """Stop serving, give the port back, close the connections."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self._overview.close()
        self._callers.close()


def _loopback(address: str) -> tuple[str, socket.AddressFamily]:
    """Return host and family of an address on loopback. Errors: ValueError."""
    host = address.rpartition(":")[0].strip("[]")
    if not is_loopback(host):
        message = f"the console is served on loopback only: got {address}, expected 127.0.0.1:PORT or localhost:PORT"
        raise ValueError(message)
    return "127.0.0.1" if host == "localhost" else host, socket.AF_INET6 if ":" in host else socket.AF_INET
