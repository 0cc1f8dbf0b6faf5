# SPDX-License-Identifier: Apache-2.0
"""A DAT file made by foreign software is answered in its documented columns, by real servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import address_number

from chukan.adapter.exchange import inquire

if TYPE_CHECKING:
    from conftest import Town

    from chukan.adapter.exchange import Report

VECTOR = Path(__file__).parents[2] / "vectors/dat/P640R110_20260615090000_0001.DAT"
EVEN_LEVY = "TK90002010000004"
INCOME_LEVY = "TK90002010000003"
ROW_STATUS, ROW_MESSAGE, INFORMATION_STATUS, REASON = 23, 24, 25, 28
PROVIDER = "0220113104101700"


@pytest.fixture(scope="module")
def answered(town: Town, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, dict[int, list[str]]]:
    """Return the report and the result rows by the last digits of 宛名番号."""
    town.link([1, 2, 3, 4, 5, 6, 7, 10, 11, 12])
    town.setagaya.register(town.number([8]))
    town.shinjuku.link([1, 2, 3, 4])
    provided = [address_number(serial) for serial in (1, 2, 3, 4)]
    values = {INCOME_LEVY: ["123400", "0", "", "7"], EVEN_LEVY: ["3500", "0", "0", "8"]}
    town.shinjuku.replicas(provided, values=values, nil={INCOME_LEVY: {2: "01"}})
    out = tmp_path_factory.mktemp("out") / "result.csv"

    report = inquire(town.options(VECTOR, out=out, state=tmp_path_factory.mktemp("state")))

    lines = out.read_bytes().decode("utf-8").split("\r\n")
    assert lines.pop() == ""
    rows = [line.split(",") for line in lines]
    assert {len(row) for row in rows} == {262}
    return report, {int(row[1]): row for row in rows}


Answered = tuple["Report", dict[int, list[str]]]


def test_every_row_is_answered_once_with_its_request_as_sent(answered: Answered) -> None:
    report, rows = answered
    sent = [line.split(",") for line in VECTOR.read_bytes().decode("ascii").split("\r\n")[:-1]]

    assert [rows[serial][:18] for serial in range(1, 13)] == sent
    assert report.rows == 12


@pytest.mark.parametrize("serial", [1, 2, 3, 4])
def test_providers_of_5_6_and_16_digits_are_the_same_provider(answered: Answered, serial: int) -> None:
    row = answered[1][serial]

    assert (row[18], row[ROW_STATUS], row[INFORMATION_STATUS]) == (PROVIDER, "09", "01")


def test_levies_stand_in_their_columns_zero_nil_and_nothing_apart(answered: Answered) -> None:
    rows = answered[1]

    assert (rows[1][230], rows[1][254]) == ("3500", "123400")
    assert (rows[2][254], rows[2][255]) == ("0", "")
    assert (rows[3][254], rows[3][255]) == ("", "01")
    assert (rows[4][230], rows[4][254]) == ("8", "7")
    assert (rows[5][254], rows[5][255], rows[5][ROW_STATUS], rows[5][INFORMATION_STATUS]) == ("", "", "09", "02")


@pytest.mark.parametrize(
    ("serial", "status", "message", "reason"),
    [
        (6, "94", "「情報提供者機関コード」が指定されていません。", "PROVIDER_BLANK"),
        (9, "91", "指定された宛名番号「００００００００００００００９」は登録されていません。", "LOCAL_NUMBER_UNKNOWN"),
        (11, "94", "指定された「情報提供者機関コード」は存在しません。", "PROVIDER_UNKNOWN"),
    ],
)
def test_rows_that_never_reach_the_middle_server_say_why(
    answered: Answered, serial: int, status: str, message: str, reason: str
) -> None:
    row = answered[1][serial]

    assert (row[ROW_STATUS], row[ROW_MESSAGE], row[REASON]) == (status, message, reason)


def test_a_refused_information_is_named_in_full_width_digits(answered: Answered) -> None:
    row = answered[1][7]

    assert row[ROW_STATUS] == "93"
    assert (
        row[ROW_MESSAGE] == "指定された特定個人情報名「ＴＭ００００００００００００８２」の照会は許可されていません。"
    )


def test_a_person_without_a_code_is_named_in_full_width_digits(answered: Answered) -> None:
    row = answered[1][8]

    assert row[ROW_STATUS] == "91"
    assert row[ROW_MESSAGE].startswith("指定された団体内統合宛名番号「")
    assert row[ROW_MESSAGE].endswith("」は符号が未取得です。")
    assert len(row[ROW_MESSAGE].split("「")[1].split("」")[0]) == 15


def test_a_ward_of_a_designated_city_is_folded_to_the_city(answered: Answered) -> None:
    row = answered[1][10]

    assert (row[12], row[18], row[19]) == ("01101", "0220101100201700", "北海道札幌市")


def test_the_16_digit_code_of_an_agency_is_asked_as_it_is(answered: Answered) -> None:
    row = answered[1][12]

    assert (row[18], row[19]) == ("1419900000002200", "デジタル庁")
    assert row[REASON] not in ("PROVIDER_UNKNOWN", "NOT_PERMITTED_PROVIDER")
