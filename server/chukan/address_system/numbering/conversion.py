# SPDX-License-Identifier: Apache-2.0
"""Conversion of numbers (宛名番号 ↔ 団体内統合宛名番号), thousands at once.

After a merge both ways answer with the survivor. The way back is one-to-many: all local numbers of the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.address_system.domain.registration import local_number_failure
from chukan.address_system.environment import number_of
from chukan.address_system.numbering.guard import disguised, rows_with_individual_numbers
from chukan.standard.numbers import is_integrated_address_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.environment import Environment
    from chukan.address_system.storage.local_numbers import LocalKey
    from chukan.durable import Connection

__all__ = ["Conversion", "find_people", "from_integrated", "to_integrated"]


class Conversion(NamedTuple):
    """One converted number, or the reason why it does not convert."""

    number: str = ""
    local_numbers: Sequence[LocalKey] = ()
    reason: str = ""


def to_integrated(environment: Environment, organization: str, keys: Sequence[LocalKey]) -> list[Conversion]:
    """Convert local numbers; unknown ones that are individual numbers are told apart."""
    stores = environment.stores
    digests = stores.local_numbers.digests(organization, keys)
    with environment.database.read() as connection:
        found = stores.local_numbers.find(connection, organization, digests)
        unknown = {row: keys[row].local_address_number for row, digest in enumerate(digests) if digest not in found}
        suspects = rows_with_individual_numbers(environment, connection, organization, list(unknown.values()))
    conversions = [Conversion(number_of(found[digest].person)) if digest in found else _UNKNOWN for digest in digests]
    for row, text in unknown.items():
        failure = local_number_failure(text)
        if failure is not None:
            conversions[row] = Conversion(reason=failure[0])
    rows = list(unknown)
    for place in suspects:
        conversions[rows[place]] = Conversion(reason="INDIVIDUAL_NUMBER_REFUSED")
    return conversions


def from_integrated(environment: Environment, organization: str, numbers: Sequence[str]) -> list[Conversion]:
    """Convert integrated address numbers back to all local numbers of the person."""
    stores = environment.stores
    with environment.database.read() as connection:
        found = find_people(environment, connection, organization, numbers)
        ids = set(found.values())
        local_numbers = stores.local_numbers.of_people(connection, organization, ids)
        suspects = set(rows_with_individual_numbers(environment, connection, organization, numbers))
    return [
        Conversion(number_of(found[number]), local_numbers.get(found[number], ()))
        if number in found
        else Conversion(reason=_reason(number, refused=row in suspects))
        for row, number in enumerate(numbers)
    ]


def find_people(
    environment: Environment, connection: Connection, organization: str, numbers: Sequence[str]
) -> dict[str, int]:
    """Return the surrogates of people by integrated address number; of the survivor after a merge."""
    surrogates = environment.tenants.surrogates(organization, numbers)
    survivors = environment.stores.people.survivors(connection, organization, surrogates.values())
    return {number: survivors[surrogate] for number, surrogate in surrogates.items() if surrogate in survivors}


def _reason(number: str, *, refused: bool) -> str:
    if refused:
        return "INDIVIDUAL_NUMBER_REFUSED"
    if is_integrated_address_number(number):
        return "PERSON_UNKNOWN"
    return "INDIVIDUAL_NUMBER_REFUSED" if disguised(number) else "NUMBER_MALFORMED"


_UNKNOWN = Conversion(reason="LOCAL_NUMBER_UNKNOWN")
