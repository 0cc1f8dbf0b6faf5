# SPDX-License-Identifier: Apache-2.0
"""Layouts: every shipped one is consistent in itself, and its two editions really differ."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from chukan.standard import layouts
from chukan.standard.codes import is_data_set, is_edition, is_information_code, is_item_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.standard.layouts import Layout

ALL = layouts.layouts()
BY_NAME = [f"{layout.name}-{layout.edition}" for layout in ALL]
TAX = "TM00000000000002"


def test_the_information_of_the_demonstration_is_there() -> None:
    names = {layout.information_code: layout.name for layout in ALL}

    assert names["TM00000000000001"].startswith("住民票")
    assert names[TAX] == "地方税関係情報"
    assert names["TM00000000000089"].startswith("公金受取口座")
    assert set(names) >= {f"TM{number:014d}" for number in (1, 2, 3, 8, 9, 10, 15, 20, 55, 82, 89)}


@pytest.mark.parametrize("layout", ALL, ids=BY_NAME)
def test_a_layout_is_consistent(layout: Layout) -> None:
    """Codes are shaped and unique, parents come before their children, keys are required items, types are known."""
    assert is_information_code(layout.information_code)
    assert is_edition(layout.edition)
    assert layout.period in ("year", "date")
    assert layout.english
    seen: set[str] = set()
    for data_set in layout.data_sets:
        assert is_data_set(data_set.code)
        assert data_set.code not in seen
        assert data_set.parent is None or data_set.parent in seen
        seen.add(data_set.code)
        assert data_set.key_item is not None
        key = data_set.item(data_set.key_item)
        assert key.required
        assert not key.nil_allowed
    items = [item for data_set in layout.data_sets for item in data_set.items]
    assert len({item.code for item in items}) == len(items)
    for item in items:
        assert is_item_code(item.code)
        assert item.code.startswith("TK9")
        assert item.type in layouts.ITEM_TYPES
        assert item.name
        assert item.max_length == layouts.FIXED_LENGTHS.get(item.type, item.max_length) > 0
        assert all(0 < len(value) <= item.max_length for value in item.values)
        assert len(item.values) == len(item.value_names) == len(set(item.values))
        assert not (item.void and (item.required or item.nil_allowed))


@pytest.mark.parametrize("code", layouts.information_codes())
def test_editions_differ_by_new_void_and_wider_items_and_never_by_the_meaning_of_a_code(code: str) -> None:
    """From an edition on items may be new, void or wider; an item code keeps its name and type for good."""
    for before, after in pairwise(layouts.layout(code, edition) for edition in layouts.editions(code)):
        old = {item.code: item for data_set in before.data_sets for item in data_set.items}
        new = {item.code: item for data_set in after.data_sets for item in data_set.items}

        assert set(old) <= set(new)
        assert set(new) - set(old), "an edition brings new items"
        assert any(item.void and not old[item.code].void for item in new.values() if item.code in old)
        for item_code, item in old.items():
            assert (item.name, item.type) == (new[item_code].name, new[item_code].type)
            assert new[item_code].max_length >= item.max_length
    wider = [item_code for item_code, item in old.items() if new[item_code].max_length > item.max_length]
    assert wider, "an edition widens an item"


@pytest.mark.parametrize("code", layouts.information_codes())
def test_editions_follow_each_other_without_gap_or_overlap(code: str) -> None:
    first, second = (layouts.layout(code, edition) for edition in ("0701", "0801"))

    assert first.valid_from == date(2025, 6, 1)
    assert first.valid_to is not None
    assert first.valid_to + timedelta(days=1) == second.valid_from == date(2026, 6, 1)
    assert second.valid_to is None


@pytest.mark.parametrize(("on", "edition"), [(date(2026, 5, 31), "0701"), (date(2026, 6, 1), "0801")])
def test_the_edition_in_force_is_found_by_date(on: date, edition: str) -> None:
    assert layouts.layout_in_force(TAX, on).edition == edition


def test_no_edition_is_in_force_before_the_first() -> None:
    with pytest.raises(ChukanError, match="EDITION_NOT_IN_FORCE"):
        layouts.layout_in_force(TAX, date(2025, 5, 31))


def test_no_identifying_item_is_just_as_wide_as_an_individual_number() -> None:
    """One of ten right values of twelve digits would be refused as 個人番号: there is room to zero-fill."""
    items = [item for layout in ALL for data_set in layout.data_sets for item in data_set.items]

    assert not [item.code for item in items if item.type == "code" and not item.values and item.max_length == 12]


def test_local_tax_holds_what_staff_ask_for() -> None:
    tax = layouts.layout(TAX, "0801")
    names = {item.name for item in tax.data_sets[0].items}

    assert tax.period == "year"
    assert names >= {
        "年度",
        "市町村民税所得割額",
        "市町村民税均等割額",
        "合計所得金額",
        "非課税区分",
        "未申告区分",
        "更正日",
    }
    assert len(names) >= 27


def test_long_term_care_has_six_data_sets_with_parents() -> None:
    care = layouts.layout("TM00000000000015", "0801")

    assert {data_set.code: data_set.parent for data_set in care.data_sets} == {
        "0101": None,
        "0102": "0101",
        "0201": "0101",
        "0202": "0201",
        "0300": "0201",
        "0400": "0101",
    }


def test_what_does_not_exist_has_a_reason_of_its_own() -> None:
    tax = layouts.layout(TAX, "0801")

    with pytest.raises(ChukanError, match="INFORMATION_UNKNOWN"):
        layouts.layout("TM99999999999999", "0801")
    with pytest.raises(ChukanError, match="EDITION_UNKNOWN"):
        layouts.layout(TAX, "../0801")
    with pytest.raises(ChukanError, match="DATA_SET_UNKNOWN"):
        tax.data_set("9999")
    with pytest.raises(ChukanError, match="ITEM_UNKNOWN"):
        tax.data_sets[0].item("TK90000000000000")


def test_required_items_leave_void_ones_out() -> None:
    allowance = layouts.layout("TM00000000000010", "0801").data_sets[0]

    assert all(item.required and not item.void for item in allowance.required_items)
    assert any(item.void for item in allowance.items)
