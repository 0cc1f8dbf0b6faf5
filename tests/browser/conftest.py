# SPDX-License-Identifier: Apache-2.0
"""The console of a real server that holds records of every kind, and a real browser that looks at it.

Without Chromium a test says NOT RUN.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from playwright.sync_api import sync_playwright

from chukan.command.demo.stage import ServerProcess
from chukan.server.console import ConsoleServer, ConsoleSettings
from chukan.standard.clock import SystemClock
from chukan.v1 import common_pb2
from chukan.v1 import replica_service_pb2 as replica
from chukan.v1.linkage_code_service_pb2 import AutoResponseDisabledRows, AutoResponseDisabledSet
from tests.builders import CHIYODA, SETAGAYA, SHINJUKU, TAX, Body, eventually, fresh_serial
from tests.conformance.proxy import Mutant, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

CHILD = "TM00000000000010"
NOT_PERMITTED = "JT01010000000001"
"""The procedure for bank accounts, which may not ask for tax."""
ANSWERED = 60
"""More than a page."""
PATIENCE = 10_000


@dataclass(frozen=True)
class Held:
    """A server and what it holds: exchanges by how they ended, and every number that names a person."""

    server: ServerProcess
    setagaya: Body
    exchanges: dict[str, str]
    receipts: dict[str, str]
    numbers: list[str] = field(default_factory=list)

    @property
    def console(self) -> str:
        """Where its console is."""
        return str(self.server.where["console"])


@pytest.fixture(scope="session")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """Start a server with a console: answered, refused and waiting inquiries, and a held lane."""
    server = ServerProcess(tmp_path_factory.mktemp("console"), options=("--console", "127.0.0.1:0"))
    try:
        with grpc.insecure_channel(server.target) as channel:
            yield _filled(server, channel)
    finally:
        server.stop()


def _filled(server: ServerProcess, channel: grpc.Channel) -> Held:
    shinjuku, setagaya = Body(SHINJUKU, channel), Body(SETAGAYA, channel)
    serials = [fresh_serial() for _ in range(4)]
    provided = shinjuku.link(serials[:3])
    disabled = AutoResponseDisabledSet(entries=[AutoResponseDisabledRows(information_code=TAX, rows=[0])])
    manual = shinjuku.link(serials[3:], auto_response_disabled=disabled)
    asked = setagaya.link(serials)
    shinjuku.replicas([*provided, *manual])
    answered = setagaya.ask(*(setagaya.spec(asked[row % 3]) for row in range(ANSWERED)))
    refused = setagaya.ask(setagaya.spec(asked[0], procedure_code=NOT_PERMITTED))
    waiting = setagaya.ask(setagaya.spec(asked[3]))
    receipts = {
        "answered": answered.receipt_numbers[0],
        "refused": refused.receipt_numbers[0],
        "waiting": waiting.receipt_numbers[0],
    }
    for receipt in [*answered.receipt_numbers, *refused.receipt_numbers]:
        setagaya.finished(receipt)
    _await_state(setagaya, receipts["waiting"], common_pb2.INQUIRY_STATE_WAITING_FOR_APPROVAL)
    _hold_a_lane(shinjuku)
    exchanges = {name: setagaya.inquiry(receipt).exchange_id for name, receipt in receipts.items()}
    return Held(server, setagaya, exchanges, receipts, [*provided, *manual, *asked])


def _await_state(body: Body, receipt: str, state: int) -> None:
    eventually(lambda: body.inquiry(receipt).state == state)


def _hold_a_lane(body: Body) -> None:
    """Go over the cap of a send, 200,000 rows; that they are refused one by one doesn't matter."""
    header = replica.ReplicaBatchHeader(send_id="too-much")
    for _ in range(21):
        answer = body.replicas(["900000000000000"] * 10_000, information=CHILD, header=header)
    assert answer.failures[0].reason == "SEND_CAP_EXCEEDED"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, or leave the test out and say so."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        missing = "NOT RUN: chromium was not found; on Debian: apt-get install --no-install-recommends chromium"
        if os.environ.get("TESTS_REQUIRE_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root in its sandbox
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@dataclass
class Window:
    """One window of the browser, and everything that went wrong in it."""

    page: Page
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", lambda said: self._note(f"{said.type}: {said.text}", said.type in {"error", "warning"}))
        self.page.on("pageerror", lambda error: self._note(f"exception: {error}", happened=True))
        # Who goes on to the next page breaks off what the former one was still loading.
        self.page.on(
            "requestfailed",
            lambda request: self._note(f"{request.failure}: {request.url}", request.failure != "net::ERR_ABORTED"),
        )
        self.page.on("response", lambda answer: self._note(f"{answer.status}: {answer.url}", answer.status >= 400))

    def _note(self, text: str, happened: bool) -> None:  # noqa: FBT001  # one place
        if happened:
            self.wrong.append(text)

    def text(self, selector: str = "main") -> str:
        """Return what is to be read, on one line."""
        return " ".join(self.page.inner_text(selector).split())


@pytest.fixture
def window(chromium: Browser) -> Callable[..., AbstractContextManager[Window]]:
    """Open a window of a browser with this language, scheme and width."""

    @contextmanager
    def open_window(language: str = "en", scheme: str = "light", width: int = 1280) -> Iterator[Window]:
        chosen: Any = scheme
        context = chromium.new_context(
            locale=language, color_scheme=chosen, viewport={"width": width, "height": 800}, reduced_motion="reduce"
        )
        try:
            yield Window(context.new_page())
        finally:
            context.close()

    return open_window


@pytest.fixture
def console() -> Iterator[Callable[..., str]]:
    """Start consoles of our own, at any target; a mutant stands between them and the target."""
    closing: list[Callable[[], None]] = []

    def start(target: str, *, mutant: Mutant | None = None, refresh: int = 1, **given: Any) -> str:
        if mutant:
            proxy = Proxy(target, mutant)
            closing.append(proxy.close)
            target = proxy.target
        address = given.pop("address", "127.0.0.1:0")
        settings = ConsoleSettings(
            target=target, organizations=given.pop("organizations", (SHINJUKU, SETAGAYA, CHIYODA)), **given
        )
        server = ConsoleServer(address, settings, clock=SystemClock(), refresh=refresh)
        closing.append(server.close)
        return server.url

    yield start
    for close in reversed(closing):
        close()
