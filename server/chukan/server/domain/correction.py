# SPDX-License-Identifier: Apache-2.0
"""What staff may put in the place of an answer: what a replica could be, and the permit covers; nothing else [own].

A correction passes no registration on its way in, as replicas do, and no permission list on its way out: it is checked
here against both, against the former as the batch of one replica it could have come in. Errors name record and field,
never a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.server.domain.content import Column
from chukan.server.domain.replica import ReplicaBatch
from chukan.server.domain.replica_checks import check_batch, check_rows
from chukan.standard.dates import parse_optional_date
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import PermitLeaf, ResultRecord

__all__ = ["check_correction"]

_PLACES: Final = {
    "edition": "edition",
    "data_set": "data_set",
    "record_keys": "record_key",
    "parent_record_keys": "parent_record_key",
    "start_dates": "period",
    "end_dates": "period",
}
"""Where a fault of a replica's column stands in a record; every other is of the items."""
_NAMELESS: Final = ("-",)
"""Stands for what a batch names and a record does not."""


def check_correction(records: Sequence[ResultRecord], permit: PermitLeaf) -> None:
    """Raise what is wrong with the first record that may not be provided.

    Errors: DATE_INVALID, NOT_PERMITTED_ITEMS, and whatever a batch of replicas or one of its rows is refused with. Of a
    permit that covers some items only those are required.
    """
    for at, record in enumerate(records):
        try:
            _check(record, permit)
        except ChukanError as error:
            field = f"records[{at}].{_PLACES.get(error.field, 'items')}"
            raise ChukanError(error.code, field=field, params=error.params) from None


def _check(record: ResultRecord, permit: PermitLeaf) -> None:
    try:
        for day in (record.period_start, record.period_end):
            parse_optional_date(day)
    except ChukanError as error:
        raise ChukanError(error.code, field="start_dates") from None
    batch = _as_batch(record, permit.information)
    _, data_set = check_batch(batch, about=permit.item_codes)
    for failure in check_rows(batch, data_set).values():
        said = {"item_code": failure.item_code, "rule": failure.rule}
        params = {name: text for name, text in said.items() if text}
        raise ChukanError(failure.reason, field=failure.field, params=params)
    if permit.item_codes and not set(permit.item_codes).issuperset(code for code, _, _ in record.items):
        raise ChukanError("NOT_PERMITTED_ITEMS")


def _as_batch(record: ResultRecord, information: str) -> ReplicaBatch:
    return ReplicaBatch(
        batch_id="",
        information_code=information,
        data_set=record.data_set,
        edition=record.edition,
        record_ids=_NAMELESS,
        numbers=_NAMELESS,
        record_keys=[record.record_key],
        parent_keys=[record.parent_record_key],
        start_dates=[record.period_start],
        end_dates=[record.period_end],
        operations=(),
        delete_reasons=(),
        ward_codes=(),
        columns=[_as_column(*item) for item in record.items],
    )


def _as_column(code: str, value: str | None, nil_reason: str | None) -> Column:
    nil_rows, reasons = ((), ()) if nil_reason is None else ((0,), (nil_reason,))
    return Column(code, [value or ""], nil_rows, reasons)
