# SPDX-License-Identifier: Apache-2.0
"""The people one batch can meet, in memory: rows are decided one after another and see what earlier rows did."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.address_system.domain.attributes import birth_dates_agree, name_key
from chukan.address_system.domain.matching import (
    Anchors,
    Decision,
    Known,
    Registration,
    decide,
    names_agree,
    share_two_attributes,
)
from chukan.address_system.domain.outcomes import LinkOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Link", "Register", "two_people_on_one_number"]


_NOBODY: Final = Anchors()


class Link(NamedTuple):
    """Whom a local number is linked to; content is None until it was registered itself; superseded: has a successor."""

    person: Known
    content: bytes | None
    superseded: bool = False


class Register:
    """Looks up, decides and applies. allot gives the surrogate of a new person."""

    def __init__(self, allot: Callable[[], int]) -> None:
        self.by_number: dict[bytes, Known] = {}
        """By digest of the individual number, former ones included."""
        self.by_local: dict[bytes, Link] = {}
        self._by_birth: dict[int, list[Known]] = {}
        self._lone: set[int] = set()
        self._allot = allot

    def expect(self, registrations: Sequence[Registration]) -> None:
        """Note whom later rows without an individual number may meet among earlier ones."""
        self._lone.update(row.birth for row in registrations if row.individual is None and row.birth is not None)

    def add(self, person: Known, birth: int | None) -> None:
        """Make somebody a candidate for registrations that share two attributes."""
        if birth is not None and (person.individual is None or birth in self._lone):
            self._by_birth.setdefault(birth, []).append(person)

    def apply(self, registration: Registration) -> Decision:
        """Decide about a registration and do in memory what was decided."""
        anchors = self._anchors(registration)
        if anchors is None:
            candidates = self._candidates(registration)
            if not candidates:
                return self._number(registration)
            return decide(registration, _NOBODY, candidates)
        decision = decide(registration, anchors)
        if decision.person is not None:
            person = decision.person
            if decision.update is not None:
                person.attributes = decision.update
            if decision.sets_number:
                person.individual = registration.individual
            self._link(registration, person)
        return decision

    def _number(self, registration: Registration) -> Decision:
        person = Known(self._allot(), registration.individual, registration.attributes)
        self.add(person, registration.birth)
        self._link(registration, person)
        return Decision(LinkOutcome.NUMBERED, person)

    def _anchors(self, registration: Registration) -> Anchors | None:
        number, former = registration.individual, registration.former
        by_number = None if number is None else self.by_number.get(number)
        held = self.by_local.get(registration.local)
        before = None if former is None else self.by_local.get(former)
        if by_number is None and held is None and before is None:
            return None
        return Anchors(
            by_number=by_number,
            by_local=None if held is None else held.person,
            by_former=None if before is None else before.person,
            known_record=held is not None and held.content is not None,
            superseded=held is not None and held.superseded,
        )

    def _candidates(self, registration: Registration) -> Sequence[Known]:
        born = None if registration.birth is None else self._by_birth.get(registration.birth)
        if born is None:
            return ()
        attributes = registration.attributes
        if registration.individual is None:
            return [known for known in born if share_two_attributes(attributes, known.attributes)]
        return [known for known in born if known.individual is None and names_agree(attributes, known.attributes)]

    def _link(self, registration: Registration, person: Known) -> None:
        if registration.individual is not None:
            self.by_number[registration.individual] = person
        held = self.by_local.get(registration.local)
        self.by_local[registration.local] = Link(person, registration.content, held is not None and held.superseded)
        if registration.former is not None:
            before = self.by_local.get(registration.former)
            self.by_local[registration.former] = Link(person, None if before is None else before.content, True)


def two_people_on_one_number(registrations: Sequence[Registration]) -> set[int]:
    """Return the rows whose individual number stands in the batch for people who can't be one.

    Rows of one person agree in birth date and in name, or one follows the other (旧宛名番号). All rows of the number
    are returned, whichever came first: who has it rightly is not told by the order of a file.
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
