# SPDX-License-Identifier: Apache-2.0
"""Characters: what travels, what is unified, substituted and counted, what is refused and where."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.standard import characters
from chukan.standard.rules import all_rules

TEXTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("髙﨑𠮷葛ｶﾞﾊﾟ〜～−－\u3099\u309a\ufe00\U000e0100\t\x00\ue000　あア亜Aa1éwæ\u0301\u0323\u0300"),
    ),
    max_size=30,
)


@pytest.mark.parametrize("text", ["", "ABC 123", "新宿区西新宿２丁目１番地２号", "﨑村　葛城", "ヴィクトル・Å", "㈱①"])
def test_text_in_the_repertoire_travels_as_it_is(text: str) -> None:
    assert characters.check_text(text) == (text, 0, [])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ ハナコ"),
        ("ﾊﾟｰｸ･ﾋﾙｽﾞ", "パーク・ヒルズ"),
        ("２－１～３", "２−１〜３"),
        ("カ\u3099ハ\u309a", "ガパ"),
        ("e\u0301", "é"),
        ("¥—", "￥―"),
    ],
)
def test_another_encoding_of_the_same_character_is_unified_and_not_counted(text: str, sent: str) -> None:
    assert characters.check_text(text) == (sent, 0, [])


@pytest.mark.parametrize(
    ("text", "sent", "count"),
    [
        ("髙橋", "高橋", 1),
        ("𠮷田", "吉田", 1),
        ("葛\U000e0100城", "葛城", 1),
        ("髙\U000e0101𠮷", "高吉", 3),
        ("\U0001b002ろは", "あろは", 1),
        ("\U0001b11d", "ん", 1),
        ("Nguyễn", "Nguyen", 1),
        ("\uf900", "豈", 1),
    ],
)
def test_what_cannot_travel_is_substituted_and_counted(text: str, sent: str, count: int) -> None:
    assert characters.check_text(text) == (sent, count, [])


@pytest.mark.parametrize(
    ("text", "position", "rule"),
    [
        ("ab\tc", 2, "control"),
        ("改\r\n行", 1, "control"),
        ("a\u200bb", 1, "invisible"),
        ("\u202eabc", 0, "invisible"),
        ("外字\ue000", 2, "private_use"),
        ("あ\ud800", 1, "unassigned"),
        ("\uffff", 0, "unassigned"),
        ("寿司🍣", 2, "outside_repertoire"),
        ("ｶﾞ🍣", 2, "outside_repertoire"),
    ],
)
def test_what_has_no_substitute_is_refused_by_position_and_rule(text: str, position: int, rule: str) -> None:
    """Positions count the characters of the given text, before anything was joined or removed."""
    result = characters.check_text(text)

    assert result.refusals[0] == (position, rule)
    assert characters.GETA in result.text


@given(TEXTS)
def test_what_was_checked_may_always_travel_and_is_not_changed_again(text: str) -> None:
    once = characters.check_text(text)

    assert characters.is_linkable(once.text)
    assert characters.is_plain(once.text)
    assert characters.check_text(once.text) == (once.text, 0, [])


@given(TEXTS)
def test_refusals_name_positions_of_the_text_and_rules_of_the_table(text: str) -> None:
    names = {rule.name for rule in all_rules() if rule.group == "character"}

    for position, rule in characters.check_text(text).refusals:
        assert 0 <= position < len(text)
        assert rule in names


@given(st.lists(TEXTS, max_size=5))
def test_a_joined_column_is_plain_exactly_if_each_value_is(column: list[str]) -> None:
    each = all(characters.is_plain(value) for value in column)

    assert not each or characters.is_plain(" ".join(column))
    assert each or not characters.is_plain(" ".join(column))


@given(st.characters(min_codepoint=0xFF66, max_codepoint=0xFF9D))
def test_half_width_kana_become_the_kana_of_the_same_name(kana: str) -> None:
    assert characters.check_text(kana).text == unicodedata.normalize("NFKC", kana)


def test_every_hentaigana_becomes_one_kana() -> None:
    hentaigana = [chr(code) for code in range(0x1B002, 0x1B11F)]

    for character in hentaigana:
        result = characters.check_text(character)
        assert (len(result.text), result.substitutions, result.refusals) == (1, 1, [])
