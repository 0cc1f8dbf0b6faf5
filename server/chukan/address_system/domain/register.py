# SPDX-License-Identifier: Apache-2.0
"""The people one batch can meet, in memory: rows are decided one after another and see what earlier rows did."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from chukan.address_system.domain.attributes import birth_dates_agree, name_key
from chukan.address_system.domain.matching import Anchors, Decision, Known, Registration, decide
from chukan.address_system.domain.outcomes import LinkOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Link", "Register", "two_people_on_one_number"]


class Link(NamedTuple):
    """Whom a local number is linked to; content is None until it was registered itself."""

    person: Known
    content: bytes | None


class Register:
    """Looks up, decides and applies. allot gives the surrogate of a new person."""

    def __init__(self, allot: Callable[[], int]) -> None:
        self.by_number: dict[bytes, Known] = {}
        """By digest of the individual number, former ones included."""
        self.by_local: dict[bytes, Link] = {}
        self.by_name: dict[int, list[Known]] = defaultdict(list)
        self.by_place: dict[int, list[Known]] = defaultdict(list)
        self._allot = allot

    def add(self, person: Known, *, name: int | None, place: int | None) -> None:
        """Make somebody a candidate for registrations that share two attributes."""
        if name is not None:
            self.by_name[name].append(person)
        if place is not None:
            self.by_place[place].append(person)

    def apply(self, registration: Registration) -> Decision:
        """Decide about a registration and do in memory what was decided."""
        anchors = self._anchors(registration)
        candidates: Sequence[Known] = ()
        if anchors.by_number is None and anchors.by_local is None and anchors.by_former is None:
            candidates = self._candidates(registration)
        decision = decide(registration, anchors, candidates)
        if decision.outcome is LinkOutcome.HELD:
            return decision
        if decision.outcome is LinkOutcome.NUMBERED:
            person = Known(self._allot(), registration.individual, registration.attributes)
            decision = decision._replace(person=person)
            self.add(person, name=registration.name, place=registration.place)
        else:
            assert decision.person is not None  # noqa: S101 narrows the type: who is linked is linked to somebody
            person = decision.person
            if decision.update is not None:
                person.attributes = decision.update
            if decision.sets_number:
                person.individual = registration.individual
        self._link(registration, person)
        return decision

    def _anchors(self, registration: Registration) -> Anchors:
        number, former = registration.individual, registration.former
        held = self.by_local.get(registration.local)
        before = None if former is None else self.by_local.get(former)
        return Anchors(
            by_number=None if number is None else self.by_number.get(number),
            by_local=None if held is None else held.person,
            by_former=None if before is None else before.person,
            known_record=held is not None and held.content is not None,
        )

    def _candidates(self, registration: Registration) -> list[Known]:
        found: dict[int, Known] = {}
        if registration.name is not None:
            found.update((known.id, known) for known in self.by_name.get(registration.name, ()))
        if registration.individual is not None:
            return [known for known in found.values() if known.individual is None]
        if registration.place is not None:
            found.update((known.id, known) for known in self.by_place.get(registration.place, ()))
        return list(found.values())

    def _link(self, registration: Registration, person: Known) -> None:
        if registration.individual is not None:
            self.by_number[registration.individual] = person
        self.by_local[registration.local] = Link(person, registration.content)
        if registration.former is not None and registration.former not in self.by_local:
            self.by_local[registration.former] = Link(person, None)


def two_people_on_one_number(registrations: Sequence[Registration]) -> set[int]:
    """Return the rows whose individual number stands in the batch for people who can't be one.

    Rows of one person agree in birth date and in name, or one follows the other (旧宛名番号). All rows of the number are
    returned, whichever came first: who has it rightly is not told by the order of a file.
    """
    rows: dict[bytes, list[Registration]] = defaultdict(list)
    for registration in registrations:
        if registration.individual is not None:
            rows[registration.individual].append(registration)
    refused: set[int] = set()
    for group in rows.values():
        if len(group) > 1 and any(
            not _may_be_one(one, other) for place, one in enumerate(group) for other in group[place + 1 :]
        ):
            refused.update(registration.row for registration in group)
    return refused


def _may_be_one(one: Registration, other: Registration) -> bool:
    if not birth_dates_agree(one.attributes.birth_date, other.attributes.birth_date):
        return False
    if one.former == other.local or other.former == one.local:
        return True
    names = {name_key(one.attributes.name), name_key(one.attributes.alias)} - {""}
    others = {name_key(other.attributes.name), name_key(other.attributes.alias)} - {""}
    return bool(names & others)
