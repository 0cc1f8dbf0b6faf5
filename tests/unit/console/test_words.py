# SPDX-License-Identifier: Apache-2.0
"""How the console says things: every state has a word and a mark of its own, and no number names a person."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.console import words
from chukan.server.console.language import Language, preferred
from chukan.server.console.problem import problem_of, problem_of_reason
from chukan.server.console.texts import TEXTS
from chukan.standard.reasons import ChukanError, all_reasons
from chukan.v1 import common_pb2, operation_service_pb2, replica_service_pb2

CONSOLE = Path(words.__file__).parent
NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龯]")


@pytest.mark.parametrize(
    ("shown", "enum"),
    [
        (words.INQUIRY_STATES, common_pb2.InquiryState),
        (words.OUTCOMES, common_pb2.ExchangeOutcome),
        (words.LANE_STATES, replica_service_pb2.LaneState),
        (words.HEALTH, operation_service_pb2.HealthState),
    ],
    ids=["inquiries", "outcomes", "lanes", "health"],
)
def test_every_value_of_the_contract_has_a_word_of_its_own(shown: dict[int, object], enum: object) -> None:
    assert set(shown) == set(enum.values()) - {0}  # type: ignore[attr-defined]
    assert len(set(shown.values())) == len(shown)


@pytest.mark.parametrize("shown", [words.INQUIRY_STATES, words.LANE_STATES, words.HEALTH])
def test_no_two_states_share_a_mark(shown: dict[int, words.Badge]) -> None:
    """Who sees no colours tells them apart."""
    assert len({badge.mark for badge in shown.values()}) == len(shown)


def test_every_text_is_there_in_both_languages_and_used() -> None:
    sources = [path.read_text("utf-8") for path in CONSOLE.rglob("*") if path.suffix in {".html", ".py"}]
    used = {key for source in sources for key in re.findall(r"[\"']([a-z_]+)[\"']", source.split("TEXTS: Final")[0])}

    assert [key for key, text in TEXTS.items() if not text.en or not JAPANESE.search(text.ja + text.en)] == []
    assert [key for key, text in TEXTS.items() if JAPANESE.search(text.en) and key != "other_language"] == []
    assert sorted(set(TEXTS) - used) == []


@given(st.text(), st.from_regex(r"[0-9]{11,20}", fullmatch=True), st.text())
def test_no_long_number_is_left_in_a_text_of_others(before: str, number: str, after: str) -> None:
    assert not re.search(r"[0-9]{11}", words.without_numbers(f"{before}{number}{after}"))


def test_a_number_that_names_a_person_keeps_three_digits() -> None:
    assert words.short_number("900000000000123") == "…123"
    assert words.short_number("") == ""


def test_an_absent_instant_is_none_and_not_1970() -> None:
    assert words.instant(Timestamp()) is None
    assert words.instant_text(None) == ""


@pytest.mark.parametrize(
    ("age", "english", "japanese"),
    [
        (timedelta(0), "0 s", "0秒"),
        (timedelta(seconds=59), "59 s", "59秒"),
        (timedelta(minutes=1), "1 min", "1分"),
        (timedelta(hours=23, minutes=59), "23 h", "23時間"),
        (timedelta(days=3), "3 d", "3日"),
        (timedelta(seconds=-5), "0 s", "0秒"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(age: timedelta, english: str, japanese: str) -> None:
    """A clock that runs ahead makes no age below zero."""
    assert words.age_text(NOW - age, NOW) == (english, japanese)


def test_what_took_less_than_a_second_is_said_in_milliseconds() -> None:
    assert words.span_text(NOW, NOW + timedelta(milliseconds=40)).en == "40 ms"
    assert words.span_text(NOW, NOW + timedelta(seconds=2)).en == "2 s"


@given(st.text(max_size=60))
def test_any_header_leads_to_a_language(header: str) -> None:
    assert preferred(header) in set(Language)


def test_every_reason_is_said_without_its_parameters() -> None:
    for each in all_reasons():
        problem = problem_of(ChukanError(each.code, params={"file": "/secret/place"}))

        assert problem.says == (each.english, each.japanese)
        assert problem.status >= 400
        assert "secret" not in repr(problem)


def test_a_reason_of_a_newer_server_stands_for_itself() -> None:
    assert problem_of_reason("OF_TOMORROW").says == ("OF_TOMORROW", "OF_TOMORROW")
