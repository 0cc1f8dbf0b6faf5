# SPDX-License-Identifier: Apache-2.0
"""Rows the servers refuse: each becomes a dead letter with file, row, column and rule; the others go on."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from chukan_adapter_load import Body, emulator, people

from chukan.adapter.mapping.rows import _REASONS
from chukan.adapter.patience import RETRIED
from chukan.standard.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from chukan.adapter.sync import Report

REGISTER, TAX, ALLOWANCE, CARE = "TM00000000000001", "TM00000000000002", "TM00000000000010", "TM00000000000015"


def change(path: Path, rewrite: Callable[[list[list[str]], dict[str, int]], None]) -> None:
    """Rewrite an extract: rows by line (the header is line 1), columns by name."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    rewrite([[], *lines], {name: at for at, name in enumerate(lines[0])})
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)


def letters(report: Report) -> list[tuple[str, int, str, str]]:
    with open(report.dead_letter_file, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        found = list(csv.DictReader(file))
    assert all(each["english"] and each["japanese"] for each in found)
    return sorted((each["file"], int(each["row"]), each["column"], each["reason"]) for each in found)


@pytest.fixture
def body(tmp_path: Path) -> Iterator[Body]:
    """Yield a body at an emulator of its own."""
    with emulator(tmp_path / "data") as target:
        yield Body("131041", people(tmp_path / "people", "131041", count=120), tmp_path / "state", target)


def test_people_the_address_system_refuses_are_named_by_row_and_column(body: Body) -> None:
    def spoil(lines: list[list[str]], at: dict[str, int]) -> None:
        number = lines[2][at["個人番号"]]
        lines[2][at["個人番号"]] = number[:-1] + str((int(number[-1]) + 1) % 10)
        lines[3][at["個人番号"]] = "123456789018"
        lines[4][at["生年月日"]] = "19990230"
        lines[5][at["漢字氏名"]] = "　"
        lines[6][at["住所"]] = "東京都\u0007千代田区"
        lines[7][at["性別"]] = "9"
        lines[41][at["個人番号"]] = lines[40][at["個人番号"]]
        lines[41][at["生年月日"]], lines[40][at["生年月日"]] = "19800101", "19900101"
        lines[41][at["旧宛名番号"]] = lines[40][at["旧宛名番号"]] = ""

    change(body.folder / "residents.csv", spoil)
    report = body.load(people=(body.folder / "residents.csv",), extracts=None)

    assert report.complete
    assert letters(report) == [
        ("residents.csv", 2, "個人番号", "CHECK_DIGIT_WRONG"),
        ("residents.csv", 3, "個人番号", "INDIVIDUAL_NUMBER_NOT_DUMMY"),
        ("residents.csv", 4, "生年月日", "BIRTH_DATE_INVALID"),
        ("residents.csv", 5, "漢字氏名", "NAME_MISSING"),
        ("residents.csv", 6, "住所", "CHARACTER_REFUSED"),
        ("residents.csv", 7, "性別", "SEX_INVALID"),
    ]
    assert report.lanes[0].held_for_a_person >= 2  # rows 40 and 41 claim one number
    assert report.lanes[0].written + report.lanes[0].held_for_a_person == 114


def test_a_row_that_was_mended_is_taken_by_the_next_load_and_nothing_else_is_sent(body: Body) -> None:
    residents = body.folder / "residents.csv"
    saved = residents.read_bytes()
    change(residents, lambda lines, at: lines[4].__setitem__(at["生年月日"], "19990230"))
    first = body.load(extracts=None)
    residents.write_bytes(saved)

    second = body.load(extracts=None)

    assert (first.dead_letters, second.dead_letters) == (1, 0)
    assert second.lanes[0].sent == 1 + second.lanes[0].held_for_a_person
    assert second.lanes[0].written == 1


def test_records_the_middle_server_refuses_are_named_by_row_and_column(body: Body) -> None:
    def unknown_person(lines: list[list[str]], at: dict[str, int]) -> None:
        lines[2][at["宛名番号"]] = "000009999999998"

    def orphan(lines: list[list[str]], at: dict[str, int]) -> None:
        nonlocal orphan_line
        orphan_line = next(line for line, cells in enumerate(lines) if cells and cells[at["データセット"]] == "0201")
        lines[orphan_line][at["親レコードキー"]] = "0999999999"

    orphan_line = 0
    change(body.folder / "extracts" / "local_tax.csv", unknown_person)
    path = body.folder / "extracts" / "resident_record.csv"
    with path.open("a", encoding="utf-8", newline="") as file:
        lines = path.read_text("utf-8").splitlines()
        cells = lines[2].split(",")
        cells[2] = "000009999999997"
        file.write(",".join(cells) + "\r\n")
    change(body.folder / "extracts" / "long_term_care.csv", orphan)
    report = body.load()

    found = letters(report)
    assert report.complete
    assert ("local_tax.csv", 2, "宛名番号", "LOCAL_NUMBER_UNKNOWN") in found
    assert ("resident_record.csv", len(lines) + 1, "住民日", "PERIODS_OVERLAP") in found
    assert ("long_term_care.csv", orphan_line, "親レコードキー", "PARENT_UNKNOWN") in found
    assert {reason for *_, reason in found} == {"LOCAL_NUMBER_UNKNOWN", "PERIODS_OVERLAP", "PARENT_UNKNOWN"}


def test_a_lane_that_is_held_stops_itself_and_no_other(body: Body, tmp_path: Path) -> None:
    body.load(extracts=None)
    with closing(sqlite3.connect(tmp_path / "data" / "middle.db", timeout=30)) as database:
        database.execute(
            "INSERT INTO replica_lane SELECT ?, ?, 2, 'SEND_CAP_EXCEEDED', 0, 0, 0, 0, 0, 0", (body.organization, TAX)
        )
        database.commit()

    held = body.load(people=())

    states = {each.information_code: (each.state, each.problem) for each in held.lanes}
    assert states == {
        TAX: ("held", "LANE_HELD"),
        REGISTER: ("complete", ""),
        ALLOWANCE: ("complete", ""),
        CARE: ("complete", ""),
    }
    assert not held.complete
    assert all(each.written for each in held.lanes if each.information_code != TAX)


def test_every_reason_the_adapter_names_is_in_the_table() -> None:
    for code in {*RETRIED, *_REASONS.values(), "RECORD_DUPLICATE", "LOCAL_NUMBER_FORMAT", "PARENT_KEY_MISSING"}:
        assert reason(code).code == code
