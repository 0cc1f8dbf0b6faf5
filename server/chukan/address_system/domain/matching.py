# SPDX-License-Identifier: Apache-2.0
"""Who is who: the numbering rule (付番) as a pure function, and a register that applies it row by row.

Numbered steps; 総点検 2023 taught them: 8,351 wrong links came from copied numbers and from single attributes.
1 Anchors: the person who has, or had, this individual number; the person this local number, or its former one
  (naturalised, returned), is linked to. Closed people and those merged into others are anchors like any other.
2 No anchor: people who share two attributes make it wait, otherwise a new number is issued. A registration with an
  individual number waits only for people without one who share name and birth date. Parts of a birth date that are not
  known differ from nothing; without a year, name and residential address are the two.
3 Anchors that are different people, or a person with another individual number: it waits.
4 Another birth date: it waits, whatever else agrees. Another name or sex: it waits, unless the record itself is known
  to be this person's and a movement, or its place in the order of records, explains it. Another residential address:
  it waits, unless a movement explains it.
5 Fewer than two attributes that agree: it waits. Else it is linked, and updates the person unless it is the older
  record, or a business's view of somebody the resident register knows.
Which attributes count, and that a later movement date is a movement, is [own] (docs/divergences "Address system").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.address_system.domain.attributes import (
    WHOLE,
    birth_dates_agree,
    birth_dates_match,
    is_year_known,
    kana_key,
    name_key,
    residential_address_key,
)
from chukan.address_system.domain.outcomes import LinkOutcome, MismatchKind, ResidentKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.domain.attributes import Coverage, PersonAttributes

__all__ = [
    "NUMBERED",
    "Anchors",
    "Decision",
    "Known",
    "Registration",
    "decide",
    "names_agree",
    "same_home",
    "share_two_attributes",
]

_NON_RESIDENT: Final = str(int(ResidentKind.NON_RESIDENT))
_FEWEST: Final = 2


class Known:
    """A person as matching sees one; individual is the digest of the individual number, None if not known."""

    __slots__ = ("attributes", "id", "individual")

    def __init__(self, id_: int, individual: bytes | None, attributes: PersonAttributes) -> None:
        self.id = id_
        self.individual = individual
        self.attributes = attributes


class Registration(NamedTuple):
    """One row that is to be registered; what is looked up is a digest, None where there is nothing to look up."""

    row: int
    local: bytes
    former: bytes | None
    individual: bytes | None
    content: bytes
    births: tuple[int, ...]
    """Keys of the birth date and of those that can be the same day, its own first (see `birth_forms`)."""
    attributes: PersonAttributes
    coverage: Coverage = WHOLE


class Anchors(NamedTuple):
    """Whom a registration's numbers lead to.

    known_record: its local number has been registered with content before. superseded: its local number has a successor
    (naturalised, returned), so it speaks for the past.
    """

    by_number: Known | None = None
    by_local: Known | None = None
    by_former: Known | None = None
    known_record: bool = False
    superseded: bool = False


class Decision(NamedTuple):
    """What is to be done with a registration."""

    outcome: LinkOutcome
    person: Known | None = None
    update: PersonAttributes | None = None
    sets_number: bool = False
    kind: MismatchKind | None = None
    candidates: tuple[Known, ...] = ()
    differing: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    """Attributes that agree: at least two in every link."""


NUMBERED: Final = Decision(LinkOutcome.NUMBERED)


def decide(registration: Registration, anchors: Anchors, candidates: Sequence[Known] = ()) -> Decision:
    """Decide about one registration; candidates share two attributes with it (step 2)."""
    found = tuple({id(known): known for known in anchors[:3] if known is not None}.values())
    if not found:
        if candidates:
            return _hold(MismatchKind.CANDIDATES_FOUND, tuple(candidates))
        return NUMBERED
    if len(found) > 1:
        numbers = {known.individual for known in found} | {registration.individual}
        several = len(numbers - {None}) > 1
        kind = MismatchKind.INDIVIDUAL_NUMBER_DIFFERS if several else MismatchKind.CANDIDATES_FOUND
        return _hold(kind, found, ("individual_number",) if several else ())
    (person,) = found
    unknown_number = registration.individual is not None and anchors.by_number is None
    if unknown_number and person.individual is not None:
        return _hold(MismatchKind.INDIVIDUAL_NUMBER_DIFFERS, found, ("individual_number",))
    return _compare(registration, person, anchors, sets_number=unknown_number)


class _Comparison:
    """A registration beside the person it leads to."""

    __slots__ = (
        "address_differs",
        "birth_differs",
        "confirmed",
        "name_differs",
        "new",
        "old",
        "same_home",
        "sex_differs",
    )

    def __init__(self, new: PersonAttributes, old: PersonAttributes, *, confirmed: bool) -> None:
        self.new = new
        self.old = old
        self.confirmed = confirmed
        home, held_home = map(residential_address_key, (new.residential_address, old.residential_address))
        self.birth_differs = not birth_dates_agree(new.birth_date, old.birth_date)
        self.name_differs = bool(old.name) and not names_agree(new, old)
        self.sex_differs = bool(new.sex and old.sex) and new.sex != old.sex
        self.address_differs = bool(home and held_home) and home != held_home
        same_household = bool(new.household_number) and new.household_number == old.household_number
        self.same_home = same_household or (bool(home) and home == held_home and new.building == old.building)

    @property
    def is_newer(self) -> bool:
        """Whether a later movement (異動) speaks."""
        return bool(self.new.movement_date) and self.new.movement_date > self.old.movement_date

    @property
    def is_older(self) -> bool:
        """Whether an earlier movement speaks than the one that is known."""
        return bool(self.new.movement_date) and self.new.movement_date < self.old.movement_date

    @property
    def is_business_view(self) -> bool:
        """Whether a business registers a non-resident whom the resident register knows."""
        return self.new.resident_kind == _NON_RESIDENT and self.old.resident_kind not in {"", _NON_RESIDENT}

    @property
    def became_resident(self) -> bool:
        """Whether a non-resident is on the resident register now."""
        return self.old.resident_kind == _NON_RESIDENT and self.new.resident_kind not in {"", _NON_RESIDENT}

    def differing(self) -> tuple[str, ...]:
        """Name the attributes that differ."""
        pairs = (
            ("name", self.name_differs),
            ("birth_date", self.birth_differs),
            ("sex", self.sex_differs),
            ("residential_address", self.address_differs),
        )
        return tuple(name for name, differs in pairs if differs)

    def evidence(self, anchors: Anchors) -> tuple[str, ...]:
        """Name the attributes that agree."""
        old, new = self.old, self.new
        pairs = (
            ("individual_number", anchors.by_number is not None),
            ("local_number", self.confirmed),
            ("name", bool(old.name) and not self.name_differs),
            ("birth_date", birth_dates_match(new.birth_date, old.birth_date)),
            (
                "residential_address",
                bool(new.residential_address and old.residential_address and not self.address_differs),
            ),
            ("decided_by_a_person", old.is_blank),
        )
        return tuple(name for name, agrees in pairs if agrees)


def _compare(registration: Registration, person: Known, anchors: Anchors, *, sets_number: bool) -> Decision:
    """Go through steps 4 and 5."""
    confirmed = anchors.by_local is not None or anchors.by_former is not None
    both = _Comparison(registration.attributes, person.attributes, confirmed=confirmed)
    kind = _objection(both, anchors, sets_number=sets_number)
    evidence = both.evidence(anchors)
    if kind is None and len(evidence) < _FEWEST:
        kind = MismatchKind.UNEXPLAINED_DIFFERENCE
    if kind is not None:
        return _hold(kind, (person,), both.differing())
    update = _update(both, anchors, registration.coverage)
    if update == person.attributes:
        update = None
    if update is not None or sets_number:
        outcome = LinkOutcome.LINKED_WITH_UPDATE
    elif anchors.by_local is not None and anchors.known_record and not (both.is_older or both.differing()):
        outcome = LinkOutcome.UNCHANGED
    else:
        outcome = LinkOutcome.LINKED
    return Decision(outcome, person, update, sets_number, evidence=evidence)


def _objection(both: _Comparison, anchors: Anchors, *, sets_number: bool) -> MismatchKind | None:
    if both.birth_differs:
        if not both.name_differs:
            return MismatchKind.BIRTH_DATE_DIFFERS
        copied = both.same_home and not both.confirmed
        return MismatchKind.HOUSEHOLD_MEMBER_NUMBER if copied else MismatchKind.NAME_AND_BIRTH_DATE_DIFFER
    if both.name_differs and not both.confirmed and both.same_home:
        return MismatchKind.HOUSEHOLD_MEMBER_NUMBER
    # A record that follows another, or has a successor, or was linked by a person, is this person's at another time.
    linked_before = anchors.by_local is not None and not anchors.known_record
    another_time = anchors.by_former is not None or anchors.superseded or linked_before
    explained = both.is_newer or both.is_older or another_time
    if (both.name_differs or both.sex_differs) and not (both.confirmed and explained and not sets_number):
        return MismatchKind.UNEXPLAINED_DIFFERENCE
    if both.address_differs and not (explained or both.is_business_view or both.became_resident):
        return MismatchKind.UNEXPLAINED_DIFFERENCE
    return None


def _update(both: _Comparison, anchors: Anchors, coverage: Coverage) -> PersonAttributes | None:
    """Return what the person is to look like; None if the registration has nothing newer to say."""
    if both.old.is_blank:
        return both.new
    if both.is_older or both.is_business_view or anchors.superseded:
        return None
    own = (anchors.by_local is not None and anchors.known_record) or anchors.by_former is not None
    if own or both.became_resident or both.is_newer:
        return both.new.over(both.old, coverage, lifts=own)
    return None


def share_two_attributes(one: PersonAttributes, other: PersonAttributes) -> bool:
    """Whether birth date and name, or birth date and residential address, are the same.

    Where a year is not known, or there is no birth date (法人), name and residential address have to be.
    """
    if not birth_dates_agree(one.birth_date, other.birth_date):
        return False
    if not (is_year_known(one.birth_date) and is_year_known(other.birth_date)):
        return names_agree(one, other) and same_home(one, other)
    return names_agree(one, other) or same_home(one, other)


def same_home(one: PersonAttributes, other: PersonAttributes) -> bool:
    """Whether both live at one residential address."""
    home = residential_address_key(one.residential_address)
    return bool(home) and home == residential_address_key(other.residential_address)


def names_agree(new: PersonAttributes, old: PersonAttributes) -> bool:
    """Whether names agree: equal, one the other's alias, written with other characters, or changed as told (旧氏)."""
    if new.name == old.name:
        return True
    name, held = name_key(new.name), name_key(old.name)
    if name == held or held == name_key(new.alias) or name == name_key(old.alias):
        return True
    kana = kana_key(new.kana_name)
    if kana and kana == kana_key(old.kana_name):
        return True
    former = name_key(new.former_name)
    given = bool(former) and held.startswith(former) and name.endswith(held.removeprefix(former))
    return given and held != former


def _hold(kind: MismatchKind, candidates: tuple[Known, ...], differing: tuple[str, ...] = ()) -> Decision:
    return Decision(LinkOutcome.HELD, kind=kind, candidates=candidates, differing=differing)
