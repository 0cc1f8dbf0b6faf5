# SPDX-License-Identifier: Apache-2.0
"""Every page in both languages, both colour schemes and two widths, as a browser shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from chukan.v1 import common_pb2
from tests.browser.looking import broken, faint, overflow, own_words, unmarked
from tests.builders import SETAGAYA, SHINJUKU
from tests.conformance.proxy import Mutant

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.browser.conftest import Held, Window

    Open = Callable[..., AbstractContextManager[Window]]

KANA = re.compile(r"[ぁ-んァ-ン]")
WIDTHS = {"ja": (1280, 400), "en": (400, 1280)}
"""Of which the last is also looked at for its colours."""


def addresses(held: Held) -> list[str]:
    """Return every kind of page."""
    body = f"organizations/{SETAGAYA}"
    return [
        "",
        "alerts",
        f"organizations/{SHINJUKU}",
        body,
        f"{body}/inquiries",
        f"{body}/inquiries?state=open",
        f"{body}/inquiries?state=cancelled",
        *(f"{body}/exchanges/{exchange}" for exchange in held.exchanges.values()),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_whole_readable_and_fits(language: str, scheme: str, window: Open, held: Held) -> None:
    """No error, no failed request, no faint text, no scrolling sideways; it is in the language it says."""
    with window(language, scheme) as opened:
        for address in addresses(held):
            opened.page.goto(f"{held.console}{language}/{address}")

            assert opened.wrong == [], address
            for width in WIDTHS[language]:
                opened.page.set_viewport_size({"width": width, "height": 800})
                assert overflow(opened.page) <= 0, (address, width)
            assert faint(opened.page) == [], address
            assert opened.page.get_attribute("html", "lang") == language
            assert bool(KANA.search(own_words(opened.page))) == (language == "ja"), address
            assert unmarked(opened.page) == [], address
            assert opened.page.title()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_width_breaks_a_head_a_figure_or_a_code(language: str, window: Open, held: Held) -> None:
    """What does not fit is stacked, or scrolled in its own box; the page itself never scrolls sideways."""
    with window(language) as opened:
        for address in ("", f"organizations/{SHINJUKU}", *addresses(held)[4:]):
            opened.page.goto(f"{held.console}{language}/{address}")
            for width in (1400, 1150, 1120, 1000, 900, 780, 600, 400):
                opened.page.set_viewport_size({"width": width, "height": 800})

                assert broken(opened.page) == [], (address, width)
                assert overflow(opened.page) <= 0, (address, width)


@pytest.mark.parametrize("width", [1400, 1130, 1000, 780, 600])
def test_every_cell_of_an_inquiry_is_in_sight(width: int, window: Open, held: Held) -> None:
    with window("en", width=width) as opened:
        for query in ("", "?state=refused"):
            opened.page.goto(f"{held.console}en/organizations/{SETAGAYA}/inquiries{query}")
            for cell in opened.page.locator("tbody tr:first-child > *:not(:empty)").all():
                box = cell.bounding_box()
                assert box
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width


def test_the_browsers_language_decides_and_a_link_changes_it_on_the_same_page(window: Open, held: Held) -> None:
    for language, other in (("ja", "en"), ("en", "ja")):
        with window(language) as opened:
            opened.page.goto(held.console)
            assert opened.page.url == f"{held.console}{language}/"

            opened.page.goto(f"{held.console}{language}/organizations/{SETAGAYA}/inquiries?state=refused")
            opened.page.click("#switch")

            assert opened.page.url == f"{held.console}{other}/organizations/{SETAGAYA}/inquiries?state=refused"


class TestOverview:
    def test_organizations_are_shown_with_state_counts_and_lanes(self, window: Open, held: Held) -> None:
        with window() as opened:
            opened.page.goto(f"{held.console}en/")
            row = opened.page.locator("tr", has=opened.page.locator("th", has_text="東京都世田谷区")).first

            cells = dict(
                zip(
                    opened.page.locator("section:has(#organizations-title) thead th").all_inner_texts(),
                    row.locator("th, td").all_inner_texts(),
                    strict=True,
                )
            )
            assert "works" in cells["state"]
            assert int(cells["answered"]) >= 60
            assert int(cells["refused"]) >= 1
            assert cells["waits for approval"] == "1"
            assert "child allowance TM00000000000010 ■held" in opened.text("section:has(#lanes-title)").replace(
                "■ held", "■held"
            )
            assert "No Alertmanager was named" in opened.text()

    def test_it_refreshes_itself_and_draws_what_it_saw(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        """A new inquiry is counted without loading the page again; the chart goes on."""
        with window() as opened:
            opened.page.goto(f"{console(held.server.target)}en/")
            count = opened.page.locator(f"a[href='/en/organizations/{SETAGAYA}/inquiries?state=answered']")
            before = int(count.inner_text())

            held.setagaya.finished(held.setagaya.ask(held.setagaya.spec(held.numbers[-4])).receipt_numbers[0])

            opened.page.wait_for_function(
                "(before) => Number(document.querySelector('a[href$=\"state=answered\"]').innerText) > before",
                arg=before,
            )
            assert opened.page.locator("#chart canvas").count() == 1
            assert opened.page.locator("#chart .u-legend").inner_text().split() != []
            assert opened.wrong == []

    def test_a_table_scrolled_sideways_stays_so(self, window: Open, held: Held, console: Callable[..., str]) -> None:
        with window("en", width=780) as opened:
            opened.page.goto(f"{console(held.server.target)}en/")
            box = "document.querySelector('.box:has(a[href$=\"state=answered\"])')"
            opened.page.evaluate(f"{box}.scrollLeft = 60")
            shown = opened.text(".asof")
            opened.page.wait_for_function(
                "(shown) => document.querySelector('.asof').innerText.trim() !== shown", arg=shown
            )

            assert opened.page.evaluate(f"{box}.scrollLeft") == 60

    def test_refreshing_can_be_stopped(self, window: Open, held: Held, console: Callable[..., str]) -> None:
        """WCAG 2.2.2: who reads slowly stops it, by keyboard too."""
        with window() as opened:
            opened.page.goto(f"{console(held.server.target)}en/")
            opened.page.focus("#pause")
            opened.page.keyboard.press("Space")
            opened.page.wait_for_timeout(300)
            shown = opened.text(".asof")

            opened.page.wait_for_timeout(2_500)

            assert opened.page.get_attribute("#pause", "aria-pressed") == "true"
            assert opened.text(".asof") == shown


class TestWaiting:
    """A page does not replace what its reader is in, says so, and goes on by itself."""

    @pytest.mark.parametrize(
        ("language", "sentence"), [("en", "Refreshing is paused while"), ("ja", "自動更新を一時停止しています")]
    )
    def test_who_moves_through_a_list_is_told_that_it_waits(
        self, language: str, sentence: str, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        with window(language) as opened:
            opened.page.goto(f"{console(held.server.target)}{language}/organizations/{SETAGAYA}/inquiries")
            assert opened.page.get_attribute("#waits", "role") == "status"
            assert opened.text("#waits") == ""
            height = opened.page.evaluate("document.documentElement.scrollHeight")
            opened.page.focus("#switch")
            for _ in range(20):
                opened.page.keyboard.press("Tab")
                if opened.page.evaluate("document.activeElement.closest('#live') !== null"):
                    break
            opened.page.wait_for_selector("#waits:not(:empty)")
            shown = opened.text(".asof")
            assert sentence in opened.text("#waits")
            assert opened.page.evaluate("document.documentElement.scrollHeight") == height
            box = opened.page.locator("#waits").bounding_box()
            assert box
            assert box["y"] + box["height"] <= 800
            assert faint(opened.page) == []
            opened.page.wait_for_timeout(1_500)
            assert opened.text(".asof") == shown

            opened.page.focus("#switch")

            opened.page.wait_for_selector("#waits:empty", state="attached")
            opened.page.wait_for_function(
                "(shown) => document.querySelector('.asof').innerText.trim() !== shown", arg=shown
            )
            assert opened.wrong == []

    def test_a_marked_text_in_the_list_stays_until_it_is_let_go(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        """One elsewhere holds up nothing."""
        with window() as opened:
            opened.page.goto(f"{console(held.server.target)}en/organizations/{SETAGAYA}/inquiries")
            opened.page.locator("h1").dblclick()
            opened.page.wait_for_timeout(300)
            assert opened.text("#waits") == ""

            opened.page.locator("tbody th code").first.dblclick()
            opened.page.wait_for_selector("#waits:not(:empty)")
            opened.page.wait_for_timeout(1_500)
            assert opened.page.evaluate("getSelection().toString()").strip() == held.receipts["answered"]

            opened.page.locator("h1").click()
            opened.page.wait_for_selector("#waits:empty", state="attached")

    def test_an_answer_under_way_takes_no_mark_away(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        """Made after the page asked, before it shows what came."""
        with window() as opened:
            opened.page.goto(f"{console(held.server.target)}en/organizations/{SETAGAYA}/inquiries")
            opened.page.evaluate("""() => document.addEventListener("htmx:beforeSend", () => {
              getSelection().selectAllChildren(document.querySelector("tbody th code"));
            }, { once: true })""")
            opened.page.wait_for_selector("#waits:not(:empty)")
            opened.page.wait_for_timeout(1_500)

            assert opened.page.evaluate("getSelection().toString()").strip() == held.receipts["answered"]

    def test_who_stopped_refreshing_is_not_told_that_it_waits(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        with window() as opened:
            opened.page.goto(f"{console(held.server.target)}en/organizations/{SETAGAYA}/inquiries")
            opened.page.click("#pause")
            opened.page.locator("tbody th code").first.dblclick()
            opened.page.wait_for_timeout(1_500)

            assert opened.text("#waits") == ""


class TestInquiries:
    @pytest.mark.parametrize(
        ("language", "sentence"),
        [("en", "the procedure may not ask for this information"), ("ja", "照会は許可されていません")],
    )
    def test_a_refused_inquiry_says_why(self, language: str, sentence: str, window: Open, held: Held) -> None:
        with window(language) as opened:
            opened.page.goto(f"{held.console}{language}/organizations/{SETAGAYA}/inquiries?state=refused")

            row = opened.text(f"tr:has-text('{held.receipts['refused']}')")
            assert sentence in row
            assert "NOT_PERMITTED_INFORMATION" in row

    def test_what_is_not_finished_is_one_click_away(self, window: Open, held: Held) -> None:
        with window() as opened:
            opened.page.goto(f"{held.console}en/organizations/{SETAGAYA}/inquiries")
            opened.page.click("text=not finished")
            opened.page.wait_for_url("**state=open")

            assert opened.page.locator("tbody tr").count() == 1
            assert "waits for approval" in opened.text("tbody")

    def test_the_next_page_goes_on_and_the_first_is_found_again(self, window: Open, held: Held) -> None:
        """Every inquiry is on exactly one page."""
        with window() as opened:
            opened.page.goto(f"{held.console}en/organizations/{SETAGAYA}/inquiries")
            first = opened.page.locator("tbody th").all_inner_texts()
            opened.page.click("text=Next page")
            opened.page.wait_for_selector("text=First page")
            second = opened.page.locator("tbody th").all_inner_texts()

            assert len(first) == 50
            assert second
            assert not set(first) & set(second)
            opened.page.click("text=First page")
            opened.page.wait_for_selector(f"text={first[0]}")

    @pytest.mark.parametrize(
        ("language", "words"), [("en", ("oldest first", "newest first")), ("ja", ("古い", "新しい"))]
    )
    def test_the_newest_is_one_click_away(
        self, language: str, words: tuple[str, str], window: Open, held: Held
    ) -> None:
        """In the state chosen, and back."""
        with window(language) as opened:
            opened.page.goto(f"{held.console}{language}/organizations/{SETAGAYA}/inquiries?state=answered")
            assert words[0] in opened.text("h1")
            first = opened.page.locator("tbody th").all_inner_texts()

            opened.page.click("a[href$='state=answered&order=newest']")

            opened.page.wait_for_url("**order=newest")
            newest = opened.page.locator("tbody th").all_inner_texts()
            assert words[1] in opened.text("h1").lower()
            assert len(newest) == 50
            assert newest == sorted(newest, reverse=True)
            assert newest[0] > first[-1]
            opened.page.click("a[href$='state=refused&order=newest']")
            opened.page.wait_for_selector(f"text={held.receipts['refused']}")
            assert opened.wrong == []


class TestThreeRecords:
    @pytest.mark.parametrize("language", ["ja", "en"])
    def test_a_name_and_its_code_stay_together_where_cells_are_stacked(
        self, language: str, window: Open, held: Held
    ) -> None:
        with window(language, width=600) as opened:
            opened.page.goto(
                f"{held.console}{language}/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}"
            )
            for cell in opened.page.locator(".sides tbody tr:first-child td").all()[:3]:
                box = cell.locator("span").first.bounding_box()
                assert box
                assert box["width"] > 200
                assert "東京都世田谷区" in cell.locator("span").first.inner_text()
                assert SETAGAYA in cell.locator("span").first.inner_text()

    @pytest.mark.parametrize(("language", "sentence"), [("en", "All three records agree"), ("ja", "三者の記録は")])
    def test_of_an_answered_inquiry_all_three_are_equal(
        self, language: str, sentence: str, window: Open, held: Held
    ) -> None:
        with window(language) as opened:
            opened.page.goto(f"{held.console}{language}/organizations/{SETAGAYA}/inquiries?state=answered")
            opened.page.click(f"tr:has-text('{held.receipts['answered']}') td a")
            opened.page.wait_for_selector("#verdict[data-verdict=records_equal]")

            assert sentence in opened.text("#verdict")
            compared = opened.page.locator(".sides tbody tr:has(.badge.good)")
            assert compared.count() == 10
            for row in compared.all():
                assert len(set(row.locator("td").all_inner_texts()[:3])) == 1

    def test_a_refused_exchange_is_shown_with_what_there_is(self, window: Open, held: Held) -> None:
        with window() as opened:
            opened.page.goto(f"{held.console}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['refused']}")

            assert opened.page.get_attribute("#verdict", "data-verdict") == "records_single"
            assert "same" not in opened.text(".sides")
            assert "the procedure may not ask for this information" in opened.text(".sides")
            assert "no record" in opened.text(".sides thead")

    def test_an_exchange_that_waits_is_not_called_equal_or_missing(self, window: Open, held: Held) -> None:
        with window() as opened:
            opened.page.goto(f"{held.console}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['waiting']}")

            assert "not finished" in opened.text("#verdict")

    def test_the_page_of_a_final_exchange_asks_no_more(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        """A record nobody has would be refused at every look. Until it is final the page goes on."""
        asked: list[str] = []
        pending = True

        def note(method: str, _message: object, _metadata: dict[str, str]) -> bool:
            asked.append(method)
            return False

        def change(method: str, answer: Any) -> bool:
            if pending and method.endswith("GetExchangeRecord"):
                answer.record.outcome = common_pb2.EXCHANGE_OUTCOME_PENDING
            return True

        url = console(held.server.target, mutant=Mutant("unfinished", "records", (), request=note, answer=change))
        with window() as opened:
            opened.page.goto(f"{url}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['refused']}")
            before = len(asked)
            opened.page.wait_for_timeout(1_500)
            assert len(asked) > before
            assert opened.page.is_visible("#pause")

            opened.page.focus("#pause")
            pending = False
            opened.page.wait_for_selector("#verdict[data-verdict=records_single]")
            before = len(asked)
            opened.page.wait_for_timeout(2_500)

            assert len(asked) == before
            assert not opened.page.is_visible("#pause")
            assert opened.page.evaluate("document.activeElement.id") == "content"
            assert "Final, so no longer refreshed" in opened.text(".asof")
            assert opened.wrong == []

    def test_an_exchange_that_is_gone_is_asked_for_once(
        self, window: Open, held: Held, console: Callable[..., str]
    ) -> None:
        """After a reset, say."""
        asked: list[str] = []

        def lose(method: str, message: Any, _metadata: dict[str, str]) -> bool:
            asked.append(method)
            if len(asked) > 3:
                message.exchange_id = "0" * 64
            return True

        def change(method: str, answer: Any) -> bool:
            if method.endswith("GetExchangeRecord"):
                answer.record.outcome = common_pb2.EXCHANGE_OUTCOME_PENDING
            return True

        url = console(held.server.target, mutant=Mutant("gone", "records", (), request=lose, answer=change))
        with window() as opened:
            opened.page.goto(f"{url}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}")
            opened.page.wait_for_selector("text=RECORD_UNKNOWN")
            before = len(asked)
            opened.page.wait_for_timeout(2_500)

            assert len(asked) == before

    def test_what_differs_is_marked_in_words(self, window: Open, held: Held, console: Callable[..., str]) -> None:
        """A network that kept another information than it was asked for."""

        def change(method: str, answer: object) -> bool:
            if not method.endswith("ListNetworkRecords"):
                return False
            for each in answer.records:  # type: ignore[attr-defined]
                each.record.information_code = "TM00000000000001"
            return True

        url = console(held.server.target, mutant=Mutant("another information", "records", (), answer=change))
        with window() as opened:
            opened.page.goto(f"{url}en/organizations/{SETAGAYA}/exchanges/{held.exchanges['answered']}")

            assert opened.page.get_attribute("#verdict", "data-verdict") == "records_differ"
            assert opened.text("#verdict").endswith("information")
            assert opened.page.locator("tr.differs").count() == 1
            assert "≠ differs" in opened.text("tr.differs").replace("≠differs", "≠ differs")
            assert faint(opened.page) == []


class TestLanes:
    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("en", ("held", "the send holds more records than the cap", "chukan replica resume")),
            ("ja", ("停止中", "1回の送信件数の上限を超えています", "chukan replica resume")),
        ],
    )
    def test_a_held_lane_stands_first_with_reason_age_and_what_to_do(
        self, language: str, words: tuple[str, ...], window: Open, held: Held
    ) -> None:
        with window(language) as opened:
            opened.page.goto(f"{held.console}{language}/organizations/{SHINJUKU}")

            first = opened.text("section:has(#lanes-title) tbody tr:first-child")
            assert [word for word in words if word not in first] == []
            assert "210,000" in first
            assert re.search(r"\d+ ?(s|min|秒|分) ?(ago|前)", first)


class TestKeyboard:
    def test_everything_is_reached_by_tab_and_the_content_by_the_first_link(self, window: Open, held: Held) -> None:
        with window() as opened:
            opened.page.goto(f"{held.console}en/")
            opened.page.keyboard.press("Tab")
            assert opened.page.evaluate("document.activeElement.className") == "skip"
            opened.page.keyboard.press("Enter")
            assert opened.page.evaluate("document.activeElement.id") == "content"

            opened.page.keyboard.press("Tab")
            assert opened.page.evaluate("document.activeElement.tagName") == "A"
            outline = opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid"
