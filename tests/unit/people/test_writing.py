# SPDX-License-Identifier: Apache-2.0
"""Rules of the files a dummy population is written to."""

from __future__ import annotations

import csv
import hashlib
import json
import tracemalloc
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from chukan.people import Manifest, codes, columns, write
from chukan.people.writing import EXTRACTS, RESIDENTS_FILE
from chukan.standard.layouts import layout

if TYPE_CHECKING:
    from pathlib import Path

SHINJUKU, SETAGAYA = "131041", "131121"
TODAY = date(2026, 6, 15)
DAT_WIDTHS = (2, 15, 0, 17, 20, 20, 16, 1, 16, 16, 0, 0, 16, 16, 1, 1, 8, 8)

TAX, RECORD = "extracts/local_tax.csv", "extracts/resident_record.csv"
ALLOWANCE, CARE = "extracts/child_allowance.csv", "extracts/long_term_care.csv"

LAYOUT_COLUMNS = {
    ("TM00000000000001", "0100", RECORD): {
        "世帯番号": "世帯番号",
        "続柄コード": "続柄コード",
        "世帯主区分": "世帯主区分",
        "住民区分": "住民区分",
        "住民となった日": "住民日",
        "住民となった届出日": "住民届出日",
        "住民となった事由コード": "住民事由",
        "住所を定めた日": "現住所住定日",
        "住所を定めた届出日": "現住所届出日",
        "転入元市区町村コード": "転入元市区町村コード",
        "異動日": "異動日",
        "異動届出日": "届出日",
        "異動事由コード": "異動事由",
        "消除日": "消除日",
        "消除届出日": "消除届出日",
        "消除事由コード": "消除事由",
        "世帯員数": "世帯人数",
        "在留資格": "在留資格",
        "在留期間の満了日": "在留期限",
    },
    ("TM00000000000002", "0100", TAX): {
        "年度": "年度",
        "賦課期日現在の市区町村コード": "賦課期日市区町村コード",
        "市町村民税所得割額": "所得割額",
        "市町村民税均等割額": "均等割額",
        "都道府県民税所得割額": "県民税所得割額",
        "都道府県民税均等割額": "県民税均等割額",
        "森林環境税額": "森林環境税額",
        "合計所得金額": "合計所得金額",
        "総所得金額等": "総所得金額等",
        "給与収入額": "給与収入",
        "給与所得額": "給与所得",
        "公的年金等収入額": "公的年金等収入",
        "公的年金等所得額": "公的年金等所得",
        "営業等所得額": "営業等所得",
        "社会保険料控除額": "社会保険料控除",
        "配偶者控除額": "配偶者控除",
        "扶養控除額": "扶養控除",
        "基礎控除額": "基礎控除",
        "課税標準額": "課税標準額",
        "調整控除額": "調整控除",
        "控除対象配偶者区分": "控除対象配偶者区分",
        "一般扶養人数": "一般扶養人数",
        "特定扶養人数": "特定扶養人数",
        "老人扶養人数": "老人扶養人数",
        "16歳未満扶養人数": "年少扶養人数",
        "本人障害者区分": "障害者区分",
        "寡婦・ひとり親区分": "寡婦ひとり親区分",
        "非課税区分": "非課税区分",
        "未申告区分": "未申告区分",
        "更正日": "更正日",
        "更正事由コード": "更正事由",
    },
    ("TM00000000000010", "0100", ALLOWANCE): {
        "認定番号": "認定番号",
        "受給者区分": "受給者区分",
        "認定年月日": "認定日",
        "支給開始年月": "支給開始年月",
        "支給終了年月": "支給終了年月",
        "支給月額": "支給額",
        "対象児童数": "対象児童数",
        "3歳未満児童数": "3歳未満児童数",
        "第3子以降児童数": "第3子以降児童数",
        "高校生年代児童数": "高校生年代児童数",
        "消滅年月日": "消滅日",
        "消滅事由コード": "消滅事由",
        "差止区分": "差止区分",
    },
    ("TM00000000000015", "0101", CARE): {
        "被保険者番号": "被保険者番号",
        "保険者番号": "保険者番号",
        "被保険者区分": "被保険者区分",
        "資格取得日": "資格取得日",
        "資格取得事由コード": "資格取得事由",
        "資格喪失日": "資格喪失日",
        "資格喪失事由コード": "資格喪失事由",
        "保険料段階": "保険料段階",
        "年間保険料額": "年間保険料額",
    },
    ("TM00000000000015", "0102", CARE): {
        "住所地特例番号": "レコードキー",
        "適用開始日": "有効期間開始日",
        "適用終了日": "有効期間終了日",
        "施設名": "施設名",
        "施設所在地市区町村コード": "施設所在地市区町村コード",
    },
    ("TM00000000000015", "0201", CARE): {
        "認定番号": "レコードキー",
        "申請日": "申請日",
        "認定日": "認定日",
        "要介護状態区分": "要介護度",
        "認定有効期間開始日": "有効期間開始日",
        "認定有効期間終了日": "有効期間終了日",
        "支給限度基準額": "支給限度基準額",
        "給付制限区分": "給付制限区分",
    },
    ("TM00000000000015", "0202", CARE): {
        "負担割合証番号": "レコードキー",
        "負担割合": "負担割合",
        "適用開始日": "有効期間開始日",
        "適用終了日": "有効期間終了日",
    },
    ("TM00000000000015", "0300", CARE): {
        "給付記録番号": "レコードキー",
        "サービス提供年月": "サービス提供年月",
        "サービス種類コード": "サービス種類コード",
        "給付単位数": "給付単位数",
        "保険給付額": "保険給付額",
    },
    ("TM00000000000015", "0400", CARE): {
        "事業記録番号": "レコードキー",
        "事業対象者判定日": "認定日",
        "サービス提供年月": "サービス提供年月",
        "事業種類コード": "サービス種類コード",
        "事業費支給額": "保険給付額",
        "利用者負担額": "利用者負担額",
    },
}
"""Which item of the layout a column of the extract fills."""


