# SPDX-License-Identifier: Apache-2.0
"""`/metrics` over HTTP, on this machine only: a scraper elsewhere goes through a proxy that asks who it is."""

from __future__ import annotations

import threading
from ipaddress import IPv4Address
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["MetricsServer", "start_metrics_server"]


class MetricsServer:
    """Serves a registry until it is closed."""

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        """`address` is host:port; port 0 takes a free one, `port` tells which."""
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or not _is_loopback(host):
            message = f"metrics are served on loopback only: got {address}, expected 127.0.0.1:PORT or localhost:PORT"
            raise ValueError(message)
        self._server = make_server(
            "127.0.0.1" if host == "localhost" else host,
            int(port),
            make_wsgi_app(registry),
            ThreadingWSGIServer,
            handler_class=_Quiet,
        )
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, name="chukan-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def start_metrics_server(address: str, registry: CollectorRegistry) -> int:
    """Serve the registry for as long as the process lives; return the chosen port."""
    return MetricsServer(address, registry).port


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the library's
        """Say nothing: a scrape every few seconds is not worth a line."""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or IPv4Address(host).is_loopback
    except ValueError:
        return False
