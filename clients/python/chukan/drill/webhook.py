# SPDX-License-Identifier: Apache-2.0
"""A webhook of its own on this machine: what Alertmanager tells arrives here, as it would at an operator's."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Notice", "Webhook"]

_MOST_BYTES: Final = 4 * 1024 * 1024


class Notice(NamedTuple):
    """One alert as it was told once."""

    at: float
    """When, on the monotonic clock."""
    alert: str
    firing: bool
    identity: str
    """Which of the alerts of this name: its labels."""


class Webhook:
    """Receives while entered. port: 0 takes a free one."""

    def __init__(self, port: int = 0) -> None:
        self._changed = threading.Condition()
        self._notices: list[Notice] = []
        self._firing: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="chukan-webhook", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where Alertmanager posts to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def firing(self) -> set[str]:
        """Names of the alerts told as firing and not yet as resolved."""
        with self._changed:
            return set(self._firing.values())

    def told(self, since: float) -> list[Notice]:
        """Return what arrived since an instant of the monotonic clock."""
        with self._changed:
            return [notice for notice in self._notices if notice.at >= since]

    def wait(self, until: Callable[[], bool], deadline: float) -> bool:
        """Wait for what arrives to make `until` true; False if the deadline (monotonic) is over before."""
        with self._changed:
            while not until():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 1.0))
            return True

    def take(self, document: dict[str, Any]) -> None:
        """Take what Alertmanager posted (its webhook format, version 4)."""
        now = time.monotonic()
        with self._changed:
            for each in document["alerts"]:
                identity = json.dumps(each["labels"], sort_keys=True)
                notice = Notice(now, str(each["labels"]["alertname"]), each["status"] == "firing", identity)
                self._notices.append(notice)
                if notice.firing:
                    self._firing[identity] = notice.alert
                else:
                    self._firing.pop(identity, None)
            self._changed.notify_all()


def _handler(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                length = max(0, min(int(self.headers["Content-Length"]), _MOST_BYTES))
                webhook.take(json.loads(self.rfile.read(length)))
            except (KeyError, TypeError, ValueError):
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the library's
            """Say nothing: what matters is told by the drill."""

    return Handler