def run(out: Path, **changes: Any) -> Manifest:
    arguments = {"municipality": SHINJUKU, "count": 3_000, "seed": 5, "reference_date": TODAY, "linked": (SETAGAYA,)}
    return write(out, **{**arguments, **changes})


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("people")
    run(out)
    return out


def test_same_arguments_write_the_same_bytes(written: Path, tmp_path: Path) -> None:
    run(tmp_path)

    first = {path.relative_to(written): path.read_bytes() for path in written.rglob("*") if path.is_file()}
    second = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert first == second


def test_files_begin_with_their_column_names_and_end_rows_with_crlf(written: Path) -> None:
    headers = {"residents.csv": columns.RESIDENTS, "non_residents.csv": columns.NON_RESIDENTS, **EXTRACTS}
    for name, header in headers.items():
        data = (written / name).read_bytes()
        lines = data.split(b"\r\n")
        assert tuple(lines[0].decode().split(",")) == header
        assert lines[-1] == b""
        assert data.count(b"\n") == data.count(b"\r\n")
        assert all(line.count(b",") == len(header) - 1 for line in lines[:-1])


def test_an_old_number_stands_before_the_record_that_names_it(written: Path) -> None:
    seen = set()
    for row in read(written / RESIDENTS_FILE):
        assert not row["旧宛名番号"] or row["旧宛名番号"] in seen
        seen.add(row["宛名番号"])


def test_manifest_describes_the_files_and_says_that_all_is_dummy(written: Path) -> None:
    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"))

    assert "425" in manifest["notice"]
    assert manifest["records"] == manifest["count"] == len(read(written / RESIDENTS_FILE)) == 3_000
    assert set(codes.CASES) <= set(manifest["cases"])
    for name, described in manifest["files"].items():
        data = (written / name).read_bytes()
        assert described["sha256"] == hashlib.sha256(data).hexdigest()
        assert described["bytes"] == len(data)
        assert described["rows"] == data.count(b"\r\n") - (not name.endswith(".DAT"))


def test_cp932_differs_only_in_characters_it_lacks_and_counts_them(written: Path, tmp_path: Path) -> None:
    manifest = run(tmp_path, encoding="cp932")

    lost = 0
    for name in ("residents.csv", "non_residents.csv", *EXTRACTS):
        for full, reduced in zip(read(written / name), read(tmp_path / name, "cp932"), strict=True):
            for column, value in full.items():
                if value != reduced[column]:
                    assert "〓" in reduced[column]
                    lost += reduced[column].count("〓")
    assert lost == sum(file.substituted for file in manifest.files.values()) > 0
    assert any("髙" in row["漢字氏名"] for row in read(tmp_path / RESIDENTS_FILE, "cp932"))


@pytest.mark.parametrize("dense", [False, True])
def test_extracts_fit_the_layouts_in_force(written: Path, tmp_path: Path, dense: bool) -> None:  # noqa: FBT001
    out = written
    if dense:
        out = tmp_path
        run(out, dense=True, count=500)
    for (information, data_set, name), mapping in LAYOUT_COLUMNS.items():
        items = {item.name: item for item in layout(information, "0801").data_set(data_set).items}
        rows = [row for row in read(out / name) if row.get("データセット", data_set) == data_set]
        assert rows or dense
        assert {item.name for item in items.values() if item.required} <= set(mapping)
        for item_name, column in mapping.items():
            item = items[item_name]
            values = [row[column] for row in rows]
            nil_rows = [index for index, value in enumerate(values) if not value] if item.nil_allowed else []
            assert item.check_column(values, nil_rows=nil_rows) == [], (name, column)


def test_care_rows_name_a_parent_that_stands_before_them(written: Path) -> None:
    seen = set()
    for row in read(written / CARE):
        if row["親レコードキー"]:
            assert row["親レコードキー"] in seen
        assert row["データセット"] == "0101" or row["親レコードキー"]
        seen.add(row["レコードキー"])


