# SPDX-License-Identifier: Apache-2.0
"""Mappings of business extracts to replicas: one file per kind of extract and edition, checked against the layout.

A record is named by 団体内統合宛名番号, data set and record key; its period is the time for which it may be published.
Which columns make key and period is [own] (docs/divergences "Mappings").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.mapping.reading import Source, shipped_and_own
from chukan.standard.layouts import NIL_REASONS, layout
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.mapping.expression import Expression
    from chukan.standard.layouts import DataSet, Item, Layout

__all__ = [
    "DATA_SET_KEYS",
    "EXTRACT_KEYS",
    "NIL_KEYS",
    "DataSetMapping",
    "ExtractMapping",
    "ItemMapping",
    "NilWhen",
    "extract_mappings",
]

EXTRACT_KEYS: Final = (
    "title", "title_english", "information", "edition", "files", "local_number", "number_system", "business_id",
    "data_set_column", "data_sets",
)  # fmt: skip
DATA_SET_KEYS: Final = ("code", "record_key", "parent_key", "start", "end", "items", "nil_when")
NIL_KEYS: Final = ("column", "is", "reason")
"""What may stand in a mapping file, in a data set of it, and in one of its `nil_when`."""

_DIGITS: Final = 2


class NilWhen(NamedTuple):
    """Why empty items of a row are nil: where the column holds one of the values, for this reason."""

    column: str
    values: frozenset[str]
    reason: str


class ItemMapping(NamedTuple):
    """Where an item comes from; empty is the nil reason of an empty value, "" leaves it absent."""

    item: Item
    expression: Expression
    empty: str


@dataclass(frozen=True, slots=True)
class DataSetMapping:
    """How rows become records of one data set."""

    data_set: DataSet
    record_key: Expression
    parent_key: Expression | None
    start: Expression
    end: Expression | None
    items: tuple[ItemMapping, ...]
    nil_when: tuple[NilWhen, ...]

    @property
    def columns(self) -> set[str]:
        """The columns it reads."""
        keys = (self.record_key, self.parent_key, self.start, self.end, *(each.expression for each in self.items))
        return {each.column for each in keys if each is not None and each.column} | {w.column for w in self.nil_when}

    def column_of(self, item_code: str) -> str:
        """Return the column an item comes from, "" where it has none."""
        return next((each.expression.column for each in self.items if each.item.code == item_code), "")


@dataclass(frozen=True, slots=True)
class ExtractMapping:
    """How the rows of an extract become replicas of one information and edition. data_sets: parents come first."""

    name: str
    title: str
    title_english: str
    layout: Layout
    files: tuple[str, ...]
    local_number: Expression
    number_system: str
    business_id: str
    data_set_column: str
    data_sets: tuple[DataSetMapping, ...]
    fingerprint: bytes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, each once."""
        named = {self.local_number.column, self.data_set_column} - {""}
        return tuple(sorted(named.union(*(each.columns for each in self.data_sets))))


def extract_mappings(folder: Path | None = None) -> tuple[ExtractMapping, ...]:
    """Return the shipped mappings of extracts and those of a folder. Errors: MAPPING_INVALID naming file and key."""
    return tuple(_extract(source) for source in shipped_and_own(folder) if not source.has("people"))


def _extract(source: Source) -> ExtractMapping:
    source.only(*EXTRACT_KEYS)
    found = _layout(source)
    number_system = source.text("number_system", "")
    if number_system and not (len(number_system) == _DIGITS and number_system.isdigit()):
        raise source.fault("number_system", "expected 2 digits")
    by_code: dict[str, DataSetMapping] = {}
    for table in source.tables("data_sets"):
        each = _data_set(table, found)
        if each.data_set.code in by_code:
            raise table.fault("code", "stands twice")
        by_code[each.data_set.code] = each
    if not by_code:
        raise source.fault("data_sets", "expected at least one data set")
    column = source.text("data_set_column", "")
    if len(by_code) > 1 and not column:
        raise source.fault("data_set_column", "several data sets need the column that tells them apart")
    return ExtractMapping(
        name=source.file,
        title=source.text("title"),
        title_english=source.text("title_english", source.text("title")),
        layout=found,
        files=source.texts("files", required=True),
        local_number=source.expression("local_number"),
        number_system=number_system,
        business_id=source.text("business_id", ""),
        data_set_column=column,
        data_sets=tuple(sorted(by_code.values(), key=lambda each: _depth(each.data_set, found))),
        fingerprint=source.fingerprint,
    )


def _layout(source: Source) -> Layout:
    try:
        return layout(source.text("information"), source.text("edition"))
    except ChukanError as error:
        key = "information" if error.code == "INFORMATION_UNKNOWN" else "edition"
        raise source.fault(key, error.reason.english) from None


def _depth(data_set: DataSet, found: Layout) -> int:
    return 0 if data_set.parent is None else 1 + _depth(found.data_set(data_set.parent), found)


def _data_set(source: Source, found: Layout) -> DataSetMapping:
    source.only(*DATA_SET_KEYS)
    code = source.text("code")
    data_set = found.by_code.get(code)
    if data_set is None:
        raise source.fault("code", f"expected one of {', '.join(found.by_code)}")
    if (data_set.parent is not None) != source.has("parent_key"):
        need = "needs" if data_set.parent is not None else "has no"
        raise source.fault("parent_key", f"data set {code} {need} parent key")
    items = source.table("items")
    mapped = tuple(_item(items, key, data_set) for key in items.keys())  # noqa: SIM118 - not a dictionary
    named = {each.item.code for each in mapped}
    for item in data_set.required_items:
        if item.code not in named:
            raise source.fault("items", f"required item {item.code} {item.name} has no source")
    return DataSetMapping(
        data_set=data_set,
        record_key=source.expression("record_key"),
        parent_key=source.expression("parent_key") if source.has("parent_key") else None,
        start=source.expression("start"),
        end=source.expression("end") if source.has("end") else None,
        items=mapped,
        nil_when=tuple(_nil_when(table) for table in source.tables("nil_when")),
    )


def _item(source: Source, key: str, data_set: DataSet) -> ItemMapping:
    item = data_set.by_code.get(key)
    if item is None:
        raise source.fault(key, f"data set {data_set.code} has no such item")
    if item.void:
        raise source.fault(key, "the item is void in this edition")
    expression, empty = source.expression(key), source.empty_of(key)
    if empty and not item.nil_allowed:
        raise source.fault(key, "empty names a nil reason, but the item may not be nil")
    if empty and empty not in NIL_REASONS:
        raise source.fault(key, f"empty: expected one of {', '.join(NIL_REASONS)}")
    for value in sorted(expression.results or ()):
        rule = item.check(value) if value else ""
        if rule:
            raise source.fault(key, f"a constant or code of the table breaks the layout's rule {rule}")
    return ItemMapping(item, expression, empty)


def _nil_when(source: Source) -> NilWhen:
    source.only(*NIL_KEYS)
    reason = source.text("reason")
    if reason not in NIL_REASONS:
        raise source.fault("reason", f"expected one of {', '.join(NIL_REASONS)}")
    return NilWhen(source.text("column"), frozenset(source.texts("is", required=True)), reason)
