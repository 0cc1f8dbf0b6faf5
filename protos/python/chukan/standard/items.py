# SPDX-License-Identifier: Apache-2.0
"""One item (項目) of a layout and the check of a whole column of its values.

A batch brings thousands of values of one item, nearly always clean: a column is first asked as a whole (distinct
values, the longest of them, all of them joined) at the speed of the built-ins, and only a column that fails is looked
at row by row.
Lengths count characters [own] (docs/divergences "Layouts").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard._data import read_rows
from chukan.standard.characters import is_linkable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["FIXED_LENGTHS", "ITEM_TYPES", "NIL_REASONS", "Item", "NilReason"]

FIXED_LENGTHS: Final[Mapping[str, int]] = MappingProxyType({"date": 8, "year_month": 6, "year": 4, "flag": 1})
"""Item types whose length follows from the type."""

ITEM_TYPES: Final = frozenset({"text", "code", "number", *FIXED_LENGTHS})

_SIGNED: Final = "signed"
_FLAGS: Final = ("0", "1")
_CODE: Final = re.compile(r"[0-9A-Za-z]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]*")
_NEGATIVE: Final = re.compile(r"0|-?[1-9][0-9]*")
_YEAR_MONTH: Final = re.compile(r"[0-9]{4}(?:0[1-9]|1[0-2])")
_YEAR: Final = re.compile(r"[0-9]{4}")
_DIGITS: Final = re.compile(r"[0-9]{8}")


class NilReason(NamedTuple):
    """Why an item has no value: a code of its own [own], told apart from a value of zero and from no replica at all."""

    code: str
    japanese: str
    english: str


NIL_REASONS: Final[Mapping[str, NilReason]] = MappingProxyType(
    {row["code"]: NilReason(**row) for row in read_rows("nil_reasons.csv")}
)
"""The nil reasons by code."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a data set.

    The empty string is no value: refused where the item is required, absent where it is optional. Nil is told apart
    from both: its rows are named beside the column with a reason, and their place in the column is empty. A void item
    takes neither. values are the permitted codes, value_names what they mean, in the same order; empty means that the
    item is not restricted to codes. A number is written in one way only: no sign but the minus of an item that may be
    negative, no leading zero.
    """

    code: str
    name: str
    type: str
    max_length: int
    required: bool = False
    nil_allowed: bool = False
    void: bool = False
    negative: bool = False
    values: tuple[str, ...] = ()
    value_names: tuple[str, ...] = ()
    description: str = ""
    _permitted: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_permitted", frozenset(self.values or (_FLAGS if self.type == "flag" else ())))

    def check(self, value: str) -> str:
        """Return the rule one value breaks, or the empty string."""
        if not value:
            return "required" if self.required and not self.void else ""
        if self.void:
            return "void"
        if len(value) > self.max_length:
            return "max_length"
        if self._has_form(value):
            return ""
        return "negative" if self.type == "number" and _NEGATIVE.fullmatch(value) else self._form_rule

    def check_column(
        self, values: Sequence[str], *, nil_rows: Sequence[int] = (), nil_reason_codes: Sequence[str] | None = None
    ) -> list[tuple[int, str]]:
        """Return (row, rule) for every row that breaks a rule; rows count from 0.

        nil_rows are the rows that are nil; their reasons are checked when given, one per nil row.
        """
        column = values if isinstance(values, list | tuple) else list(values)
        nils: set[int] = set()
        failures: list[tuple[int, str]] = []
        if nil_rows:
            nils, failures = self._check_nils(column, nil_rows, nil_reason_codes)
        if not self._is_clean(column, len(nils)):
            failures += self._failing_rows(column, nils)
            failures.sort()
        return failures

    @property
    def _form_rule(self) -> str:
        if self.values:
            return "values"
        return "characters" if self.type == "text" else self.type

    def _has_form(self, value: str) -> bool:
        return value in self._permitted if self._permitted else _FORMS[self._form](value)

    @property
    def _form(self) -> str:
        return _SIGNED if self.negative else self.type

    def _is_clean(self, column: Sequence[str], nil_count: int) -> bool:
        """Whether the distinct values show that no row can fail."""
        distinct = set(column)
        if "" in distinct:
            if self.required and not self.void and column.count("") != nil_count:
                return False
            distinct.discard("")
        if not distinct or self.void:
            return not distinct
        if self._permitted:
            return self._permitted.issuperset(distinct)
        if max(map(len, distinct)) > self.max_length:
            return False
        whole = _WHOLES.get(self.type)
        if whole is not None and whole(distinct):
            return True
        return _all_have_form(self._form, distinct)

    def _failing_rows(self, column: Sequence[str], nils: set[int]) -> list[tuple[int, str]]:
        rules = {value: self.check(value) for value in set(column)}
        return [(row, rules[value]) for row, value in enumerate(column) if rules[value] and row not in nils]

    def _check_nils(
        self, column: Sequence[str], nil_rows: Sequence[int], codes: Sequence[str] | None
    ) -> tuple[set[int], list[tuple[int, str]]]:
        """Return the rows that are nil as they should be or fail as nils, and the failures among them."""
        if codes is not None and len(codes) != len(nil_rows):
            return set(nil_rows), [(row, "nil_reason") for row in sorted(set(nil_rows))]
        seen: set[int] = set()
        failures: list[tuple[int, str]] = []
        for index, row in enumerate(nil_rows):
            if row in seen or not 0 <= row < len(column):
                failures.append((row, "nil_row"))
                continue
            seen.add(row)
            if not self.nil_allowed or self.void:
                failures.append((row, "nil_not_allowed"))
            elif column[row]:
                failures.append((row, "nil_with_value"))
            elif codes is not None and codes[index] not in NIL_REASONS:
                failures.append((row, "nil_reason"))
        return seen, failures


def _is_date(value: str) -> bool:
    if _DIGITS.fullmatch(value) is None:
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def _all_have_form(kind: str, distinct: set[str]) -> bool:
    """Whether every value has the form of its type; dates and months met before are not parsed again."""
    known = _KNOWN.get(kind)
    if known is None:
        return all(map(_FORMS[kind], distinct))
    unknown = distinct - known
    if not all(map(_FORMS[kind], unknown)):
        return False
    if unknown and len(known) < _KNOWN_LIMIT:
        known |= unknown
    return True


def _all_linkable(distinct: set[str]) -> bool:
    return is_linkable("".join(distinct))


def _all_digits(distinct: set[str]) -> bool:
    """Whether all are digits and only the zero itself begins with one."""
    joined = f",{','.join(distinct)}".encode()
    if joined.count(b",") != len(distinct) or joined.count(b",0") != ("0" in distinct):
        return False
    return joined.replace(b",", b"").isdigit()


def _all_letters_and_digits(distinct: set[str]) -> bool:
    joined = "".join(distinct)
    return joined.isascii() and joined.encode().isalnum()


_KNOWN: Final[Mapping[str, set[str]]] = MappingProxyType({"date": set(), "year_month": set()})
"""Valid dates and months met so far: a cache of a pure question."""

_KNOWN_LIMIT: Final = 50_000

_WHOLES: Final[Mapping[str, Callable[[set[str]], bool]]] = MappingProxyType(
    {"text": _all_linkable, "code": _all_letters_and_digits, "number": _all_digits}
)
"""Tests on all distinct values at once that prove each of them (the longest is known to fit)."""

_FORMS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "text": is_linkable,
        "code": lambda value: _CODE.fullmatch(value) is not None,
        "number": lambda value: _NUMBER.fullmatch(value) is not None,
        _SIGNED: lambda value: _NEGATIVE.fullmatch(value) is not None,
        "date": _is_date,
        "year_month": lambda value: _YEAR_MONTH.fullmatch(value) is not None,
        "year": lambda value: _YEAR.fullmatch(value) is not None,
    }
)
