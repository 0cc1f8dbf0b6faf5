# SPDX-License-Identifier: Apache-2.0
"""What staff may put in the place of an answer: what a replica could be, and the permit covers; nothing else [own].

A correction passes no layout check on its way in, as replicas do, and no permission list on its way out: it is checked
here against both, by the very rules of a replica. Errors name record and field, never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.content import Column
from chukan.server.domain.replica import ReplicaBatch, check_rows
from chukan.standard.dates import parse_optional_date
from chukan.standard.layouts import layout
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import PermitLeaf, ResultRecord
    from chukan.standard.layouts import DataSet

__all__ = ["check_correction"]

_PLACES = {"EDITION_UNKNOWN": "edition", "DATA_SET_UNKNOWN": "data_set", "DATE_INVALID": "period"}
_FIELDS = {
    "record_keys": "record_key",
    "parent_record_keys": "parent_record_key",
    "start_dates": "period",
    "end_dates": "period",
}
"""Columns of a replica by what a record of an answer calls them."""


def check_correction(records: Sequence[ResultRecord], permit: PermitLeaf) -> None:
    """Raise what is wrong with the first record that may not be provided.

    Errors: EDITION_UNKNOWN, DATA_SET_UNKNOWN, ITEM_UNKNOWN, ITEM_DUPLICATE, NOT_PERMITTED_ITEMS, ITEM_REQUIRED,
    DATE_INVALID, and what a row of replicas is refused with.
    """
    for at, record in enumerate(records):
        try:
            _check(record, permit)
        except ChukanError as error:
            field = error.field or _PLACES.get(error.code, "items")
            raise ChukanError(error.code, field=f"records[{at}].{field}", params=error.params) from None


def _check(record: ResultRecord, permit: PermitLeaf) -> None:
    data_set = layout(permit.information, record.edition).data_set(record.data_set)
    for day in (record.period_start, record.period_end):
        parse_optional_date(day)
    _check_codes([code for code, _, _ in record.items], data_set, permit)
    failure = check_rows(_as_replica(record, permit.information), data_set).get(0)
    if failure:
        named = {"item_code": failure.item_code, "rule": failure.rule}
        params = {name: value for name, value in named.items() if value}
        raise ChukanError(failure.reason, field=_FIELDS.get(failure.field, "items"), params=params)


def _check_codes(codes: Sequence[str], data_set: DataSet, permit: PermitLeaf) -> None:
    """Refuse items the layout has not or the permit does not cover, and the lack of those that both want."""
    for code in codes:
        data_set.item(code)
    if len(set(codes)) != len(codes):
        raise ChukanError("ITEM_DUPLICATE")
    if permit.item_codes and not set(permit.item_codes).issuperset(codes):
        raise ChukanError("NOT_PERMITTED_ITEMS")
    for item in data_set.required_items:
        if item.code not in codes and (not permit.item_codes or item.code in permit.item_codes):
            raise ChukanError("ITEM_REQUIRED", params={"item_code": item.code})


def _as_replica(record: ResultRecord, information: str) -> ReplicaBatch:
    """Return the record as a batch of one replica; what only a replica has stands for itself."""
    return ReplicaBatch(
        batch_id="correction",
        information_code=information,
        data_set=record.data_set,
        edition=record.edition,
        record_ids=["correction"],
        numbers=[""],
        record_keys=[record.record_key],
        parent_keys=[record.parent_record_key],
        start_dates=[record.period_start],
        end_dates=[record.period_end],
        operations=[],
        delete_reasons=[],
        ward_codes=[],
        columns=[
            Column(code, [value or ""]) if nil is None else Column(code, [value or ""], [0], [nil])
            for code, value, nil in record.items
        ],
    )
