# SPDX-License-Identifier: Apache-2.0
"""Scheduled cases: what happened to which household.

Each case comes up once in a prime number of households, from an early one on, so that a small population already has
all of them. A household has at most one event; marks (names, flags, unknown parts) come on top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.households import Wish, compact, draw_household, settle
from chukan.people.names import foreign_full_name
from chukan.people.records import Person
from chukan.people.town import Town, tax_year

if TYPE_CHECKING:
    from collections.abc import Callable

People = list[Person]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A case, how often it comes up, the shape of household it needs and what it does."""

    period: int
    phase: int
    shape: str
    apply: Callable[[Town, People], People]

    def due(self, index: int) -> bool:
        """Return whether the case comes up in the index-th household."""
        return index % self.period == self.phase


def scheduled_household(town: Town, index: int, previous_head: Person | None) -> People:
    """Return the index-th household with what is due for it, its head first, superseded records last."""
    event = next((event for event in _EVENTS if event.due(index)), None)
    marks = [mark for mark in _MARKS if mark.due(index)]
    wish = Wish(
        shape=(event.shape if event else "") or next((mark.shape for mark in marks if mark.shape), ""),
        surname="external" if index % 23 == 6 else "variation" if index % 131 == 8 else "plain",  # noqa: PLR2004
        foreign="long" if index % 313 == 35 and event is None else "",  # noqa: PLR2004
    )
    people = draw_household(town, wish)
    if index % 251 == 33 and previous_head and event is None:  # noqa: PLR2004
        people = _same_name_same_birth_date(town, people, previous_head)
    for mark in marks:
        people = mark.apply(town, people)
    return event.apply(town, people) if event else people


def plain_household(town: Town, *, room: int) -> People:
    """Return a household without events of at most room people, to fill up the count."""
    return draw_household(town, Wish(shape="single" if room < _ROOMY else "couple"))


LARGEST: Final = 10
"""No scheduled household has more records than this."""
_ROOMY: Final = 2


def close(person: Person, *, state: str, reason: str, day: date, notified: date) -> None:
    """Take a person off the register (消除)."""
    person.state = state
    person.closed_on = person.moved_on = day
    person.closed_notified_on = person.moved_notified_on = notified
    person.closed_reason = person.move_reason = reason


def _marked(people: People, case: str) -> People:
    for person in people:
        person.add_case(case)
    return people


def _close_all(town: Town, people: People, *, state: str, reason: str, case: str) -> People:
    day = town.draw.day(town.days_ago(390), town.days_ago(1))
    notified = town.notified(day)
    for person in people:
        close(person, state=state, reason=reason, day=max(day, person.born), notified=max(notified, person.born))
    return _marked(people, case)


def _arrive_all(town: Town, people: People, *, reason: str, moved_from: str, case: str) -> People:
    day = town.draw.day(town.days_ago(390), town.days_ago(1))
    for person in people:
        settle(town, person, day=day, reason=reason, moved_from=moved_from)
    return _marked(people, case)


def _death(town: Town, people: People) -> People:
    deceased = people[-1]
    day = town.draw.day(town.days_ago(390), town.days_ago(1))
    close(deceased, state=codes.DEAD, reason=codes.DIED, day=day, notified=town.notified(day))
    deceased.add_case("death")
    return people


def _move_out(town: Town, people: People) -> People:
    return _close_all(town, people, state=codes.LEFT, reason=codes.MOVED_OUT, case="move_out")


def _move_abroad(town: Town, people: People) -> People:
    return _close_all(town, people, state=codes.LEFT, reason=codes.MOVED_ABROAD, case="move_abroad")


def _ex_officio_removal(town: Town, people: People) -> People:
    return _close_all(town, people, state=codes.STRUCK, reason=codes.STRUCK_EX_OFFICIO, case="ex_officio_removal")


def _move_out_planned(town: Town, people: People) -> People:
    for person in people:
        person.state = codes.LEAVING
        person.moved_on = town.reference_date + timedelta(days=7)
        person.moved_notified_on = max(town.days_ago(2), person.born)
        person.move_reason = codes.MOVING_OUT_SOON
    return _marked(people, "move_out_planned")


def _move_in(town: Town, people: People) -> People:
    origin = town.draw.pick(town.elsewhere).municipality
    return _arrive_all(town, people, reason=codes.MOVED_IN, moved_from=origin, case="move_in")


def _move_in_from_abroad(town: Town, people: People) -> People:
    return _arrive_all(
        town, people, reason=codes.MOVED_IN_FROM_ABROAD, moved_from=codes.ABROAD, case="move_in_from_abroad"
    )


def _return_same_number(town: Town, people: People) -> People:
    origin = town.draw.pick(town.elsewhere).municipality
    return _arrive_all(town, people, reason=codes.RETURNED, moved_from=origin, case="return_same_number")


def _return_second_number(town: Town, people: People) -> People:
    """Somebody came back and was numbered again: the closed record still names the same person."""
    returned = people[0]
    old = replace(returned, household_number=town.numbers.household_number(), superseded=True, cases=())
    left = town.draw.day(town.days_ago(1900), town.days_ago(1500))
    settle(town, old, day=town.days_ago(4000), reason=codes.MOVED_IN, moved_from=returned.moved_from)
    close(old, state=codes.LEFT, reason=codes.MOVED_OUT, day=left, notified=left)
    origin = town.draw.pick(town.elsewhere).municipality
    returned.local_address_number = town.numbers.local_address_number()
    returned.former_local_address_number = old.local_address_number
    settle(
        town,
        returned,
        day=town.draw.day(town.days_ago(1200), town.days_ago(600)),
        reason=codes.RETURNED,
        moved_from=origin,
    )
    returned.add_case("return_second_number")
    return [*people, old]


