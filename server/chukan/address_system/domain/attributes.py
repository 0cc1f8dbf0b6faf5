# SPDX-License-Identifier: Apache-2.0
"""What is known of a person besides numbers, and the forms in which two people's attributes are compared.

Names are compared after substitution of characters outside linkage, NFKC and without white space; residential
addresses also with 丁目・番地・番・号 as dashes, so 「2丁目1番地2号」 and 「2-1-2」 agree [own]
(docs/divergences "Address system").
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from chukan.standard.characters import check_text

__all__ = [
    "BLANK",
    "NONDISCLOSURE",
    "PROTECTED",
    "SELF_INFORMATION_DISABLED",
    "WHOLE",
    "Coverage",
    "PersonAttributes",
    "birth_dates_agree",
    "birth_dates_match",
    "is_year_known",
    "kana_key",
    "name_key",
    "residential_address_key",
]

PROTECTED: Final = "p"
"""Flag: under protective measures (支援措置)."""
NONDISCLOSURE: Final = "n"
"""Flag: 不開示該当."""
SELF_INFORMATION_DISABLED: Final = "s"
"""Flag: 自己情報提供不可."""

_SEPARATOR: Final = "\x1f"
_KANJI_DIGITS: Final = {digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}
_BLOCK: Final = re.compile("([一二三四五六七八九十]+)(?=丁目)")
_STEP: Final = re.compile("(?<=[0-9])(?:丁目|番地の|番地|番|号の|号)")
_DASH: Final = re.compile("(?<=[0-9])[\u2010-\u2015\u2212\u30fc](?=[0-9])")
_UNKNOWN_YEAR: Final = "0000"


class Coverage(NamedTuple):
    """What an extract speaks of: places of the attributes it has no column for, and the flags it has one for."""

    absent: tuple[int, ...] = ()
    flags: str = "".join(sorted((NONDISCLOSURE, PROTECTED, SELF_INFORMATION_DISABLED)))


WHOLE: Final = Coverage()
"""Everything is spoken of."""


class PersonAttributes(NamedTuple):
    """Attributes of a person, all text; flags holds a letter per flag that is set, in alphabetical order."""

    name: str = ""
    kana_name: str = ""
    alias: str = ""
    former_name: str = ""
    birth_date: str = ""
    sex: str = ""
    postal_code: str = ""
    residential_address_code: str = ""
    residential_address: str = ""
    building: str = ""
    household_number: str = ""
    resident_kind: str = ""
    resident_state: str = ""
    movement_reason: str = ""
    movement_date: str = ""
    notification_date: str = ""
    municipality_code: str = ""
    protective_measure_end_date: str = ""
    flags: str = ""
    corporate_number: str = ""

    def pack(self) -> bytes:
        """Return the attributes as the bytes that are sealed."""
        return _SEPARATOR.join(self).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> PersonAttributes:
        """Return the attributes of opened bytes."""
        return cls(*packed.decode().split(_SEPARATOR))

    @property
    def is_blank(self) -> bool:
        """Whether nobody is described: a person split off whose record has not come yet."""
        return not self.name and not self.birth_date

    def over(self, old: PersonAttributes, coverage: Coverage, *, lifts: bool) -> PersonAttributes:
        """Return these where they speak and the old ones elsewhere.

        An empty text in a column that is there clears; a column that is not there leaves what stands, and a corporate
        number is never cleared. lifts: flags spoken of and not set are lifted, as the record that set them may.
        """
        merged = list(self)
        for place in coverage.absent:
            merged[place] = old[place]
        kept = set(old.flags) - set(coverage.flags) if lifts else set(old.flags)
        merged[_FLAGS] = "".join(sorted({*kept, *self.flags}))
        if PROTECTED in kept and not self.protective_measure_end_date:
            merged[_PROTECTION_END] = old.protective_measure_end_date
        merged[_CORPORATE] = self.corporate_number or old.corporate_number
        return PersonAttributes._make(merged)


BLANK: Final = PersonAttributes()
_FLAGS: Final = PersonAttributes._fields.index("flags")
_PROTECTION_END: Final = PersonAttributes._fields.index("protective_measure_end_date")
_CORPORATE: Final = PersonAttributes._fields.index("corporate_number")


def name_key(name: str) -> str:
    """Return a name in the form it is compared in."""
    text = name if name.isascii() else unicodedata.normalize("NFKC", check_text(name).text)
    return "".join(text.casefold().split())


def kana_key(kana: str) -> str:
    """Return a name in kana in the form it is compared in."""
    return "".join(unicodedata.normalize("NFKC", kana).split())


def residential_address_key(residential_address: str) -> str:
    """Return a residential address in the form it is compared in."""
    text = "".join(unicodedata.normalize("NFKC", residential_address).split())
    if "丁" in text:
        text = _BLOCK.sub(_arabic, text)
    return _DASH.sub("-", _STEP.sub("-", text)).rstrip("-")


def birth_dates_agree(one: str, other: str) -> bool:
    """Whether both can be the same day: equal wherever both are known."""
    if one == other or not one or not other:
        return True
    pairs = ((one[:4], other[:4]), (one[4:6], other[4:6]), (one[6:], other[6:]))
    return all(mine == theirs or not mine.strip("0") or not theirs.strip("0") for mine, theirs in pairs)


def birth_dates_match(one: str, other: str) -> bool:
    """Whether they agree in more than not being known: an attribute two people share."""
    return is_year_known(one) and is_year_known(other) and birth_dates_agree(one, other)


def is_year_known(birth_date: str) -> bool:
    """Whether a birth date has a year: without one it is nothing two people can share."""
    return bool(birth_date) and not birth_date.startswith(_UNKNOWN_YEAR)


def _arabic(match: re.Match[str]) -> str:
    tens, ten, ones = match[1].rpartition("十")
    value = (_KANJI_DIGITS.get(tens, 1) if ten else 0) * 10 + _KANJI_DIGITS.get(ones, 0)
    return str(value)
