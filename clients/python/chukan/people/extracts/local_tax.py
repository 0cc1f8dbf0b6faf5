# SPDX-License-Identifier: Apache-2.0
"""地方税関係: one row per person and fiscal year, from the municipality of 1 January, under the number held then.

Undeclared people (未申告) have a row without amounts, people without income have amounts of zero, and some people have
no row at all: the three answers an inquirer must tell apart.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.extracts.assessment import Dependants, Incomes, amounts
from chukan.people.households import compact
from chukan.people.town import tax_year

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.people.draw import Draw
    from chukan.people.records import Household, Person

_WORKING_AGE: Final = 15
_ADULT_AGE: Final = 18
_STUDENT_UNTIL: Final = 22
_PENSION_AGE: Final = 65
_UNDECLARED_SHARE: Final = 0.03
_NO_ROW_SHARE: Final = 0.02
_TEENAGERS_SHARE: Final = 0.05
_BEFORE_SHARE: Final = 0.2
_CORRECTED_SHARE: Final = 0.01
_SPOUSE_SHARE: Final = 0.3
_PENSIONER_WORKS: Final = 0.2
_STUDENT_WORKS: Final = 0.6
_EMPLOYED: Final = 0.78
_SELF_EMPLOYED_FROM: Final = 0.87
_DISABLED: Final = ("0",) * 30 + ("1", "2")
_NO_AMOUNTS: Final = ("",) * 26
_NOBODY: Final = Dependants()
_CHILD_LAST: Final = codes.CHILD[0]


class LocalTax:
    """Writes the rows of the current tax year and, for some people, of the year before."""

    def __init__(self, draw: Draw, *, municipality: str, reference_date: date, dense: bool) -> None:
        self._draw = draw
        self._municipality = municipality
        self._year = tax_year(reference_date)
        self._new_year = date(self._year, 1, 1)
        self._year_before = date(self._year - 1, 1, 1)
        self._dense = dense

    def rows(self, household: Household) -> Iterator[tuple[str, ...]]:
        """Return the rows of a household."""
        head = household.members[0]
        for person in household.members:
            if not (self._is_written(person) if self._dense else self._is_taxable(person)):
                continue
            dependants = self._dependants(household) if person is head else _NOBODY
            yield self._row(person, self._year, dependants)
            if not self._dense and person.lived_here_on(self._year_before) and self._draw.chance(_BEFORE_SHARE):
                yield self._row(person, self._year - 1, dependants)

    @staticmethod
    def _is_written(person: Person) -> bool:
        return not person.superseded

    def _is_taxable(self, person: Person) -> bool:
        if not person.lived_here_on(self._new_year):
            return False
        age = person.age_on(self._new_year)
        if "moved_to_linked" in person.cases:
            return age >= _ADULT_AGE
        if age >= _ADULT_AGE:
            return not self._draw.chance(_NO_ROW_SHARE)
        return age >= _WORKING_AGE and self._draw.chance(_TEENAGERS_SHARE)

    def _row(self, person: Person, year: int, dependants: Dependants) -> tuple[str, ...]:
        draw = self._draw
        number = person.local_address_number
        if self._dense and person.resident_reason == codes.NATURALISED:
            number = person.former_local_address_number
        key = (codes.TAX_AFFAIR, number, str(year), self._municipality)
        if person.tax_case == "undeclared" or (not person.tax_case and draw.chance(_UNDECLARED_SHARE)):
            return (*key, *_NO_AMOUNTS, "1", "", "")
        values, tax_class = amounts(year, person.age_on(self._new_year), self._incomes(person), dependants)
        alone = person.sex == codes.FEMALE and not dependants.spouse and dependants.number > dependants.elder
        corrected = draw.chance(_CORRECTED_SHARE)
        corrected_on = compact(date(year, 6, 1) + timedelta(days=draw.between(0, 10))) if corrected else ""
        return (
            *key,
            *map(str, values),
            "1" if dependants.spouse else "0",
            str(dependants.general),
            str(dependants.larger),
            str(dependants.elder),
            str(dependants.young),
            draw.pick(_DISABLED),
            "2" if alone else "0",
            tax_class,
            "0",
            corrected_on,
            draw.pick(("01", "03")) if corrected else "",
        )

    def _incomes(self, person: Person) -> Incomes:
        draw, age = self._draw, person.age_on(self._new_year)
        works = draw.unit()
        amount = int(draw.unit() ** 2 * 7_500) * 1_000
        if person.tax_case == "zero" or age < _WORKING_AGE:
            return Incomes()
        if age >= _PENSION_AGE:
            return Incomes(salary=amount // 3 if works < _PENSIONER_WORKS else 0, pension=600_000 + amount // 3)
        if age <= _STUDENT_UNTIL:
            return Incomes(salary=amount // 5 if works < _STUDENT_WORKS else 0)
        if works < _EMPLOYED:
            return Incomes(salary=900_000 + amount)
        return Incomes(business=amount) if works < _SELF_EMPLOYED_FROM else Incomes()

    def _dependants(self, household: Household) -> Dependants:
        members = household.members
        if len(members) == 1:
            return _NOBODY
        ages = [person.age_on(self._new_year) for person in members if person.relationship[-1] == _CHILD_LAST]
        married = any(person.relationship in {codes.WIFE, codes.HUSBAND} for person in members)
        return Dependants(
            spouse=married and self._draw.chance(_SPOUSE_SHARE),
            general=sum(16 <= age <= 18 for age in ages),  # noqa: PLR2004 - the law's ages
            larger=sum(19 <= age <= 22 for age in ages),  # noqa: PLR2004
            elder=sum(person.relationship == codes.MOTHER for person in members),
            young=sum(0 <= age <= 15 for age in ages),  # noqa: PLR2004
        )
