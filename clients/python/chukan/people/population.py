# SPDX-License-Identifier: Apache-2.0
"""Generates a municipality's population, household by household, in constant memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.people.cases import LARGEST, plain_household, scheduled_household
from chukan.people.movers import arrived, cohort, cohort_size, left
from chukan.people.outsiders import non_residents_at
from chukan.people.records import Household, Person
from chukan.people.town import Town, open_town

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date


def generate(
    *,
    municipality: str,
    count: int,
    seed: int,
    reference_date: date,
    linked: Sequence[str] = (),
    movers: int | None = None,
    valid_numbers: bool = True,
) -> Iterator[Household]:
    """Yield households until they hold exactly ``count`` records of the resident register.

    municipality, linked: six-digit codes. movers: people per direction and linked municipality; by default 2 %, at
    least 20; give it when linked populations differ in size, so that both hold the same cohort.
    The same arguments yield the same people. Errors: PEOPLE_MUNICIPALITY_UNKNOWN, PEOPLE_SERIALS_OVERLAP.
    """
    if count < 1:
        message = f"got count {count}, expected at least 1"
        raise ValueError(message)
    town = open_town(
        municipality=municipality,
        count=count,
        seed=seed,
        reference_date=reference_date,
        linked=linked,
        valid_numbers=valid_numbers,
    )
    size = cohort_size(count, len(linked)) if movers is None else movers
    cohorts_total = 2 * size * len(linked)
    if cohorts_total > count:
        message = (
            f"got {size} movers in each of two directions and {len(linked)} linked municipalities, {cohorts_total} in "
            f"all, expected at most the {count} people there are"
        )
        raise ValueError(message)
    return _households(town, room=count - cohorts_total, size=size)


def _households(town: Town, *, room: int, size: int) -> Iterator[Household]:
    """Ordinary households and cohort households by turns, then whichever is left."""
    moving = _moving_households(town, size)
    index = 0
    head: Person | None = None
    while room > 0:
        if room > LARGEST:
            people = scheduled_household(town, index, head)
            head = people[0]
            yield Household(tuple(people), non_residents_at(town, index, head))
        else:
            people = plain_household(town, room=room)
            yield Household(tuple(people))
        room -= len(people)
        index += 1
        if moved := next(moving, None):
            yield moved
    yield from moving


def _moving_households(town: Town, size: int) -> Iterator[Household]:
    for other in town.linked:
        for former, new in ((town.municipality, other), (other, town.municipality)):
            for movers in cohort(
                seed=town.seed,
                former=former,
                new=new,
                reference_date=town.reference_date,
                size=size,
                valid_numbers=town.valid_numbers,
            ):
                going = former == town.municipality
                people = left(town, movers) if going else arrived(town, movers, former=former)
                yield Household(tuple(people))
