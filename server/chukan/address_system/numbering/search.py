# SPDX-License-Identifier: Apache-2.0
"""Finding people by 基本4情報, exactly or partially; a person judges the candidates.

With a birth date the few people born that day are opened. Otherwise the register is gone through, opening everybody,
at most so many for a page: the price of keeping no index of names that could be guessed from. A page may then be empty
and the next one not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.attributes import (
    birth_dates_agree,
    kana_key,
    name_key,
    residential_address_key,
)
from chukan.address_system.numbering.changes import record_access
from chukan.address_system.numbering.views import show_many
from chukan.standard.dates import parse_birth_date
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.address_system.domain.attributes import PersonAttributes
    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.views import PersonView
    from chukan.durable import Connection

__all__ = ["Query", "find"]

_FEWEST: Final = 2
_SEXES: Final = frozenset({"", "1", "2"})
_PAGE: Final = 2_000
_MOST_OPENED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; at least two of the attributes."""

    name: str = ""
    birth_date: str = ""
    sex: str = ""
    residential_address: str = ""
    partial: bool = False

    def check(self) -> None:
        """Refuse a search by fewer than two attributes, or by one nobody has: it would find nobody, and look as if.

        Errors: SEARCH_TOO_WIDE, INVALID_FIELD.
        """
        given = (self.name, self.birth_date, self.sex, self.residential_address)
        if sum(bool(each.strip()) for each in given) < _FEWEST:
            raise ChukanError("SEARCH_TOO_WIDE")
        if self.sex not in _SEXES:
            raise ChukanError("INVALID_FIELD", violations=[("sex", "1, 2 or empty")])
        if self.birth_date and not _is_birth_date(self.birth_date):
            raise ChukanError("INVALID_FIELD", violations=[("birth_date", "yyyyMMdd, unknown parts 00")])


def _is_birth_date(text: str) -> bool:
    try:
        parse_birth_date(text)
    except ChukanError:
        return False
    return True


class _Wanted:
    """A query in the form people are compared in."""

    def __init__(self, query: Query) -> None:
        self._name = name_key(query.name)
        self._kana = kana_key(query.name)
        self._home = residential_address_key(query.residential_address)
        self._query = query

    def accepts(self, person: PersonAttributes) -> bool:
        """Whether a person is a candidate."""
        return self._born(person) and self._named(person) and self._lives(person)

    def _born(self, person: PersonAttributes) -> bool:
        query = self._query
        if query.sex and query.sex != person.sex:
            return False
        if not query.birth_date or query.birth_date == person.birth_date:
            return True
        return query.partial and bool(person.birth_date) and birth_dates_agree(query.birth_date, person.birth_date)

    def _named(self, person: PersonAttributes) -> bool:
        if not self._name:
            return True
        names = (name_key(person.name), name_key(person.alias))
        if not self._query.partial:
            return self._name in names
        return any(self._name in name for name in names) or self._kana in kana_key(person.kana_name)

    def _lives(self, person: PersonAttributes) -> bool:
        if not self._home:
            return True
        home = residential_address_key(person.residential_address)
        return home.startswith(self._home) if self._query.partial else home == self._home


def find(
    environment: Environment, actor: Actor, query: Query, *, after: int, most: int
) -> tuple[list[PersonView], int]:
    """Return candidates after a place, and the place to go on from (0 = that was all). Errors: SEARCH_TOO_WIDE."""
    query.check()
    organization = actor.organization
    wanted = _Wanted(query)
    found: list[int] = []
    place = 0
    with environment.database.read() as connection:
        scan = _Scan(environment, connection, organization, query, after)
        for place, attributes in scan:
            if wanted.accepts(attributes):
                found.append(place)
                if len(found) == most:
                    break
        views = show_many(environment, connection, organization, found)
    more = len(found) == most or scan.cut_short
    record_access(environment, actor, "FindPeople", found)
    return views, place - environment.tenants.first(organization) if more and place else 0


class _Scan:
    """People who may be meant, in order of registration, opened a page at a time."""

    def __init__(
        self, environment: Environment, connection: Connection, organization: str, query: Query, after: int
    ) -> None:
        self.cut_short = False
        self._environment = environment
        self._connection = connection
        self._organization = organization
        self._query = query
        self._after = environment.tenants.first(organization) + after

    def __iter__(self) -> Iterator[tuple[int, PersonAttributes]]:
        people = self._environment.stores.people
        for rows in self._born() if self._query.birth_date and not self._query.partial else self._all():
            opened = people.open_attributes(self._organization, rows)
            yield from zip([row[0] for row in rows], opened, strict=True)

    def _born(self) -> Iterator[list[tuple[int, bytes]]]:
        people, organization = self._environment.stores.people, self._organization
        keys = people.birth_keys(organization, [self._query.birth_date])
        ids = [surrogate for _, surrogate in people.born(self._connection, organization, keys)]
        rows = people.by_ids(self._connection, organization, [each for each in ids if each > self._after])
        yield [(surrogate, rows[surrogate].attributes) for surrogate in sorted(rows)]

    def _all(self) -> Iterator[list[tuple[int, bytes]]]:
        last = self._environment.tenants.last(self._organization)
        for _ in range(0, _MOST_OPENED, _PAGE):
            rows = self._environment.stores.people.page(self._connection, after=self._after, last=last, most=_PAGE)
            if not rows:
                return
            yield rows
            self._after = rows[-1][0]
        self.cut_short = True
