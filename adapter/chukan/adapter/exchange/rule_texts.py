# SPDX-License-Identifier: Apache-2.0
"""The rules a row of an inquiry file can break, as sentences in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RuleText", "rule_text"]


class RuleText(NamedTuple):
    """What is expected."""

    english: str
    japanese: str


_FIXED: Final = {
    "": RuleText("", ""),
    "required": RuleText("a value", "値が必要です"),
    "digit": RuleText("one digit", "数字1桁"),
    "printable": RuleText("text that begins with no space", "空白で始まらない文字列"),
    "yyyyMMdd": RuleText("a date yyyyMMdd", "日付（yyyyMMdd）"),
    "yyyyMMddHHmmssSSS": RuleText("an instant yyyyMMddHHmmssSSS", "日時（yyyyMMddHHmmssSSS）"),
    "a date that exists": RuleText("a date that exists", "実在する日付"),
    "start<=end": RuleText("a start that is not after the end", "開始日が終了日以前であること"),
    "an organization that exists": RuleText("an organization that exists", "存在する機関コード"),
    "the organization that asks": RuleText("the organization that asks", "照会する機関自身の機関コード"),
    "an information that exists": RuleText("an information that exists", "存在する特定個人情報名コード"),
    "a number that is registered": RuleText("a number that is registered", "登録されている宛名番号"),
    "no individual number": RuleText("no individual number", "個人番号を含まないこと"),
    "no control character": RuleText("no control character", "制御文字を含まないこと"),
    "no byte order mark": RuleText("no byte order mark", "BOMが付いていないこと"),
    "at least one row": RuleText("at least one row", "1行以上あること"),
    "CRLF": RuleText("CRLF at the end of the row", "行末がCRLFであること"),
    "LF": RuleText("LF at the end of the row", "行末がLFであること"),
}
_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], RuleText]], ...]] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (
            r"digits=([0-9|]+)",
            lambda found: RuleText(f"{found[1].replace('|', ' or ')} digits", f"数字{found[1].replace('|', '桁、')}桁"),
        ),
        (
            r"([A-Z]{2})\+([0-9]+)",
            lambda found: RuleText(
                f"{found[1]} and {found[2]} digits or capital letters", f"{found[1]}と半角英数字{found[2]}桁"
            ),
        ),
        (r"width=([0-9]+)", lambda found: RuleText(f"at most {found[1]} characters", f"{found[1]}文字以内")),
        (r"bytes<=([0-9]+)", lambda found: RuleText(f"at most {found[1]} bytes", f"{found[1]}バイト以内")),
        (r"rows<=([0-9]+)", lambda found: RuleText(f"at most {found[1]} rows", f"{found[1]}行以内")),
        (
            r"fields=([0-9]+), got ([0-9]+)",
            lambda found: RuleText(f"{found[1]} fields, not {found[2]}", f"{found[1]}項目（実際は{found[2]}項目）"),
        ),
        (
            r"same as row ([0-9]+)(?: of (.+))?",
            lambda found: RuleText(
                found[0], f"{f'{found[2]} の' if found[2] else ''}{found[1]}行目と同じ内容でないこと"
            ),
        ),
    )
)


def rule_text(rule: str) -> RuleText:
    """Return a rule's sentences; what is none of the above is the name of an encoding."""
    if rule in _FIXED:
        return _FIXED[rule]
    for pattern, make in _PATTERNS:
        found = pattern.fullmatch(rule)
        if found is not None:
            return make(found)
    return RuleText(f"text in {rule.upper()}", f"文字コードが{rule.upper()}であること")
