# SPDX-License-Identifier: Apache-2.0
"""A dry run does everything but send: every bad row is named by file, row, column and rule, the others go on."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from chukan.adapter.sync import LaneReport, LoadOptions, ProgressEvent, Report, load
from chukan.standard.reasons import ChukanError, reason
from chukan.standard.rules import rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHINJUKU = "0220113104101700"


def dry(people: Path | None, extracts: Path | None, state: Path, **given: object) -> Report:
    options = LoadOptions(
        target="127.0.0.1:1",
        organization=SHINJUKU,
        people=() if people is None else (people,),
        extracts=extracts,
        state=state,
        dry_run=True,
        **given,  # type: ignore[arg-type]
    )
    return load(options)


def letters(report: Report) -> list[dict[str, str]]:
    with open(report.dead_letter_file, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        return list(csv.DictReader(file))


def lane(report: Report, name: str) -> LaneReport:
    return next(each for each in report.lanes if each.name == name)


@pytest.fixture
def own(town: Path, tmp_path: Path) -> Path:
    """Return a copy of the dummy files that a test may spoil."""
    return shutil.copytree(town, tmp_path / "town")


def spoil(path: Path, change: Callable[[list[bytes]], None]) -> None:
    lines = path.read_bytes().split(b"\r\n")
    change(lines)
    path.write_bytes(b"\r\n".join(lines))


def cell(path: Path, line: int, column: str, value: str) -> None:
    """Overwrite one cell."""

    def change(lines: list[bytes]) -> None:
        at = lines[0].decode("cp932").split(",").index(column)
        cells = lines[line - 1].split(b",")
        cells[at] = value.encode("cp932")
        lines[line - 1] = b",".join(cells)

    spoil(path, change)


def test_sound_files_are_gone_through_without_a_server_and_without_a_dead_letter(town: Path, tmp_path: Path) -> None:
    report = dry(town, town / "extracts", tmp_path)

    assert report.complete
    assert report.dead_letters == 0
    assert [each.name for each in report.lanes] == [
        "住民",
        "住登外者",
        "児童手当",
        "地方税関係",
        "介護保険",
        "住民票関係",
    ]
    assert all(each.rows == each.sent > 0 for each in report.lanes)
    assert json.loads(report.to_json())["lanes"][0]["rows"] == 600


def test_what_a_dry_run_would_send_is_not_remembered(town: Path, tmp_path: Path) -> None:
    first = dry(town, None, tmp_path)
    again = dry(town, None, tmp_path)

    assert first.lanes[0].sent == again.lanes[0].sent == 600


SPOILT = [
    ("所得割額", "12x", "TK90002010000003", "VALUE_FORMAT", "number"),
    ("所得割額", "9" * 13, "TK90002010000003", "VALUE_TOO_LONG", "max_length"),
    ("非課税区分", "7", "TK90002010000049", "VALUE_CODE_UNKNOWN", "values"),
    ("未申告区分", "", "TK90002010000050", "VALUE_REQUIRED", "required"),
    ("更正日", "20260230", "TK90002010000051", "VALUE_FORMAT", "date"),
    ("年度", "", "", "VALUE_REQUIRED", "required"),
    ("年度", "令和", "", "VALUE_FORMAT", "year"),
    ("宛名番号", "", "", "VALUE_REQUIRED", "required"),
    ("宛名番号", "12345x", "", "LOCAL_NUMBER_FORMAT", "digits=15"),
    ("宛名番号", "1" * 16, "", "LOCAL_NUMBER_FORMAT", "digits=15"),
]


@pytest.mark.parametrize(("column", "value", "item", "code", "broken"), SPOILT)
def test_a_bad_cell_is_named_by_file_row_column_and_rule_and_never_by_its_value(  # noqa: PLR0917
    own: Path, tmp_path: Path, column: str, value: str, item: str, code: str, broken: str
) -> None:
    path = own / "extracts" / "local_tax.csv"
    cell(path, 5, column, value)

    report = dry(None, own / "extracts", tmp_path)

    (letter,) = letters(report)
    expected = {"file": "local_tax.csv", "row": "5", "column": column, "item": item, "reason": code, "rule": broken}
    assert letter.items() >= expected.items()
    assert letter["english"].startswith(reason(code).english)
    assert letter["japanese"].startswith(reason(code).japanese)
    if broken in {"number", "required", "date"}:
        assert rule(broken).japanese in letter["japanese"]
    assert not value or value not in letter["english"] + letter["japanese"]
    taxes = lane(report, "地方税関係")
    assert (taxes.refused, taxes.sent, taxes.reasons[code]) == (1, taxes.rows - 1, 1)
    assert report.complete


def test_a_row_with_several_faults_is_counted_once_and_all_are_written(own: Path, tmp_path: Path) -> None:
    path = own / "extracts" / "local_tax.csv"
    cell(path, 5, "所得割額", "x")
    cell(path, 5, "均等割額", "y")

    report = dry(None, own / "extracts", tmp_path)

    assert [letter["column"] for letter in letters(report)] == ["所得割額", "均等割額"]
    assert lane(report, "地方税関係").refused == 1


def test_a_record_that_stands_twice_is_refused_the_second_time(own: Path, tmp_path: Path) -> None:
    path = own / "extracts" / "child_allowance.csv"
    spoil(path, lambda lines: lines.insert(4, lines[2]))

    report = dry(None, own / "extracts", tmp_path)

    (letter,) = letters(report)
    assert (letter["row"], letter["column"], letter["reason"]) == ("5", "認定番号", "RECORD_DUPLICATE")


def test_an_unknown_data_set_is_named(own: Path, tmp_path: Path) -> None:
    cell(own / "extracts" / "long_term_care.csv", 3, "データセット", "0999")

    report = dry(None, own / "extracts", tmp_path)

    (letter,) = letters(report)
    assert (letter["row"], letter["column"], letter["reason"]) == ("3", "データセット", "VALUE_CODE_UNKNOWN")


def test_an_end_before_the_start_is_refused(own: Path, tmp_path: Path) -> None:
    cell(own / "extracts" / "child_allowance.csv", 3, "消滅日", "19000101")

    report = dry(None, own / "extracts", tmp_path)

    (letter,) = letters(report)
    assert (letter["row"], letter["column"], letter["reason"]) == ("3", "認定日", "PERIOD_INVALID")


def test_a_child_without_its_parent_s_key_is_refused(own: Path, tmp_path: Path) -> None:
    path = own / "extracts" / "long_term_care.csv"
    rows = path.read_bytes().decode("cp932").split("\r\n")
    line = next(number for number, row in enumerate(rows, start=1) if ",0201," in row)
    cell(path, line, "親レコードキー", "")

    report = dry(None, own / "extracts", tmp_path)

    (letter,) = letters(report)
    assert (letter["row"], letter["column"], letter["reason"]) == (str(line), "親レコードキー", "PARENT_KEY_MISSING")


def test_bad_rows_of_people_are_named_and_the_others_go_on(own: Path, tmp_path: Path) -> None:
    residents = own / "residents.csv"
    cell(residents, 3, "宛名番号", "")
    cell(residents, 4, "住民状態", "謎")
    cell(residents, 5, "異動日", "20261301")
    spoil(residents, lambda lines: lines.__setitem__(5, b"1,2,3"))

    report = dry(own, None, tmp_path)

    assert [(letter["row"], letter["column"], letter["reason"]) for letter in letters(report)] == [
        ("6", "", "ROW_SHORT"),
        ("3", "宛名番号", "VALUE_REQUIRED"),
        ("4", "住民状態", "VALUE_CODE_UNKNOWN"),
    ]
    assert lane(report, "住民").sent == 597


@pytest.mark.parametrize(
    ("spoiling", "problem"),
    [
        (lambda path: path.write_bytes(b""), "FILE_EMPTY"),
        (lambda path: path.write_bytes(bytes(range(256)) * 8), "FILE_BINARY"),
        (lambda path: path.write_bytes("宛名番号,氏名,年度\r\n".encode("euc_jp")), "FILE_ENCODING"),
        (
            lambda path: spoil(
                path, lambda lines: lines.__setitem__(0, lines[0].replace("年度".encode("cp932"), b"x"))
            ),
            "COLUMN_MISSING",
        ),
    ],
)
def test_a_file_that_cannot_be_read_fails_its_lane_and_no_other(
    own: Path, tmp_path: Path, spoiling: Callable[[Path], None], problem: str
) -> None:
    spoiling(own / "extracts" / "local_tax.csv")

    report = dry(None, own / "extracts", tmp_path)

    taxes = lane(report, "地方税関係")
    assert (taxes.state, taxes.problem, taxes.sent) == ("failed", problem, 0)
    assert "local_tax.csv" in taxes.notes[0].english
    assert all(each.state == "complete" and each.sent for each in report.lanes if each is not taxes)
    assert not report.complete


def test_a_file_that_lacks_a_column_is_named_with_it_and_later_files_of_its_lane_go_on(
    own: Path, tmp_path: Path
) -> None:
    taxes, more = own / "extracts" / "local_tax.csv", own / "extracts" / "local_tax_2.csv"
    more.write_bytes(taxes.read_bytes())
    spoil(taxes, lambda lines: lines.__setitem__(0, lines[0].replace("年度".encode("cp932"), b"x")))

    report = dry(None, own / "extracts", tmp_path)

    found = lane(report, "地方税関係")
    assert (found.state, found.problem, found.files) == ("failed", "COLUMN_MISSING", ["local_tax_2.csv"])
    assert found.sent == found.rows > 0
    (note,) = found.notes
    assert "(file=local_tax.csv, column=年度); add the named column, or correct the mapping" in note.english
    assert "（file=local_tax.csv, column=年度）示された列を追加するか" in note.japanese


def test_a_file_no_mapping_knows_is_named_and_left_alone(own: Path, tmp_path: Path) -> None:
    (own / "extracts" / "pension.csv").write_text("年金番号\r\n1\r\n", "utf-8")

    report = dry(None, own / "extracts", tmp_path)

    assert [note.english for note in report.notes] == ["no mapping reads pension.csv"]
    assert report.complete


@pytest.mark.parametrize(
    ("people", "extracts", "problem"),
    [
        ("extracts", None, "MAPPING_MISSING"),
        (None, "", "MAPPING_MISSING"),
        ("", "inquiries", "FOLDER_WITHOUT_FILES"),
        (None, None, "SETTING_INVALID"),
    ],
)
def test_a_load_that_would_read_nothing_of_what_was_named_is_refused(
    own: Path, tmp_path: Path, people: str | None, extracts: str | None, problem: str
) -> None:
    (own / "inquiries").mkdir(exist_ok=True)

    with pytest.raises(ChukanError) as raised:
        dry(None if people is None else own / people, None if extracts is None else own / extracts, tmp_path / "state")

    assert raised.value.code == problem
    assert not (tmp_path / "state").exists()


def test_a_lane_of_which_every_row_is_refused_is_no_success(own: Path, tmp_path: Path) -> None:
    header, rows = (own / "residents.csv").read_bytes().split(b"\r\n", 1)
    (own / "residents.csv").write_bytes(header + b"\r\n" + rows.replace(b"19", b"xx").replace(b"20", b"xx"))

    report = dry(own / "residents.csv", own / "extracts", tmp_path)

    assert [each.name for each in report.lanes if each.took_nothing] == ["住民"]
    assert (report.complete, report.succeeded) == (True, False)


def test_files_of_another_municipality_are_warned_of_once(town: Path, tmp_path: Path) -> None:
    options = LoadOptions(
        target="127.0.0.1:1",
        organization="0220113112101700",
        people=(town / "residents.csv", town / "non_residents.csv"),
        extracts=town / "extracts",
        state=tmp_path,
        dry_run=True,
    )

    (note,) = load(options).notes

    assert SHINJUKU in note.english
    assert "manifest.json" in note.japanese
    assert dry(town, None, tmp_path).notes == []


def test_a_file_of_another_name_is_told_by_its_columns(own: Path, tmp_path: Path) -> None:
    renamed = (own / "residents.csv").rename(own / "JUMIN_20261001.CSV")

    report = dry(renamed, None, tmp_path)

    assert (report.lanes[0].name, report.lanes[0].sent) == ("住民", 600)


@pytest.mark.parametrize("name", ["nothing.csv", "manifest.json"])
def test_a_named_file_that_is_missing_or_no_extract_ends_the_load_before_it_begins(
    own: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ChukanError) as raised:
        dry(own / name, None, tmp_path)

    assert raised.value.code in {"FILE_NOT_FOUND", "MAPPING_MISSING"}
    assert raised.value.params["file"] == name


def test_an_edition_is_chosen_by_the_day_or_by_name_and_an_unknown_one_is_refused(town: Path, tmp_path: Path) -> None:
    earlier = dry(None, town / "extracts", tmp_path, edition="0701")

    assert {each.edition for each in earlier.lanes} == {"0701"}
    assert earlier.dead_letters == 0
    with pytest.raises(ChukanError) as raised:
        dry(None, town / "extracts", tmp_path, edition="0099")
    assert raised.value.code == "EDITION_UNKNOWN"


def test_progress_goes_from_nothing_to_all_bytes_of_the_files(town: Path, tmp_path: Path) -> None:
    events: list[ProgressEvent] = []
    options = LoadOptions(
        target="127.0.0.1:1", organization=SHINJUKU, people=(town / "residents.csv",), state=tmp_path, dry_run=True
    )

    load(options, events.append)

    assert [event.done for event in events] == sorted(event.done for event in events)
    assert events[-1].done == events[-1].total == (town / "residents.csv").stat().st_size


def test_a_server_that_is_not_there_is_said_before_anything_is_read(town: Path, tmp_path: Path) -> None:
    options = LoadOptions(
        target="127.0.0.1:1", organization=SHINJUKU, people=(town / "residents.csv",), state=tmp_path, patience=0.2
    )

    with pytest.raises(ChukanError) as raised:
        load(options)

    assert raised.value.code == "PEER_UNREACHABLE"
