# SPDX-License-Identifier: Apache-2.0
"""Extracts as they should not be: what can be read is read, the rest is named by file, row, column and rule."""

from __future__ import annotations

import csv
import gzip
import os
import re
import shutil
import zipfile
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.adapter.sync import LoadOptions, load
from chukan.people.writing import write
from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error
from tests.builders import SHINJUKU
from tests.hostile.world import CANARY, plain_digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.adapter.sync import Report

TAX: Final = "local_tax.csv"
LOCAL: Final = 1
"""The column of the local address number."""


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of sixty people, in UTF-8."""
    folder = tmp_path_factory.mktemp("town") / "people"
    write(folder, municipality="131041", count=60, seed=3, reference_date=date(2026, 10, 1), encoding="utf-8")
    return folder


@pytest.fixture
def own(town: Path, tmp_path: Path) -> Path:
    return shutil.copytree(town, tmp_path / "people")


def run(folder: Path, state: Path, **given: Any) -> Report:
    """Go through the tax extract without sending it."""
    options = {"people": (), "extracts": folder / "extracts" / TAX, "dry_run": True, **given}
    return load(LoadOptions(target="127.0.0.1:1", organization=SHINJUKU, state=state, **options))


def told(report: Report) -> str:
    """Return "state problem row REASON, …" of the tax lane, and of how many more rows there is something to tell."""
    with open(report.dead_letter_file, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
        text = file.read()
    assert CANARY not in plain_digits(text)
    letters = [(int(each["row"]), each["reason"]) for each in csv.DictReader(text.splitlines())]
    if not report.lanes:
        return " ".join(note.english for note in report.notes)
    (lane,) = report.lanes
    shown = ", ".join(f"{row} {reason}" for row, reason in sorted(letters)[:2])
    more = len(letters) - 2
    return " ".join(part for part in (lane.state, lane.problem, shown, f"+{more}" if more > 0 else "") if part)


def line(number: int, change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change one line; the header is line 1."""

    def changed(data: bytes) -> bytes:
        lines = data.split(b"\r\n")
        lines[number - 1] = change(lines[number - 1])
        return b"\r\n".join(lines)

    return changed


def cell(number: int, column: int, value: bytes) -> Callable[[bytes], bytes]:
    """Change one cell, counted from 0."""

    def changed(row: bytes) -> bytes:
        cells = row.split(b",")
        cells[column] = value
        return b",".join(cells)

    return line(number, changed)


def before(number: int, column: int, what: bytes) -> Callable[[bytes], bytes]:
    """Put something before a cell."""

    def changed(row: bytes) -> bytes:
        cells = row.split(b",")
        cells[column] = what + cells[column]
        return b",".join(cells)

    return line(number, changed)


