# SPDX-License-Identifier: Apache-2.0
"""A batch of registrations by columns: filled up, checked per column, failures named per row.

What is checked: numbers, check digits, dates, sexes, characters, lengths. A refused row names field and rule, for
characters the position; never a value.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.attributes import (
    NONDISCLOSURE,
    PROTECTED,
    SELF_INFORMATION_DISABLED,
    WHOLE,
    Coverage,
    PersonAttributes,
)
from chukan.address_system.domain.birth_dates import YEAR_UNKNOWN
from chukan.address_system.domain.outcomes import CORPORATION, RowFailure
from chukan.standard.characters import check_text, is_plain
from chukan.standard.dates import parse_birth_date, parse_date
from chukan.standard.individual_numbers import are_individual_numbers
from chukan.standard.numbers import (
    DUMMY_PREFIX,
    is_corporate_number,
    is_dummy_individual_number,
    is_individual_number,
    is_local_address_number,
    is_municipality_code,
    looks_like_individual_number,
)
from chukan.standard.organizations import fold_ward
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = [
    "Checked",
    "RegistrationBatch",
    "check",
    "check_key",
    "column_name",
    "individual_number_failure",
    "local_number_failure",
]

_TEXTS: Final = ("name", "kana_name", "alias", "former_name", "residential_address", "building")
_CODES: Final = (
    "postal_code",
    "residential_address_code",
    "household_number",
    "movement_reason",
)
_DATES: Final = ("movement_date", "notification_date", "protective_measure_end_date")
_CODED: Final = {"resident_kind": frozenset({"", *"1234"}), "resident_state": frozenset({"", *"12345"})}
_LONGEST: Final = 1_000
_LONGEST_CODE: Final = 40
_SEXES: Final = frozenset({"", "1", "2"})
_INDIVIDUAL_DIGITS: Final = 12
_LOCAL_DIGITS: Final = 15
_CORPORATE_DIGITS: Final = 13
_COLUMN_OF: Final = {
    "alias": "aliases",
    "sex": "sexes",
    "residential_address": "residential_addresses",
    "protective_measure_end_date": "protective_measures.end_dates",
}


@dataclass(frozen=True, slots=True)
class RegistrationBatch:
    """Registrations of one number system and business id; columns an extract does not have are empty, flags None.

    columns: attributes by the names of `PersonAttributes`, without flags and the end of protective measures.
    """

    number_system: str
    business_id: str
    local_numbers: Sequence[str]
    individual_numbers: Sequence[str] = ()
    former_local_numbers: Sequence[str] = ()
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protected: Mapping[int, str] | None = None
    """Row → end of the protective measures."""
    nondisclosure: Collection[int] | None = None
    self_information_disabled: Collection[int] | None = None

    @property
    def flags(self) -> Mapping[str, Collection[int]]:
        """Rows of each flag that is spoken of."""
        every = {
            NONDISCLOSURE: self.nondisclosure,
            PROTECTED: self.protected,
            SELF_INFORMATION_DISABLED: self.self_information_disabled,
        }
        return {letter: rows for letter, rows in every.items() if rows is not None}

    @property
    def coverage(self) -> Coverage:
        """What the batch speaks of."""
        absent = {name for name in PersonAttributes._fields if not self.columns.get(name)}
        absent -= {"flags", "corporate_number"}  # which have rules of their own
        if self.protected is not None:
            absent.discard("protective_measure_end_date")
        places = tuple(place for place, name in enumerate(PersonAttributes._fields) if name in absent)
        flags = "".join(sorted(self.flags))
        return Coverage(places, flags) if places or flags != WHOLE.flags else WHOLE


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch as it may be registered: equal columns, refused rows by number, substitutions counted."""

    local_numbers: Sequence[str]
    individual_numbers: Sequence[str]
    former_local_numbers: Sequence[str]
    attributes: list[PersonAttributes]
    failures: dict[int, RowFailure]
    substitutions: int
    coverage: Coverage = WHOLE


