# SPDX-License-Identifier: Apache-2.0
"""What staff may put in the place of an answer: what a replica could be, and the permit covers; nothing else [own].

A correction passes no layout check on its way in, as replicas do, and no permission list on its way out: it is checked
here against both. Errors name record and field, never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.replica import reason_of_rule
from chukan.standard.dates import parse_optional_date
from chukan.standard.layouts import layout
from chukan.standard.numbers import looks_like_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import PermitLeaf, ResultRecord
    from chukan.standard.layouts import DataSet

__all__ = ["check_correction"]

_PLACES = {
    "EDITION_UNKNOWN": "edition",
    "DATA_SET_UNKNOWN": "data_set",
    "DATE_INVALID": "period",
    "INDIVIDUAL_NUMBER_REFUSED": "record_key",
}


def check_correction(records: Sequence[ResultRecord], permit: PermitLeaf) -> None:
    """Raise what is wrong with the first record that may not be provided.

    Errors: EDITION_UNKNOWN, DATA_SET_UNKNOWN, ITEM_UNKNOWN, ITEM_DUPLICATE, NOT_PERMITTED_ITEMS, DATE_INVALID,
    INDIVIDUAL_NUMBER_REFUSED, and what an item's rules are refused with.
    """
    for at, record in enumerate(records):
        try:
            _check(record, permit)
        except ChukanError as error:
            field = f"records[{at}].{_PLACES.get(error.code, 'items')}"
            raise ChukanError(error.code, field=field, params=error.params) from None


def _check(record: ResultRecord, permit: PermitLeaf) -> None:
    data_set = layout(permit.information, record.edition).data_set(record.data_set)
    if any(map(looks_like_individual_number, (record.record_key, record.parent_record_key))):
        raise ChukanError("INDIVIDUAL_NUMBER_REFUSED")
    for day in (record.period_start, record.period_end):
        parse_optional_date(day)
    codes = [code for code, _, _ in record.items]
    if len(set(codes)) != len(codes):
        raise ChukanError("ITEM_DUPLICATE")
    for code, value, nil_reason in record.items:
        _check_item(data_set, code, value or "", nil_reason)
    if permit.item_codes and not set(permit.item_codes).issuperset(codes):
        raise ChukanError("NOT_PERMITTED_ITEMS")


def _check_item(data_set: DataSet, code: str, value: str, nil_reason: str | None) -> None:
    nil_rows, reasons = ([], None) if nil_reason is None else ([0], [nil_reason])
    for _, rule in data_set.item(code).check_column([value], nil_rows=nil_rows, nil_reason_codes=reasons):
        raise ChukanError(reason_of_rule(rule), params={"item_code": code, "rule": rule})
