# SPDX-License-Identifier: Apache-2.0
"""What one population is drawn from: a municipality, a day, tables, numbers and a source of choices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people.draw import Draw
from chukan.people.names import NameTables, name_tables
from chukan.people.places import Place, places_elsewhere, places_of
from chukan.people.serials import Numbers, check_apart
from chukan.standard.numbers import is_municipality_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

_JUNE: Final = 6
_TIME_TO_NOTIFY: Final = 14


@dataclass(frozen=True, slots=True)
class Town:
    """The municipality a population is generated for."""

    municipality: str
    seed: int
    reference_date: date
    linked: tuple[str, ...]
    names: NameTables
    places: tuple[Place, ...]
    elsewhere: tuple[Place, ...]
    """Towns of other, not linked municipalities."""
    draw: Draw
    numbers: Numbers
    valid_numbers: bool

    @property
    def five(self) -> str:
        """The municipality's code without its check digit."""
        return self.municipality[:5]

    def days_ago(self, days: int) -> date:
        """Return the day so many days before the reference date."""
        return self.reference_date - timedelta(days=days)

    def notified(self, day: date) -> date:
        """Return the day an event was notified (届出日): within two weeks, not after the reference date."""
        return min(day + timedelta(days=self.draw.between(0, _TIME_TO_NOTIFY - 1)), max(day, self.reference_date))


def open_town(
    *, municipality: str, count: int, seed: int, reference_date: date, linked: Sequence[str], valid_numbers: bool
) -> Town:
    """Check the codes and read the tables."""
    for code in (municipality, *linked):
        if not is_municipality_code(code):
            raise ChukanError("PEOPLE_MUNICIPALITY_UNKNOWN", params={"municipality": code})
    five = municipality[:5]
    check_apart(five, [code[:5] for code in linked], count=count)
    near = {place.municipality for code in (municipality, *linked) for place in places_of(code)}
    return Town(
        municipality=municipality,
        seed=seed,
        reference_date=reference_date,
        linked=tuple(linked),
        names=name_tables(),
        places=places_of(municipality),
        elsewhere=tuple(place for place in places_elsewhere() if place.municipality not in near),
        draw=Draw(seed, five, reference_date, "people"),
        numbers=Numbers(five=five, seed=seed, valid=valid_numbers),
        valid_numbers=valid_numbers,
    )


def tax_year(reference_date: date) -> int:
    """Return the fiscal year (年度) whose tax is the newest known: new years are loaded in June."""
    return reference_date.year if reference_date.month >= _JUNE else reference_date.year - 1
