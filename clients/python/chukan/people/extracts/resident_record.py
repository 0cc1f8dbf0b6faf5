# SPDX-License-Identifier: Apache-2.0
"""住民票関係: one row per person, under the number in use now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.households import compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.people.draw import Draw
    from chukan.people.records import Household, Person

_SINCE: Final = {
    codes.MOVED_IN: "01",
    codes.MOVED_IN_FROM_ABROAD: "01",
    codes.RETURNED: "01",
    codes.BORN_HERE: "02",
    codes.NATURALISED: "04",
}
_MOVED: Final = {
    codes.MOVED_IN: "01",
    codes.MOVED_IN_FROM_ABROAD: "01",
    codes.RETURNED: "01",
    codes.BORN_HERE: "02",
    codes.MOVED_WITHIN: "03",
    codes.MOVED_OUT: "04",
    codes.MOVED_ABROAD: "04",
    codes.MOVING_OUT_SOON: "04",
    codes.DIED: "05",
    codes.RENAMED: "07",
    codes.NATURALISED: "08",
    codes.CLOSED_BY_NATURALISATION: "08",
    codes.STRUCK_EX_OFFICIO: "10",
}
_STATUSES: Final = ("永住者", "技術・人文知識・国際業務", "留学", "家族滞在", "特定技能", "定住者")


class ResidentRecord:
    """Writes the rows; the same in sparse and dense form."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def rows(self, household: Household) -> Iterator[tuple[str, ...]]:
        """Return the rows of a household."""
        living = sum(person.closed_on is None for person in household.members)
        return (self._row(person, living) for person in household.members if not person.superseded)

    def _row(self, person: Person, living: int) -> tuple[str, ...]:
        draw, foreign = self._draw, person.kind == codes.FOREIGN
        status = draw.pick(_STATUSES) if foreign else ""
        until = ""
        if foreign and status != _STATUSES[0]:
            until = compact(person.resident_since + timedelta(days=draw.between(5_000, 7_000)))
        closed = person.closed_on
        return (
            codes.REGISTER_AFFAIR,
            person.local_address_number,
            person.household_number,
            "".join(person.relationship),
            "1" if person.relationship == codes.HEAD else "2",
            "2" if foreign else "1",
            compact(person.resident_since),
            compact(person.resident_notified_on),
            _SINCE[person.resident_reason],
            compact(person.settled_on),
            compact(person.settled_notified_on),
            person.moved_from,
            "",
            compact(person.moved_on),
            compact(person.moved_notified_on),
            _MOVED[person.move_reason],
            compact(closed) if closed else "",
            compact(person.closed_notified_on) if person.closed_notified_on else "",
            _MOVED[person.closed_reason] if closed else "",
            str(living),
            status,
            until,
        )
