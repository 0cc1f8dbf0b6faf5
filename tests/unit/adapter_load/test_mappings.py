# SPDX-License-Identifier: Apache-2.0
"""Mapping files: the shipped ones fit layouts and extracts, wrong ones are refused with file and key."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from chukan.adapter.mapping import ExtractMapping, extract_mappings, map_rows, people_mappings
from chukan.adapter.sources import DelimitedFile
from chukan.people import columns
from chukan.standard.layouts import NIL_REASONS
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chukan.adapter.mapping import DataSetMapping, Mapped

SHIPPED = extract_mappings()
KINDS = {"resident_record", "local_tax", "child_allowance", "long_term_care"}


def cells_of(file: DelimitedFile, names: Sequence[str]) -> tuple[dict[str, Sequence[str]], int]:
    rows: list[Sequence[str]] = []
    for chunk in file.chunks():
        parsed, _, faults = file.parse(chunk.lines, chunk.numbers)
        assert not faults
        rows += parsed
    every = list(zip(*rows, strict=True))
    return {name: every[file.columns.index(name)] for name in names}, len(rows)


def map_file(mapping: ExtractMapping, path: Path) -> list[tuple[DataSetMapping, Mapped, dict[str, Sequence[str]], int]]:
    cells, rows = cells_of(DelimitedFile(path, needed=mapping.columns), mapping.columns)
    mapped = []
    for each in mapping.data_sets:
        column = cells.get(mapping.data_set_column)
        kept = [row for row in range(rows) if column is None or column[row] == each.data_set.code]
        part = {name: [values[row] for row in kept] for name, values in cells.items()}
        mapped.append((each, map_rows(each, part, len(kept)), part, len(kept)))
    return mapped


def test_every_kind_of_extract_is_mapped_in_both_editions() -> None:
    assert {mapping.name for mapping in SHIPPED} == {
        f"{kind}_{edition}.toml" for kind in KINDS for edition in ("0701", "0801")
    }
    assert {mapping.name for mapping in people_mappings()} == {"residents.toml", "non_residents.toml"}


def test_all_six_data_sets_of_long_term_care_are_mapped_and_parents_come_first() -> None:
    for mapping in SHIPPED:
        codes = [each.data_set.code for each in mapping.data_sets]
        assert sorted(codes) == sorted(mapping.layout.by_code)
        for each in mapping.data_sets:
            if each.data_set.parent is not None:
                assert codes.index(each.data_set.parent) < codes.index(each.data_set.code)


@pytest.mark.parametrize("mapping", SHIPPED, ids=lambda mapping: mapping.name)
def test_a_shipped_mapping_maps_the_dummy_extract_without_a_fault(mapping: ExtractMapping, town: Path) -> None:
    (path,) = (town / "extracts").glob(mapping.files[0])

    mapped = map_file(mapping, path)

    assert sum(rows for *_, rows in mapped) > 0
    for each, result, _, rows in mapped:
        assert not result.faults
        assert {len(item.values) for item in result.items} <= {rows}
        assert each.data_set.key_item in {item.item_code for item in result.items}


@pytest.mark.parametrize("mapping", SHIPPED, ids=lambda mapping: mapping.name)
def test_the_record_key_is_the_value_of_the_key_item(mapping: ExtractMapping, town: Path) -> None:
    (path,) = (town / "extracts").glob(mapping.files[0])

    for each, result, cells, rows in map_file(mapping, path):
        key_item = next(item for item in result.items if item.item_code == each.data_set.key_item)
        assert list(each.record_key.apply(cells, rows).values) == list(key_item.values)


def test_undeclared_income_is_nil_with_its_reason_and_zero_stays_zero(town: Path) -> None:
    mapping = next(each for each in SHIPPED if each.name == "local_tax_0801.toml")
    ((_, result, cells, rows),) = map_file(mapping, town / "extracts" / "local_tax.csv")

    levy = next(item for item in result.items if item.item_code == "TK90002010000003")
    undeclared = [row for row in range(rows) if cells["未申告区分"][row] == "1"]
    assert undeclared
    assert list(levy.nil_rows) == undeclared
    assert set(levy.nil_reasons) == {"01"} <= set(NIL_REASONS)
    assert "0" in levy.values
    assert {levy.values[row] for row in undeclared} == {""}


def test_the_dummy_files_have_the_columns_the_mappings_of_people_read() -> None:
    needed = {mapping.name: set(mapping.columns) for mapping in people_mappings()}

    assert needed["residents.toml"] <= set(columns.RESIDENTS)
    assert needed["non_residents.toml"] <= set(columns.NON_RESIDENTS)


SOUND = """
title = "手当"
information = "TM00000000000010"
edition = "0801"
files = ["x*.csv"]
local_number = "宛名"
[[data_sets]]
code = "0100"
record_key = "番号"
start = { column = "認定", transforms = ["era_date"] }
[data_sets.items]
TK90010010000001 = "番号"
TK90010010000002 = { column = "区分", table = { "会社員" = "1", "*" = "2" } }
TK90010010000003 = { column = "認定", transforms = ["era_date"] }
TK90010010000004 = { constant = "202604" }
TK90010010000006 = { column = "額", transforms = ["number"], empty = "05" }
TK90010010000007 = "人数"
"""


def test_a_body_s_own_mapping_is_taken_beside_the_shipped_ones_and_for_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "allowance.toml").write_text(SOUND, "utf-8")
    (tmp_path / "local_tax_0801.toml").write_text(SOUND, "utf-8")

    mappings = {each.name: each for each in extract_mappings(tmp_path)}

    assert mappings["allowance.toml"].columns == ("人数", "区分", "宛名", "番号", "認定", "額")
    assert mappings["local_tax_0801.toml"].layout.information_code == "TM00000000000010"
    assert len(mappings) == len(SHIPPED) + 1


@pytest.mark.parametrize(
    ("old", "new", "key", "sentence"),
    [
        ('title = "手当"', "title = 5", "title", "expected a text"),
        ('"TM00000000000010"', '"TM00000000000099"', "information", "no information"),
        ('"0801"', '"0601"', "edition", "no such edition"),
        ("files", "fiels", "fiels", "unknown key"),
        ('["x*.csv"]', "[]", "files", "expected a list of texts"),
        ('code = "0100"', 'code = "0200"', "data_sets[0].code", "expected one of 0100"),
        ('record_key = "番号"', "", "data_sets[0].record_key", "expected a column name"),
        ('record_key = "番号"', 'record_key = "番号"\nparent_key = "親"', "data_sets[0].parent_key", "no parent key"),
        ("era_date", "ear_date", "data_sets[0].start.transforms", "got transform ear_date, expected one of"),
        ("TK90010010000007", "TK90010010000077", "data_sets[0].items.TK90010010000077", "no such item"),
        ('TK90010010000007 = "人数"', "", "data_sets[0].items", "TK90010010000007"),
        ("TK90010010000007", "TK90010010000010", "data_sets[0].items.TK90010010000010", "void"),
        ('empty = "05"', 'empty = "55"', "data_sets[0].items.TK90010010000006", "expected one of 01"),
        ('"人数"', '{ column = "人数", empty = "05" }', "data_sets[0].items.TK90010010000007", "may not be nil"),
        ('"会社員" = "1"', '"会社員" = "12"', "data_sets[0].items.TK90010010000002", "max_length"),
        ('"202604"', '"202613"', "data_sets[0].items.TK90010010000004", "year_month"),
        ('constant = "202604"', 'constant = "202604", column = "x"', "TK90010010000004", "either column or constant"),
        ("edition =", "edition", "", "TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_with_a_sentence_that_names_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, sentence: str
) -> None:
    assert old in SOUND
    (tmp_path / "own.toml").write_text(SOUND.replace(old, new, 1), "utf-8")

    with pytest.raises(ChukanError) as raised:
        extract_mappings(tmp_path)

    error = raised.value
    assert (error.code, error.params["file"]) == ("MAPPING_INVALID", "own.toml")
    assert error.params["key"].endswith(key)
    assert sentence in error.params["rule"]


def test_several_data_sets_need_the_column_that_tells_them_apart(tmp_path: Path) -> None:
    shipped = files("chukan.adapter.mapping").joinpath("data", "long_term_care_0801.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(shipped.replace('data_set_column = "データセット"', ""), "utf-8")

    with pytest.raises(ChukanError) as raised:
        extract_mappings(tmp_path)

    assert raised.value.params["key"] == "data_set_column"


def test_a_data_set_stands_once(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SOUND + SOUND[SOUND.index("[[data_sets]]") :], "utf-8")

    with pytest.raises(ChukanError) as raised:
        extract_mappings(tmp_path)

    assert raised.value.params["key"] == "data_sets[1].code"


def test_a_mapping_of_people_needs_names_and_birth_dates(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'title="x"\n[people]\nfiles = ["x.csv"]\nnumber_system = "01"\nlocal_number = "n"\nfields = { names = "m" }\n',
        "utf-8",
    )

    with pytest.raises(ChukanError) as raised:
        people_mappings(tmp_path)

    assert raised.value.params["key"] == "people.fields.birth_dates"


PROTECTIVE = """
[people]
files = ["people*.csv"]
number_system = "01"
local_number = "number"
protective_measures_set = ["nondisclosure", "self_information_disabled"]
[people.fields]
names = "name"
birth_dates = "born"
[people.flags]
protective_measures = "protected"
nondisclosure = "hidden"
"""


def test_protective_measures_set_the_flags_a_mapping_names_beside_their_own_columns(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text(f'title = "people"\n{PROTECTIVE}', "utf-8")
    (mapping,) = [each for each in people_mappings(tmp_path) if each.name == "people.toml"]
    cells = {"number": ["1", "2"], "name": ["a", "b"], "born": ["19800102"] * 2}

    mapped = mapping.map_rows({**cells, "protected": ["1", "0"], "hidden": ["0", "1"]}, 2)

    assert mapped.flags["nondisclosure"] == {0, 1}
    assert mapped.flags["self_information_disabled"] == {0}


def test_protective_measures_set_no_flag_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text(
        f'title = "people"\n{PROTECTIVE.replace("nondisclosure", "closed", 1)}', "utf-8"
    )

    with pytest.raises(ChukanError, match="protective_measures_set"):
        people_mappings(tmp_path)
