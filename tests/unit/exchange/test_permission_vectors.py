# SPDX-License-Identifier: Apache-2.0
"""Who may ask whom for what, row by row of the former 別表第二 [B] (docs/fidelity §4), against the shipped list.

A row is permitted under a procedure of its affair, by the rule all three sides use. What it does not name is refused.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pytest

from chukan.server.domain.permission import Decision, Purpose, decide
from chukan.standard.organizations import by_municipality
from chukan.standard.permission_list import permission_list, procedures

ON = date(2026, 7, 1)
WARD, OTHER, CITY, TOWN, PREFECTURE = (
    by_municipality(code).code for code in ("131041", "131121", "132039", "133035", "130001")
)
PENSION, MINISTRY, MUTUAL_AID, SCHOLARSHIP, UNION, HEALTH_INSURER, INSURANCE_UNION = (
    f"9900000000000{number}" for number in ("101", "102", "103", "104", "201", "301", "302")
)
DIGITAL_AGENCY = "1419900000002200"
BOARD_OF_PREFECTURE, BOARD_OF_WARD, LIBRARY = "9900000000000401", "9900000000000402", "9900000000000901"

RESIDENT, TAX, INSURANCE, DISABILITY, ASSISTANCE = (f"TM{number:014d}" for number in (1, 2, 3, 8, 9))
CHILD_ALLOWANCE, CARE, PENSION_PAID = (f"TM{number:014d}" for number in (10, 15, 20))

MUNICIPALITIES = (WARD, CITY, TOWN)
PENSION_PAYERS = (PENSION, MINISTRY, MUTUAL_AID)
INSURERS = (OTHER, UNION, HEALTH_INSURER, INSURANCE_UNION, MUTUAL_AID)
BODIES = (OTHER, PREFECTURE)
EVERYBODY = (
    *(WARD, CITY, TOWN, PREFECTURE, PENSION, MINISTRY, MUTUAL_AID, SCHOLARSHIP, UNION, HEALTH_INSURER),
    *(INSURANCE_UNION, DIGITAL_AGENCY, BOARD_OF_PREFECTURE, BOARD_OF_WARD, LIBRARY),
)


class Vector(NamedTuple):
    """A row: who asks, and who provides each information."""

    row: int
    inquirers: tuple[str, ...]
    provided: dict[str, tuple[str, ...]]


LOCAL = {TAX: (OTHER,), RESIDENT: (OTHER,)}
VECTORS = (
    Vector(74, MUNICIPALITIES, LOCAL),
    Vector(75, MUNICIPALITIES, {PENSION_PAID: PENSION_PAYERS}),
    Vector(26, (PREFECTURE, WARD, CITY), {TAX: (OTHER,), PENSION_PAID: PENSION_PAYERS}),
    Vector(26, (PREFECTURE, WARD, CITY), {CHILD_ALLOWANCE: (OTHER,), CARE: (OTHER,)}),
    Vector(27, MUNICIPALITIES, {**LOCAL, DISABILITY: BODIES, ASSISTANCE: BODIES}),
    Vector(42, (*MUNICIPALITIES, INSURANCE_UNION), {INSURANCE: INSURERS}),
    Vector(43, (*MUNICIPALITIES, INSURANCE_UNION), LOCAL),
    Vector(93, MUNICIPALITIES, {INSURANCE: INSURERS}),
    Vector(94, MUNICIPALITIES, {**LOCAL, CARE: (OTHER,), ASSISTANCE: BODIES}),
    Vector(108, MUNICIPALITIES, {**LOCAL, DISABILITY: BODIES, PENSION_PAID: (MINISTRY,)}),
    Vector(116, MUNICIPALITIES, {**LOCAL, ASSISTANCE: BODIES, DISABILITY: BODIES}),
    Vector(57, (PREFECTURE, *MUNICIPALITIES), {TAX: (OTHER,), PENSION_PAID: (MINISTRY,), DISABILITY: (OTHER,)}),
    Vector(66, (MINISTRY, PREFECTURE), LOCAL),
    Vector(67, (PREFECTURE, *MUNICIPALITIES), LOCAL),
    Vector(62, MUNICIPALITIES, LOCAL),
    Vector(70, MUNICIPALITIES, LOCAL),
    Vector(31, (*MUNICIPALITIES, PREFECTURE), {**LOCAL, DISABILITY: BODIES, ASSISTANCE: BODIES}),
    Vector(37, (BOARD_OF_PREFECTURE,), LOCAL),
    Vector(38, (BOARD_OF_WARD, BOARD_OF_PREFECTURE), {**LOCAL, ASSISTANCE: (OTHER,)}),
    Vector(48, (PENSION,), LOCAL),
    Vector(106, (SCHOLARSHIP,), {TAX: (OTHER,)}),
)
PERMITTED = [
    (vector.row, inquirer, provider, information)
    for vector in VECTORS
    for inquirer in vector.inquirers
    for information, providers in vector.provided.items()
    for provider in providers
    if provider != inquirer
]
OF_75 = 74
"""Row 75 is of the same affair as 74 (児童手当)."""


def _decisions(row: int, inquirer: str, provider: str, information: str) -> list[Decision]:
    """Decide under every procedure of the row's affair."""
    affair = f"JM99{OF_75 if row == 75 else row:010d}00"
    asked = [each.code for each in procedures().values() if each.affair_code == affair]
    assert asked, affair
    return [
        decide(
            permission_list(),
            Purpose(inquirer=inquirer, provider=provider, affair=affair, procedure=each, information=information),
            ON,
        )
        for each in asked
    ]


