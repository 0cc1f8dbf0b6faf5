# SPDX-License-Identifier: Apache-2.0
"""The rows of an inquiry file, judged one by one: file, row, column and rule of everything that is wrong.

A row that can't be cut into its fields, or that bears an individual number (個人番号), is *rejected*: it goes back as
it came. A row whose values break a rule stays a row of the result, with a message. Problems never bear a value.

Numbered procedure per line:
1 whole: not too long, ended as the profile says, no byte order mark, no control character, the encoding, the fields;
2 every field: needed, not too long, its form;
3 what values mean: dates that exist, start before end, a provider that exists, an inquirer that is the caller;
4 no individual number anywhere.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard.dates import parse_date
from chukan.standard.layouts import information_codes
from chukan.standard.numbers import looks_like_individual_number
from chukan.standard.organizations import organization, resolve_provider
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.adapter.exchange.input_profile import InputField, InputProfile
    from chukan.adapter.exchange.lines import Line

__all__ = ["Problem", "Row", "RowReader", "provider_of"]

_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SUSPECT_LENGTHS: Final = frozenset({12, 13, 14})
"""Lengths of an individual number: as digits, after a space, in the groups it is printed in."""
_JUDGED: Final = (
    "inquirer_code",
    "inquirer_delegator_code",
    "provider_delegator_code",
    "provider_code",
    "information_code",
    "start_date",
    "end_date",
)
_MOST_JUDGED: Final = 10_000


class Problem(NamedTuple):
    """What is wrong with a row. row 0: with the file; column from 1, 0: with the row. Never bears a value."""

    file: str
    row: int
    column: int
    name: str
    rule: str
    reason: str


class Row(NamedTuple):
    """A row. fields None: rejected. values: the fields without their padding."""

    line: Line
    fields: tuple[str, ...] | None
    values: tuple[str, ...]
    problems: tuple[Problem, ...]


class RowReader:
    """Judges the rows of one file. caller: the organization the inquiries are made for."""

    def __init__(self, profile: InputProfile, file: str, *, caller: str) -> None:
        self._profile = profile
        self._file = file
        self._caller = caller
        self._places = profile.places
        self._judged_by = itemgetter(*[profile.places[name] for name in _JUDGED if name in profile.places])
        self._judged: dict[tuple[str, ...], list[tuple[int, str, str]]] = {}

    def read(self, line: Line) -> Row:
        """Judge one line."""
        found = self._text(line)
        if isinstance(found, Problem):
            return Row(line, None, (), (found,))
        profile = self._profile
        fields = profile.split(found)
        if len(fields) != len(profile.fields):
            return Row(line, None, (), (self._field_count(line, len(fields)),))
        values = tuple([field.rstrip(" ") for field in fields]) if " " in found else fields
        problems: list[Problem] = []
        if profile.row is None or profile.row.fullmatch(found) is None:
            for place, (each, field) in enumerate(zip(profile.fields, fields, strict=True)):
                problems += self._check_form(line, each, field, values[place])
        if not problems:
            broken = self._broken_meaning(values)
            problems = [self._problem(line, profile.fields[place], rule, reason) for place, rule, reason in broken]
        if not _SUSPECT_LENGTHS.isdisjoint(map(len, values)):
            for place, value in enumerate(values):
                if len(value) in _SUSPECT_LENGTHS and looks_like_individual_number(value):
                    rule, reason = "no individual number", "INDIVIDUAL_NUMBER_REFUSED"
                    return Row(line, None, (), (self._problem(line, profile.fields[place], rule, reason),))
        return Row(line, fields, values, tuple(problems))

    def _text(self, line: Line) -> str | Problem:
        """Return the row without its end, or why it is none."""
        profile, raw = self._profile, line.raw
        broken = self._broken_bytes(line)
        if broken is not None:
            return self._whole(line, *broken)
        try:
            text = raw[: -len(profile.line_end)].decode(profile.encoding)
        except UnicodeDecodeError as error:
            return self._whole(line, profile.encoding, "FILE_ENCODING", self._column_of(raw, error.start))
        if not text.isprintable() and not text.replace(profile.delimiter, "").isprintable():  # a tab may part fields
            place = next(
                index for index, each in enumerate(text) if not each.isprintable() and each != profile.delimiter
            )
            column = self._column_of(raw, len(text[:place].encode(profile.encoding)))
            return self._whole(line, "no control character", "FILE_BINARY", column)
        return text

    def _broken_bytes(self, line: Line) -> tuple[str, str, int] | None:
        """Return (rule, reason, column) of what can be seen before decoding."""
        profile, raw, end = self._profile, line.raw, self._profile.line_end
        if not line.is_whole:
            return f"bytes<={profile.longest_row}", "ROW_TOO_LARGE", 0
        if line.row == 1 and raw.startswith(_MARKS):  # before the NULs that UTF-16 is full of
            return "no byte order mark", "FILE_ENCODING", 1
        if b"\0" in raw:
            return "no control character", "FILE_BINARY", self._column_of(raw, raw.index(0))
        if not raw.endswith(end) or raw.endswith(b"\r\n") != (end == b"\r\n"):
            return ("CRLF" if end == b"\r\n" else "LF"), "FILE_LINE_END", 0
        if line.row > profile.rows_per_file:
            return f"rows<={profile.rows_per_file}", "FILE_TOO_MANY_ROWS", 0
        return None

    def _check_form(self, line: Line, each: InputField, field: str, value: str) -> list[Problem]:
        if len(field) > each.width:
            return [self._problem(line, each, f"width={each.width}", "VALUE_TOO_LONG")]
        if not value:
            reason = "PROVIDER_BLANK" if each.meaning == "provider_code" else "VALUE_REQUIRED"
            return [self._problem(line, each, "required", reason)] if each.required else []
        if each.pattern.fullmatch(value) is None:
            return [self._problem(line, each, each.rule, "VALUE_FORMAT")]
        return []

    def _broken_meaning(self, values: tuple[str, ...]) -> list[tuple[int, str, str]]:
        """Return (place, rule, reason) of what values mean; rows alike are judged once."""
        key = self._judged_by(values)
        found = self._judged.get(key)
        if found is None:
            if len(self._judged) >= _MOST_JUDGED:
                self._judged.clear()
            found = self._judged[key] = self._check_meaning(values)
        time = self._places.get("request_time")
        if time is not None and values[time] and not _is_date(values[time][:8]):
            return [*found, (time, "a date that exists", "DATE_INVALID")]
        return found

    def _check_meaning(self, values: tuple[str, ...]) -> list[tuple[int, str, str]]:
        of = self._of
        start, end = of(values, "start_date"), of(values, "end_date")
        dates = (("start_date", start), ("end_date", end))
        broken = [(name, "a date that exists", "DATE_INVALID") for name, text in dates if text and not _is_date(text)]
        if start and end and start > end:
            broken.append(("end_date", "start<=end", "PERIOD_INVALID"))
        if not provider_of(of(values, "provider_code")):
            broken.append(("provider_code", "an organization that exists", "PROVIDER_UNKNOWN"))
        caller = of(values, "inquirer_code")
        if caller and caller != self._caller:
            broken.append(("inquirer_code", "the organization that asks", "ORGANIZATION_MISMATCH"))
        for meaning in ("inquirer_delegator_code", "provider_delegator_code"):
            code = of(values, meaning)
            if code and not _is_organization(code):
                broken.append((meaning, "an organization that exists", "ORGANIZATION_UNKNOWN"))
        if of(values, "information_code") not in _known_information():
            broken.append(("information_code", "an information that exists", "INFORMATION_UNKNOWN"))
        return [(self._places[meaning], rule, code) for meaning, rule, code in broken]

    def _of(self, values: tuple[str, ...], meaning: str) -> str:
        place = self._places.get(meaning)
        return values[place] if place is not None else ""

    def _field_count(self, line: Line, count: int) -> Problem:
        expected = len(self._profile.fields)
        rule = f"fields={expected}, got {count}"
        if count > expected:
            return self._whole(line, rule, "ROW_LONG", expected + 1)
        return self._whole(line, rule, "ROW_SHORT", count + 1)

    def _column_of(self, raw: bytes, offset: int) -> int:
        delimiter = self._profile.delimiter.encode(self._profile.encoding)
        return raw.count(delimiter, 0, offset) + 1 if delimiter else 0

    def _whole(self, line: Line, rule: str, reason: str, column: int) -> Problem:
        fields = self._profile.fields
        name = fields[column - 1].name if 0 < column <= len(fields) else ""
        return Problem(self._file, line.row, column, name, rule, reason)

    def _problem(self, line: Line, each: InputField, rule: str, reason: str) -> Problem:
        return Problem(self._file, line.row, each.position, each.name, rule, reason)


@lru_cache(maxsize=4096)
def provider_of(text: str) -> str:
    """Return the 16-digit code of a provider named by 5, 6 or 16 digits, wards folded to their city; "" if unknown."""
    try:
        return resolve_provider(text).code
    except ChukanError:
        return ""


@lru_cache(maxsize=4096)
def _is_organization(code: str) -> bool:
    try:
        organization(code)
    except ChukanError:
        return False
    return True


@lru_cache(maxsize=4096)
def _is_date(text: str) -> bool:
    try:
        parse_date(text)
    except ChukanError:
        return False
    return True


@lru_cache(maxsize=1)
def _known_information() -> frozenset[str]:
    return frozenset(information_codes())
