# SPDX-License-Identifier: Apache-2.0
"""Whatever fails behind a page is a sentence on it, in both languages, with the reason's code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from chukan.monitoring.stack import ToolMissingError, find_tool
from chukan.server.console import ConsoleServer, ConsoleSettings
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import all_reasons
from tests.browser.fetching import get
from tests.browser.looking import faint
from tests.builders import CHIYODA, SETAGAYA, SHINJUKU, eventually
from tests.conformance.proxy import Mutant
from tests.monitoring.conftest import MONITORING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.browser.conftest import Held, Window
    from tests.conformance.proxy import Refusal

    Open = Callable[..., AbstractContextManager[Window]]

REASONS = {each.code: each for each in all_reasons()}


def free_address() -> str:
    """Return an address nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_a_console_that_stops_is_told_by_the_page_that_is_open(
    window: Open, held: Held, console: Callable[..., str]
) -> None:
    """And once it is back the page goes on by itself."""
    address = free_address()
    settings = ConsoleSettings(target=held.server.target, organizations=(SETAGAYA,))
    first = ConsoleServer(address, settings, clock=SystemClock(), refresh=1)
    with window() as opened:
        opened.page.goto(f"{first.url}en/")
        assert not opened.page.is_visible("#away")

        first.close()
        opened.page.wait_for_selector("#away", state="visible")
        assert "The server does not answer" in opened.text("#away")
        assert faint(opened.page) == []

        console(held.server.target, address=address, organizations=(SETAGAYA,))
        opened.page.wait_for_selector("#away", state="hidden")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_services_that_do_not_answer_are_one_sentence(language: str, window: Open, console: Callable[..., str]) -> None:
    url = console(free_address())
    said = REASONS["PEER_UNREACHABLE"]
    with window(language) as opened:
        for path in ("", f"organizations/{SHINJUKU}", f"organizations/{SHINJUKU}/inquiries"):
            opened.page.goto(f"{url}{language}/{path}")

            text = opened.text()
            assert text.count(said.japanese if language == "ja" else said.english) == 1
            assert "PEER_UNREACHABLE" in text
            assert faint(opened.page) == []


@pytest.mark.parametrize("method", ["GetStatus", "ListLanes", "ListInquiries", "WatchInquiries"])
def test_one_failing_call_leaves_the_other_organizations_readable(
    method: str, held: Held, console: Callable[..., str]
) -> None:
    """What could not be read is unknown, never zero."""

    def refuse(called: str, _message: Any, metadata: dict[str, str]) -> bool:
        if called.endswith(method) and metadata.get("chukan-organization") == SETAGAYA:
            metadata["chukan-mode"] = "production"  # which the server refuses
            return True
        return False

    url = console(held.server.target, mutant=Mutant("refused", "any", (), request=refuse), refresh=60)

    answer = get(f"{url}en/")

    (row,) = [each for each in answer.rows if "東京都世田谷区" in each and "not known" in each]
    assert "MODE_MISMATCH" in row
    assert any("東京都新宿区" in each and "works" in each for each in answer.rows)
    assert "open inquiries not known" in answer.words


@pytest.mark.parametrize(
    "code", ["OVERLOADED", "SHUTTING_DOWN", "DEADLINE_EXCEEDED", "CALLER_UNKNOWN", "INTERNAL", "NO_SUCH_REASON"]
)
def test_any_reason_of_a_call_is_a_page(code: str, held: Held, console: Callable[..., str]) -> None:
    """A reason of a newer server as well."""

    def change(_: str, refusal: Refusal) -> None:
        info = refusal.info
        info.reason = code
        refusal.replace(info)
        refusal.status = grpc.StatusCode.FAILED_PRECONDITION

    url = console(held.server.target, mutant=Mutant(code, "any", (), refusal=change), refresh=60)
    said = REASONS.get(code, REASONS["PEER_ANSWER_INVALID"])
    for language, sentence in (("en", said.english), ("ja", said.japanese)):
        answer = get(f"{url}{language}/organizations/{SETAGAYA}/inquiries?page=x")

        assert answer.status >= 400
        assert sentence in answer.words
        assert said.code in answer.words


