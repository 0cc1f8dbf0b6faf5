# SPDX-License-Identifier: Apache-2.0
"""People who moved from one generated municipality to another after 1 January.

A cohort is a function of the seed, the ordered pair and the reference date only: both municipalities draw the same
people, independently. The former one holds them closed (転出) with this year's tax, the new one as residents who moved
in (転入). A smaller cohort is the beginning of a bigger one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.cases import close
from chukan.people.draw import Draw
from chukan.people.households import born, compact, draw_members, draw_surname, settle
from chukan.people.names import full_name, name_tables
from chukan.people.places import residence
from chukan.people.records import Person
from chukan.people.serials import LARGEST_COHORT, cohort_identity
from chukan.people.town import Town, tax_year

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMALLEST: Final = 20
_SHARE: Final = 50
_MOST_OF: Final = 4
_SHAPES: Final = ("single", "family_teenager", "couple", "single", "single_parent", "family", "single", "couple_elder")
_EXTERNAL_EVERY: Final = 9
_TAX_EVERY: Final = 10
_TAX_CASES: Final = {3: "undeclared", 6: "zero"}


@dataclass(frozen=True, slots=True)
class Mover:
    """What both municipalities know of somebody who moved; ``household`` numbers the cohort's households."""

    household: int
    individual_number: str
    resident_code: str
    name: str
    kana: str
    surname: str
    born: date
    sex: str
    relationship: codes.Relationship
    moved_on: date
    tax_case: str


def cohort_size(count: int, linked: int) -> int:
    """How many people move in each direction: 2 %, at least 20, all cohorts together at most half of the people."""
    return min(max(_SMALLEST, count // _SHARE), count // (_MOST_OF * linked), LARGEST_COHORT) if linked else 0


def cohort(
    *, seed: int, former: str, new: str, reference_date: date, size: int, valid_numbers: bool = True
) -> Iterator[tuple[Mover, ...]]:
    """Return the households of a cohort, in order; the last one is cut where the size is reached."""
    draw = Draw(seed, former[:5], new[:5], reference_date, "movers")
    done = household = 0
    while done < size:
        movers = _household(draw, household, reference_date)
        numbered = tuple(
            _numbered(mover, former[:5], new[:5], done + place, valid_numbers=valid_numbers)
            for place, mover in enumerate(movers[: size - done])
        )
        yield numbered
        done += len(numbered)
        household += 1


def left(town: Town, movers: tuple[Mover, ...]) -> list[Person]:
    """Return the movers as the former municipality's closed records."""
    since = town.draw.day(date(2005, 1, 1), date(tax_year(town.reference_date) - 1, 1, 1))
    people = _people(town, movers)
    for person, mover in zip(people, movers, strict=True):
        origin = town.draw.pick(town.elsewhere).municipality
        settle(town, person, day=since, reason=codes.MOVED_IN, moved_from=origin)
        notified = max(mover.moved_on - timedelta(days=7), since)
        close(person, state=codes.LEFT, reason=codes.MOVED_OUT, day=mover.moved_on, notified=notified)
        person.tax_case = mover.tax_case
        person.cases = ("moved_to_linked",)
    return people


def arrived(town: Town, movers: tuple[Mover, ...], *, former: str) -> list[Person]:
    """Return the movers as the new municipality's residents."""
    people = _people(town, movers)
    for person, mover in zip(people, movers, strict=True):
        settle(town, person, day=mover.moved_on, reason=codes.MOVED_IN, moved_from=former[:5])
        person.linked_former = former[:5]
        person.cases = ("moved_from_linked",)
    return people


def _household(draw: Draw, index: int, reference_date: date) -> list[Mover]:
    names = name_tables()
    kind = "external" if index % _EXTERNAL_EVERY == 4 else "plain"  # noqa: PLR2004 - from an early household on
    family = draw_surname(draw, names, kind)
    first = date(tax_year(reference_date), 1, 2)
    moved_on = draw.day(first, reference_date - timedelta(days=1))
    movers: list[Mover] = []
    for member in draw_members(draw, _SHAPES[index % len(_SHAPES)]):
        birthday = min(born(draw, member.age, reference_date), first - timedelta(days=30))
        name, kana = full_name(family, names.given_name(draw, sex=member.sex, birth_year=birthday.year))
        movers.append(
            Mover(
                household=index,
                individual_number="",
                resident_code="",
                name=name,
                kana=kana,
                surname=family[0],
                born=birthday,
                sex=member.sex,
                relationship=member.relationship,
                moved_on=moved_on,
                tax_case="",
            )
        )
    return movers


def _numbered(mover: Mover, former: str, new: str, index: int, *, valid_numbers: bool) -> Mover:
    individual_number, resident_code = cohort_identity(former, new, index, valid=valid_numbers)
    return replace(
        mover,
        individual_number=individual_number,
        resident_code=resident_code,
        tax_case=_TAX_CASES.get(index % _TAX_EVERY, ""),
    )


def _people(town: Town, movers: tuple[Mover, ...]) -> list[Person]:
    draw = town.draw
    home = residence(draw, draw.pick(town.places), flat=draw.chance(0.6))
    number = town.numbers.household_number()
    return [
        Person(
            local_address_number=town.numbers.local_address_number(),
            household_number=number,
            individual_number=mover.individual_number,
            resident_code=mover.resident_code,
            name=mover.name,
            kana=mover.kana,
            surname=mover.surname,
            born=mover.born,
            birth_date=compact(mover.born),
            sex=mover.sex,
            relationship=mover.relationship,
            postal_code=home.postal_code,
            place_code=home.place_code,
            residential_address=home.residential_address,
            building=home.building,
        )
        for mover in movers
    ]
