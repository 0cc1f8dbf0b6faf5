# SPDX-License-Identifier: Apache-2.0
"""From raw rows of an extract to columns ready to be sent: steps 2 to 5 of a replica lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.mapping.rows import CellFault, map_rows, reason_of_rule
from chukan.adapter.sync.rows import by_value, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from chukan.adapter.mapping import DataSetMapping, ExtractMapping, Mapped
    from chukan.adapter.mapping.expression import Column, Expression
    from chukan.adapter.sources import DelimitedFile
    from chukan.adapter.sync.lane import Desk
    from chukan.adapter.sync.memory import Memory
    from chukan.adapter.sync.numbers import Numbers
    from chukan.adapter.sync.rows import RawRows, Rows

__all__ = ["Named", "Preparation", "Ready", "missing", "record_names", "wrong_local_numbers"]

_DIGITS: Final = 15


class Named(NamedTuple):
    """Rows with what names their records: local numbers, record keys, digests of both."""

    rows: Rows
    local: Sequence[str]
    record_keys: Sequence[str]
    keys: Sequence[bytes]

    def take(self, indexes: Sequence[int]) -> Named:
        """Return some of the rows."""
        if len(indexes) == len(self.rows):
            return self
        return Named(
            self.rows.take(indexes),
            [self.local[row] for row in indexes],
            [self.record_keys[row] for row in indexes],
            [self.keys[row] for row in indexes],
        )


class Ready(NamedTuple):
    """Rows of one data set, mapped; numbers are integrated address numbers, local ones in a dry run."""

    mapping: DataSetMapping
    named: Named
    numbers: Sequence[str]
    mapped: Mapped


def record_names(
    mapping: DataSetMapping, number_system: str, business_id: str, local: Iterable[str], record_keys: Iterable[str]
) -> list[str]:
    """Return what names records towards the memory: data set, whose number it is, number, record key."""
    head = f"{mapping.data_set.code}\x1f{number_system}\x1f{business_id}\x1f"
    return [f"{head}{number}\x1f{key}" for number, key in zip(local, record_keys, strict=True)]


class Preparation:
    """Prepares the rows of one information. under_way: keys of records sent and not yet answered."""

    def __init__(
        self, mapping: ExtractMapping, memory: Memory, desk: Desk, *, numbers: Numbers | None, under_way: set[bytes]
    ) -> None:
        self._mapping = mapping
        self._memory = memory
        self._desk = desk
        self._numbers = numbers
        self._under_way = under_way
        self._system = mapping.number_system or desk.options.number_system
        self._columns = mapping.columns

    def ready(self, file: DelimitedFile, raw: RawRows) -> Iterator[Ready]:
        """Yield what is to be sent of some raw rows, parents' data sets first."""
        rows, faults = parse(file, raw)
        if faults:
            self._desk.refuse(file, faults)
            self._desk.unreadable += len(faults)
        for mapping, part in self._by_data_set(rows):
            cells = part.columns(self._columns)
            named = self._named(mapping, part, cells)
            kept = self._changed(mapping, named)
            if len(kept) < len(part):
                named = named.take(kept)
                cells = named.rows.columns(self._columns)
            if len(named.rows):
                yield from self._mapped(mapping, named, cells)

    def _by_data_set(self, rows: Rows) -> Iterator[tuple[DataSetMapping, Rows]]:
        """Step 2."""
        mappings, column = self._mapping.data_sets, self._mapping.data_set_column
        if not len(rows):
            return
        if not column:
            yield mappings[0], rows
            return
        groups = by_value(rows.columns([column])[column])
        for mapping in mappings:
            if mapping.data_set.code in groups:
                yield mapping, rows.take(groups.pop(mapping.data_set.code))
        unknown = [
            CellFault(row, column, "", "VALUE_CODE_UNKNOWN", "values") for group in groups.values() for row in group
        ]
        self._desk.unreadable += len(self._desk.refuse_cells(rows.file, unknown, rows.numbers))

    def _named(self, mapping: DataSetMapping, rows: Rows, cells: Mapping[str, Sequence[str]]) -> Named:
        """Find out what names the records; rows that name none are refused."""
        local_number, record_key = self._mapping.local_number, mapping.record_key
        local, keys = local_number.apply(cells, len(rows)), record_key.apply(cells, len(rows))
        faults = [*wrong_local_numbers(local_number, local), *missing(record_key, keys)]
        if faults:
            refused = self._desk.refuse_cells(rows.file, faults, rows.numbers)
            self._desk.unreadable += len(refused)
            kept = [row for row in range(len(rows)) if row not in refused]
            part = rows.take(kept)
            return self._named(mapping, part, part.columns(self._columns))
        names = record_names(mapping, self._system, self._mapping.business_id, local.values, keys.values)
        return Named(rows, local.values, keys.values, self._memory.key_digests(names))

    def _changed(self, mapping: DataSetMapping, named: Named) -> Sequence[int]:
        """Step 3: return the rows to go on with."""
        memory, desk, rows = self._memory, self._desk, named.rows
        known = memory.known(named.keys)
        distinct = set(named.keys)
        if not known and len(distinct) == len(named.keys) and distinct.isdisjoint(self._under_way):
            return range(len(rows))
        kept: list[int] = []
        doubled: list[CellFault] = []
        batch: set[bytes] = set()
        for row, key in enumerate(named.keys):
            held = known.get(key)
            if key in batch or key in self._under_way or (held is not None and memory.is_seen(held[0])):
                doubled.append(CellFault(row, mapping.record_key.column, "", "RECORD_DUPLICATE", ""))
                continue
            batch.add(key)
            if held is None:
                kept.append(row)
                continue
            memory.see(held[0])
            if held[1] != rows.digests[row]:
                kept.append(row)
            elif not desk.quiet:
                desk.report.not_changed += 1
        if doubled:
            desk.refuse_cells(rows.file, doubled, rows.numbers)
        return kept

    def _mapped(self, mapping: DataSetMapping, named: Named, cells: Mapping[str, Sequence[str]]) -> Iterator[Ready]:
        """Take steps 4 and 5."""
        numbers, left_out = self._converted(named)
        mapped = map_rows(mapping, cells, len(named.rows))
        faults = [fault for fault in mapped.faults if fault.row not in left_out]
        if faults:
            left_out |= self._desk.refuse_cells(named.rows.file, faults, named.rows.numbers)
        if left_out:
            kept = [row for row in range(len(named.rows)) if row not in left_out]
            if not kept:
                return
            named, numbers = named.take(kept), [numbers[row] for row in kept]
            mapped = map_rows(mapping, named.rows.columns(self._columns), len(kept))
        yield Ready(mapping, named, numbers, mapped)

    def _converted(self, named: Named) -> tuple[Sequence[str], set[int]]:
        """Return integrated numbers, and the rows that are not to be sent."""
        if self._numbers is None:
            return named.local, set()
        desk, rows = self._desk, named.rows
        converted = self._numbers.integrated(named.local, system=self._system, business=self._mapping.business_id)
        column = self._mapping.local_number.column
        faults = [CellFault(row, column, "", reason, "") for row, reason in converted.reasons.items()]
        left_out = desk.refuse_cells(rows.file, faults, rows.numbers)
        unnumbered = self._numbers.unnumbered()
        if not unnumbered.isdisjoint(converted.numbers):
            without = {row for row, number in enumerate(converted.numbers) if number in unnumbered}
            desk.report.not_provided_no_individual_number += len(without)
            left_out |= without
        return converted.numbers, left_out


def missing(expression: Expression, column: Column) -> Iterator[CellFault]:
    """Yield the rows a key is refused or missing in."""
    for row, rule in column.refused:
        yield CellFault(row, expression.column, "", reason_of_rule(rule), rule)
    if "" in column.values:
        refused = {row for row, _ in column.refused}
        for row, value in enumerate(column.values):
            if not value and row not in refused:
                yield CellFault(row, expression.column, "", "VALUE_REQUIRED", "required")


def wrong_local_numbers(expression: Expression, column: Column) -> Iterator[CellFault]:
    """Yield the rows whose local number is missing or has not 15 digits."""
    whole, lengths = "".join(column.values), set(map(len, column.values))
    if lengths <= {_DIGITS} and whole.isascii() and (whole.isdigit() or not whole) and not column.refused:
        return
    yield from missing(expression, column)
    for row, number in enumerate(column.values):
        if number and not (len(number) == _DIGITS and number.isascii() and number.isdigit()):
            yield CellFault(row, expression.column, "", "LOCAL_NUMBER_FORMAT", "digits=15")