def test_nobody_loses_an_insurance_before_having_it(tmp_path: Path) -> None:
    made = write(tmp_path, municipality="131041", count=6_000, seed=1, reference_date=date(2026, 11, 24))

    insured = [row for row in read(tmp_path / CARE) if row["データセット"] == "0101"]

    assert made.people
    assert any(row["資格喪失日"] for row in insured)
    assert [row for row in insured if row["資格喪失日"] and row["資格喪失日"] < row["資格取得日"]] == []


def test_record_keys_are_unique_in_their_data_set(written: Path) -> None:
    keys = Counter((row["データセット"], row["レコードキー"]) for row in read(written / CARE))
    tax = Counter((row["宛名番号"], row["年度"]) for row in read(written / TAX))
    certificates = Counter(row["認定番号"] for row in read(written / ALLOWANCE))

    assert {*keys.values(), *tax.values(), *certificates.values()} == {1}


def test_undeclared_people_have_no_amounts_and_people_without_income_have_zero(written: Path) -> None:
    rows = read(written / TAX)

    undeclared = [row for row in rows if row["未申告区分"] == "1"]
    zero = [row for row in rows if row["未申告区分"] == "0" and row["合計所得金額"] == "0"]
    assert undeclared
    assert zero
    assert all(row["所得割額"] == row["非課税区分"] == "" for row in undeclared)
    assert all((row["所得割額"], row["非課税区分"]) == ("0", "2") for row in zero)


def test_tax_rows_belong_to_people_who_lived_here_on_new_year(written: Path) -> None:
    residents = {row["宛名番号"]: row for row in read(written / RESIDENTS_FILE)}
    rows = [row for row in read(written / TAX) if row["年度"] == "2026"]

    for row in rows:
        person = residents[row["宛名番号"]]
        assert person["住民日"] <= "20260101"
        assert not person["消除日"] or person["消除日"] > "20260101"
    naturalised = {row["旧宛名番号"] for row in residents.values() if row["住民事由コード"] == codes.NATURALISED}
    assert naturalised & {row["宛名番号"] for row in rows}


def test_movers_who_are_adults_are_answered_by_the_former_municipality(written: Path, tmp_path: Path) -> None:
    run(tmp_path, municipality=SETAGAYA, linked=(SHINJUKU,))
    here = {row["個人番号"]: row for row in read(written / RESIDENTS_FILE) if row["転入元市区町村コード"] == "13112"}
    there = {row["個人番号"]: row["宛名番号"] for row in read(tmp_path / RESIDENTS_FILE)}
    taxed = {row["宛名番号"]: row for row in read(tmp_path / TAX) if row["年度"] == "2026"}

    assert len(here) == 60
    answers = [taxed[there[number]] for number, row in here.items() if row["生年月日"] < "20080101"]
    assert any(row["未申告区分"] == "1" for row in answers)
    assert any(row["合計所得金額"] == "0" for row in answers)
    assert any(row["所得割額"] > "0" for row in answers)


def test_inquiry_file_has_the_eighteen_fields_in_their_widths(written: Path) -> None:
    (path,) = (written / "inquiries").iterdir()
    residents = {row["宛名番号"]: row for row in read(written / RESIDENTS_FILE)}

    assert path.name == "P640R110_20260615090000_0001.DAT"
    data = path.read_bytes()
    assert data.isascii()
    assert data.endswith(b"\r\n")
    rows = [line.split(",") for line in data.decode("ascii").split("\r\n")[:-1]]
    assert len(rows) > 40
    for row in rows:
        assert tuple(map(len, row)) == DAT_WIDTHS
        assert row[6] == "0220113104101700"
        assert row[12].rstrip() == residents[row[1]]["転入元市区町村コード"] == "13112"
        assert row[16:] == ["20260401", "20270331"]
    assert len({row[3] for row in rows}) == len(rows)


def test_inquiry_files_are_split_at_ten_thousand_rows(tmp_path: Path) -> None:
    manifest = run(tmp_path, count=30_000, movers=12_500)

    rows = [file.rows for name, file in manifest.files.items() if name.startswith("inquiries/")]
    assert rows[0] == 10_000
    assert len(rows) == 2


def test_dense_extracts_have_one_row_of_each_kind_per_person(tmp_path: Path) -> None:
    manifest = run(tmp_path, dense=True)

    assert {manifest.files[name].rows for name in EXTRACTS} == {manifest.people}


def test_a_run_replaces_the_files_of_an_earlier_one_and_leaves_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    run(tmp_path, count=300)
    run(tmp_path, count=300, linked=())

    assert (tmp_path / "notes.txt").exists()
    assert not list((tmp_path / "inquiries").iterdir())


def test_an_interrupted_run_leaves_no_file_under_its_final_name(tmp_path: Path) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done > 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=interrupt)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_progress_ends_at_the_number_of_records(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run(tmp_path, count=300, progress=lambda done, total: seen.append((done, total)))

    assert seen[-1] == (300, 300)
    assert seen == sorted(seen)


def test_memory_does_not_grow_with_the_files(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        run(tmp_path, count=count)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(6_000) < 1.3 * peak(600) + 300_000
