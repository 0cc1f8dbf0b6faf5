# SPDX-License-Identifier: Apache-2.0
"""Numbers and batches that are right in everything a test says nothing about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chukan.server.domain.content import Column
from chukan.server.domain.replica import ReplicaBatch
from chukan.standard.layouts import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.standard.layouts import Item

OWN = "0220113104101700"
OTHER = "0220113112101700"
TAX = "TM00000000000002"
CARE = "TM00000000000015"
RESIDENT = "TM00000000000001"


def number(serial: int) -> str:
    """Give an integrated address number."""
    return f"9{serial:014d}"


def batch(numbers: Sequence[str], **given: object) -> ReplicaBatch:
    """Give a valid batch of tax replicas; only what a test is about is said."""
    rows = len(numbers)
    information = str(given.pop("information_code", TAX))
    data_set = str(given.pop("data_set", "0100"))
    batch_id = str(given.pop("batch_id", "b1"))
    items = layout(information, "0801").data_set(data_set)
    values = dict(given.pop("values", {}))  # type: ignore[call-overload]
    chosen = frozenset(values)
    columns = [Column(item.code, values.pop(item.code, [_sample(item)] * rows)) for item in items.required_items] + [
        Column(code, column) for code, column in values.items()
    ]
    defaults: dict[str, object] = {
        "batch_id": batch_id,
        "information_code": information,
        "data_set": data_set,
        "edition": "0801",
        "record_ids": [f"{batch_id}-{row}" for row in range(rows)],
        "numbers": numbers,
        "record_keys": ["2026"] * rows,
        "parent_keys": [],
        "start_dates": ["20260401"] * rows,
        "end_dates": ["20270331"] * rows,
        "operations": [],
        "delete_reasons": [],
        "ward_codes": [],
        "columns": columns,
    }
    made = ReplicaBatch(**{**defaults, **given})  # type: ignore[arg-type]
    if "columns" not in given and items.key_item not in chosen:
        keys = Column(items.key_item or "", made.record_keys)
        made = replace(
            made, columns=[keys if column.item_code == keys.item_code else column for column in made.columns]
        )
    return made


def _sample(item: Item) -> str:
    values, kind, width = item.values, item.type, item.max_length
    if values:
        return str(values[0])
    samples = {"date": "20260401", "year": "2026", "year_month": "202604", "number": "0", "flag": "0"}
    return samples.get(kind) or ("1" * min(width, 3) if kind == "code" else "あ")
