# SPDX-License-Identifier: Apache-2.0
"""Programs that are not what they should be: at the console's address, at the Alertmanager's, and as its visitors."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse

from chukan.server.console import ConsoleServer, ConsoleSettings
from chukan.server.console.guards import Guard
from chukan.standard.clock import SystemClock
from chukan.standard.organizations import all_organizations
from tests.browser.fetching import get
from tests.browser.test_failures import free_address
from tests.builders import SETAGAYA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from contextlib import AbstractContextManager

    from tests.browser.conftest import Held, Window

    Open = Callable[..., AbstractContextManager[Window]]

NOT_UNDERSTOOD = "is no Alertmanager"


def _answer(body: bytes, status: str = "200 OK", length: int | None = None, more: str = "") -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\ncontent-length: {size}\r\n{more}connection: close\r\n\r\n".encode() + body


def _alerts(count: int = 1, **given: object) -> bytes:
    return json.dumps(
        [{"labels": {"alertname": f"A{row}"}, "annotations": {}, **given} for row in range(count)]
    ).encode()


@pytest.fixture
def stranger() -> Iterator[Callable[..., str]]:
    """Start programs that answer every connection with these bytes, or drip them."""
    with ExitStack() as closing:

        def start(said: bytes, *, address: str = "127.0.0.1:0", drip: float = 0) -> str:
            class Handler(BaseHTTPRequestHandler):
                def handle(self) -> None:
                    self.request.recv(65_536)
                    pieces = [said[at : at + 1] for at in range(len(said))] if drip else [said]
                    try:
                        for piece in pieces:
                            self.request.sendall(piece)
                            time.sleep(drip)
                    except OSError:
                        return

            host, _, port = address.rpartition(":")
            server = ThreadingHTTPServer((host, int(port)), Handler)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            closing.callback(server.server_close)
            closing.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.mark.parametrize("status", ["503 Service Unavailable", "200 OK"])
def test_an_answer_of_another_program_leaves_an_open_page_as_it_is(
    status: str, window: Open, held: Held, console: Callable[..., str]
) -> None:
    """It says that the console is away, and goes on once it is back."""
    address = free_address()
    settings = ConsoleSettings(target=held.server.target, organizations=(SETAGAYA,))
    first = ConsoleServer(address, settings, clock=SystemClock(), refresh=1)
    with window() as opened, ExitStack() as between:
        opened.page.goto(f"{first.url}en/")
        before = opened.text("#live h2 >> nth=0")
        first.close()

        class Other(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.wfile.write(_answer(b"<p>something else</p>", status))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        host, _, port = address.rpartition(":")
        other = ThreadingHTTPServer((host, int(port)), Other)
        threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
        between.callback(other.server_close)
        opened.page.wait_for_event("response", lambda answer: "x-chukan-console" not in answer.headers)
        opened.page.wait_for_selector("#away", state="visible")
        assert opened.text("#live h2 >> nth=0") == before
        other.shutdown()
        other.server_close()

        console(held.server.target, address=address, organizations=(SETAGAYA,))
        opened.page.wait_for_selector("#away", state="hidden")
        assert opened.text("#live h2 >> nth=0") == before


class TestAlertmanager:
    @pytest.mark.parametrize(
        "said",
        [
            b"SSH-2.0-OpenSSH_9\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
            _answer(b"[" * 100_000),
            _answer(b'[{"labels":{"alertname":"\\ud800"},"annotations":{}}]'),
            _answer(b"[" + b"9" * 5_000 + b"]"),
            _answer(b"null"),
            _answer(b"{}"),
            _answer(b"[]", length=5_000),
            _answer(b"[]", "500 Internal Server Error"),
            _answer(b"", "302 Found", more="location: http://127.0.0.1:1/\r\n"),
            _answer(_alerts(annotations=[1, 2])),
        ],
        ids=["ssh", "chunks", "deep", "surrogate", "number", "null", "map", "short", "error", "redirect", "list"],
    )
    def test_a_strange_answer_is_a_sentence(
        self, said: bytes, held: Held, console: Callable[..., str], stranger: Callable[..., str]
    ) -> None:
        """Never no alerts."""
        answer = get(f"{console(held.server.target, alertmanager=stranger(said))}en/alerts")

        assert answer.status == 200
        assert NOT_UNDERSTOOD in answer.words
        assert "No alerts." not in answer.words

    def test_an_instant_no_page_can_show_is_left_out(
        self, held: Held, console: Callable[..., str], stranger: Callable[..., str]
    ) -> None:
        said = _answer(_alerts(startsAt="0001-01-01T00:00:00+14:00"))
        answer = get(f"{console(held.server.target, alertmanager=stranger(said))}en/alerts")

        assert (answer.status, "A0" in answer.words) == (200, True)

    def test_a_long_list_is_cut_and_says_so(
        self, held: Held, console: Callable[..., str], stranger: Callable[..., str]
    ) -> None:
        answer = get(f"{console(held.server.target, alertmanager=stranger(_answer(_alerts(1_234))))}en/alerts")

        assert "+ 1,034: more in the Alertmanager" in answer.words

    def test_more_than_is_read_is_too_many(
        self, held: Held, console: Callable[..., str], stranger: Callable[..., str]
    ) -> None:
        said = _answer(b" " * (4 * 1024 * 1024 + 1))
        answer = get(f"{console(held.server.target, alertmanager=stranger(said))}en/alerts")

        assert "too many alerts to show" in answer.words

    @pytest.mark.parametrize(
        "said", [_answer(b" " * 500), b"HTTP/1.1 200 OK\r\nx: " + b"y" * 500], ids=["body", "head"]
    )
    def test_dripping_holds_up_nobody(
        self, said: bytes, held: Held, console: Callable[..., str], stranger: Callable[..., str]
    ) -> None:
        """However many look: they share one question."""
        url = console(held.server.target, alertmanager=stranger(said, drip=0.2))
        begun = time.monotonic()
        looking = [threading.Thread(target=get, args=(f"{url}en/alerts",)) for _ in range(20)]
        for each in looking:
            each.start()
        assert get(f"{url}static/console.js").status == 200
        assert time.monotonic() - begun < 1.5
        for each in looking:
            each.join()

        assert time.monotonic() - begun < 5
        assert "does not answer" in get(f"{url}en/alerts").words


async def _run(guard: Guard, *given: Any) -> None:
    await guard(*given)


class TestVisitors:
    @pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nhost: x"])
    def test_silent_connections_lock_nobody_out_and_are_closed(
        self, sent: bytes, held: Held, console: Callable[..., str]
    ) -> None:
        url = console(held.server.target)
        parts = urlsplit(url)
        with ExitStack() as open_ones:
            silent = [
                open_ones.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=8))
                for _ in range(100)
            ]
            for each in silent:
                each.sendall(sent)

            assert get(f"{url}en/alerts").status == 200
            assert silent[0].recv(1) == b""

    def test_a_page_too_many_is_refused_with_the_headers_of_every_answer(self, console: Callable[..., str]) -> None:
        """And files are not: services that take a call and never answer keep every page waiting."""
        with socket.create_server(("127.0.0.1", 0)) as hanging, ThreadPoolExecutor(48) as looking:
            url = console(f"127.0.0.1:{hanging.getsockname()[1]}")
            pages = list(looking.map(lambda _: get(f"{url}en/organizations/{SETAGAYA}"), range(48)))

        refused = [each for each in pages if each.headers.get("retry-after") == "5"]
        assert len(refused) == 48 - 32
        assert {each.status for each in refused} == {503}
        assert all("x-chukan-console" in each.headers for each in pages)

    @pytest.mark.parametrize(("port", "status"), [(80, 200), (8080, 421)])
    def test_a_host_without_a_port_is_the_one_at_port_80(self, port: int, status: int) -> None:
        """A browser leaves that port out."""
        seen: list[int] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            seen.append(message.get("status", 0))

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request"}

        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
        guard = Guard(PlainTextResponse("a page"), host="127.0.0.1", port=port)
        with ThreadPoolExecutor(1) as apart:  # the browser's library has a loop in this thread
            apart.submit(lambda: asyncio.run(_run(guard, scope, receive, send))).result()

        assert seen[0] == status


def test_services_that_hang_are_told_after_one_round(console: Callable[..., str]) -> None:
    """However many organizations there are."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        many = tuple(each.code for each in all_organizations())[:12]
        url = console(f"127.0.0.1:{hanging.getsockname()[1]}", organizations=many)
        begun = time.monotonic()
        answer = get(f"{url}en/")

    assert answer.status == 200
    assert time.monotonic() - begun < 6
