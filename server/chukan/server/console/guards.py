# SPDX-License-Identifier: Apache-2.0
"""What stands before every page: which hosts it answers to, reading only, and the headers of every answer.

Whoever can open a port of this machine from a browser is every site the browser shows, unless the host is checked: a
name that is pointed at 127.0.0.1 later (DNS rebinding) is refused.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CONTENT_SECURITY_POLICY", "Guard"]

_READING: Final = frozenset({"GET", "HEAD"})
_MOST_REQUESTS: Final = 32
"""Pages made at a time; a request above is told to come again."""
_WEB: Final = 80
"""The port a browser leaves out of the host's name."""
_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "x-chukan-console": "1",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Answers for this machine's names at one port only, and to reading only."""

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        self._app = app
        hosts = (*_NAMES, host)
        self._hosts = frozenset([*(f"{name}:{port}" for name in hosts), *(hosts if port == _WEB else ())])
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or let through with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        if refusal := self._refusal(scope):
            await refusal(scope, receive, add)
            return
        self._under_way += 1  # one thread: the event loop's
        try:
            await self._app(scope, receive, add)
        finally:
            self._under_way -= 1

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        if Headers(scope=scope).get("host", "").lower() not in self._hosts:
            text = "This console answers to this machine's own names only, such as 127.0.0.1 and localhost.\n"
            return PlainTextResponse(text, HTTPStatus.MISDIRECTED_REQUEST)
        if scope["method"] not in _READING:
            text = "This console only reads: GET and nothing else.\nこのコンソールは参照(GET)専用です。\n"
            return PlainTextResponse(text, HTTPStatus.METHOD_NOT_ALLOWED, {"allow": "GET, HEAD"})
        if self._under_way >= _MOST_REQUESTS and not scope["path"].startswith("/static/"):
            text = "Too many pages are asked for at once: try again.\n要求が混み合っています。再度開いてください。\n"
            return PlainTextResponse(text, HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": "5"})
        return None
