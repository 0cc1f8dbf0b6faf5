# SPDX-License-Identifier: Apache-2.0
"""The result profile: which column of a result file holds what (domain facts §3c; docs/divergences "Inquiry files").

Item columns are found by item code, never by position in the answer: the wanted columns moved by 17 from one cut to
the next. An item keeps its column from one edition of its layout to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.exchange.input_profile import InputProfile, input_profile
from chukan.adapter.exchange.messages import Messages, messages
from chukan.adapter.exchange.profile_files import read_profile, wrong
from chukan.standard import layouts
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["COLUMNS", "ResultProfile", "result_profile"]

COLUMNS: Final = (
    "request",
    "provider_code",
    "provider_name",
    "record_id",
    "receipt_number",
    "record_ordinal",
    "row_status",
    "row_message",
    "information_status",
    "information_message",
    "answer_kind",
    "reason",
    "data_set",
    "edition",
    "record_key",
    "parent_record_key",
    "start_date",
    "end_date",
    "provision_time",
    "expire_date",
    "record_count",
)
"""What a column beside the items can hold; "request" is the first of the request's fields."""

_QUOTING: Final = ("minimal", "all", "none")


@dataclass(frozen=True, slots=True)
class ResultProfile:
    """How result files are written. nil_reason_beside: the reason of nil stands in the column after the item."""

    name: str
    width: int
    encoding: str
    line_end: str
    quoting: str
    nil_text: str
    nil_reason_beside: bool
    columns: Mapping[str, int]
    first_item: int
    last_item: int
    item_step: int
    fixed_items: Mapping[str, Mapping[str, int]]
    inserts: Sequence[tuple[int, int]]
    input: InputProfile
    messages: Messages
    _places: dict[str, Mapping[str, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def item_places(self, information: str) -> Mapping[str, int]:
        """Return the column of each item of an information; empty for one without a layout."""
        if information not in self._places:
            self._places[information] = self._assign(information)
        return self._places[information]

    def moved(self, column: int) -> int:
        """Return where a column of the first cut stands in this one."""
        for before, count in self.inserts:
            column += count if column >= before else 0
        return column

    def _assign(self, information: str) -> Mapping[str, int]:
        fixed = self.fixed_items.get(information, {})
        free = iter(
            [
                place
                for place in range(self.first_item, self.last_item + 1, self.item_step)
                if place not in fixed.values()
            ]
        )
        places: dict[str, int] = {}
        for code in _item_codes(information):
            place = fixed.get(code) or next(free, None)
            if place is None:
                raise wrong(self.name, "items.last", f"room for every item of {information}")
            places[code] = self.moved(place)
        return places


def result_profile(name: str) -> ResultProfile:
    """Read a result profile with all it names. Errors: PROFILE_UNKNOWN, SETTING_INVALID."""
    data, inserts = _read(name, None)
    try:
        return _profile(data, inserts)
    except KeyError as error:
        raise wrong(name, str(error.args[0]), "missing") from None


def _read(name: str, beside: Path | None) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    """Return a profile with what it takes over from the one it is like, and the columns put in between."""
    data, path = read_profile("result", name, beside)
    for key in ("input", "messages"):
        if data.get(key, "").endswith(".toml"):
            data[key] = str(path.parent / data[key])
    inserts = [(row["before"], row["count"]) for row in data.get("insert", ())]
    if "like" not in data:
        return data, inserts
    model, earlier = _read(data["like"], path)
    return {**model, **data}, earlier + inserts


def _profile(data: Mapping[str, Any], inserts: list[tuple[int, int]]) -> ResultProfile:
    name = data["name"]
    if data["quoting"] not in _QUOTING:
        raise wrong(name, "quoting", "|".join(_QUOTING))
    unknown = data["columns"].keys() - set(COLUMNS)
    if unknown:
        raise wrong(name, "columns", "not " + " ".join(sorted(unknown)))
    items, nil = data["items"], data["nil"]
    profile = ResultProfile(
        name=name,
        width=data["width"],
        encoding=data["encoding"],
        line_end={"crlf": "\r\n", "lf": "\n"}[data["line_end"]],
        quoting=data["quoting"],
        nil_text=nil["text"],
        nil_reason_beside=nil["reason_column"] == "next",
        columns={},
        first_item=items["first"],
        last_item=items["last"],
        item_step=items["step"],
        fixed_items=items.get("at", {}),
        inserts=tuple(inserts),
        input=input_profile(data["input"]),
        messages=messages(data["messages"]),
    )
    columns = {key: profile.moved(place) for key, place in data["columns"].items()}
    object.__setattr__(profile, "columns", MappingProxyType(columns))
    _check(profile)
    return profile


def _check(profile: ResultProfile) -> None:
    """No two things in one column, none outside the width."""
    step, last = profile.item_step, profile.moved(profile.last_item)
    if last + (step if profile.nil_reason_beside else 1) > profile.width:
        raise wrong(profile.name, "width", "room for the last item")
    if profile.nil_reason_beside and step < 2:  # noqa: PLR2004  # an item and its reason
        raise wrong(profile.name, "items.step", "at least 2 with a reason column")
    request = profile.columns.get("request", 0)
    taken = [*range(request, request + len(profile.input.fields))]
    taken += [place for key, place in profile.columns.items() if key != "request"]
    taken += range(profile.moved(profile.first_item), last + 1)
    if len(taken) != len(set(taken)) or max(taken) >= profile.width:
        raise wrong(profile.name, "columns", "each column once, within the width")


@cache
def _item_codes(information: str) -> tuple[str, ...]:
    """Return the items of all editions of a layout, in the order in which the editions, oldest first, bring them."""
    try:
        editions = layouts.editions(information)
    except ChukanError:
        return ()
    found: dict[str, None] = {}
    for edition in editions:
        for data_set in layouts.layout(information, edition).data_sets:
            found.update(dict.fromkeys(item.code for item in data_set.items))
    return tuple(found)
