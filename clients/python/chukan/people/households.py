# SPDX-License-Identifier: Apache-2.0
"""Draws households: who lives together, how old they are, what they are called, since when they live there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.people import codes
from chukan.people.names import ForeignName, NameTables, Pair, foreign_full_name, full_name
from chukan.people.places import residence
from chukan.people.records import Person

if TYPE_CHECKING:
    from chukan.people.draw import Draw
    from chukan.people.town import Town

_YEAR: Final = 365.2425
_NEWBORN_DAYS: Final = 60
_ELDER: Final = 65
_ADULT: Final = 18


class Member(NamedTuple):
    """A place in a household before it has a name. Age -1 is a child of the last two months."""

    relationship: codes.Relationship
    sex: str
    age: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What a scheduled case needs of the household that is about to be drawn."""

    shape: str = ""
    surname: str = "plain"
    foreign: str = ""


def _sex(draw: Draw) -> str:
    return codes.MALE if draw.unit() < 0.51 else codes.FEMALE  # noqa: PLR2004


def _couple(draw: Draw, low: int, high: int) -> list[Member]:
    husband = draw.between(low, high)
    wife = max(20, husband - draw.between(-3, 6))
    if draw.chance(0.88):
        return [Member(codes.HEAD, codes.MALE, husband), Member(codes.WIFE, codes.FEMALE, wife)]
    return [Member(codes.HEAD, codes.FEMALE, wife), Member(codes.HUSBAND, codes.MALE, husband)]


def _children(draw: Draw, mother: int, number: int) -> list[Member]:
    ages = sorted((max(2, mother - draw.between(22, 38)) for _ in range(number)), reverse=True)
    return [Member(codes.CHILD, _sex(draw), age) for age in ages]


def _single_young(draw: Draw) -> list[Member]:
    return [Member(codes.HEAD, _sex(draw), draw.between(19, 64))]


def _single_elder(draw: Draw) -> list[Member]:
    return [Member(codes.HEAD, codes.FEMALE if draw.chance(0.65) else codes.MALE, draw.between(65, 99))]


def _couple_young(draw: Draw) -> list[Member]:
    return _couple(draw, 24, 64)


def _couple_elder(draw: Draw) -> list[Member]:
    return _couple(draw, 67, 93)


def _family(draw: Draw) -> list[Member]:
    parents = _couple(draw, 28, 58)
    mother = next(parent.age for parent in parents if parent.sex == codes.FEMALE)
    return parents + _children(draw, mother, 1 + int(draw.unit() * 2.4))


def _family_teenager(draw: Draw) -> list[Member]:
    return [*_couple(draw, 42, 55), Member(codes.CHILD, _sex(draw), draw.between(16, 17))]


def _family_newborn(draw: Draw) -> list[Member]:
    return [*_couple(draw, 24, 42), Member(codes.CHILD, _sex(draw), -1)]


def _single_parent(draw: Draw) -> list[Member]:
    mother = draw.between(25, 55)
    return [Member(codes.HEAD, codes.FEMALE, mother), *_children(draw, mother, draw.between(1, 2))]


def _three_generations(draw: Draw) -> list[Member]:
    grandfather = draw.between(66, 88)
    parent = grandfather - draw.between(24, 34)
    members = [
        Member(codes.HEAD, codes.MALE, grandfather),
        Member(codes.WIFE, codes.FEMALE, grandfather - draw.between(0, 6)),
        Member(codes.CHILD, codes.MALE, parent),
        Member(codes.CHILDS_WIFE, codes.FEMALE, max(24, parent - draw.between(0, 5))),
    ]
    return [*members, Member(codes.GRANDCHILD, _sex(draw), max(2, parent - draw.between(28, 38)))]


def _with_parent(draw: Draw) -> list[Member]:
    head = draw.between(40, 66)
    mother = draw.between(head + 21, head + 33)
    return [Member(codes.HEAD, _sex(draw), head), Member(codes.MOTHER, codes.FEMALE, mother)]


def _shared(draw: Draw) -> list[Member]:
    return [
        Member(codes.HEAD, _sex(draw), draw.between(20, 60)),
        Member(codes.LODGER, _sex(draw), draw.between(20, 60)),
    ]


_SHAPES: Final[dict[str, Callable[[Draw], list[Member]]]] = {
    "single": _single_young,
    "single_elder": _single_elder,
    "couple": _couple_young,
    "couple_elder": _couple_elder,
    "family": _family,
    "family_teenager": _family_teenager,
    "family_newborn": _family_newborn,
    "single_parent": _single_parent,
    "three_generations": _three_generations,
    "with_parent": _with_parent,
    "shared": _shared,
}
_SHARES: Final = (
    (0.36, "single"),
    (0.48, "single_elder"),
    (0.58, "couple"),
    (0.70, "couple_elder"),
    (0.88, "family"),
    (0.895, "family_newborn"),
    (0.94, "single_parent"),
    (0.965, "three_generations"),
    (0.985, "with_parent"),
    (1.0, "shared"),
)


