# SPDX-License-Identifier: Apache-2.0
"""Numbers that name people, companies and municipalities: their shapes, check digits, and dummies.

Sources: 個人番号 and 法人番号 the orders under 番号法; 全国地方公共団体コード the ministry's 検査数字 [P]. 住民票コード
has a check digit whose formula is not confirmed: only its shape is checked here (docs/divergences "Numbers").
"""

from __future__ import annotations

import re
import unicodedata
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "DUMMY_PREFIX",
    "corporate_number_check_digit",
    "dummy_individual_number",
    "individual_number_check_digit",
    "is_corporate_number",
    "is_dummy_individual_number",
    "is_individual_number",
    "is_integrated_address_number",
    "is_local_address_number",
    "is_municipality_code",
    "is_resident_record_code",
    "looks_like_individual_number",
    "municipality_check_digit",
    "municipality_code",
    "rows_like_individual_numbers",
]

DUMMY_PREFIX: Final = "999"
"""First digits of every dummy individual number [own]: visible, never derived from a person."""

_INDIVIDUAL_WEIGHTS: Final = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
"""Q11 .. Q1 for the eleven digits from the left: n + 1 for n = 1..6, n - 5 for n = 7..11, n counted from the right."""

_CORPORATE_WEIGHTS: Final = (2, 1) * 6
_MUNICIPALITY_WEIGHTS: Final = (6, 5, 4, 3, 2)

_ZERO: Final = ord("0")
_INDIVIDUAL_LENGTH: Final = 12
_PRINTED_LENGTH: Final = 14
_SUSPECT_LENGTHS: Final = frozenset({_INDIVIDUAL_LENGTH, _PRINTED_LENGTH})
_PRINTED: Final = re.compile(r"[0-9]{4}([- ])[0-9]{4}\1[0-9]{4}")
_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−ー"), "-")
_DUMMY_SERIALS: Final = 10**8
_DIGITS: Final = {count: re.compile(rf"[0-9]{{{count}}}") for count in (5, 6, 11, 12, 13, 15)}


def individual_number_check_digit(eleven: str) -> str:
    """Return the check digit of the first eleven digits of an individual number (個人番号)."""
    _expect_digits(eleven, 11)
    remainder = _weighted(eleven, _INDIVIDUAL_WEIGHTS) % 11
    return "0" if remainder <= 1 else str(11 - remainder)


def is_individual_number(text: str) -> bool:
    """Whether text is twelve ASCII digits with a valid check digit."""
    return _has_digits(text, _INDIVIDUAL_LENGTH) and individual_number_check_digit(text[:11]) == text[11]


def looks_like_individual_number(text: str) -> bool:
    """Whether an id field holds what must be refused: exactly twelve digits with a valid check digit.

    Neither width nor white space around hide one, nor the groups of four it is printed in (with spaces or hyphens).
    A weak detector: one of ten arbitrary 12-digit strings passes too, and longer fields are not searched; those are
    checked by keyed digest where the held numbers are known.
    """
    plain = (text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_DASHES)).strip()
    if len(plain) == _PRINTED_LENGTH and _PRINTED.fullmatch(plain):
        plain = plain[:4] + plain[5:9] + plain[10:]
    return is_individual_number(plain)


def rows_like_individual_numbers(values: Iterable[str]) -> list[int]:
    """Return the rows of a column that look like individual numbers, for id columns of a batch."""
    return [
        row
        for row, value in enumerate(values)
        if (len(value.strip()) in _SUSPECT_LENGTHS or not value.isascii()) and looks_like_individual_number(value)
    ]


def is_dummy_individual_number(text: str) -> bool:
    """Whether text is twelve digits with the dummy prefix; the check digit may be wrong on purpose."""
    return _has_digits(text, _INDIVIDUAL_LENGTH) and text.startswith(DUMMY_PREFIX)


def dummy_individual_number(serial: int, *, valid: bool = True) -> str:
    """Return the dummy number of a serial (0 .. 99,999,999), with a check digit made wrong on request."""
    if not 0 <= serial < _DUMMY_SERIALS:
        message = f"got a serial outside 0..{_DUMMY_SERIALS - 1}"
        raise ValueError(message)
    eleven = f"{DUMMY_PREFIX}{serial:08d}"
    digit = individual_number_check_digit(eleven)
    return eleven + (digit if valid else str((int(digit) + 1) % 10))


def corporate_number_check_digit(twelve: str) -> str:
    """Return the leading check digit of a corporate number's (法人番号) last twelve digits."""
    _expect_digits(twelve, 12)
    return str(9 - _weighted(twelve, _CORPORATE_WEIGHTS) % 9)


def is_corporate_number(text: str) -> bool:
    """Whether text is thirteen digits with a valid leading check digit."""
    return _has_digits(text, 13) and corporate_number_check_digit(text[1:]) == text[0]


def municipality_check_digit(five: str) -> str:
    """Return the check digit of a five-digit municipality code (全国地方公共団体コード)."""
    _expect_digits(five, 5)
    return str(11 - _weighted(five, _MUNICIPALITY_WEIGHTS) % 11)[-1]


def municipality_code(five: str) -> str:
    """Return the six-digit code of a five-digit one: 13104 → 131041."""
    return five + municipality_check_digit(five)


def is_municipality_code(text: str) -> bool:
    """Whether text is six digits with a valid check digit."""
    return _has_digits(text, 6) and municipality_check_digit(text[:5]) == text[5]


def is_resident_record_code(text: str) -> bool:
    """Whether text has the shape of a 住民票コード: eleven digits. Its check digit is not claimed to be known."""
    return _has_digits(text, 11)


def is_integrated_address_number(text: str) -> bool:
    """Whether text has the shape of a 団体内統合宛名番号: fifteen digits."""
    return _has_digits(text, 15)


def is_local_address_number(text: str) -> bool:
    """Whether text has the shape of a 宛名番号: fifteen digits, zero-filled on the left."""
    return _has_digits(text, 15)


def _has_digits(text: str, count: int) -> bool:
    return _DIGITS[count].fullmatch(text) is not None


def _expect_digits(text: str, count: int) -> None:
    if not _has_digits(text, count):
        message = f"got {len(text)} characters, expected {count} digits"
        raise ValueError(message)


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    total: int = sum(map(mul, digits.encode(), weights))
    return total - _ZERO * sum(weights)
