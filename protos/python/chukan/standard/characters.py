# SPDX-License-Identifier: Apache-2.0
"""Which characters may travel in linkage, and what is sent in place of those that may not.

The repertoire is JIS X 0213:2004 [?], substitutes are [own] (docs/divergences "Characters"): masters keep
行政事務標準文字, only what is sent is substituted, and every substitution is counted. What was refused is named by
position and rule, never by value.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard._data import read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GETA", "CheckedText", "check_text", "is_linkable", "is_plain"]

GETA: Final = "〓"
"""Stands in the checked text where a character was refused."""

_REPERTOIRE: Final = "euc_jis_2004"
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\xad]")
_HALF_WIDTH: Final = "\uff61-\uff9f"
_SELECTORS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_MARKS: Final = "\u0300-\u036f\u3099\u309a"
_UNIT: Final = re.compile(f"[{_HALF_WIDTH}]+|.[{_MARKS}{_SELECTORS}]*", re.DOTALL)
_CLUSTER: Final = re.compile(".[\u0300-\u036f]+", re.DOTALL)
_SELECTOR: Final = re.compile(f"[{_SELECTORS}]")
_LONE_MARKS: Final = str.maketrans({"\u3099": "\u309b", "\u309a": "\u309c"})
_HENTAIGANA: Final = "HENTAIGANA LETTER "
_REFUSED_CATEGORIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Cc": "control",
        "Cf": "invisible",
        "Zl": "invisible",
        "Zp": "invisible",
        "Co": "private_use",
        "Cs": "unassigned",
        "Cn": "unassigned",
    }
)


class CheckedText(NamedTuple):
    """A text as it may travel, how many characters were substituted, and (position, rule) of those refused.

    Positions count characters of the given text from 0. Another encoding of the same character (half-width kana,
    CP932's wave dash and minus, a kana with a separate sound mark) is unified without being counted.
    """

    text: str
    substitutions: int
    refusals: list[tuple[int, str]]


def is_linkable(text: str) -> bool:
    """Whether every character may travel: in the repertoire and no control character."""
    if text.isascii():
        return text.isprintable()
    return _CONTROL.search(text) is None and _encodes(text)


def is_plain(text: str) -> bool:
    """Whether `check_text` would return the text unchanged; a whole column may be joined and asked about at once."""
    if text.isascii():
        return text.isprintable()
    if _variants().search(text) is not None or not _encodes(text):
        return False
    return all(unicodedata.normalize("NFC", cluster) == cluster for cluster in _CLUSTER.findall(text))


def check_text(text: str) -> CheckedText:
    """Return the text as it may travel, with the count of substitutions and the refusals."""
    if is_plain(text):
        return CheckedText(text, 0, [])
    out: list[str] = []
    substitutions = 0
    refusals: list[tuple[int, str]] = []
    for unit in _UNIT.finditer(text):
        replacement, changes, rule = _convert(unit[0])
        out.append(replacement)
        substitutions += changes
        if rule:
            refusals.append((unit.start(), rule))
    return CheckedText("".join(out), substitutions, refusals)


@lru_cache(maxsize=4096)
def _convert(unit: str) -> tuple[str, int, str]:
    """Return what a character with its marks becomes, the substitutions that took, and the rule that refuses it."""
    if "\uff61" <= unit[0] <= "\uff9f":
        return unicodedata.normalize("NFKC", unit).translate(_LONE_MARKS), 0, ""
    stripped, selectors = _SELECTOR.subn("", unit)
    if not stripped:
        return "", selectors, ""
    composed = unicodedata.normalize("NFC", stripped)
    if is_plain(composed):
        return composed, selectors + _is_replaced(stripped, composed), ""
    parts = [_convert_character(character) for character in composed]
    replacement = "".join(part for part, _, _ in parts)
    changes = selectors + sum(changed for _, changed, _ in parts)
    rule = next((rule for _, _, rule in parts if rule), "")
    if not is_plain(replacement):  # what is left of the marks joins the letter in another way
        replacement, more, _ = _convert(replacement)
        changes += more
    return replacement, changes, rule


def _convert_character(character: str) -> tuple[str, int, str]:
    rule = _REFUSED_CATEGORIES.get(unicodedata.category(character))
    if rule:
        return GETA, 0, rule
    same = _table("same").get(character)
    if same:
        return same, 0, ""
    if is_plain(character):
        return character, 0, ""
    if unicodedata.combining(character):
        return "", 1, ""
    for candidate in _candidates(character):
        if candidate and is_plain(candidate):
            return candidate, 1, ""
    return GETA, 0, "outside_repertoire"


def _candidates(character: str) -> list[str]:
    """Return substitutes, closest first: the table, a 変体仮名's kana, the compatibility form, the bare letter."""
    decomposed = unicodedata.normalize("NFD", character)
    bare = decomposed[0] if all(map(unicodedata.combining, decomposed[1:])) else ""
    return [
        _table("substitute").get(character, ""),
        _kana_of_hentaigana(character),
        unicodedata.normalize("NFKC", character),
        bare,
    ]


def _kana_of_hentaigana(character: str) -> str:
    name = unicodedata.name(character, "")
    if not name.startswith(_HENTAIGANA):
        return ""
    syllable = name.removeprefix(_HENTAIGANA).split("-")[0]
    return unicodedata.lookup(f"HIRAGANA LETTER {syllable}")


def _is_replaced(before: str, after: str) -> int:
    """Return 1 where normalisation exchanged an ideograph for another, 0 where it joined a letter and its mark."""
    return int(before != after and len(before) == len(after))


def _encodes(text: str) -> bool:
    try:
        text.encode(_REPERTOIRE)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _variants() -> re.Pattern[str]:
    return re.compile(f"[\x00-\x1f\x7f-\x9f\xad{_HALF_WIDTH}{''.join(_table('same'))}]")


@cache
def _table(kind: str) -> Mapping[str, str]:
    rows = [row for row in read_rows("characters.csv") if row["kind"] == kind]
    return MappingProxyType({_character(row["from"]): _character(row["to"]) for row in rows})


def _character(code_point: str) -> str:
    return chr(int(code_point.removeprefix("U+"), 16))
