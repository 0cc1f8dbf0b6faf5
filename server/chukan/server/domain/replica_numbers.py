# SPDX-License-Identifier: Apache-2.0
"""No 個人番号 in a replica: the middle server may not hold it, whatever column it comes in (番号法, domain facts §1).

Twelve digits with a valid check digit are refused in every column that names or identifies: items of type code wide
enough for one, keys, ward codes and reasons of deletion. Amounts and texts are not searched: one of ten arbitrary
twelve-digit amounts would pass for a number (docs/divergences "Individual numbers").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.server.domain.linkage import RowFailure
from chukan.standard.numbers import is_municipality_code, rows_like_individual_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chukan.server.domain.replica import ReplicaBatch
    from chukan.standard.layouts import DataSet

__all__ = ["check_identifiers"]

_WIDTH: Final = 12


def check_identifiers(batch: ReplicaBatch, data_set: DataSet, failures: dict[int, RowFailure]) -> None:
    """Add the failures of identifying columns, of rows that did not fail yet."""
    for failure in (*_in_columns(batch, data_set), *_in_items(batch, data_set)):
        failures.setdefault(failure.row, failure)


def _in_columns(batch: ReplicaBatch, data_set: DataSet) -> Iterator[RowFailure]:
    named = (
        ("parent_record_keys", batch.parent_keys),
        ("ward_codes", batch.ward_codes),
        ("delete_reasons", batch.delete_reasons),
    )
    for field, values in named:
        for row in rows_like_individual_numbers(values):
            yield RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", field)
    if data_set.parent is None:
        for row in _filled(batch.parent_keys):
            yield RowFailure(row, "PARENT_KEY_UNEXPECTED", "parent_record_keys")
    for row in _filled(batch.ward_codes):
        if not is_municipality_code(batch.ward_codes[row]):
            yield RowFailure(row, "NUMBER_MALFORMED", "ward_codes", rule="digits=6, check digit")


def _in_items(batch: ReplicaBatch, data_set: DataSet) -> Iterator[RowFailure]:
    for column in batch.columns:
        item = data_set.item(column.item_code)
        if item.type == "code" and not item.values and item.max_length >= _WIDTH and _may_hold(column.values):
            for row in rows_like_individual_numbers(column.values):
                if not batch.deletes(row):
                    yield RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", "items", column.item_code)


def _may_hold(values: Sequence[str]) -> bool:
    """Whether any value has the width of a number: what is not plain letters and digits has failed already."""
    return _WIDTH in set(map(len, values))


def _filled(values: Sequence[str]) -> list[int]:
    return [row for row, value in enumerate(values) if value] if any(values) else []