@pytest.mark.parametrize(("row", "inquirer", "provider", "information"), PERMITTED)
def test_what_a_row_names_is_permitted(row: int, inquirer: str, provider: str, information: str) -> None:
    assert any(decision.permitted for decision in _decisions(row, inquirer, provider, information))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.row))
def test_whom_a_row_does_not_name_it_refuses(vector: Vector) -> None:
    strangers = set(EVERYBODY) - set(vector.inquirers)

    for information, (provider, *_) in vector.provided.items():
        for stranger in strangers:
            assert not any(each.permitted for each in _decisions(vector.row, stranger, provider, information)), stranger


@pytest.mark.parametrize("provider", [PENSION, SCHOLARSHIP, DIGITAL_AGENCY, BOARD_OF_WARD, LIBRARY])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.row))
def test_whom_a_row_does_not_name_as_provider_is_not_asked(vector: Vector, provider: str) -> None:
    for information, providers in vector.provided.items():
        if provider not in providers and information != PENSION_PAID:
            for inquirer in vector.inquirers:
                assert not any(each.permitted for each in _decisions(vector.row, inquirer, provider, information))


def test_the_scholarship_row_is_for_prefectural_boards_only() -> None:
    """Row 37 names 都道府県教育委員会: neither a municipal board nor the governor."""
    for inquirer in (BOARD_OF_WARD, PREFECTURE):
        (decision,) = _decisions(37, inquirer, OTHER, TAX)
        assert decision.reason == "NOT_PERMITTED_INQUIRER"


def test_public_assistance_is_for_those_with_a_welfare_office() -> None:
    """Row 26 names 福祉事務所設置市区: cities and special wards, and no town without an office."""
    assert {each.reason for each in _decisions(26, TOWN, OTHER, TAX)} == {"NOT_PERMITTED_INQUIRER"}


@pytest.mark.parametrize(
    ("inquirer", "provider"), [(BOARD_OF_WARD, WARD), (BOARD_OF_PREFECTURE, PREFECTURE), (LIBRARY, WARD)]
)
def test_an_organ_does_not_ask_its_own_body_through_the_network(inquirer: str, provider: str) -> None:
    for asks, answers in ((inquirer, provider), (provider, inquirer)):
        assert {each.reason for each in _decisions(38, asks, answers, TAX)} == {"PROVIDER_IS_INQUIRER"}


def test_two_organs_of_one_body_have_no_network_route_either() -> None:
    assert {each.reason for each in _decisions(38, BOARD_OF_WARD, LIBRARY, TAX)} == {"PROVIDER_IS_INQUIRER"}