def check(batch: RegistrationBatch, *, municipality: str, test: bool) -> Checked:
    """Check a batch. municipality: the organization's own code; test: individual numbers must be dummies.

    Errors: COLUMNS_UNEQUAL, NUMBER_MALFORMED of the number system.
    """
    check_key(batch.number_system, batch.business_id)
    rows = len(batch.local_numbers)
    columns = {name: _filled(name, batch.columns.get(name, ()), rows) for name in PersonAttributes._fields}
    individual = _filled("individual_number", batch.individual_numbers, rows)
    former = _filled("former_local_address_number", batch.former_local_numbers, rows)
    columns["flags"] = _flags(batch, rows)
    ends = batch.protected or {}
    columns["protective_measure_end_date"] = [ends.get(row, "") for row in range(rows)] if ends else [""] * rows
    failures: dict[int, RowFailure] = {}
    _check_numbers(failures, batch.local_numbers, former, individual, test=test)
    _check_duplicates(failures, batch.local_numbers)
    _check_each(failures, "names", columns["name"], lambda text: None if text.strip() else ("NAME_MISSING", ""))
    births = _check_corporations(failures, columns, individual)
    _check_each(failures, "birth_dates", births, _birth_date_failure)
    _check_each(failures, "sexes", columns["sex"], lambda text: None if text in _SEXES else ("SEX_INVALID", ""))
    for name in _DATES:
        _check_each(failures, column_name(name), columns[name], _date_failure)
    for name in _CODES:
        _check_each(failures, column_name(name), columns[name], _code_failure)
    for name, known in _CODED.items():
        _check_each(failures, column_name(name), columns[name], partial(_coded_failure, known))
    columns["municipality_code"] = _folded(failures, columns["municipality_code"], municipality)
    substitutions = sum(_check_text(failures, name, columns[name]) for name in _TEXTS)
    attributes = list(map(PersonAttributes._make, zip(*columns.values(), strict=True)))
    return Checked(batch.local_numbers, individual, former, attributes, failures, substitutions, batch.coverage)


def column_name(attribute: str) -> str:
    """Return the request's column of an attribute."""
    return _COLUMN_OF.get(attribute, f"{attribute}s")


def local_number_failure(text: str) -> tuple[str, str] | None:
    """Return (reason, rule) if this can't be a local address number; one that looks like 個人番号 is told apart."""
    if is_local_address_number(text):
        return None
    if looks_like_individual_number(text.strip()):
        return "INDIVIDUAL_NUMBER_REFUSED", ""
    return "NUMBER_MALFORMED", "digits=15"


def individual_number_failure(text: str, *, test: bool) -> tuple[str, str] | None:
    """Return (reason, rule) if an individual number is not taken; an empty one is."""
    if not text or (is_individual_number(text) and not (test and not is_dummy_individual_number(text))):
        return None
    if len(text) != _INDIVIDUAL_DIGITS or not text.isascii() or not text.isdigit():
        return "NUMBER_MALFORMED", "digits=12"
    if test and not is_dummy_individual_number(text):
        return "INDIVIDUAL_NUMBER_NOT_DUMMY", ""
    return "CHECK_DIGIT_WRONG", ""


def check_key(number_system: str, business_id: str) -> None:
    """Refuse what can't be 番号体系 and 業務ID of a local address number."""
    if len(number_system) != 2 or not number_system.isascii() or not number_system.isdigit():  # noqa: PLR2004
        raise ChukanError("INVALID_FIELD", violations=[("number_system", "digits=2")])
    if len(business_id) > 8 or not business_id.isascii() or not (business_id + "0").isalnum():  # noqa: PLR2004
        raise ChukanError("INVALID_FIELD", violations=[("business_id", "at most 8 letters and digits")])


def _filled(name: str, column: Sequence[str], rows: int) -> Sequence[str]:
    if not column:
        return [""] * rows
    if len(column) != rows:
        raise ChukanError("COLUMNS_UNEQUAL", field=column_name(name))
    return column


def _flags(batch: RegistrationBatch, rows: int) -> list[str]:
    flags = [""] * rows
    for letter, flagged in batch.flags.items():
        for row in flagged:
            if row >= rows:
                raise ChukanError("INVALID_FIELD", violations=[("rows", f"below {rows}")])
            flags[row] += letter
    return flags


def _check_each(
    failures: dict[int, RowFailure],
    field_name: str,
    column: Sequence[str],
    failure: Callable[[str], tuple[str, str] | None],
) -> None:
    """Refuse the rows of a column that fail; each distinct value is looked at once."""
    wrong = {text: found for text in set(column) if (found := failure(text)) is not None}
    if wrong:
        for row, text in enumerate(column):
            if text in wrong and row not in failures:
                failures[row] = RowFailure(row, wrong[text][0], field_name, wrong[text][1])


def _check_numbers(
    failures: dict[int, RowFailure],
    checked_local: Sequence[str],
    former: Sequence[str],
    individual: Sequence[str],
    *,
    test: bool,
) -> None:
    if not _are_local_numbers(checked_local):
        _check_each(failures, "local_address_numbers", checked_local, local_number_failure)
    _check_each(failures, "former_local_address_numbers", former, _former_number_failure)
    if not (are_individual_numbers(individual) and (not test or all(map(_is_blank_or_dummy, individual)))):
        _check_each(failures, "individual_numbers", individual, lambda text: individual_number_failure(text, test=test))


def _are_local_numbers(column: Sequence[str]) -> bool:
    whole = "".join(column)
    return whole.isascii() and whole.isdigit() and set(map(len, column)) == {_LOCAL_DIGITS}


