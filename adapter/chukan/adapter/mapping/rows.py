# SPDX-License-Identifier: Apache-2.0
"""Maps rows of an extract to the columns of a batch: whole columns at a time, no object per row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard.layouts import Item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.adapter.mapping.expression import Expression
    from chukan.adapter.mapping.extracts import DataSetMapping, ItemMapping

__all__ = ["CellFault", "Mapped", "MappedItem", "map_rows", "reason_of_rule"]

_PERIOD: Final = Item(code="", name="", type="date", max_length=8)
_REASONS: Final = {
    "required": "VALUE_REQUIRED",
    "max_length": "VALUE_TOO_LONG",
    "values": "VALUE_CODE_UNKNOWN",
    "characters": "VALUE_CHARACTER",
}


class CellFault(NamedTuple):
    """A cell that breaks a rule, by row of the batch."""

    row: int
    column: str
    item: str
    reason: str
    rule: str


class MappedItem(NamedTuple):
    """The column of one item; "" where a row is nil or has no value."""

    item_code: str
    values: Sequence[str]
    nil_rows: Sequence[int] = ()
    nil_reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """A batch's columns, and the faults that keep rows out of it."""

    parent_keys: Sequence[str]
    start_dates: Sequence[str]
    end_dates: Sequence[str]
    items: Sequence[MappedItem]
    faults: Sequence[CellFault]


def reason_of_rule(rule: str) -> str:
    """Return the reason that tells of a broken rule."""
    return _REASONS.get(rule, "VALUE_FORMAT")


def map_rows(mapping: DataSetMapping, cells: Mapping[str, Sequence[str]], rows: int) -> Mapped:
    """Map rows of one data set. cells: the columns the mapping reads, by name."""
    faults: list[CellFault] = []
    nil_because = _nil_reasons(mapping, cells, rows)
    items = [_item(each, cells, rows, nil_because, faults) for each in mapping.items]
    starts = _period(mapping.start, cells, rows, faults)
    ends = _period(mapping.end, cells, rows, faults)
    _check_order(mapping, starts, ends, faults)
    parents: Sequence[str] = ()
    if mapping.parent_key is not None:
        parents = mapping.parent_key.apply(cells, rows).values
        faults += [
            CellFault(row, mapping.parent_key.column, "", "PARENT_KEY_MISSING", "required")
            for row, key in enumerate(parents)
            if not key
        ]
    return Mapped(parents, starts, ends, items, faults)


def _item(
    mapping: ItemMapping,
    cells: Mapping[str, Sequence[str]],
    rows: int,
    nil_because: Mapping[int, str],
    faults: list[CellFault],
) -> MappedItem:
    item = mapping.item
    values, refused = mapping.expression.apply(cells, rows)
    nil_rows, reasons = _nils(mapping, values, nil_because, {row for row, _ in refused})
    broken = item.check_column(values, nil_rows=nil_rows, nil_reason_codes=reasons)
    if refused or broken:
        column, rules = mapping.expression.column, {**dict(broken), **dict(refused)}
        faults += [CellFault(row, column, item.code, reason_of_rule(rule), rule) for row, rule in rules.items()]
    return MappedItem(item.code, values, nil_rows, reasons)


def _nils(
    mapping: ItemMapping, values: Sequence[str], nil_because: Mapping[int, str], refused: set[int]
) -> tuple[list[int], list[str]]:
    """Return the rows that are nil, in their order, and why."""
    if not mapping.item.nil_allowed or not (mapping.empty or nil_because):
        return [], []
    rows = [row for row in nil_because if not values[row]]
    if mapping.empty and values.count("") > len(rows):
        rows = [row for row, value in enumerate(values) if not value]
    if refused:
        rows = [row for row in rows if row not in refused]
    return rows, [nil_because.get(row, mapping.empty) for row in rows]


def _nil_reasons(mapping: DataSetMapping, cells: Mapping[str, Sequence[str]], rows: int) -> dict[int, str]:
    """Return why empty items of a row are nil, for the rows a rule speaks of; the first rule counts."""
    reasons: dict[int, str] = {}
    for rule in reversed(mapping.nil_when):
        column = cells[rule.column]
        if not rule.values.isdisjoint(column):
            reasons.update({row: rule.reason for row in range(rows) if column[row] in rule.values})
    return dict(sorted(reasons.items()))


def _period(
    expression: Expression | None, cells: Mapping[str, Sequence[str]], rows: int, faults: list[CellFault]
) -> Sequence[str]:
    if expression is None:
        return ()
    values, refused = expression.apply(cells, rows)
    broken = {**dict(_PERIOD.check_column(values)), **dict(refused)}
    faults += [CellFault(row, expression.column, "", reason_of_rule(rule), rule) for row, rule in broken.items()]
    return values


def _check_order(mapping: DataSetMapping, starts: Sequence[str], ends: Sequence[str], faults: list[CellFault]) -> None:
    column = mapping.start.column
    if "" in starts:
        faults += [
            CellFault(row, column, "", "VALUE_REQUIRED", "required") for row, start in enumerate(starts) if not start
        ]
    faults += [
        CellFault(row, column, "", "PERIOD_INVALID", "start..end")
        for row, (start, end) in enumerate(zip(starts, ends, strict=False))
        if end and end < start
    ]
