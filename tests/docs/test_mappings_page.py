# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/reference/mappings.md are read as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chukan.adapter.exchange.lines import Line
from chukan.adapter.exchange.result_profile import result_profile
from chukan.adapter.exchange.rows import RowReader
from chukan.adapter.mapping import people_mappings
from chukan.adapter.sync import LoadOptions, load

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "mappings.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(toml|csv)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXTRACT, PEOPLE, OUR_INPUT, OUR_RESULT = [text for kind, text in BLOCKS if kind == "toml"]
(ROWS,) = [text for kind, text in BLOCKS if kind == "csv"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with every example in a file."""
    files = {"ours.toml": EXTRACT, "people.toml": PEOPLE, "JTEATE_202604.csv": ROWS}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_the_example_of_a_mapping_reads_the_example_of_an_extract(folder: Path) -> None:
    options = LoadOptions(
        target="127.0.0.1:1",
        organization="0220113104101700",
        extracts=folder,
        mappings=folder,
        state=folder / "state",
        edition="0801",
        dry_run=True,
    )

    report = load(options)

    (lane,) = report.lanes
    assert (lane.name, lane.name_english, lane.rows, lane.sent) == ("児童手当", "child allowance", 2, 2)
    assert report.dead_letters == 0


def test_the_example_of_a_mapping_of_people_is_one(folder: Path) -> None:
    found = {each.name: each for each in people_mappings(folder)}["people.toml"]

    mapped = found.map_rows(
        {
            "個人番号": [""],
            "住民票コード": ["12345678901"],
            "氏名": ["試験　一郎"],
            "カナ": ["シケン　イチロウ"],
            "生年月日": ["昭和55年1月2日"],
            "性別": ["男"],
            "住所": ["東京都新宿区"],
            "異動": ["転入"],
            "DV等支援": ["有"],
        },
        1,
    )

    assert mapped.faults == []
    assert (mapped.columns["birth_dates"], mapped.columns["resident_states"]) == (["19800102"], ["1"])
    assert mapped.flags == {"protective_measures": {0}}


def test_the_examples_of_profiles_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "our_input.toml").write_text(OUR_INPUT, "utf-8")
    (tmp_path / "our_result.toml").write_text(OUR_RESULT, "utf-8")

    profile = result_profile(str(tmp_path / "our_result.toml"))

    row = "01\t000000000000001\tJM01000000121000\tJT01010000000214\t13104\tTM00000000000002"
    line = Line(1, 0, len(row) + 2, row.encode("cp932") + b"\r\n")
    assert RowReader(profile.input, "x.txt", caller="0220113112101700").read(line).problems == ()
    assert (profile.encoding, profile.width, profile.input.files) == ("cp932", 262, "SHOKAI_*.txt")