def draw_members(draw: Draw, shape: str = "") -> list[Member]:
    """Return the members of a household, its head first; of the wished shape, if any."""
    if not shape:
        unit = draw.unit()
        shape = next(name for bound, name in _SHARES if unit < bound)
    return _SHAPES[shape](draw)


def born(draw: Draw, age: int, reference_date: date) -> date:
    """Return a birthday that makes somebody this old on the reference date."""
    if age < 0:
        return reference_date - timedelta(days=draw.between(1, _NEWBORN_DAYS))
    return reference_date - timedelta(days=int(age * _YEAR) + draw.between(1, 364))


def draw_surname(draw: Draw, names: NameTables, kind: str) -> Pair:
    """Return a surname: plain, external (外字) or variation (異体字)."""
    if kind == "external":
        return draw.pick(names.external)
    return draw.pick(names.variation) if kind == "variation" else draw.early(names.surnames)


def draw_household(town: Town, wish: Wish) -> list[Person]:
    """Return a household that has lived here for a while, its head first; the scheduled cases change it afterwards."""
    draw = town.draw
    members = draw_members(draw, wish.shape)
    foreign = wish.foreign or ("any" if not wish.shape and wish.surname == "plain" and draw.chance(0.06) else "")
    naming = _foreign_naming(town, long=foreign == "long") if foreign else _japanese_naming(town, wish.surname)
    home = residence(draw, draw.pick(town.places), flat=draw.chance(0.75 if len(members) == 1 else 0.4))
    number = town.numbers.household_number()
    arrived = town.days_ago(400 + int(draw.unit() ** 2 * min(members[0].age - 18, 40) * _YEAR))
    household: list[Person] = []
    for member in members:
        birthday = born(draw, member.age, town.reference_date)
        name = naming(member, birthday)
        individual_number, resident_code = town.numbers.identity()
        person = Person(
            local_address_number=town.numbers.local_address_number(),
            household_number=number,
            individual_number=individual_number,
            resident_code=resident_code,
            name=name.name,
            kana=name.kana,
            surname=name.surname,
            common_name=name.common_name,
            former_surname=name.former_surname,
            born=birthday,
            birth_date=compact(birthday),
            sex=member.sex,
            kind=codes.FOREIGN if foreign else codes.JAPANESE,
            postal_code=home.postal_code,
            place_code=home.place_code,
            residential_address=home.residential_address,
            building=home.building,
            relationship=member.relationship,
            cases=name.cases,
        )
        settle(town, person, day=arrived, reason=codes.MOVED_IN, moved_from="")
        if person.resident_reason == codes.MOVED_IN:
            person.moved_from = draw.pick(town.elsewhere).municipality
        if member.age < 0:
            person.add_case("birth")
        household.append(person)
    return household


def settle(town: Town, person: Person, *, day: date, reason: str, moved_from: str) -> None:
    """Make a person a resident from a day on, or from birth when born later."""
    if person.born >= day:
        day, reason, moved_from = person.born, codes.BORN_HERE, ""
    notified = town.notified(day)
    person.moved_on = person.resident_since = person.settled_on = day
    person.moved_notified_on = person.resident_notified_on = person.settled_notified_on = notified
    person.move_reason = person.resident_reason = reason
    person.moved_from = moved_from


def compact(day: date) -> str:
    """Return the day as yyyyMMdd."""
    return day.isoformat().replace("-", "")


class _Name(NamedTuple):
    name: str
    kana: str
    surname: str
    common_name: str = ""
    former_surname: str = ""
    cases: tuple[str, ...] = ()


_Naming = Callable[[Member, date], _Name]


def _japanese_naming(town: Town, kind: str) -> _Naming:
    draw, names = town.draw, town.names
    family = draw_surname(draw, names, kind)
    cases = {"external": ("external_character",), "variation": ("variation_sequence",)}.get(kind, ())

    def named(member: Member, birthday: date) -> _Name:
        surname = draw.early(names.surnames) if member.relationship == codes.LODGER else family
        name, kana = full_name(surname, names.given_name(draw, sex=member.sex, birth_year=birthday.year))
        former = draw.early(names.surnames)[0] if member.relationship == codes.WIFE and draw.chance(0.03) else ""
        return _Name(name, kana, surname[0], former_surname=former, cases=cases)

    return named


def _foreign_naming(town: Town, *, long: bool) -> _Naming:
    draw, names = town.draw, town.names
    country = names.long if long else draw.pick(names.foreign)
    family: ForeignName = draw.pick(country.families)
    kanji = draw.chance(0.7)
    common_family = draw.early(names.surnames) if draw.chance(0.35) else None

    def named(member: Member, birthday: date) -> _Name:
        name, kana = foreign_full_name(family, draw.pick(country.given[member.sex]), kanji=kanji)
        given = names.given_name(draw, sex=member.sex, birth_year=birthday.year)
        common = full_name(common_family, given)[0] if common_family else ""
        cases = ["foreign_resident"]
        cases += ["foreign_long_name"] if long else []
        cases += ["foreign_common_name"] if common else []
        return _Name(name, kana, family.name, common_name=common, cases=tuple(cases))

    return named
