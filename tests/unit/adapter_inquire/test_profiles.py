# SPDX-License-Identifier: Apache-2.0
"""Profiles are data: those shipped hold together, and a body can bring its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from chukan.adapter.exchange import profile_names
from chukan.adapter.exchange.input_profile import input_profile
from chukan.adapter.exchange.messages import full_width, messages
from chukan.adapter.exchange.result_profile import result_profile
from chukan.standard.layouts import information_codes
from chukan.standard.reasons import ChukanError

PROFILES = Path(__file__).parents[3] / "adapter/chukan/adapter/exchange/profiles"
TAX = "TM00000000000002"
EVEN_LEVY = "TK90002010000004"
INCOME_LEVY = "TK90002010000003"


def test_two_result_editions_and_the_dat_are_shipped() -> None:
    assert profile_names("result") == ["2023", "2024"]
    assert profile_names("input") == ["p640r110"]


def test_the_dat_has_the_public_fields_and_widths() -> None:
    fields = input_profile("p640r110").fields

    assert [each.width for each in fields] == [2, 15, 15, 17, 20, 20, 16, 1, 16, 16, 16, 16, 16, 16, 1, 1, 8, 8]
    assert fields[1].name == "宛名番号"
    assert fields[12].name == "情報提供者機関コード"


@pytest.mark.parametrize(("name", "width", "even", "income"), [("2024", 262, 230, 254), ("2023", 279, 247, 271)])
def test_the_wanted_columns_move_by_17_between_the_editions(name: str, width: int, even: int, income: int) -> None:
    profile = result_profile(name)

    places = profile.item_places(TAX)

    assert profile.width == width
    assert (places[EVEN_LEVY], places[INCOME_LEVY]) == (even, income)
    assert [profile.columns[key] for key in ("row_status", "row_message", "information_status")] == [23, 24, 25]


@pytest.mark.parametrize("name", ["2023", "2024"])
@pytest.mark.parametrize("information", information_codes())
def test_every_item_of_every_layout_has_a_column_of_its_own(name: str, information: str) -> None:
    profile = result_profile(name)

    places = list(profile.item_places(information).values())

    assert len(places) == len(set(places))
    assert all(0 <= place < profile.width - 1 for place in places)
    assert not {place + 1 for place in places} & set(places), "the reason of nil stands beside"


def test_every_message_names_a_known_reason_and_known_placeholders() -> None:
    table = messages("messages")

    status = table.local("CODE_NOT_ACQUIRED", number="900000000000001")

    assert status.row_message == "指定された団体内統合宛名番号「９０００００００００００００１」は符号が未取得です。"
    assert full_width("TM1") == "ＴＭ１"


def test_a_body_brings_its_own_result_profile_by_path(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('kind = "result"\nname = "own"\nlike = "2024"\nquoting = "all"\n', encoding="utf-8")

    profile = result_profile(str(own))

    assert (profile.quoting, profile.width) == ("all", 262)


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        ("row_status = 23", "row_status = 24", "columns"),
        ("row_status = 23", "rowstatus = 23", "columns"),
        ("width = 262", "width = 200", "width"),
        ("step = 2", "step = 1", "items.step"),
        ('quoting = "minimal"', 'quoting = "some"', "quoting"),
        ("last = 260", "last = 60", "items.last"),
    ],
)
def test_a_result_profile_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, setting: str) -> None:
    text = (PROFILES / "2024.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace(old, new), encoding="utf-8")
    (tmp_path / "p640r110.toml").write_bytes((PROFILES / "p640r110.toml").read_bytes())

    with pytest.raises(ChukanError) as caught:
        result_profile(str(own)).item_places(TAX)

    assert (caught.value.code, caught.value.field) == ("SETTING_INVALID", setting)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type = "instant"', 'type = "moment"'),
        ('meaning = "affair_code"', 'meaning = "affair"'),
        ('meaning = "affair_code"', 'meaning = ""'),
        ('meaning = "condition_kind"', 'meaning = "year_kind"'),
        ('encoding = "ascii"', 'encoding = "ebcdic-9"'),
        ('line_end = "crlf"', 'line_end = "cr"'),
        ("rows_per_file", "rows_a_file"),
    ],
)
def test_an_input_profile_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (PROFILES / "p640r110.toml").read_text(encoding="utf-8")
    own = tmp_path / "own.toml"
    own.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ChukanError) as caught:
        input_profile(str(own))

    assert caught.value.code == "SETTING_INVALID"


def test_an_unknown_profile_is_named_with_those_that_exist() -> None:
    with pytest.raises(ChukanError) as caught:
        result_profile("1999")

    assert caught.value.params == {"profile": "1999", "known": "2023 2024"}
