# SPDX-License-Identifier: Apache-2.0
"""One person under two numbers, two people under one (名寄せ、分離).

A merge moves local numbers, the individual number and former ones to the survivor; the number that ends answers with
the survivor's ever after. A split moves the named local numbers to a new person of whom nothing is known until their
records are registered again: what the shared record says may be the other's [own] (docs/divergences
"Address system"). The middle server is told by who feeds both (`page`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.address_system.domain.attributes import BLANK
from chukan.address_system.environment import number_of
from chukan.address_system.numbering.changes import change, stored_person
from chukan.address_system.numbering.draft import Individual
from chukan.address_system.numbering.views import show
from chukan.address_system.storage.local_numbers import StoredLink
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import Draft
    from chukan.address_system.numbering.views import PersonView
    from chukan.address_system.storage.local_numbers import LocalKey
    from chukan.durable import Connection

__all__ = ["Ended", "merge", "page", "split"]

_MERGED = "merged_integrated_address_number"
_SURVIVING = "surviving_integrated_address_number"


def merge(environment: Environment, actor: Actor, sha256: bytes, merged: str, surviving: str) -> PersonView:
    """Merge two numbers of one person. Errors: PERSON_UNKNOWN, PERSON_MERGED, INDIVIDUAL_NUMBERS_DIFFER."""
    if merged == surviving:
        raise ChukanError("MERGE_REFUSED", field=_SURVIVING)
    organization, people = actor.organization, environment.stores.people

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        stays, attributes = stored_person(environment, connection, organization, surviving, field=_SURVIVING)
        gone, others = stored_person(environment, connection, organization, merged, field=_MERGED, merged=True)
        if gone.merged_into == stays.id:
            return {"person": stays.id}
        if gone.merged_into:
            raise ChukanError("PERSON_MERGED", field=_MERGED)
        if gone.individual_digest and stays.individual_digest:
            raise ChukanError("INDIVIDUAL_NUMBERS_DIFFER")
        if gone.individual_digest:
            sealed = people.individual_numbers(connection, organization, [gone.id])
            number = people.open_individual_numbers(organization, sealed).get(gone.id, "")  # none of a corporation
            draft.set_individual(stays.id, Individual(number, gone.individual_digest))
        flags = "".join(sorted({*attributes.flags, *others.flags}))
        if attributes.is_blank:
            draft.update(stays.id, others._replace(flags=flags))
        elif flags != attributes.flags:
            draft.update(stays.id, attributes._replace(flags=flags))
        draft.merge(gone.id, stays.id)
        draft.record(actor, "MergePeople.merged", gone.id)
        draft.record(actor, "MergePeople.survivor", stays.id)
        return {"person": stays.id}

    found = change(environment, actor, "MergePeople", sha256, build)
    return show(environment, organization, found["person"])


class Ended(NamedTuple):
    """A number that ended in a merge, the one that stays, and when; microseconds since 1970."""

    number: str
    survivor: str
    ended: int


def page(environment: Environment, actor: Actor, *, after: int, most: int) -> list[Ended]:
    """Return numbers that ended in a merge, in the order they were issued."""
    first, last = environment.tenants.first(actor.organization), environment.tenants.last(actor.organization)
    with environment.database.read() as connection:
        rows = environment.stores.people.merged(connection, after=first + after, last=last, most=most)
    return [Ended(number_of(gone), number_of(into), ended) for gone, into, ended in rows]


def split(
    environment: Environment, actor: Actor, sha256: bytes, number: str, moved: Sequence[LocalKey]
) -> tuple[PersonView, PersonView]:
    """Move local numbers to a new person; return who kept the number, and the new one.

    Errors: PERSON_UNKNOWN, LOCAL_NUMBER_UNKNOWN, SPLIT_REFUSED (nothing would be left).
    """
    organization, local_numbers = actor.organization, environment.stores.local_numbers

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row, _ = stored_person(environment, connection, organization, number)
        digests = dict.fromkeys(local_numbers.digests(organization, moved))
        found = local_numbers.find(connection, organization, digests)
        if any(digest not in found or found[digest].person != row.id for digest in digests):
            raise ChukanError("LOCAL_NUMBER_UNKNOWN", field="moved_local_numbers")
        if len(digests) == len(local_numbers.of_people(connection, organization, [row.id])[row.id]):
            raise ChukanError("SPLIT_REFUSED", field="moved_local_numbers")
        new = draft.block.next()
        draft.add_person(new, BLANK, None, None)
        for digest in digests:
            draft.relink(digest, StoredLink(new, None))
        draft.record(actor, "SplitPerson.kept", row.id)
        draft.record(actor, "SplitPerson.new", new)
        return {"person": row.id, "new": new}

    found = change(environment, actor, "SplitPerson", sha256, build)
    return show(environment, organization, found["person"]), show(environment, organization, found["new"])