def test_a_side_that_can_not_be_read_is_unknown_and_not_equal(
    window: Open, held: Held, console: Callable[..., str]
) -> None:
    """A provider served elsewhere: two records agree, and nothing is said about the third."""
    url = console(held.server.target, organizations=(SETAGAYA, CHIYODA))
    with window() as opened:
        opened.page.goto(f"{url}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}")

        assert opened.page.get_attribute("#verdict", "data-verdict") == "records_unknown"
        assert "not served by this server" in opened.text(".sides thead")


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ("Not compared: only one record at hand.", "not compared")), ("ja", ("比較していません", "未比較"))],
)
def test_one_record_alone_is_said_not_to_be_compared(
    language: str, said: tuple[str, str], held: Held, window: Open, console: Callable[..., str]
) -> None:
    """A provider served elsewhere and a network that holds nothing: no field is called the side's own."""

    def forget(method: str, answer: Any) -> bool:
        if method.endswith("ListNetworkRecords"):
            answer.ClearField("records")
        return True

    mutant = Mutant("forgets", "records", (), answer=forget)
    url = console(held.server.target, organizations=(SETAGAYA, CHIYODA), mutant=mutant)
    with window(language) as opened:
        opened.page.goto(f"{url}{language}/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}")

        assert said[0] in opened.text("#verdict")
        assert opened.page.locator(".sides tbody td:last-child", has_text=said[1]).count() == 10
        assert faint(opened.page) == []


def test_a_record_that_a_side_must_have_is_missed(window: Open, held: Held, console: Callable[..., str]) -> None:
    """A network that forgot an answered exchange."""

    def forget(method: str, answer: Any) -> bool:
        if method.endswith("ListNetworkRecords"):
            answer.ClearField("records")
        return True

    url = console(held.server.target, mutant=Mutant("forgets", "records", (), answer=forget))
    with window() as opened:
        opened.page.goto(f"{url}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}")

        assert opened.page.get_attribute("#verdict", "data-verdict") == "records_missing"


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start an Alertmanager of our own, or say that there is none."""
    try:
        tool = find_tool("alertmanager")
    except ToolMissingError as missing:
        if os.environ.get("TESTS_REQUIRE_ALL"):
            pytest.fail(f"NOT RUN: {missing}")
        pytest.skip(f"NOT RUN: {missing}")
    address = free_address()
    command = [
        tool,
        f"--config.file={MONITORING / 'alertmanager' / 'alertmanager.yml'}",
        f"--storage.path={tmp_path_factory.mktemp('alertmanager')}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            eventually(lambda: _answers(f"http://{address}/-/ready"))
            yield f"http://{address}"
        finally:
            running.terminate()


@pytest.fixture
def alerting(alertmanager: str, held: Held, console: Callable[..., str]) -> str:
    """Start a console at an Alertmanager that holds an alert."""
    _raise_alert(alertmanager)
    return console(held.server.target, alertmanager=alertmanager)


class TestAlerts:
    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("en", ("critical", "Work waits", "since")),
            ("ja", ("緊急", "送信待ちが滞留しています", "手順書")),
        ],
    )
    def test_what_an_alertmanager_holds_is_shown_with_its_runbook(
        self, language: str, words: tuple[str, ...], alerting: str, window: Open
    ) -> None:
        with window(language) as opened:
            for path in ("", "alerts"):
                opened.page.goto(f"{alerting}{language}/{path}")

                text = opened.text()
                assert [word for word in words if word not in text] == []
                assert "ChukanUnsentOld" in text
                assert "monitoring/runbooks/ChukanUnsentOld.md" in text
                assert faint(opened.page) == []
                assert opened.wrong == []

    @pytest.mark.parametrize(
        ("language", "sentence"), [("en", "This is not the same as no alerts"), ("ja", "警報の有無は不明です")]
    )
    def test_an_alertmanager_that_is_away_is_a_sentence_and_not_an_error(
        self, language: str, sentence: str, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        with window(language) as opened:
            opened.page.goto(f"{console(held.server.target, alertmanager=f'http://{free_address()}')}{language}/alerts")

            assert sentence in opened.text()
            assert opened.wrong == []

    def test_what_is_no_alertmanager_is_told(self, held: Held, console: Callable[..., str]) -> None:
        answer = get(f"{console(held.server.target, alertmanager=held.console.rstrip('/'))}en/alerts")

        assert answer.status == 200
        assert "alerts are not known" in answer.words


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _raise_alert(alertmanager: str) -> None:
    alert = {
        "labels": {"alertname": "ChukanUnsentOld", "severity": "critical", "kind": "request_permits"},
        "annotations": {
            "summary": "Work waits too long to be sent",
            "summary_ja": "送信待ちが滞留しています",
            "runbook_url": "monitoring/runbooks/ChukanUnsentOld.md",
        },
    }
    request = urllib.request.Request(  # noqa: S310  # loopback
        f"{alertmanager}/api/v2/alerts",
        data=json.dumps([alert]).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.status == 200
