# SPDX-License-Identifier: Apache-2.0
"""People, households and non-resident addressees (住登外者) of a dummy population."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from chukan.people import codes

_FIRST_DAY = date(1900, 1, 1)


@dataclass(slots=True, kw_only=True)
class Person:
    """One record of the resident register (住民記録), closed ones included.

    Not frozen: the generator completes a person while drawing the household, and 340,000 copies would cost more than
    the rest. Nobody changes one after it was yielded. ``born`` is the day the ages are computed from; ``birth_date``
    is what the register knows of it (yyyyMMdd, unknown parts 00).
    """

    local_address_number: str
    household_number: str
    individual_number: str
    resident_code: str
    name: str
    kana: str
    surname: str
    born: date
    birth_date: str
    sex: str
    common_name: str = ""
    former_surname: str = ""
    kind: str = codes.JAPANESE
    state: str = codes.RESIDENT
    postal_code: str = ""
    place_code: str = ""
    residential_address: str = ""
    building: str = ""
    moved_on: date = _FIRST_DAY
    moved_notified_on: date = _FIRST_DAY
    move_reason: str = codes.MOVED_IN
    resident_since: date = _FIRST_DAY
    resident_notified_on: date = _FIRST_DAY
    resident_reason: str = codes.MOVED_IN
    settled_on: date = _FIRST_DAY
    settled_notified_on: date = _FIRST_DAY
    closed_on: date | None = None
    closed_notified_on: date | None = None
    closed_reason: str = ""
    moved_from: str = ""
    relationship: codes.Relationship = codes.HEAD
    former_local_address_number: str = ""
    protective_measures: bool = False
    protective_until: date | None = None
    nondisclosure: bool = False
    self_information_blocked: bool = False
    superseded: bool = False
    """The same person has a later record under another 宛名番号."""
    linked_former: str = ""
    """5-digit code of the linked municipality the person came from, if any."""
    tax_case: str = ""
    """What the former municipality's tax row must show for a mover: "", "zero" or "undeclared"."""
    cases: tuple[str, ...] = ()

    def age_on(self, day: date) -> int:
        """Full years on a day (the day before the birthday counts as before)."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    def lived_here_on(self, day: date) -> bool:
        """Return whether the person was on the register on a day."""
        return self.resident_since <= day and (self.closed_on is None or self.closed_on > day)

    def add_case(self, case: str) -> None:
        """Note that the record shows a case."""
        if case not in self.cases:
            self.cases += (case,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NonResident:
    """Somebody a business must address who is not on the resident register (住登外者)."""

    affair: str
    local_address_number: str
    individual_number: str
    name: str
    kana: str
    birth_date: str
    sex: str
    postal_code: str
    place_code: str
    residential_address: str
    building: str
    registered_on: date
    reason: str
    cases: tuple[str, ...] = ("non_resident",)


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together, the records they supersede, and non-residents drawn at the same time."""

    members: tuple[Person, ...]
    """The head first, superseded records last."""
    non_residents: tuple[NonResident, ...] = field(default=())

    @property
    def in_order_of_registration(self) -> tuple[Person, ...]:
        """The members with superseded records first, as a register would hold them."""
        return tuple(sorted(self.members, key=lambda person: not person.superseded))
