# SPDX-License-Identifier: Apache-2.0
"""People as they are shown: attributes, local numbers, and the individual number only where it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.address_system.environment import number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.address_system.domain.attributes import PersonAttributes
    from chukan.address_system.environment import Environment
    from chukan.address_system.storage.local_numbers import LocalKey
    from chukan.durable import Connection

__all__ = ["PersonView", "show", "show_many"]


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person; updated in microseconds since 1970."""

    number: str
    attributes: PersonAttributes
    local_numbers: Sequence[LocalKey] = ()
    individual_number: str = ""
    merged_into: str = ""
    unnumbered: bool = False
    updated: int = 0


def show(environment: Environment, organization: str, surrogate: int, *, individual: bool = False) -> PersonView:
    """Return one person as committed."""
    with environment.database.read() as connection:
        (view,) = show_many(environment, connection, organization, [surrogate])
        sealed = environment.stores.people.individual_numbers(connection, organization, [surrogate] * individual)
    if not sealed:
        return view
    number = environment.stores.people.open_individual_numbers(organization, sealed)[surrogate]
    return PersonView(
        view.number, view.attributes, view.local_numbers, number, view.merged_into, view.unnumbered, view.updated
    )


def show_many(
    environment: Environment, connection: Connection, organization: str, surrogates: Iterable[int]
) -> list[PersonView]:
    """Return people in the order given."""
    wanted = list(surrogates)
    people = environment.stores.people
    rows = people.by_ids(connection, organization, wanted)
    found = [rows[surrogate] for surrogate in wanted]
    opened = people.open_attributes(organization, [(row.id, row.attributes) for row in found])
    local_numbers = environment.stores.local_numbers.of_people(connection, organization, wanted)
    return [
        PersonView(
            number_of(row.id),
            attributes,
            local_numbers.get(row.id, ()),
            merged_into=number_of(row.merged_into) if row.merged_into else "",
            unnumbered=row.individual_digest is None and not row.merged_into,
            updated=row.updated,
        )
        for row, attributes in zip(found, opened, strict=True)
    ]
