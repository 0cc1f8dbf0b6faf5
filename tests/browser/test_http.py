# SPDX-License-Identifier: Apache-2.0
"""What the console answers to whom, without a browser: hosts, methods, headers, addresses that are no pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from chukan.server.console.guards import CONTENT_SECURITY_POLICY
from chukan.server.console.words import without_numbers
from tests.browser.fetching import get
from tests.builders import SETAGAYA, SHINJUKU
from tests.conformance.proxy import Mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Held

TOKENS = ("x", "0", "'", "🙂", "%00", "a" * 5_000, "../..", "eyJhIjoxfQ==", "-1", "<script>alert(1)</script>")


@pytest.mark.parametrize(
    "path", ["", "en/", "ja/alerts", "en/organizations/1", "nothing", "static/console.js", "static/nothing"]
)
def test_every_answer_has_the_headers_that_keep_a_page_to_itself(path: str, held: Held) -> None:
    """Refusals, redirections and files too; no script or style stands in a page."""
    answer = get(f"{held.console}{path}")

    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "server" not in answer.headers
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert "<style" not in answer.body
        assert " style=" not in answer.body
        assert answer.body.count("<script") == answer.body.count('<script src="/static/')


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.nip.io", "", "127.0.0.1:1", "localhost", "[::1", "127.0.0.1 "]
)
def test_another_host_is_refused(host: str, held: Held) -> None:
    """A name somebody points at 127.0.0.1 later (DNS rebinding) opens nothing."""
    answer = get(f"{held.console}en/", Host=host)

    assert answer.status in {400, 421}
    assert SETAGAYA not in answer.body


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_this_machines_names_are_answered(name: str, held: Held) -> None:
    port = held.console.rstrip("/").rpartition(":")[2]

    assert get(f"{held.console}en/alerts", Host=f"{name}:{port}").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["", "en/", "static/console.css"])
def test_nothing_but_reading_is_taken(method: str, path: str, held: Held) -> None:
    answer = get(f"{held.console}{path}", method=method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_head_has_no_body(held: Held) -> None:
    answer = get(f"{held.console}en/alerts", method="HEAD")

    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("en", "en"),
        ("ja", "ja"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,ja;q=0.5,en;q=0.4", "ja"),
        ("en;q=0.1,ja;q=0.2", "ja"),
        ("fr", "ja"),
        ("", "ja"),
        ("en;q=nonsense", "ja"),
    ],
)
def test_the_first_page_is_in_the_language_the_browser_prefers(accepted: str, language: str, held: Held) -> None:
    """Japanese where it prefers neither."""
    answer = get(held.console, Accept_Language=accepted)

    assert (answer.status, answer.headers["location"]) == (307, f"/{language}/")


def test_a_language_alone_leads_to_its_overview(held: Held) -> None:
    assert get(f"{held.console}ja").headers["location"] == "/ja/"


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "fr/",
        "en/nothing",
        "ja/organizations/",
        "en/organizations/0000000000000000",
        "en/organizations/%2e%2e%2f",
        "ja/organizations/9999999999999999/inquiries",
        f"en/organizations/{'9' * 3000}",
        "static/../pages.py",
        "static/%2e%2e/pages.py",
        "static/",
        "static/templates/frame.html",
    ],
)
def test_an_address_that_is_no_page_says_so(path: str, held: Held) -> None:
    answer = get(f"{held.console}{path}")

    assert answer.status == 404
    assert "Traceback" not in answer.body
    assert (
        "ページがありません" in answer.words or "no such page" in answer.words or "ORGANIZATION_UNKNOWN" in answer.words
    )


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_that_is_none_is_a_sentence(token: str, held: Held) -> None:
    """It is shown nowhere, and nothing of it becomes markup."""
    answer = get(f"{held.console}en/organizations/{SETAGAYA}/inquiries?page={quote(token)}")

    assert answer.status == 400
    assert "PAGE_TOKEN_INVALID" in answer.words
    assert "<script>alert" not in answer.body
    assert "Traceback" not in answer.body


@pytest.mark.parametrize("state", ["nothing", "ANSWERED", "<b>", "1", "%00"])
def test_a_state_that_is_none_is_a_sentence(state: str, held: Held) -> None:
    answer = get(f"{held.console}ja/organizations/{SETAGAYA}/inquiries?state={quote(state)}")

    assert answer.status == 400
    assert "INVALID_FIELD" in answer.words
    assert "<b>" not in answer.body


@pytest.mark.parametrize("exchange", ["0" * 64, "x", "0" * 63, "%00", "🙂", "a" * 3000])
def test_an_exchange_nobody_knows_is_a_sentence(exchange: str, held: Held) -> None:
    answer = get(f"{held.console}en/organizations/{SETAGAYA}/exchanges/{quote(exchange)}")

    assert answer.status in {400, 404}
    assert "RECORD_UNKNOWN" in answer.words


def test_no_page_shows_a_number_that_names_a_person(held: Held, console: Callable[..., str]) -> None:
    """Nor a record id that might hold one."""
    bodies = [f"organizations/{SETAGAYA}", f"organizations/{SHINJUKU}"]
    pages = ["", "alerts", *bodies, *(f"{each}/inquiries" for each in bodies)]
    pages += [f"{body}/exchanges/{held.exchanges['answered']}" for body in bodies]
    number = held.setagaya.spec(held.numbers[-4], record_id=f"case-{held.numbers[-4]}-1")
    held.setagaya.finished(held.setagaya.ask(number).receipt_numbers[0])
    pages += [f"organizations/{SETAGAYA}/inquiries?page={quote(_last_page(held))}"]
    url = console(held.server.target)

    shown = [get(f"{url}{language}/{page}").body for language in ("en", "ja") for page in pages]

    assert all("<main" in each for each in shown)
    assert [number for number in held.numbers for each in shown if number in each] == []
    assert any(f"case-…{held.numbers[-4][-3:]}-1" in each for each in shown)


@pytest.mark.parametrize(
    "number", ["123456789012345", "1234-5678-9012", "1234 5678 9012", "\uff11\uff12\uff13456789012"]
)
def test_a_number_is_shortened_however_it_is_written(number: str) -> None:
    """With separators or in full width, too."""
    short = without_numbers(f"case {number}!")

    assert short.startswith("case …")
    assert len(short) == len("case …012!")


def test_no_page_calls_what_writes(held: Held, console: Callable[..., str]) -> None:
    """Looking changes nothing, and has nothing done."""
    called: set[str] = set()

    def note(method: str, _message: object, _metadata: dict[str, str]) -> bool:
        called.add(method.rpartition("/")[2])
        return False

    url = console(held.server.target, mutant=Mutant("none", "any", (), request=note))
    body = f"en/organizations/{SETAGAYA}"
    for page in ("en/", body, f"{body}/inquiries", *(f"{body}/exchanges/{each}" for each in held.exchanges.values())):
        assert get(f"{url}{page}").status == 200

    assert called == {
        "GetExchangeRecord",
        "GetStatus",
        "ListInquiries",
        "ListLanes",
        "ListNetworkRecords",
        "WatchInquiries",
    }


def _last_page(held: Held) -> str:
    """Return the token of the last page of inquiries."""
    body = get(f"{held.console}en/organizations/{SETAGAYA}/inquiries").body
    return body.rpartition("page=")[2].partition('"')[0]
