# SPDX-License-Identifier: Apache-2.0
"""The input profile: how an inquiry file is written, field by field (docs/divergences "Inquiry files").

A profile is data; this module reads it, checks it and makes of it one pattern a whole row is matched with at once.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.exchange.profile_files import read_profile, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INPUT_TYPES", "MEANINGS", "NEEDED", "InputField", "InputProfile", "input_profile"]

MEANINGS: Final = (
    "number_system",
    "local_address_number",
    "integrated_address_number",
    "request_time",
    "department",
    "user_id",
    "inquirer_code",
    "nondisclosure_code",
    "affair_code",
    "procedure_code",
    "inquirer_delegator_code",
    "provider_delegator_code",
    "provider_code",
    "information_code",
    "condition_kind",
    "year_kind",
    "start_date",
    "end_date",
)
"""What a field can mean; a field of another body's file that means nothing here has the meaning ""."""

NEEDED: Final = frozenset(
    {"number_system", "local_address_number", "affair_code", "procedure_code", "provider_code", "information_code"}
)
_LINE_ENDS: Final = MappingProxyType({"crlf": b"\r\n", "lf": b"\n"})
_CLOCK: Final = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9][0-9]{3}"
INPUT_TYPES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "digits": ("[0-9]{WIDTH}", "digits=WIDTH"),
        "digit": ("[0-9]", "digit"),
        "text": ("[^DELIMITER ](?:[^DELIMITER]*[^DELIMITER ])?", "printable"),
        "instant": ("[0-9]{8}" + _CLOCK, "yyyyMMddHHmmssSSS"),
        "date": ("[0-9]{8}", "yyyyMMdd"),
        "organization": ("[0-9]{16}", "digits=16"),
        "provider": ("(?:[0-9]{5}|[0-9]{6}|[0-9]{16})", "digits=5|6|16"),
        "affair": ("JM[0-9A-Z]{14}", "JM+14"),
        "procedure": ("JT[0-9A-Z]{14}", "JT+14"),
        "information": ("TM[0-9A-Z]{14}", "TM+14"),
    }
)
"""Per type: the pattern of a value that is not blank, and the rule as staff are told it."""


@dataclass(frozen=True, slots=True)
class InputField:
    """One field. position counts from 1, as staff count."""

    position: int
    meaning: str
    name: str
    width: int
    type: str
    required: bool
    pattern: re.Pattern[str] = field(repr=False, compare=False)

    @property
    def rule(self) -> str:
        """The rule of the type."""
        return INPUT_TYPES[self.type][1].replace("WIDTH", str(self.width))


@dataclass(frozen=True, slots=True)
class InputProfile:
    """How the files are written. delimiter "": fixed widths; then row is None, else it matches a row in good form."""

    name: str
    encoding: str
    line_end: bytes
    delimiter: str
    rows_per_file: int
    longest_row: int
    files: str
    business_ids: tuple[str, ...]
    time_out_seconds: int
    consent: bool
    fields: tuple[InputField, ...]
    row: re.Pattern[str] | None = field(repr=False, compare=False)
    places: Mapping[str, int] = field(repr=False, compare=False)

    def split(self, text: str) -> tuple[str, ...]:
        """Cut a row into its fields."""
        if self.delimiter:
            return tuple(text.split(self.delimiter))
        found: list[str] = []
        start = 0
        for each in self.fields:
            if start < len(text):
                found.append(text[start : start + each.width])
            start += each.width
        return (*found, text[start:]) if start < len(text) else tuple(found)


def input_profile(name: str) -> InputProfile:
    """Read an input profile. Errors: PROFILE_UNKNOWN, SETTING_INVALID."""
    data, _ = read_profile("input", name)
    try:
        return _profile(name, data)
    except KeyError as error:
        raise wrong(name, str(error.args[0]), "missing") from None


def _profile(name: str, data: Mapping[str, Any]) -> InputProfile:
    delimiter = data["delimiter"]
    if len(delimiter) > 1:
        raise wrong(name, "delimiter", "at most one character")
    try:
        encoding = codecs.lookup(data["encoding"]).name
    except LookupError:
        raise wrong(name, "encoding", "a known encoding") from None
    if data["line_end"] not in _LINE_ENDS:
        raise wrong(name, "line_end", "|".join(_LINE_ENDS))
    fields = tuple(_field(name, delimiter, position, row) for position, row in enumerate(data["fields"], 1))
    places = {each.meaning: each.position - 1 for each in fields if each.meaning}
    missing = NEEDED - places.keys()
    if missing:
        raise wrong(name, "fields", "missing " + " ".join(sorted(missing)))
    if len(places) != sum(1 for each in fields if each.meaning):
        raise wrong(name, "fields", "each meaning once")
    return InputProfile(
        name=name,
        encoding=encoding,
        line_end=_LINE_ENDS[data["line_end"]],
        delimiter=delimiter,
        rows_per_file=data["rows_per_file"],
        longest_row=data["longest_row"],
        files=data["files"],
        business_ids=tuple(data["business_ids"]),
        time_out_seconds=data["time_out_hours"] * 3600,
        consent=data["consent"],
        fields=fields,
        row=re.compile(re.escape(delimiter).join(_cell(each, delimiter) for each in fields)) if delimiter else None,
        places=MappingProxyType(places),
    )


def _field(name: str, delimiter: str, position: int, row: Mapping[str, Any]) -> InputField:
    width, kind, meaning = row["width"], row["type"], row.get("meaning", "")
    if kind not in INPUT_TYPES:
        raise wrong(name, f"fields[{position}].type", "|".join(INPUT_TYPES))
    if meaning and meaning not in MEANINGS:
        raise wrong(name, f"fields[{position}].meaning", "|".join(MEANINGS))
    pattern = INPUT_TYPES[kind][0].replace("WIDTH", str(width)).replace("DELIMITER", re.escape(delimiter))
    return InputField(
        position=position,
        meaning=meaning,
        name=row["name"],
        width=width,
        type=kind,
        required=row.get("required", False),
        pattern=re.compile(pattern),
    )


def _cell(each: InputField, delimiter: str) -> str:
    """Return the pattern of the field with its padding; a blank one is empty or spaces, at most the width."""
    within = f"(?=[^{re.escape(delimiter)}]{{0,{each.width}}}(?:{re.escape(delimiter)}|$))"
    return f"{within}(?:{each.pattern.pattern}){'' if each.required else '?'} *"