def _check_corporations(
    failures: dict[int, RowFailure], columns: Mapping[str, Sequence[str]], individual: Sequence[str]
) -> Sequence[str]:
    """Check what corporations (法人) have instead of people's; return the birth dates that are people's to have."""
    births, kinds, numbers = columns["birth_date"], columns["resident_kind"], columns["corporate_number"]
    if any(numbers):
        _check_each(failures, "corporate_numbers", numbers, _corporate_number_failure)
    corporations = {row for row, kind in enumerate(kinds) if kind == CORPORATION} if CORPORATION in kinds else set()
    for row, number in enumerate(numbers):
        if number and row not in corporations and row not in failures:
            failures[row] = RowFailure(row, "FIELD_FORMAT", "corporate_numbers", "of corporations only")
    for row in corporations:
        if individual[row] and row not in failures:
            failures[row] = RowFailure(row, "FIELD_FORMAT", "individual_numbers", "of people only")
    if not corporations:
        return births
    return [text or YEAR_UNKNOWN if row in corporations else text for row, text in enumerate(births)]


def _corporate_number_failure(text: str) -> tuple[str, str] | None:
    if not text or is_corporate_number(text):
        return None
    if len(text) == _CORPORATE_DIGITS and text.isascii() and text.isdigit():
        return "CHECK_DIGIT_WRONG", ""
    return "NUMBER_MALFORMED", f"digits={_CORPORATE_DIGITS}"


def _is_blank_or_dummy(text: str) -> bool:
    return not text or text.startswith(DUMMY_PREFIX)


def _former_number_failure(text: str) -> tuple[str, str] | None:
    return local_number_failure(text) if text else None


def _check_duplicates(failures: dict[int, RowFailure], numbers: Sequence[str]) -> None:
    if len(set(numbers)) == len(numbers):
        return
    seen: set[str] = set()
    for row, number in enumerate(numbers):
        if number in seen and row not in failures:
            failures[row] = RowFailure(row, "DUPLICATE_IN_BATCH", "local_address_numbers")
        seen.add(number)


@lru_cache(maxsize=1 << 16)
def _birth_date_failure(text: str) -> tuple[str, str] | None:
    try:
        parse_birth_date(text)
    except ChukanError:
        return "BIRTH_DATE_INVALID", ""
    return None


@lru_cache(maxsize=1 << 16)
def _date_failure(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    try:
        parse_date(text)
    except ChukanError:
        return "DATE_INVALID", ""
    return None


def _coded_failure(known: frozenset[str], text: str) -> tuple[str, str] | None:
    """Refuse a code of a later version: taken for none, it would make a resident of somebody who is none."""
    return None if text in known else ("FIELD_FORMAT", f"0..{len(known) - 1}")


def _code_failure(text: str) -> tuple[str, str] | None:
    if not text or (len(text) <= _LONGEST_CODE and text.isprintable()):
        return None
    return "FIELD_FORMAT", f"at most {_LONGEST_CODE} printable characters"


def _folded(failures: dict[int, RowFailure], codes: Sequence[str], municipality: str) -> list[str]:
    folded = {code: _folded_code(code, municipality) for code in set(codes)}
    wrong = {code for code, known in folded.items() if known is None}
    if wrong:
        _check_each(
            failures,
            "municipality_codes",
            codes,
            lambda code: ("NUMBER_MALFORMED", "municipality code of 6 digits") if code in wrong else None,
        )
    return [folded[code] or "" for code in codes]


def _folded_code(code: str, municipality: str) -> str | None:
    if not code:
        return municipality
    return fold_ward(code) if is_municipality_code(code) else None


def _check_text(failures: dict[int, RowFailure], name: str, column: Sequence[str]) -> int:
    """Refuse rows with characters that may not travel, and return how many would be substituted."""
    if max(map(len, column), default=0) > _LONGEST:
        _check_each(failures, column_name(name), column, _length_failure)
    suspects = "".join(character for character in set("".join(column)) if _is_suspect(character))
    if not suspects:
        return 0
    holds_suspect = re.compile(f"[{re.escape(suspects)}]").search
    substitutions = 0
    for row, text in enumerate(column):
        if holds_suspect(text) is None:
            continue
        checked = check_text(text)
        substitutions += checked.substitutions
        if checked.refusals and row not in failures:
            position, rule = checked.refusals[0]
            failures[row] = RowFailure(row, "CHARACTER_REFUSED", column_name(name), f"position={position + 1} {rule}")
    return substitutions


@lru_cache(maxsize=1 << 15)
def _is_suspect(character: str) -> bool:
    """Whether texts with this character are looked at: it can't travel, or joins the one before it."""
    return not is_plain(character) or unicodedata.combining(character) != 0


def _length_failure(text: str) -> tuple[str, str] | None:
    return ("FIELD_TOO_LONG", f"max_length={_LONGEST}") if len(text) > _LONGEST else None
