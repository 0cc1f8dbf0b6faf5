# SPDX-License-Identifier: Apache-2.0
"""Draws non-resident addressees (住登外者): people a business must address who are not on the resident register."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.households import born, compact, draw_surname
from chukan.people.names import full_name
from chukan.people.places import Residence, residence
from chukan.people.records import NonResident, Person

if TYPE_CHECKING:
    from chukan.people.town import Town

_OWNER_EVERY, _OWNER_AT = 41, 10
_UNNUMBERED_EVERY, _UNNUMBERED_AT = 113, 12
_NOW_RESIDENT_EVERY, _NOW_RESIDENT_AT = 173, 14
_TWO_AFFAIRS_EVERY, _TWO_AFFAIRS_AT = 149, 16
_ABROAD_EVERY, _ABROAD_AT = 193, 18

_SAME_DIGITS: Final = "non_resident_same_digits_as_resident"
_ABROAD_ADDRESSES: Final = (
    "アメリカ合衆国カリフォルニア州サンフランシスコ市",
    "ベトナム社会主義共和国ハノイ市",
    "ドイツ連邦共和国ベルリン市",
    "オーストラリア連邦シドニー市",
)


def non_residents_at(town: Town, index: int, head: Person) -> tuple[NonResident, ...]:
    """Return the non-residents drawn together with the index-th household."""
    found: list[NonResident] = []
    if index % _OWNER_EVERY == _OWNER_AT:
        found.append(_stranger(town, affair=codes.TAX_AFFAIR, reason="固定資産所有"))
    if index % _UNNUMBERED_EVERY == _UNNUMBERED_AT:
        person = _stranger(town, affair=codes.CARE_AFFAIR, reason="住所地特例")
        found.append(
            replace(person, individual_number="", cases=(*person.cases, "non_resident_without_individual_number"))
        )
    if index % _NOW_RESIDENT_EVERY == _NOW_RESIDENT_AT:
        found.append(_now_resident(town, head))
    if index % _TWO_AFFAIRS_EVERY == _TWO_AFFAIRS_AT:
        person = _stranger(town, affair=codes.TAX_AFFAIR, reason="家屋敷課税")
        person = replace(person, cases=(*person.cases, "non_resident_two_affairs"))
        number = town.numbers.non_resident_number()
        found += [person, replace(person, affair=codes.CARE_AFFAIR, local_address_number=number, reason="住所地特例")]
    if index % _ABROAD_EVERY == _ABROAD_AT:
        person = _stranger(town, affair=codes.TAX_AFFAIR, reason="納税管理人届出")
        home = town.draw.pick(_ABROAD_ADDRESSES)
        found.append(
            replace(
                person,
                individual_number="",
                postal_code="",
                place_code=codes.ABROAD,
                residential_address=home,
                building="",
                cases=(*person.cases, "non_resident_abroad", "non_resident_without_individual_number"),
            )
        )
    return tuple(found)


def _stranger(town: Town, *, affair: str, reason: str) -> NonResident:
    draw = town.draw
    sex = codes.MALE if draw.chance(0.5) else codes.FEMALE
    birthday = born(draw, draw.between(25, 90), town.reference_date)
    surname = draw_surname(draw, town.names, "plain")
    name, kana = full_name(surname, town.names.given_name(draw, sex=sex, birth_year=birthday.year))
    return _addressed(
        town,
        home=residence(draw, draw.pick(town.elsewhere), flat=draw.chance(0.3)),
        affair=affair,
        reason=reason,
        individual_number=town.numbers.identity()[0],
        name=name,
        kana=kana,
        birth_date=compact(birthday),
        sex=sex,
        cases=("non_resident", _SAME_DIGITS),
    )


def _now_resident(town: Town, head: Person) -> NonResident:
    """Somebody a business addressed before, who is a resident now: the same number, name and birth date."""
    return _addressed(
        town,
        home=residence(town.draw, town.draw.pick(town.elsewhere), flat=False),
        affair=codes.TAX_AFFAIR,
        reason="固定資産所有",
        individual_number=head.individual_number,
        name=head.name,
        kana=head.kana,
        birth_date=head.birth_date,
        sex=head.sex,
        cases=("non_resident", _SAME_DIGITS, "non_resident_now_resident"),
    )


def _addressed(
    town: Town,
    *,
    home: Residence,
    affair: str,
    reason: str,
    individual_number: str,
    name: str,
    kana: str,
    birth_date: str,
    sex: str,
    cases: tuple[str, ...],
) -> NonResident:
    return NonResident(
        affair=affair,
        local_address_number=town.numbers.non_resident_number(),
        individual_number=individual_number,
        name=name,
        kana=kana,
        birth_date=birth_date,
        sex=sex,
        postal_code=home.postal_code,
        place_code=home.place_code,
        residential_address=home.residential_address,
        building=home.building,
        registered_on=town.draw.day(town.days_ago(5000), town.days_ago(400)),
        reason=reason,
        cases=cases,
    )
