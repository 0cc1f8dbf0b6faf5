# SPDX-License-Identifier: Apache-2.0
"""Which replicas answer: period, fiscal year, latest only, highest edition; and what becomes of their cells."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.domain.content import Column, pack_rows
from chukan.server.domain.provision import asked_period, choose, item_codes_of, to_records
from chukan.server.domain.replica_rows import ReplicaRow

TODAY = date(2026, 7, 1)


def replica(**given_: Any) -> ReplicaRow:
    """Return a replica that is right in everything a test says nothing about."""
    fields: dict[str, Any] = {
        "addressee": 1,
        "information": "TM00000000000002",
        "data_set": "0100",
        "record_key": "2026",
        "parent_key": "",
        "edition": "0801",
        "item_codes": ("A", "B", "C"),
        "record_id": "r",
        "start_date": "20260401",
        "end_date": "20270331",
        "state": 1,
        "version": 1,
        "delete_reason": "",
        "ward_code": "",
        "updated": 0,
        "content": b"",
    }
    return ReplicaRow(**{**fields, **given_})


@pytest.mark.parametrize(
    ("start", "end", "year_kind", "span"),
    [
        ("", "", "0", ("20260701", "20260701")),
        ("20250101", "", "0", ("20250101", "")),
        ("", "20251231", "0", ("", "20251231")),
        ("20260331", "", "1", ("20250401", "20260331")),
        ("20260401", "20270401", "1", ("20260401", "20280331")),
    ],
)
def test_a_fiscal_year_runs_from_april_to_march(start: str, end: str, year_kind: str, span: tuple[str, str]) -> None:
    assert asked_period(start, end, year_kind=year_kind, today=TODAY) == span


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_a_replica_answers_exactly_when_a_day_is_common(one: date, two: date) -> None:
    start, end = sorted((f"{one:%Y%m%d}", f"{two:%Y%m%d}"))
    row = replica()

    chosen = choose([row], start=start, end=end, condition_kind="0")

    common = start <= row.end_date and row.start_date <= end
    assert (chosen == [row]) is common


def test_an_open_end_is_published_until_further_notice() -> None:
    row = replica(end_date="")

    assert choose([row], start="20990101", end="20990101", condition_kind="0") == [row]
    assert choose([row], start="20260331", end="20260331", condition_kind="0") == []


def test_of_several_editions_of_one_record_the_highest_answers() -> None:
    old, new = replica(edition="0701"), replica(edition="0801")

    assert choose([new, old], start="", end="", condition_kind="0") == [new]


def test_latest_only_is_judged_per_data_set() -> None:
    rows = [
        replica(record_key="1", start_date="20240401", end_date=""),
        replica(record_key="2", start_date="20250401", end_date=""),
        replica(data_set="0200", record_key="1", start_date="20240401", end_date=""),
    ]

    chosen = choose(rows, start="", end="", condition_kind="1")

    assert [(row.data_set, row.record_key) for row in chosen] == [("0100", "2"), ("0200", "1")]


def test_zero_nil_and_absent_stay_three_things() -> None:
    columns = [Column("A", ["0"]), Column("B", [""], [0], ["01"]), Column("C", [""])]
    (packed,) = pack_rows(columns, 1)

    (record,) = to_records([replica(content=packed)], ())

    assert record.items == (("A", "0", None), ("B", None, "01"))
    assert item_codes_of([record]) == "A B"
    (only,) = to_records([replica(content=packed)], ("B", "C"))
    assert only.items == (("B", None, "01"),)
