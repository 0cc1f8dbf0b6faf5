# SPDX-License-Identifier: Apache-2.0
"""The filter `ja`: what is Japanese in an English page is marked, nothing is unescaped by it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.console.language import Language
from chukan.server.console.rendering import Rendering

TEMPLATE = Rendering()._environment.from_string("{{ text|ja }}")


def shown(text: str, language: Language = Language.EN) -> str:
    return TEMPLATE.render(text=text, lang=language.value)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("東京都世田谷区 0220113112101700", '<span lang="ja">東京都世田谷区</span> 0220113112101700'),
        ("番号法第19条第8号", '<span lang="ja">番号法第19条第8号</span>'),
        ("国民健康保険(退職者)", '<span lang="ja">国民健康保険(退職者)</span>'),
        ("デジタル庁 and 港区", '<span lang="ja">デジタル庁</span> and <span lang="ja">港区</span>'),
        ("local tax TM01", "local tax TM01"),
        ("", ""),
    ],
)
def test_what_is_japanese_is_marked_from_its_first_letter_to_its_last(text: str, marked: str) -> None:
    assert shown(text) == marked


def test_a_japanese_page_marks_nothing() -> None:
    assert shown("<東京都>", Language.JA) == "&lt;東京都&gt;"


@given(st.text())
def test_any_text_stays_escaped_and_as_it_was(text: str) -> None:
    made = re.sub(r'<span lang="ja">|</span>', "", shown(text))

    assert "<" not in made
    assert unescape(made) == unescape(text.replace("&", "&amp;"))
