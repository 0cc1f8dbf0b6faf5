# SPDX-License-Identifier: Apache-2.0
"""Organizations: their codes, wards folded to cities, providers resolved from what files write."""

from __future__ import annotations

import pytest

from chukan.standard import organizations
from chukan.standard.codes import is_organization_code
from chukan.standard.numbers import is_municipality_code
from chukan.standard.reasons import ChukanError


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("0220113104101700", "新宿区", "municipality"),
        ("0220113112101700", "世田谷区", "municipality"),
        ("0220113101601700", "千代田区", "municipality"),
        ("0220113103201700", "港区", "municipality"),
        ("0220101100201700", "札幌市", "municipality"),
        ("0220114100301700", "横浜市", "municipality"),
        ("0210113000101700", "東京都", "prefecture"),
        ("1419900000002200", "デジタル庁", "digital_agency"),
        ("9900000000000101", "日本年金機構", "pension"),
        ("9900000000000201", "東京都後期高齢者医療広域連合", "wide_area_union"),
        ("9900000000000901", "新宿区立図書館", "organ"),
    ],
)
def test_the_organizations_of_the_demonstration_are_there(code: str, name: str, kind: str) -> None:
    found = organizations.organization(code)

    assert (found.name, found.kind) == (name, kind)
    assert found in organizations.all_organizations()


def test_every_organization_is_consistent() -> None:
    """Codes are unique and shaped, kinds are named, body codes check, parents exist."""
    everybody = organizations.all_organizations()

    assert len({one.code for one in everybody}) == len(everybody)
    for one in everybody:
        assert is_organization_code(one.code)
        assert one.kind in organizations.kind_names()
        assert one.kana
        if one.municipality_code is not None:
            assert is_municipality_code(one.municipality_code)
            assert one.code[5:11] == one.municipality_code
        if one.parent is not None:
            assert organizations.organization(one.parent)


def test_every_local_body_is_consistent() -> None:
    """Every code has a valid check digit; a ward's parent is a designated city; the whole country is there."""
    bodies = organizations.local_bodies()

    assert sum(body.kind == "prefecture" for body in bodies.values()) == 47
    assert sum(body.kind == "municipality" for body in bodies.values()) == 1741
    for code, body in bodies.items():
        assert is_municipality_code(code)
        assert (body.kind == "ward") == bool(body.parent)
        if body.parent:
            assert bodies[body.parent].name.endswith("市")
    assert len({body.parent for body in bodies.values() if body.parent}) == 20


@pytest.mark.parametrize(
    "text", ["13112", "131121", "0220113112101700", "13112           ", "131121          ", " 13112"]
)
def test_a_provider_is_resolved_from_five_six_or_sixteen_digits(text: str) -> None:
    assert organizations.resolve_provider(text).code == "0220113112101700"


def test_a_public_sixteen_digit_code_of_no_municipality_is_resolved() -> None:
    assert organizations.resolve_provider("1419900000002200").name == "デジタル庁"


@pytest.mark.parametrize(("ward", "city"), [("01101", "011002"), ("14103", "141003"), ("22131", "221309")])
def test_a_ward_is_folded_to_its_designated_city(ward: str, city: str) -> None:
    assert organizations.resolve_provider(ward).municipality_code == city


def test_a_special_ward_of_tokyo_is_a_body_of_its_own() -> None:
    assert organizations.fold_ward("131041") == "131041"
    assert organizations.by_municipality("13102").full_name == "東京都中央区"


def test_a_municipality_that_is_no_shipped_member_still_resolves() -> None:
    found = organizations.resolve_provider("07202")

    assert found.name == "会津若松市"
    assert organizations.organization(found.code) == found
    assert found not in organizations.all_organizations()


def test_a_ward_has_no_organization_code() -> None:
    with pytest.raises(ChukanError, match="ORGANIZATION_UNKNOWN"):
        organizations.organization("0220101101101700")


@pytest.mark.parametrize(
    "text", ["99999", "131042", "13104x", "１３１０４", "0220199999901700", "1", "0" * 17, "02201131041017O0"]
)
def test_a_provider_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ChukanError, match="PROVIDER_UNKNOWN"):
        organizations.resolve_provider(text)


def test_a_blank_provider_has_a_reason_of_its_own() -> None:
    with pytest.raises(ChukanError, match="PROVIDER_BLANK"):
        organizations.resolve_provider(" " * 16)


def test_the_wards_of_a_city_are_known() -> None:
    assert len(organizations.wards_of("011002")) == 10
    assert organizations.local_body("011011").name == "中央区"
    with pytest.raises(ChukanError, match="ORGANIZATION_UNKNOWN"):
        organizations.local_body("000000")
