# SPDX-License-Identifier: Apache-2.0
"""Rows of the result file: the request as sent, statuses, and the items by item code.

Three different answers stay three: a value of zero is "0"; nil is what the profile says, with its reason beside it;
no replica at all is information status 02, answer kind 2 and no record. An answer of several records fills several
rows, the newest first, numbered; a value that has no column is never dropped unseen: it is counted.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from chukan.standard.clock import JAPAN
from chukan.standard.organizations import organization
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.adapter.exchange.messages import RowStatus
    from chukan.adapter.exchange.result_profile import ResultProfile
    from chukan.v1.common_pb2 import ItemValue, ResultRecord
    from chukan.v1.inquiry_service_pb2 import InquiryResult

__all__ = ["ResultRows"]

_QUOTING: Final[dict[str, Literal[0, 1, 3]]] = {
    "minimal": csv.QUOTE_MINIMAL,
    "all": csv.QUOTE_ALL,
    "none": csv.QUOTE_NONE,
}
_NOWHERE: Final = -1
"""The place of an item without a column: one cell behind the last, never written."""
_MOST_SHAPES: Final = 1_000
_TO_QUOTE: Final = ('"', "\r", "\n")


class ResultRows:
    """Makes rows and encodes them. unplaced: values of items without a column, by item code."""

    def __init__(self, profile: ResultProfile) -> None:
        self._profile = profile
        self._columns = profile.columns
        self._buffer = io.StringIO()
        self._writer = csv.writer(
            self._buffer,
            quoting=_QUOTING[profile.quoting],
            lineterminator=profile.line_end,
            escapechar="\\" if profile.quoting == "none" else None,
        )
        self._plain = profile.quoting == "minimal"
        self._shapes: dict[tuple[str, ...], list[int]] = {}
        self.unplaced: dict[str, int] = {}

    def add(
        self,
        fields: Sequence[str],
        status: RowStatus,
        *,
        provider: str,
        record_id: str = "",
        receipt: str = "",
        reason: str = "",
        result: InquiryResult | None = None,
    ) -> None:
        """Add the row, or rows, that answer one row of the input."""
        common = {
            "provider_code": provider,
            "provider_name": _name(provider),
            "record_id": record_id,
            "receipt_number": receipt,
            "record_ordinal": "1",
            "row_status": status.row,
            "row_message": status.row_message,
            "information_status": status.information,
            "information_message": status.information_message,
            "reason": reason,
        }
        if result is not None:
            common |= {
                "answer_kind": str(result.answer_kind),
                "provision_time": _shown(result.provision_time.seconds, "%Y%m%d%H%M%S"),
                "expire_date": _shown(result.expire_time.seconds, "%Y%m%d"),
                "record_count": str(len(result.records)),
            }
        blank = self._blank(fields, common)
        if result is None or not result.records:
            self._append(blank)
            return
        places = self._profile.item_places(result.information_code)
        newest_first = sorted(result.records, key=lambda record: record.period.start_date, reverse=True)
        for ordinal, record in enumerate(newest_first, 1):
            self._append(self._filled(blank.copy(), record, ordinal, places))

    def take(self) -> bytes:
        """Return what was added since, encoded."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode(self._profile.encoding)

    def _blank(self, fields: Sequence[str], common: Mapping[str, str]) -> list[str]:
        row = [""] * (self._profile.width + 1)
        columns = self._columns
        request = columns.get("request")
        if request is not None:
            row[request : request + len(fields)] = fields
        for name, value in common.items():
            place = columns.get(name)
            if place is not None:
                row[place] = value
        return row

    def _filled(self, row: list[str], record: ResultRecord, ordinal: int, places: Mapping[str, int]) -> list[str]:
        period = record.period
        of_record = {
            "record_ordinal": str(ordinal),
            "data_set": record.data_set,
            "edition": record.edition,
            "record_key": record.record_key,
            "parent_record_key": record.parent_record_key,
            "start_date": period.start_date,
            "end_date": period.end_date,
        }
        for name, value in of_record.items():
            place = self._columns.get(name)
            if place is not None:
                row[place] = value
        items = list(record.items)
        shape = self._shape(tuple([item.item_code for item in items]), places)
        values = [item.value for item in items]
        for place, value in zip(shape, values, strict=True):
            row[place] = value
        if "" in values:
            self._add_nils(row, items, shape)
        if _NOWHERE in shape:
            for item, place in zip(items, shape, strict=True):
                if place == _NOWHERE:
                    self.unplaced[item.item_code] = self.unplaced.get(item.item_code, 0) + 1
        return row

    def _shape(self, codes: tuple[str, ...], places: Mapping[str, int]) -> list[int]:
        """Return the columns of these items; records alike are looked up once."""
        shape = self._shapes.get(codes)
        if shape is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[codes] = [places.get(code, _NOWHERE) for code in codes]
        return shape

    def _add_nils(self, row: list[str], items: list[ItemValue], shape: list[int]) -> None:
        for item, place in zip(items, shape, strict=True):
            if place != _NOWHERE and (nil := item.nil_reason):
                row[place] = self._profile.nil_text.format(reason=nil)
                if self._profile.nil_reason_beside:
                    row[place + 1] = nil

    def _append(self, row: list[str]) -> None:
        """Encode a row; most need no quotes, and joining is several times faster than the csv module."""
        row.pop()
        text = ",".join(row)
        if self._plain and text.count(",") == len(row) - 1 and not any(each in text for each in _TO_QUOTE):
            self._buffer.write(text + self._profile.line_end)
        else:
            self._writer.writerow(row)


def _name(code: str) -> str:
    try:
        return organization(code).full_name if code else ""
    except ChukanError:
        return ""


@lru_cache(maxsize=1024)
def _shown(seconds: int, form: str) -> str:
    """Return an instant as staff read it, "" for none."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(JAPAN).strftime(form) if seconds else ""
