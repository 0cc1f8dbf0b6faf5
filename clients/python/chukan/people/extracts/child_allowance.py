# SPDX-License-Identifier: Apache-2.0
"""児童手当関係: one row per recipient, the head of a household with children of school age or less."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.households import compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.people.draw import Draw
    from chukan.people.records import Household, Person

_YOUNGEST: Final = 3
_UPPER_SECONDARY: Final = 15
_LAST_AGE: Final = 18
_APRIL: Final = 4
_AMOUNT: Final = 10_000
_AMOUNT_YOUNGEST: Final = 15_000
_AMOUNT_THIRD: Final = 30_000
_MANY: Final = 3
_KINDS: Final = ("1",) * 6 + ("2",) * 2 + ("3",)
_ENDED: Final = {codes.LEFT: "01", codes.DEAD: "05"}


class ChildAllowance:
    """Writes the rows; in dense form everybody counts as a recipient."""

    def __init__(self, draw: Draw, *, municipality: str, reference_date: date, dense: bool) -> None:
        self._draw = draw
        self._certificates = int(municipality) * 1_000_000_000
        self._reference_date = reference_date
        school_year = reference_date.year if reference_date.month >= _APRIL else reference_date.year - 1
        self._born_from = date(school_year - _LAST_AGE, 4, 2)
        """Children born from this day on have not passed the 31 March after their 18th birthday."""
        self._upper_from = date(school_year - _UPPER_SECONDARY, 4, 2)
        self._dense = dense

    def rows(self, household: Household) -> Iterator[tuple[str, ...]]:
        """Return the rows of a household."""
        members = household.members
        children = [
            person for person in members if person.relationship == codes.CHILD and person.born >= self._born_from
        ]
        if self._dense:
            for person in members:
                if not person.superseded:
                    yield self._row(person, children if person is members[0] else [])
        elif children:
            yield self._row(members[0], children)

    def _row(self, recipient: Person, children: list[Person]) -> tuple[str, ...]:
        self._certificates += 1
        ages = sorted(child.age_on(self._reference_date) for child in children)
        youngest = sum(age < _YOUNGEST for age in ages)
        third = max(0, len(ages) - _MANY + 1)
        amount = (len(ages) - youngest) * _AMOUNT + youngest * _AMOUNT_YOUNGEST if not third else 0
        amount += (_MANY - 1) * _AMOUNT + third * _AMOUNT_THIRD if third else 0
        approved, closed = self._approved(recipient, children), recipient.closed_on
        return (
            codes.ALLOWANCE_AFFAIR,
            recipient.local_address_number,
            f"{self._certificates:015d}",
            self._draw.pick(_KINDS),
            compact(approved),
            compact(approved.replace(day=1) + timedelta(days=32))[:6],
            compact(closed)[:6] if closed else "",
            str(amount),
            str(len(ages)),
            str(youngest),
            str(third),
            str(sum(child.born < self._upper_from for child in children)),
            compact(closed) if closed else "",
            _ENDED.get(recipient.state, "99") if closed else "",
            "1" if not closed and self._draw.chance(0.005) else "0",
        )

    @staticmethod
    def _approved(recipient: Person, children: list[Person]) -> date:
        """When the claim was approved: a fortnight after the eldest's birth or the move here."""
        eldest = min((child.born for child in children), default=recipient.resident_since)
        approved = max(eldest, recipient.resident_since) + timedelta(days=14)
        return min(approved, recipient.closed_on) if recipient.closed_on else approved
