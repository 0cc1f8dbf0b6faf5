# SPDX-License-Identifier: Apache-2.0
"""Files as business systems write them, and as they should not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chukan.adapter.sources import DelimitedFile, RowFault
from chukan.adapter.sources.lines import LONGEST_ROW
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "宛名番号,氏名,年度\r\n"


def written(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def read(file: DelimitedFile) -> tuple[list[tuple[int, list[str]]], list[RowFault]]:
    """Return (line, cells) of good rows, and the faults."""
    good: list[tuple[int, list[str]]] = []
    faults: list[RowFault] = []
    for chunk in file.chunks():
        faults += chunk.faults
        rows, kept, wrong = file.parse(chunk.lines, chunk.numbers)
        good += [(chunk.numbers[index], list(row)) for index, row in zip(kept, rows, strict=True)]
        faults += wrong
    return good, sorted(faults)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_the_same_rows_are_read_in_every_encoding_and_with_either_line_end(
    tmp_path: Path, encoding: str, end: str
) -> None:
    text = (HEADER + "1,髙橋　﨑,2026\r\n2,鈴木,2026\r\n").replace("\r\n", end)

    file = DelimitedFile(written(tmp_path / "a.csv", text, encoding), needed=("宛名番号", "年度"))

    assert file.columns == ("宛名番号", "氏名", "年度")
    assert read(file) == ([(2, ["1", "髙橋　﨑", "2026"]), (3, ["2", "鈴木", "2026"])], [])


def test_a_last_line_without_end_blank_lines_and_an_end_of_file_mark_cost_nothing(tmp_path: Path) -> None:
    file = DelimitedFile(written(tmp_path / "a.csv", HEADER + "1,a,2026\r\n\r\n2,b,2026\r\n\x1a"))

    assert read(file) == ([(2, ["1", "a", "2026"]), (4, ["2", "b", "2026"])], [])


@pytest.mark.parametrize(
    ("content", "reason", "params"),
    [
        (b"", "FILE_EMPTY", {}),
        (b"\xef\xbb\xbf\r\n", "FILE_EMPTY", {}),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "FILE_BINARY", {}),
        (HEADER.encode("utf-16"), "FILE_ENCODING", {"encoding": "UTF-16"}),
        (HEADER.encode("euc_jp"), "FILE_ENCODING", {"encoding": "UTF-8 or CP932", "line": "1"}),
        (b"1,2,3\r\n4,5,6\r\n", "HEADER_MISSING", {}),
        (HEADER.replace("\r\n", "\r").replace("\n", "\r").encode() + b"1,2\r", "HEADER_MISSING", {}),
        ("宛名番号,氏名\r\n1,a\r\n".encode(), "COLUMN_MISSING", {"column": "年度"}),
        ("宛名番号,年度,年度\r\n1,2,3\r\n".encode(), "COLUMN_DUPLICATE", {"column": "年度"}),
    ],
)
def test_a_file_that_cannot_be_read_says_file_and_rule(
    tmp_path: Path, content: bytes, reason: str, params: dict[str, str]
) -> None:
    path = written(tmp_path / "extract.csv", content)

    with pytest.raises(ChukanError) as raised:
        DelimitedFile(path, needed=("宛名番号", "年度"))

    assert raised.value.code == reason
    assert raised.value.params.items() >= {"file": "extract.csv", **params}.items()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChukanError) as raised:
        DelimitedFile(tmp_path / "nobody.csv")

    assert (raised.value.code, raised.value.params) == ("FILE_NOT_FOUND", {"file": "nobody.csv"})


def test_the_encoding_asked_for_is_held_to(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", HEADER, "cp932")

    with pytest.raises(ChukanError) as raised:
        DelimitedFile(path, encoding="utf-8")

    assert raised.value.params["encoding"] == "UTF-8"


BAD_ROWS = [
    (b"1,a", "ROW_SHORT", "fields=3, got 2"),
    (b"1,a,2026,x", "ROW_LONG", "fields=3, got 4"),
    (b'1,"a"b,2026', "ROW_QUOTING", ""),
    (b'1,"a,2026', "ROW_QUOTING", ""),
    (b"1,a\0b,2026", "FILE_BINARY", "NUL, byte=4"),
    (b"1,\x82\xa0\x82,2026", "FILE_ENCODING", "UTF-8, byte=3"),
    (b"1," + b"x" * LONGEST_ROW + b",2026", "ROW_TOO_LARGE", f"max_bytes={LONGEST_ROW}"),
]


@pytest.mark.parametrize(("bad", "reason", "rule"), BAD_ROWS)
def test_a_bad_row_is_named_by_line_and_rule_and_the_others_go_on(
    tmp_path: Path, bad: bytes, reason: str, rule: str
) -> None:
    content = HEADER.encode() + b"1,before,2026\r\n" + bad + b"\r\n2,after,2026\r\n"

    good, faults = read(DelimitedFile(written(tmp_path / "a.csv", content)))

    assert good == [(2, ["1", "before", "2026"]), (4, ["2", "after", "2026"])]
    assert faults == [RowFault(3, reason, rule=rule)]


def test_all_kinds_of_bad_rows_in_one_file_cost_themselves_only(tmp_path: Path) -> None:
    good_row = "1,よい行,2026".encode()
    lines = [line for bad, _, _ in BAD_ROWS for line in (good_row, bad)] + [good_row]

    good, faults = read(DelimitedFile(written(tmp_path / "a.csv", HEADER.encode() + b"\r\n".join(lines))))

    assert [line for line, _ in good] == list(range(2, 2 + len(lines), 2))
    assert [(fault.line, fault.reason) for fault in faults] == [
        (3 + 2 * index, reason) for index, (_, reason, _) in enumerate(BAD_ROWS)
    ]


def test_a_line_that_never_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    huge = b"x" * (3 * 1024 * 1024)
    path = written(tmp_path / "a.csv", HEADER.encode() + b"1,a,2026\r\n" + huge + b"\r\n2,b,2026\r\n" + huge)

    good, faults = read(DelimitedFile(path))

    assert [line for line, _ in good] == [2, 4]
    assert [(fault.line, fault.reason) for fault in faults] == [(3, "ROW_TOO_LARGE"), (5, "ROW_TOO_LARGE")]


def test_a_quoted_line_break_belongs_to_its_row(tmp_path: Path) -> None:
    file = DelimitedFile(written(tmp_path / "a.csv", HEADER + '1,"a\r\nb, ""c""",2026\r\n2,d,2026\r\n'))

    good, faults = read(file)

    assert good == [(2, ["1", 'a\nb, "c"', "2026"]), (4, ["2", "d", "2026"])]
    assert not faults


def test_a_file_without_header_is_read_by_the_names_given(tmp_path: Path) -> None:
    file = DelimitedFile(written(tmp_path / "a.dat", "1,a\r\n2,b\r\n"), columns=("x", "y"))

    assert read(file) == ([(1, ["1", "a"]), (2, ["2", "b"])], [])


ROUND_TRIP = st.characters(codec="cp932", exclude_categories=["Cc"], exclude_characters="¢£¬‖−〜")
CELL = st.text(ROUND_TRIP, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99).map(str), CELL, CELL), max_size=60), st.sampled_from(["utf-8", "cp932"]))
def test_whatever_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], encoding: str
) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path = tmp_path_factory.getbasetemp() / "read_back.csv"
    written(path, HEADER + "".join(line + "\r\n" for line in quoted), encoding)

    good, faults = read(DelimitedFile(path))

    assert [tuple(row) for _, row in good] == rows
    assert not faults
