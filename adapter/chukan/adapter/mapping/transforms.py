# SPDX-License-Identifier: Apache-2.0
"""Named, pure transforms of one value: what a mapping file may call.

Written ``name`` or ``name:argument``. The empty string stays empty through all of them. A transform that can't take a
value names the rule it breaks, never the value. ``unchanged`` tells of a whole column that nothing would change, which
is nearly always so and spares the single values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chukan.standard.characters import check_text, is_plain
from chukan.standard.dates import eras, format_date, parse_era
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Refused", "Transform", "transform", "transform_names"]

_ASCII: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: 0x2D}
_DATE: Final = re.compile(r"([0-9]{4})([-/.年]?)([0-9]{1,2})([-/.月]?)([0-9]{1,2})日?")
_MONTH: Final = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})月?")
_ERA_YEAR: Final = re.compile(r"(\D+?)(元|[0-9]{1,2})年?度?|([1-5])([0-9]{2})")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+")
_NOISE: Final = str.maketrans("", "", ",、，\\¥￥ 円")
_TRUE: Final = frozenset({"1", "有", "該当", "はい", "する", "true", "TRUE", "Y", "y", "○", "〇", "◯"})
_FALSE: Final = frozenset({"0", "無", "非該当", "いいえ", "しない", "false", "FALSE", "N", "n", "×", "-"})
_DAY: Final = 8
_MONTH_DIGITS: Final = 6
_YEAR_DIGITS: Final = 4


class Refused(Exception):  # noqa: N818 - not an error of the program but a value refused
    """A value that a transform can't take; rule is one of the rules of `chukan.standard.rules`."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Transform:
    """A transform with its argument filled in."""

    name: str
    one: Callable[[str], str]
    unchanged: Callable[[Sequence[str]], bool]


def transform(written: str) -> Transform:
    """Return the transform written as in a mapping file; ValueError says what is wrong with it."""
    name, _, argument = written.partition(":")
    if name in _PLAIN:
        if argument:
            message = f"got an argument, expected {name} without one"
            raise ValueError(message)
        one, unchanged = _PLAIN[name]
        return Transform(written, one, unchanged)
    if name != "zero_fill":
        message = f"got transform {name}, expected one of {', '.join(transform_names())}"
        raise ValueError(message)
    if not argument.isdigit() or not 1 <= int(argument) <= 64:  # noqa: PLR2004 - the widest key
        message = "got no width, expected zero_fill:1 to zero_fill:64"
        raise ValueError(message)
    width = int(argument)
    return Transform(written, lambda text: text.strip().zfill(width), lambda column: set(map(len, column)) <= {width})


def transform_names() -> tuple[str, ...]:
    """Return the names a mapping file may use."""
    return tuple(sorted([*_PLAIN, "zero_fill"]))


def _half_width(text: str) -> str:
    return text.translate(_ASCII)


def _characters(text: str) -> str:
    checked = check_text(text)
    if checked.refusals:
        raise Refused("characters")
    return checked.text


def _date(text: str) -> str:
    parts = _DATE.fullmatch(_half_width(text).strip())
    if parts is None:
        raise Refused("date")
    year, first, month, second, day = parts.groups()
    if bool(first) != bool(second) or (not first and len(month + day) != _DAY - _YEAR_DIGITS):
        raise Refused("date")
    try:
        return format_date(date(int(year), int(month), int(day)))
    except ValueError:
        raise Refused("date") from None


def _era_date(text: str) -> str:
    plain = _half_width(text).strip()
    try:
        return format_date(parse_era(plain))
    except ChukanError:
        return _date(plain)


def _era_year(text: str) -> str:
    plain = _half_width(text).strip()
    if len(plain) == _YEAR_DIGITS and plain.isdigit():
        return plain
    parts = _ERA_YEAR.fullmatch(plain)
    if parts is not None:
        name, year, code, digits = parts.groups()
        for era in eras():
            if (name or code).upper() in (era.name, era.letter, era.code):
                count = 1 if year == "元" else int(year or digits)
                if count:
                    return str(era.first.year + count - 1)
    raise Refused("year")


def _year_month(text: str) -> str:
    parts = _MONTH.fullmatch(_half_width(text).strip())
    if parts is None or not 1 <= int(parts[2]) <= 12:  # noqa: PLR2004 - months
        raise Refused("year_month")
    return f"{parts[1]}{int(parts[2]):02d}"


def _number(text: str) -> str:
    plain = _half_width(text).translate(_NOISE).replace("▲", "-").replace("△", "-")
    if _NUMBER.fullmatch(plain) is None:
        raise Refused("number")
    digits = plain.lstrip("+-").lstrip("0") or "0"
    return f"-{digits}" if plain.startswith("-") and digits != "0" else digits


def _flag(text: str) -> str:
    plain = _half_width(text).strip()
    if plain in _TRUE:
        return "1"
    if plain in _FALSE:
        return "0"
    raise Refused("flag")


def _first_of_month(text: str) -> str:
    return _year_month(text) + "01"


def _first_of_fiscal_year(text: str) -> str:
    return _era_year(text) + "0401"


def _last_of_fiscal_year(text: str) -> str:
    return f"{int(_era_year(text)) + 1:04d}0331"


def _digits(column: Sequence[str], width: int) -> bool:
    joined = "".join(column)
    return joined.isascii() and (not joined or joined.isdigit()) and set(map(len, column)) <= {0, width}


def _is_number_column(column: Sequence[str]) -> bool:
    """Whether all are digits and only the zero itself begins with one, or empty."""
    joined = "".join(column)
    if not joined.isascii() or (joined and not joined.isdigit()):
        return False
    return "0" not in {value[:1] for value in set(column) - {"0"}}


def _is_trimmed(column: Sequence[str]) -> bool:
    joined = "".join(column)
    return joined.split() in ([], [joined])


def _is_half_width(column: Sequence[str]) -> bool:
    return "".join(column).isascii()


def _always(_: Sequence[str]) -> bool:
    return False


_PLAIN: Final[Mapping[str, tuple[Callable[[str], str], Callable[[Sequence[str]], bool]]]] = MappingProxyType(
    {
        "characters": (_characters, lambda column: is_plain("".join(set(column)))),
        "date": (_date, lambda column: _digits(column, _DAY)),
        "era_date": (_era_date, lambda column: _digits(column, _DAY)),
        "era_year": (_era_year, lambda column: _digits(column, _YEAR_DIGITS)),
        "first_of_fiscal_year": (_first_of_fiscal_year, _always),
        "first_of_month": (_first_of_month, _always),
        "flag": (_flag, {"", "0", "1"}.issuperset),
        "half_width": (_half_width, _is_half_width),
        "last_of_fiscal_year": (_last_of_fiscal_year, _always),
        "number": (_number, _is_number_column),
        "trim": (str.strip, _is_trimmed),
        "year_month": (_year_month, lambda column: _digits(column, _MONTH_DIGITS)),
    }
)
