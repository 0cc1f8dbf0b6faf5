# SPDX-License-Identifier: Apache-2.0
"""Data standard layouts (データ標準レイアウト): the data sets and items of an information (特定個人情報名), by edition.

The shipped layouts are synthetic: sensible items [?] under own item codes (TK9 …) [own], two editions each
(docs/divergences "Layouts"). One file per information and edition, read when first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chukan.standard._data import file_names, read_toml
from chukan.standard.items import FIXED_LENGTHS, ITEM_TYPES, NIL_REASONS, Item, NilReason
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

__all__ = [
    "FIXED_LENGTHS",
    "ITEM_TYPES",
    "NIL_REASONS",
    "DataSet",
    "Item",
    "Layout",
    "NilReason",
    "editions",
    "information_codes",
    "layout",
    "layout_in_force",
    "layouts",
]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set of a layout.

    parent is the data set whose record key a record must name beside its own; key_item is the item whose value also is
    the data set record key.
    """

    code: str
    name: str
    parent: str | None
    key_item: str | None
    items: tuple[Item, ...]
    by_code: Mapping[str, Item] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", MappingProxyType({item.code: item for item in self.items}))

    def item(self, code: str) -> Item:
        """Return the item with this code. Errors: ITEM_UNKNOWN."""
        try:
            return self.by_code[code]
        except KeyError:
            raise ChukanError("ITEM_UNKNOWN") from None

    @property
    def required_items(self) -> tuple[Item, ...]:
        """The items every record must bring, as a value or as nil."""
        return tuple(item for item in self.items if item.required and not item.void)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one information in one edition. valid_to None: no end is set.

    period says how records of one person are told apart in time: "year" (tax years) or "date" (valid from, to).
    """

    information_code: str
    name: str
    english: str
    description: str
    edition: str
    period: str
    valid_from: date
    valid_to: date | None
    data_sets: tuple[DataSet, ...]
    by_code: Mapping[str, DataSet] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_code", MappingProxyType({found.code: found for found in self.data_sets}))

    def data_set(self, code: str) -> DataSet:
        """Return the data set with this code. Errors: DATA_SET_UNKNOWN."""
        try:
            return self.by_code[code]
        except KeyError:
            raise ChukanError("DATA_SET_UNKNOWN") from None

    def is_in_force(self, on: date) -> bool:
        """Whether the edition is in force on the date."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


def information_codes() -> tuple[str, ...]:
    """Return the codes of every information that has a layout."""
    return tuple(_index())


def editions(information_code: str) -> tuple[str, ...]:
    """Return the editions of an information, oldest first. Errors: INFORMATION_UNKNOWN."""
    try:
        return _index()[information_code]
    except KeyError:
        raise ChukanError("INFORMATION_UNKNOWN") from None


def layout(information_code: str, edition: str) -> Layout:
    """Return a layout. Errors: INFORMATION_UNKNOWN, EDITION_UNKNOWN."""
    if edition not in editions(information_code):
        raise ChukanError("EDITION_UNKNOWN")
    return _load(information_code, edition)


def layout_in_force(information_code: str, on: date) -> Layout:
    """Return the layout in force on a date. Errors: INFORMATION_UNKNOWN, EDITION_NOT_IN_FORCE."""
    for edition in reversed(editions(information_code)):
        found = _load(information_code, edition)
        if found.is_in_force(on):
            return found
    raise ChukanError("EDITION_NOT_IN_FORCE")


def layouts() -> tuple[Layout, ...]:
    """Return every layout, by information and edition."""
    return tuple(_load(code, edition) for code, found in _index().items() for edition in found)


@cache
def _index() -> Mapping[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for name in file_names("layouts"):
        code, edition = name.removesuffix(".toml").split("_")
        index[code] = (*index.get(code, ()), edition)
    return MappingProxyType(index)


@cache
def _load(information_code: str, edition: str) -> Layout:
    data = read_toml("layouts", f"{information_code}_{edition}.toml")
    return Layout(
        information_code=data["information"],
        name=data["name"],
        english=data["english"],
        description=data["description"],
        edition=data["edition"],
        period=data["period"],
        valid_from=data["valid_from"],
        valid_to=data.get("valid_to"),
        data_sets=tuple(_data_set(row) for row in data["data_sets"]),
    )


def _data_set(row: Mapping[str, Any]) -> DataSet:
    return DataSet(
        code=row["code"],
        name=row["name"],
        parent=row.get("parent"),
        key_item=row.get("key_item"),
        items=tuple(_item(item) for item in row["items"]),
    )


def _item(row: Mapping[str, Any]) -> Item:
    values: Mapping[str, str] = row.get("values", {})
    plain = {name: value for name, value in row.items() if name not in ("values", "max_length")}
    return Item(
        max_length=row["max_length"] if "max_length" in row else FIXED_LENGTHS[row["type"]],
        values=tuple(values),
        value_names=tuple(values.values()),
        **plain,
    )