def _naturalisation(town: Town, people: People) -> People:
    """Return the same person under a new 宛名番号; this year's tax hangs on the old one."""
    person, draw = people[0], town.draw
    day = draw.day(max(date(tax_year(town.reference_date), 1, 5), town.days_ago(399)), town.days_ago(1))
    country = draw.pick(town.names.foreign)
    name, kana = foreign_full_name(draw.pick(country.families), draw.pick(country.given[person.sex]), kanji=False)
    old = replace(
        person,
        name=name,
        kana=kana,
        kind=codes.FOREIGN,
        superseded=True,
        former_surname="",
        cases=("foreign_resident",),
    )
    notified = town.notified(day)
    close(old, state=codes.STRUCK, reason=codes.CLOSED_BY_NATURALISATION, day=day, notified=notified)
    person.local_address_number = town.numbers.local_address_number()
    person.former_local_address_number = old.local_address_number
    person.moved_on = person.resident_since = day
    person.moved_notified_on = person.resident_notified_on = notified
    person.move_reason = person.resident_reason = codes.NATURALISED
    person.moved_from = ""
    person.add_case("naturalisation")
    return [*people, old]


def _move_within(town: Town, people: People) -> People:
    day = town.draw.day(town.days_ago(380), town.days_ago(1))
    notified = town.notified(day)
    for person in people:
        if person.born < day:
            person.moved_on = person.settled_on = day
            person.moved_notified_on = person.settled_notified_on = notified
            person.move_reason = codes.MOVED_WITHIN
            person.add_case("move_within")
    return people


def _marriage(town: Town, people: People) -> People:
    wife = next(person for person in people if person.sex == codes.FEMALE)
    wife.former_surname = town.draw.early(town.names.surnames)[0]
    wife.moved_on = town.draw.day(town.days_ago(380), town.days_ago(1))
    wife.moved_notified_on = wife.moved_on
    wife.move_reason = codes.RENAMED
    wife.add_case("marriage_former_surname")
    return people


def _birth(_town: Town, people: People) -> People:
    """Nothing more: the wished shape has a newborn child."""
    return people


def _part_unknown(town: Town, people: People) -> People:
    head = people[0]
    head.birth_date = f"{head.born.year}0000" if town.draw.chance(0.5) else f"{compact(head.born)[:6]}00"
    head.add_case("birth_date_part_unknown")
    return people


def _protective(town: Town, people: People) -> People:
    for person in people:
        person.protective_measures = person.nondisclosure = person.self_information_blocked = True
        person.protective_until = town.reference_date + timedelta(days=town.draw.between(30, 365))
    return _marked(people, "protective_measures")


def _nondisclosure(_town: Town, people: People) -> People:
    people[0].nondisclosure = True
    people[0].add_case("nondisclosure_only")
    return people


def _self_information_blocked(_town: Town, people: People) -> People:
    people[0].self_information_blocked = True
    people[0].add_case("self_information_blocked_only")
    return people


def _without_number(_town: Town, people: People) -> People:
    people[-1].individual_number = ""
    people[-1].add_case("without_individual_number")
    return people


def _same_name_same_birth_date(town: Town, people: People, other: Person) -> People:
    """Another person of the same name, sex and birth date, living alone elsewhere in town."""
    twin = people[0]
    for field in ("name", "kana", "surname", "kind", "common_name", "born", "birth_date", "sex"):
        setattr(twin, field, getattr(other, field))
    twin.relationship = codes.HEAD
    twin.former_surname = ""
    twin.cases = ("same_name_same_birth_date",)
    settle(
        town,
        twin,
        day=twin.resident_since,
        reason=codes.MOVED_IN,
        moved_from=town.draw.pick(town.elsewhere).municipality,
    )
    return [twin]


_EVENTS: Final = (
    Scheduled(397, 5, "single", _naturalisation),
    Scheduled(401, 9, "single_elder", _return_second_number),
    Scheduled(307, 13, "single", _ex_officio_removal),
    Scheduled(211, 18, "", _move_out_planned),
    Scheduled(149, 21, "", _return_same_number),
    Scheduled(103, 25, "", _move_abroad),
    Scheduled(97, 29, "", _move_in_from_abroad),
    Scheduled(89, 36, "couple", _marriage),
    Scheduled(61, 11, "family_newborn", _birth),
    Scheduled(43, 7, "couple_elder", _death),
    Scheduled(71, 32, "single_elder", _death),
    Scheduled(17, 3, "", _move_out),
    Scheduled(11, 2, "", _move_in),
    Scheduled(13, 4, "", _move_within),
)
_MARKS: Final = (
    Scheduled(127, 15, "", _part_unknown),
    Scheduled(199, 19, "single_parent", _protective),
    Scheduled(331, 22, "", _nondisclosure),
    Scheduled(409, 27, "", _self_information_blocked),
    Scheduled(181, 31, "", _without_number),
)
