# SPDX-License-Identifier: Apache-2.0
"""The rules a batch of replicas (副本) is checked against before anything is written.

Rules that concern a batch as a whole are raised as ChukanError; rules that concern a row come back as row failures, so
that one bad row never stops the others. Sources: domain facts on registration messages; the layouts of
`chukan.standard.layouts`; the rule on overlapping periods is [own] (docs/divergences "Replicas").
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from chukan.server.domain.linkage import RowFailure
from chukan.server.domain.replica_numbers import check_identifiers
from chukan.standard.characters import is_linkable
from chukan.standard.codes import is_item_code
from chukan.standard.layouts import layout
from chukan.standard.numbers import looks_like_individual_number, rows_like_individual_numbers
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from chukan.server.domain.content import Column
    from chukan.server.domain.replica import ReplicaBatch
    from chukan.standard.layouts import DataSet, Layout

__all__ = ["check_batch", "check_edition", "check_rows", "reason_of_rule"]

_KEY_WIDTH: Final = 64
_WARD_WIDTH: Final = 16
_REASON_WIDTH: Final = 100
_FIELDS: Final = {
    "INFORMATION_UNKNOWN": "information_code",
    "EDITION_UNKNOWN": "edition",
    "DATA_SET_UNKNOWN": "data_set",
}
"""Where the cause stands of what a layout does not know."""
_OPERATIONS: Final = frozenset({0, 1, 2})
_RULES: Final = {
    "required": "ITEM_REQUIRED",
    "void": "ITEM_VOID",
    "nil_not_allowed": "NIL_NOT_ALLOWED",
    "nil_row": "NIL_ROW_INVALID",
    "nil_with_value": "NIL_ROW_INVALID",
}


def check_batch(batch: ReplicaBatch, *, about: Collection[str] = ()) -> tuple[Layout, DataSet]:
    """Return layout and data set of a batch that is well-formed as a whole.

    about: the items it is to have where they are required, empty = all.
    Errors: INFORMATION_UNKNOWN, EDITION_UNKNOWN, DATA_SET_UNKNOWN, ITEM_UNKNOWN, ITEM_DUPLICATE, COLUMNS_UNEQUAL,
    ITEM_REQUIRED (a required item has no column).
    """
    codes = [column.item_code for column in batch.columns]
    try:
        found = layout(batch.information_code, batch.edition)
        data_set = found.data_set(batch.data_set)
    except ChukanError as error:
        raise ChukanError(error.code, field=_FIELDS[error.code]) from None
    _check_lengths(batch)
    _check_items(data_set, codes)
    if len(set(codes)) != len(codes):
        raise ChukanError("ITEM_DUPLICATE", field="items")
    if any(not batch.deletes(row) for row in range(batch.rows)):
        missing = [
            item.code
            for item in data_set.required_items
            if item.code not in codes and (not about or item.code in about)
        ]
        if missing:
            raise ChukanError("ITEM_REQUIRED", field="items", params={"item_code": missing[0]})
    return found, data_set


def check_edition(batch: ReplicaBatch, found: Layout, today: date) -> dict[int, RowFailure]:
    """Return the rows an edition is not for: in force it takes every period, else the periods it was in force in.

    So what belongs to a year that is over can still be put right in that year's edition [own] (docs/divergences
    "Replicas").
    """
    if found.is_in_force(today):
        return {}
    first, last = f"{found.valid_from:%Y%m%d}", f"{found.valid_to:%Y%m%d}" if found.valid_to else ""
    ends = batch.end_dates or ("",) * batch.rows
    return {
        row: RowFailure(row, "EDITION_NOT_IN_FORCE", "edition", rule="in_force")
        for row, (start, end) in enumerate(zip(batch.start_dates, ends, strict=True))
        if not batch.deletes(row) and ((end and end < first) or (last and start > last))
    }


def check_rows(batch: ReplicaBatch, data_set: DataSet) -> dict[int, RowFailure]:
    """Return the failures of the rows as far as the batch alone shows them, the first one of each row."""
    failures: dict[int, RowFailure] = {}
    for field, values in (("record_ids", batch.record_ids), ("record_keys", batch.record_keys)):
        for row in rows_like_individual_numbers(values):
            failures.setdefault(row, RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", field))
    _check_texts(batch.record_ids, "record_ids", "RECORD_ID_FORMAT", failures)
    _check_texts(batch.record_keys, "record_keys", "RECORD_KEY_MISSING", failures)
    _check_kept(batch, failures)
    _check_duplicates(batch.record_ids, "record_ids", failures)
    _check_duplicates(list(zip(batch.numbers, batch.record_keys, strict=True)), "record_keys", failures)
    if data_set.parent is not None:
        _check_parents(batch, failures)
    _check_periods(batch, failures)
    _check_deletions(batch, failures)
    for column in batch.columns:
        _check_column(batch, column, data_set, failures)
    check_identifiers(batch, data_set, failures)
    _check_keys(batch, data_set, failures)
    return failures


def _check_items(data_set: DataSet, codes: Sequence[str]) -> None:
    for code in codes:
        try:
            data_set.item(code)
        except ChukanError as error:
            named = {"item_code": code} if is_item_code(code) else {}
            raise ChukanError(error.code, field="items", params=named) from None


def reason_of_rule(rule: str) -> str:
    """Return the reason of a layout's rule that an item breaks."""
    return _RULES.get(rule) or ("NIL_REASON_INVALID" if rule.startswith("nil") else "ITEM_VALUE_INVALID")


