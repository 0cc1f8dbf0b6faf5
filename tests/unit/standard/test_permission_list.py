# SPDX-License-Identifier: Apache-2.0
"""The permission list: its rows are consistent, and each step of the match refuses for its own reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from chukan.standard import layouts, permission_list
from chukan.standard.codes import is_affair_code, is_information_code, is_procedure_code
from chukan.standard.organizations import by_municipality, kind_names, organization
from chukan.standard.permission_list import PermissionRow, Question
from chukan.standard.reasons import ChukanError, reason

LIST = permission_list.permission_list()
TAX = "TM00000000000002"
SHINJUKU = by_municipality("131041")
SETAGAYA = by_municipality("131121")
LIBRARY = organization("9900000000000901")
EDUCATION_BOARD = organization("9900000000000402")

PUBLIC = Question(
    inquirer=SETAGAYA,
    affair_code="JM01000000121000",
    procedure_code="JT01010000000214",
    provider=SHINJUKU,
    information_code=TAX,
    on=date(2026, 6, 1),
)


def test_the_public_file_of_setagaya_is_permitted() -> None:
    match = LIST.match(PUBLIC)

    assert match.permitted
    assert match.reason == ""


def test_the_public_account_procedure_is_permitted_from_the_digital_agency() -> None:
    account = replace(
        PUBLIC,
        procedure_code="JT01010000000001",
        provider=organization("1419900000002200"),
        information_code="TM00000000000089",
    )

    assert LIST.match(account).permitted


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"procedure_code": "JT99999999999999"}, "NOT_PERMITTED_PROCEDURE"),
        ({"information_code": "TM00000000000008"}, "NOT_PERMITTED_INFORMATION"),
        ({"procedure_code": "JT99000000007401"}, "AFFAIR_MISMATCH"),
        ({"affair_code": ""}, "AFFAIR_MISMATCH"),
        ({"inquirer": LIBRARY}, "NOT_PERMITTED_INQUIRER"),
        ({"provider": organization("1419900000002200")}, "NOT_PERMITTED_PROVIDER"),
        ({"on": date(2024, 5, 26)}, "NOT_YET_IN_FORCE"),
        ({"in_house": True}, "NETWORK_ROUTE_EXISTS"),
    ],
)
def test_an_inquiry_is_refused_at_the_step_it_fails(changes: dict[str, object], expected: str) -> None:
    match = LIST.match(replace(PUBLIC, **changes))  # type: ignore[arg-type]

    assert match == (None, expected)
    assert reason(expected)


def test_inquiry_is_refused_when_the_row_is_not_yet_in_force() -> None:
    question = replace(PUBLIC, affair_code="JM99000000011600", procedure_code="JT99000000011609")

    assert LIST.match(question).reason == "NOT_YET_IN_FORCE"
    assert LIST.match(replace(question, on=date(2030, 4, 1))).permitted


def test_inquiry_is_refused_when_the_row_is_no_longer_in_force() -> None:
    question = replace(PUBLIC, affair_code="JM99000000007400", procedure_code="JT99000000007409")

    assert LIST.match(question).reason == "NO_LONGER_IN_FORCE"
    assert LIST.match(replace(question, on=date(2024, 9, 30))).permitted


def test_only_the_items_of_the_row_may_be_asked_for() -> None:
    row = next(row for row in LIST.rows if row.items)
    question = Question(
        inquirer=organization("9900000000000104"),
        affair_code=row.affair_code,
        procedure_code=row.procedure_code,
        provider=SHINJUKU,
        information_code=row.information_code,
        on=date(2026, 6, 1),
    )

    assert LIST.match(question).row == row
    assert LIST.match(replace(question, items=row.items[:2])).row == row
    assert LIST.match(replace(question, items=(row.items[0], "TK90002010000099"))).reason == "NOT_PERMITTED_ITEMS"


def test_an_ordinance_row_is_for_the_body_that_made_the_ordinance() -> None:
    row = next(row for row in LIST.rows if row.kind == "ordinance" and row.organization == SHINJUKU.code)
    question = replace(
        PUBLIC,
        inquirer=SHINJUKU,
        provider=SETAGAYA,
        affair_code=row.affair_code,
        procedure_code=row.procedure_code,
        information_code=row.information_code,
    )

    assert LIST.match(question).row == row
    assert LIST.match(replace(question, inquirer=SETAGAYA)).reason == "ORDINANCE_OF_ANOTHER_BODY"


def test_an_in_house_row_never_permits_an_inquiry_through_the_network() -> None:
    row = next(row for row in LIST.rows if row.kind == "in_house" and row.information_code == TAX)
    question = replace(
        PUBLIC,
        inquirer=EDUCATION_BOARD,
        affair_code=row.affair_code,
        procedure_code=row.procedure_code,
        in_house=True,
    )

    assert LIST.match(question).row == row
    assert LIST.match(replace(question, in_house=False)).reason == "IN_HOUSE_ONLY"


def test_an_empty_list_permits_nothing() -> None:
    empty = permission_list.PermissionList("0", date(2026, 6, 1), ())

    assert not empty.match(PUBLIC).permitted


@pytest.mark.parametrize("row", LIST.rows, ids=lambda row: row.row_id)
def test_a_row_is_consistent(row: PermissionRow) -> None:
    """Codes are shaped and known, kinds are named, items are the layout's, a basis is always stated."""
    assert is_affair_code(row.affair_code)
    assert is_procedure_code(row.procedure_code)
    assert is_information_code(row.information_code)
    assert permission_list.procedure(row.procedure_code).affair_code == row.affair_code
    assert permission_list.affair(row.affair_code).name
    assert row.inquirer_kinds
    assert row.provider_kinds
    assert {*row.inquirer_kinds, *row.provider_kinds} <= set(kind_names()) - {"organ"}
    assert row.information_code in layouts.information_codes()
    known = {
        item.code
        for edition in layouts.editions(row.information_code)
        for data_set in layouts.layout(row.information_code, edition).data_sets
        for item in data_set.items
    }
    assert set(row.items) <= known
    assert row.legal_basis_old
    assert row.legal_basis_new
    assert row.valid_to is None or row.valid_from <= row.valid_to
    assert row.kind in ("network", "ordinance", "in_house")
    assert (row.kind == "network") == (row.organization is None)
    assert row.organization is None or organization(row.organization)
    assert not row.consent_required or row.information_code == TAX


def test_the_list_is_rich_enough() -> None:
    rows = LIST.rows

    assert len({row.row_id for row in rows}) == len(rows)
    assert len({row.legal_basis_old for row in rows}) >= 20
    assert sum(row.consent_required for row in rows) >= 3
    assert {row.kind for row in rows} == {"network", "ordinance", "in_house"}


def test_unknown_codes_have_reasons_of_their_own() -> None:
    with pytest.raises(ChukanError, match="AFFAIR_UNKNOWN"):
        permission_list.affair("JM00000000000000")
    with pytest.raises(ChukanError, match="PROCEDURE_UNKNOWN"):
        permission_list.procedure("JT00000000000000")