def text(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    return lambda data: change(data.decode()).encode()


def rows(change: Callable[[list[list[str]]], Any]) -> Callable[[bytes], bytes]:
    """Change the table."""

    def changed(data: bytes) -> bytes:
        table = [row.split(",") for row in data.decode().split("\r\n")[:-1]]
        change(table)
        return ("\r\n".join(",".join(row) for row in table) + "\r\n").encode()

    return changed


def _zip(data: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(TAX, data)
    return out.getvalue()


def _swap(table: list[list[str]]) -> None:
    for row in table:
        row[0], row[-1] = row[-1], row[0]


HEAD: Final = "complete"
FILES: Final[dict[str, tuple[Callable[[bytes], bytes], str]]] = {
    "as it should be": (lambda data: data, HEAD),
    # --- encodings ---
    "UTF-8 with a mark": (lambda data: b"\xef\xbb\xbf" + data, HEAD),
    "CP932": (lambda data: data.decode().encode("cp932"), HEAD),
    "UTF-16 with a mark": (lambda data: data.decode().encode("utf-16"), "failed FILE_ENCODING"),
    "UTF-16, the other way round": (
        lambda data: b"\xfe\xff" + data.decode().encode("utf-16-be"),
        "failed FILE_ENCODING",
    ),
    "UTF-16 without a mark": (lambda data: data.decode().encode("utf-16-le"), "failed FILE_BINARY"),
    "UTF-32": (lambda data: data.decode().encode("utf-32"), "failed FILE_ENCODING"),
    "EUC-JP": (lambda data: data.decode().encode("euc_jp"), "failed FILE_ENCODING"),
    "ISO-2022-JP": (lambda data: data.decode().encode("iso2022_jp"), "failed HEADER_MISSING"),
    "UTF-7": (lambda data: data.decode().encode("utf-7"), "failed HEADER_MISSING"),
    "two marks": (lambda data: b"\xef\xbb\xbf" * 2 + data, HEAD),
    "a mark in the middle": (before(4, LOCAL, b"\xef\xbb\xbf"), "complete 4 LOCAL_NUMBER_FORMAT"),
    "a row of CP932 in UTF-8": (line(4, lambda row: row + "髙".encode("cp932")), "complete 4 FILE_ENCODING"),
    "a character cut in two": (line(4, lambda row: row + "高".encode()[:2]), "complete 4 FILE_ENCODING"),
    "a lone surrogate": (line(4, lambda row: row + b"\xed\xa0\x80"), "complete 4 FILE_ENCODING"),
    # --- line ends ---
    "LF": (lambda data: data.replace(b"\r\n", b"\n"), HEAD),
    "CR": (lambda data: data.replace(b"\r\n", b"\r"), "failed HEADER_MISSING"),
    "CR CR LF": (
        lambda data: data.replace(b"\r\n", b"\r\r\n"),
        "complete 2 VALUE_CODE_UNKNOWN, 3 VALUE_CODE_UNKNOWN +43",
    ),
    "LF CR": (lambda data: data.replace(b"\r\n", b"\n\r"), "complete 47 ROW_SHORT"),
    "no end of the last line": (lambda data: data.removesuffix(b"\r\n"), HEAD),
    "many blank lines": (lambda data: data.replace(b"\r\n", b"\r\n\r\n\r\n"), HEAD),
    "an end-of-file mark": (lambda data: data + b"\x1a", HEAD),
    "form feeds": (before(4, LOCAL, b"\x0c"), HEAD),
    "a Unicode line separator": (before(4, LOCAL, "\u2028".encode()), HEAD),
    # --- quotes ---
    "a quote without end": (line(4, lambda row: b'"' + row), "complete 4 ROW_QUOTING"),
    "a quote in a cell": (line(4, lambda row: row.replace(b",", b'",', 1)), "complete 4 ROW_QUOTING"),
    "all in quotes": (
        text(lambda data: re.sub(r"[^,\r\n]+", lambda found: f'"{found[0]}"', data)),
        HEAD,
    ),
    "single quotes": (before(4, LOCAL, b"'"), "complete 4 LOCAL_NUMBER_FORMAT"),
    "a line break in quotes": (line(4, lambda row: b'"' + row.replace(b",", b'\r\n",', 1)), HEAD),
    "quotes as far as one sees": (lambda data: data + b'"' * 5_000, "complete 47 ROW_SHORT"),
    # --- what is no such file ---
    "nothing": (lambda _: b"", "failed FILE_EMPTY"),
    "a mark alone": (lambda _: b"\xef\xbb\xbf", "failed FILE_EMPTY"),
    "line ends alone": (lambda _: b"\r\n" * 100, "failed FILE_EMPTY"),
    "spaces": (lambda _: b" " * 100, "failed FILE_EMPTY"),
    "NULs": (lambda data: b"\0" * len(data), "failed FILE_BINARY"),
    "gzip": (gzip.compress, "failed FILE_BINARY"),
    "zip": (_zip, "failed FILE_BINARY"),
    "a picture": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "failed FILE_BINARY"),
    "a page": (lambda _: b"<!DOCTYPE html><html><body>503</body></html>\r\n", "failed HEADER_MISSING"),
    "JSON": (lambda _: b'{"rows": []}\r\n', "failed HEADER_MISSING"),
    "a NUL in a row": (line(4, lambda row: row.replace(b",", b"\0,", 1)), "complete 4 FILE_BINARY"),
    "an escape sequence in a row": (before(4, LOCAL, b"\x1b[2J"), "complete 4 LOCAL_NUMBER_FORMAT"),
    # --- sizes ---
    "a line of 50 megabytes": (lambda data: data + b"x" * 50_000_000 + b"\r\n", "complete 47 ROW_TOO_LARGE"),
    "a header of 50 megabytes": (lambda data: b"x" * 50_000_000 + data, "failed HEADER_MISSING"),
    "a line of 100,000 commas": (lambda data: data + b"," * 100_000 + b"\r\n", "complete 47 ROW_LONG"),
    # --- headers and columns ---
    "the header alone": (lambda data: data[: data.index(b"\n") + 1], HEAD),
    "the header alone, without end": (lambda data: data[: data.index(b"\r")], HEAD),
    "the header twice": (
        lambda data: data[: data.index(b"\n") + 1] + data,
        "complete 2 LOCAL_NUMBER_FORMAT, 2 VALUE_FORMAT",
    ),
    "no header": (lambda data: data[data.index(b"\n") + 1 :], "failed HEADER_MISSING"),
    "columns in another order": (rows(_swap), HEAD),
    "a column more": (rows(lambda table: [row.append("x") for row in table]), HEAD),
    "a column less": (rows(lambda table: [row.pop() for row in table]), "failed COLUMN_MISSING"),
    "a column twice": (rows(lambda table: [row.append(row[LOCAL]) for row in table]), "failed COLUMN_DUPLICATE"),
    "a column without name": (rows(lambda table: table[0].__setitem__(LOCAL, "")), "failed COLUMN_MISSING"),
    "spaces around names": (rows(lambda table: table.__setitem__(0, [f" {name}　" for name in table[0]])), HEAD),
    "names in half-width kana": (text(lambda data: data.replace("年度", "ﾈﾝﾄﾞ", 1)), "failed COLUMN_MISSING"),
    "tabs": (lambda data: data.replace(b",", b"\t"), "failed HEADER_MISSING"),
    "semicolons": (lambda data: data.replace(b",", b";"), "failed HEADER_MISSING"),
    "full-width commas": (text(lambda data: data.replace(",", "，")), "failed HEADER_MISSING"),
    "a comma behind every row": (text(lambda data: data.replace("\r\n", ",\r\n")), HEAD),
    "a row too short": (line(4, lambda row: row.rpartition(b",")[0]), "complete 4 ROW_SHORT"),
    "a row too long": (line(4, lambda row: row + b",1"), "complete 4 ROW_LONG"),
    "commas alone": (line(4, lambda row: b"," * row.count(b",")), "complete 4 VALUE_REQUIRED, 4 VALUE_REQUIRED"),
    "a total below": (lambda data: data + "合計,45\r\n".encode(), "complete 47 ROW_SHORT"),
    # --- cells (what is zero-filled here is told by the address system, which knows the numbers held) ---
    "an individual number in the place of a local one": (cell(4, LOCAL, CANARY.encode()), HEAD),
    "one in full-width digits": (
        cell(4, LOCAL, CANARY.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789"}).encode()),
        HEAD,
    ),
    "a local number in full-width digits": (cell(4, LOCAL, "１２３".encode()), HEAD),
    "a local number with a sign": (cell(4, LOCAL, b"-1"), "complete 4 LOCAL_NUMBER_FORMAT"),
    "a local number Excel made": (cell(4, LOCAL, b"1.23457E+14"), "complete 4 LOCAL_NUMBER_FORMAT"),
    "a formula": (cell(4, LOCAL, b"=1+1"), "complete 4 LOCAL_NUMBER_FORMAT"),
    "a record twice": (lambda data: data + data.split(b"\r\n")[1] + b"\r\n", "complete 47 RECORD_DUPLICATE"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_as_far_as_it_can_be(own: Path, tmp_path: Path, name: str) -> None:
    change, expected = FILES[name]
    path = own / "extracts" / TAX
    path.write_bytes(change(path.read_bytes()))

    assert told(run(own, tmp_path / "state", extracts=own / "extracts" / TAX)) == expected


PLACES: Final[dict[str, tuple[Callable[[Path], Any], str]]] = {
    "a folder in its place": (lambda path: (path.unlink(), path.mkdir()), "failed FILE_NOT_FOUND"),
    "a link to nowhere": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "failed FILE_NOT_FOUND"),
    "a link to itself": (lambda path: (path.unlink(), path.symlink_to(path.name)), "failed FILE_NOT_FOUND"),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_file_fails_its_lane_and_no_other(own: Path, tmp_path: Path, name: str) -> None:
    change, expected = PLACES[name]
    change(own / "extracts" / TAX)

    report = run(own, tmp_path / "state", extracts=own / "extracts")

    lanes = {lane.information_code: f"{lane.state} {lane.problem}".strip() for lane in report.lanes}
    assert lanes.pop("TM00000000000002") == expected
    assert set(lanes.values()) == {"complete"}


def test_a_folder_with_nothing_to_read_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ChukanError) as raised:
        run(tmp_path, tmp_path / "state", extracts=tmp_path / "empty")

    assert (raised.value.code, raised.value.params["rule"]) == ("FOLDER_WITHOUT_FILES", "*.csv")


STATES: Final[dict[str, tuple[Callable[[Path], Any], str]]] = {
    "a file in the place of the folder": (lambda folder: (shutil.rmtree(folder), folder.touch()), "FILE_UNUSABLE"),
    "an empty key": (lambda folder: (folder / "key").write_bytes(b""), "CHECKPOINT_UNREADABLE"),
    "a key cut off": (lambda folder: (folder / "key").write_bytes(b"x" * 31), "CHECKPOINT_UNREADABLE"),
    "a folder in the place of the key": (
        lambda folder: ((folder / "key").unlink(), (folder / "key").mkdir()),
        "FILE_UNUSABLE",
    ),
    "noise in the place of a memory": (
        lambda folder: (folder / "TM00000000000002.db").write_bytes(os.urandom(20_000)),
        "failed CHECKPOINT_UNREADABLE",
    ),
    "half a memory": (
        lambda folder: os.truncate(folder / "TM00000000000002.db", 9_000),
        "failed CHECKPOINT_UNREADABLE",
    ),
    "a folder in the place of a memory": (
        lambda folder: ((folder / "TM00000000000002.db").unlink(), (folder / "TM00000000000002.db").mkdir()),
        "failed FILE_UNUSABLE",
    ),
    "a folder in the place of the dead letters": (
        lambda folder: ((folder / "dead_letters.csv").unlink(), (folder / "dead_letters.csv").mkdir()),
        "FILE_UNUSABLE",
    ),
    "a position nobody can read": (lambda folder: (folder / "linkage_token").write_bytes(b"\xff\0"), "complete"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_damaged_state_folder_is_told_and_never_taken_for_an_empty_one(own: Path, tmp_path: Path, name: str) -> None:
    run(own, tmp_path / "state")
    (folder,) = (tmp_path / "state").iterdir()
    change, expected = STATES[name]
    change(folder)

    try:
        end = told(run(own, tmp_path / "state"))
    except (ChukanError, OSError) as error:
        end = error.code if isinstance(error, ChukanError) else storage_error(error).code

    assert end == expected