def _check_lengths(batch: ReplicaBatch) -> None:
    rows = batch.rows
    needed = {
        "integrated_address_numbers": batch.numbers,
        "record_keys": batch.record_keys,
        "start_dates": batch.start_dates,
    }
    optional = {
        "parent_record_keys": batch.parent_keys,
        "end_dates": batch.end_dates,
        "operations": batch.operations,
        "delete_reasons": batch.delete_reasons,
        "ward_codes": batch.ward_codes,
    }
    for field, column in needed.items():
        if len(column) != rows:
            raise ChukanError("COLUMNS_UNEQUAL", field=field)
    for field, given in optional.items():
        if given and len(given) != rows:
            raise ChukanError("COLUMNS_UNEQUAL", field=field)
    for each in batch.columns:
        if len(each.values) != rows or len(each.nil_rows) != len(each.nil_reasons):
            raise ChukanError("COLUMNS_UNEQUAL", field="items", params={"item_code": each.item_code})
        if each.nil_rows and max(each.nil_rows) >= rows:
            raise ChukanError("NIL_ROW_INVALID", field="items", params={"item_code": each.item_code})


def _check_texts(values: Sequence[str], field: str, reason: str, failures: dict[int, RowFailure]) -> None:
    whole = "".join(values)
    if "" not in values and max(map(len, values)) <= _KEY_WIDTH and whole.isascii() and whole.isprintable():
        return
    for row, value in enumerate(values):
        if not (value and _can_be_key(value)):
            failures.setdefault(row, RowFailure(row, reason, field, rule=f"length=1..{_KEY_WIDTH}, printable ASCII"))


def _check_kept(batch: ReplicaBatch, failures: dict[int, RowFailure]) -> None:
    """Refuse rows of columns that are kept as they come: too long, not for linkage, or an individual number."""
    kept = {
        "parent_record_keys": (batch.parent_keys, _KEY_WIDTH),
        "ward_codes": (batch.ward_codes, _WARD_WIDTH),
        "delete_reasons": (batch.delete_reasons, _REASON_WIDTH),
    }
    for field, (values, longest) in kept.items():
        wrong = {value: fault for value in set(values) if (fault := _kept_fault(value, longest))}
        for row, value in enumerate(values) if wrong else ():
            if value in wrong:
                reason, rule = wrong[value]
                failures.setdefault(row, RowFailure(row, reason, field, rule=rule))


