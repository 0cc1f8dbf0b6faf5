# SPDX-License-Identifier: Apache-2.0
"""The people one batch can meet, in memory: rows are decided one after another and see what earlier rows did."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.address_system.domain.attributes import birth_dates_agree, is_year_known, residential_address_key
from chukan.address_system.domain.matching import (
    Anchors,
    Decision,
    Known,
    Registration,
    decide,
    names_agree,
    same_home,
    share_two_attributes,
)
from chukan.address_system.domain.outcomes import LinkOutcome, MismatchKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

__all__ = ["Link", "Register"]


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
        self._by_home: dict[str, list[Known]] = {}
        """Whom a birth date does not lead to, or who is sought without one."""
        self._lone: set[int] = set()
        self._homes: set[str] = set()
        self._disputed: dict[int, MismatchKind] = {}
        self._allot = allot

    def expect(self, registrations: Sequence[Registration]) -> None:
        """Note whom later rows may meet among earlier ones."""
        for row in registrations:
            if row.individual is None:
                self._lone.update(row.births)
            if row.attributes.birth_date and not is_year_known(row.attributes.birth_date):
                self._homes.add(residential_address_key(row.attributes.residential_address))
        self._homes.discard("")

    def dispute(self, registrations: Sequence[Registration]) -> None:
        """Find the rows of a batch that wait because others claim the same individual number."""
        disputed = _disputed(registrations, self.by_number)
        if disputed:
            anchored = {row.row for row in registrations if self._is_anchored(row)}
            self._disputed = {row: kind for row, kind in disputed.items() if row not in anchored}

    @property
    def homes(self) -> frozenset[str]:
        """Residential addresses at which anybody is a candidate, whatever the birth date."""
        return frozenset(self._homes)

    def add(self, person: Known, birth: int | None) -> None:
        """Make somebody a candidate for registrations that share two attributes."""
        if birth is None:
            return
        year_known = is_year_known(person.attributes.birth_date)
        if year_known and (person.individual is None or birth in self._lone):
            self._by_birth.setdefault(birth, []).append(person)
        if self._homes or not year_known:
            home = residential_address_key(person.attributes.residential_address)
            if home and (home in self._homes or not year_known):
                self._by_home.setdefault(home, []).append(person)

    def add_neighbour(self, person: Known) -> None:
        """Make somebody a candidate for registrations that share the residential address."""
        self._by_home.setdefault(residential_address_key(person.attributes.residential_address), []).append(person)

    def apply(self, registration: Registration) -> Decision:
        """Decide about a registration and do in memory what was decided."""
        if registration.row in self._disputed:
            holder = None if registration.individual is None else self.by_number.get(registration.individual)
            candidates: Sequence[Known] = () if holder is None else (holder,)
            return Decision(
                LinkOutcome.HELD,
                kind=self._disputed[registration.row],
                candidates=tuple(candidates),
                differing=("individual_number",),
            )
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
        self.add(person, registration.births[0])
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
        by_birth = self._by_birth
        if not by_birth and not self._by_home:
            return ()
        lists = [by_birth[birth] for birth in registration.births if birth in by_birth]
        if self._by_home:
            lists.append(self._by_home.get(residential_address_key(registration.attributes.residential_address), []))
        if not lists:
            return ()
        met = dict.fromkeys(chain.from_iterable(lists))
        attributes = registration.attributes
        if registration.individual is None:
            return [known for known in met if share_two_attributes(attributes, known.attributes)]
        return [
            known
            for known in met
            if known.individual is None
            and names_agree(attributes, known.attributes)
            and share_two_attributes(attributes, known.attributes)
        ]

    def _is_anchored(self, registration: Registration) -> bool:
        """Whether a local number, its own or the former one, leads to somebody."""
        return registration.local in self.by_local or registration.former in self.by_local

    def _link(self, registration: Registration, person: Known) -> None:
        if registration.individual is not None:
            self.by_number[registration.individual] = person
        held = self.by_local.get(registration.local)
        self.by_local[registration.local] = Link(person, registration.content, held is not None and held.superseded)
        if registration.former is not None:
            before = self.by_local.get(registration.former)
            self.by_local[registration.former] = Link(person, None if before is None else before.content, True)


def _disputed(registrations: Sequence[Registration], known: Collection[bytes]) -> dict[int, MismatchKind]:
    """Return the rows whose individual number nobody has yet and which stands in the batch for people who can't be one.

    Rows of one person agree in birth date and in name, or one follows the other (旧宛名番号). All rows of the number
    wait, whichever came first: who has it rightly is not told by the order of a file.
    """
    rows: dict[bytes, list[Registration]] = defaultdict(list)
    for registration in registrations:
        if registration.individual is not None:
            rows[registration.individual].append(registration)
    disputed: dict[int, MismatchKind] = {}
    for number, group in rows.items():
        if len(group) == 1 or number in known:
            continue
        kinds = [
            kind
            for place, one in enumerate(group)
            for other in group[place + 1 :]
            if (kind := _dispute(one, other, _linked(group, one))) is not None
        ]
        if kinds:
            disputed.update((registration.row, min(kinds)) for registration in group)
    return disputed


def _linked(group: Sequence[Registration], one: Registration) -> set[bytes]:
    """Return the local numbers that follow each other with a row's own."""
    linked = {one.local}
    while True:
        met = [row for row in group if row.local in linked or row.former in linked]
        more = {number for row in met for number in (row.local, row.former) if number} - linked
        if not more:
            return linked
        linked |= more


def _dispute(one: Registration, other: Registration, linked: set[bytes]) -> MismatchKind | None:
    """Return why two rows can't be one person; linked: local numbers that are the first one's."""
    mine, theirs = one.attributes, other.attributes
    named_alike = names_agree(mine, theirs) or names_agree(theirs, mine)
    if not birth_dates_agree(mine.birth_date, theirs.birth_date):
        return MismatchKind.BIRTH_DATE_DIFFERS if named_alike else MismatchKind.NAME_AND_BIRTH_DATE_DIFFER
    if named_alike or other.local in linked:
        return None
    return MismatchKind.HOUSEHOLD_MEMBER_NUMBER if same_home(mine, theirs) else MismatchKind.UNEXPLAINED_DIFFERENCE