def _kept_fault(value: str, longest: int) -> tuple[str, str] | None:
    if len(value) > longest:
        return "FIELD_TOO_LONG", f"max_length={longest}"
    if not is_linkable(value):
        return "CHARACTER_REFUSED", "characters"
    return ("INDIVIDUAL_NUMBER_REFUSED", "") if looks_like_individual_number(value) else None


def _check_duplicates(values: Sequence[object], field: str, failures: dict[int, RowFailure]) -> None:
    if len(set(values)) == len(values):
        return
    seen: set[object] = set()
    for row, value in enumerate(values):
        if value in seen:
            failures.setdefault(row, RowFailure(row, "DUPLICATE_IN_BATCH", field))
        seen.add(value)


def _check_parents(batch: ReplicaBatch, failures: dict[int, RowFailure]) -> None:
    for row in range(batch.rows):
        if not batch.deletes(row) and not (batch.parent_keys and batch.parent_keys[row]):
            failures.setdefault(row, RowFailure(row, "PARENT_KEY_MISSING", "parent_record_keys"))


def _check_periods(batch: ReplicaBatch, failures: dict[int, RowFailure]) -> None:
    ends = batch.end_dates or ("",) * batch.rows
    wrong = {text for text in {*batch.start_dates, *ends} if text and not _is_date(text)}
    if (
        not wrong
        and "" not in batch.start_dates
        and not any(end < start for start, end in set(zip(batch.start_dates, ends, strict=True)) if end)
    ):
        return
    for row, (start, end) in enumerate(zip(batch.start_dates, ends, strict=True)):
        if batch.deletes(row):
            continue
        if not start or start in wrong:
            failures.setdefault(row, RowFailure(row, "PERIOD_INVALID", "start_dates", rule="yyyyMMdd"))
        elif end and (end in wrong or end < start):
            failures.setdefault(row, RowFailure(row, "PERIOD_INVALID", "end_dates", rule="yyyyMMdd, start..end"))


def _check_deletions(batch: ReplicaBatch, failures: dict[int, RowFailure]) -> None:
    if not batch.operations:
        return
    for row in range(batch.rows):
        if batch.operations[row] not in _OPERATIONS:
            failures.setdefault(row, RowFailure(row, "INVALID_FIELD", "operations", rule="1|2"))
        if batch.deletes(row) and not (batch.delete_reasons and batch.delete_reasons[row]):
            failures.setdefault(row, RowFailure(row, "DELETE_REASON_MISSING", "delete_reasons"))


def _check_column(batch: ReplicaBatch, column: Column, data_set: DataSet, failures: dict[int, RowFailure]) -> None:
    item = data_set.item(column.item_code)
    for row, rule in item.check_column(
        column.values, nil_rows=column.nil_rows, nil_reason_codes=column.nil_reasons or None
    ):
        if row not in failures and not batch.deletes(row):
            failures[row] = RowFailure(row, reason_of_rule(rule), "items", column.item_code, rule)


def _check_keys(batch: ReplicaBatch, data_set: DataSet, failures: dict[int, RowFailure]) -> None:
    """Refuse keys that are not the value of the layout's key item: two keys would make two records of one thing.

    A text that can be no key (in Japanese, say) leaves the key to the sender.
    """
    column = next((each for each in batch.columns if each.item_code == data_set.key_item), None)
    if column is None or column.values == batch.record_keys:
        return
    for row, (value, key) in enumerate(zip(column.values, batch.record_keys, strict=True)):
        if value != key and not batch.deletes(row) and _can_be_key(value):
            failures.setdefault(
                row, RowFailure(row, "RECORD_KEY_MISMATCH", "record_keys", column.item_code, rule="key_item")
            )


def _can_be_key(value: str) -> bool:
    return len(value) <= _KEY_WIDTH and value.isascii() and value.isprintable()


def _is_date(text: str) -> bool:
    if len(text) != len("yyyyMMdd") or not (text.isascii() and text.isdigit()):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True
