# SPDX-License-Identifier: Apache-2.0
"""People without an individual number (個人番号未設定): listing them, and looking them up in the resident network.

Looked up by four attributes (基本4情報), then by three, leaving out sex, residential address or name in this order
[own] (docs/divergences "Address system"). A single match is proposed to a person, never linked unseen: few attributes
are how wrong links came about. Corporations have no individual number and are listed, never looked up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.attributes import BLANK
from chukan.address_system.domain.outcomes import CORPORATION, MismatchKind
from chukan.address_system.domain.registration import individual_number_failure
from chukan.address_system.numbering.changes import record_access, stored_person
from chukan.address_system.numbering.draft import Draft, Held
from chukan.address_system.numbering.views import show_many
from chukan.address_system.ports import BasicAttributes
from chukan.address_system.storage.local_numbers import LocalKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import SealedDraft
    from chukan.address_system.numbering.views import PersonView
    from chukan.durable import Connection
    from chukan.durable.outbox import Item

__all__ = ["LOOK_UP", "carry_look_ups", "look_up", "page"]

LOOK_UP: Final = "look_up_unnumbered"
_MOST: Final = 100
_LEAVE_OUT: Final = ("", "sex", "residential_address", "name")
_FEWEST: Final = 3


def page(environment: Environment, actor: Actor, *, after: int, most: int) -> list[PersonView]:
    """Return people without an individual number, in order of registration; the reading is recorded."""
    organization = actor.organization
    first, last = environment.tenants.first(organization), environment.tenants.last(organization)
    with environment.database.read() as connection:
        ids = environment.stores.people.unnumbered(connection, after=first + after, last=last, most=most)
        views = show_many(environment, connection, organization, ids)
    record_access(environment, actor, "ListUnnumbered")
    return views


def look_up(environment: Environment, actor: Actor, numbers: Sequence[str]) -> int:
    """Commit that these people, or the first of the list, are looked up; return how many. Errors: PERSON_UNKNOWN."""
    organization = actor.organization
    people, tenants = environment.stores.people, environment.tenants
    with environment.database.read() as connection:
        if numbers:
            rows = [
                stored_person(environment, connection, organization, number)[0] for number in dict.fromkeys(numbers)
            ]
            ids = [row.id for row in rows if row.individual_digest is None]
        else:
            first, last = tenants.first(organization), tenants.last(organization)
            ids = people.unnumbered(connection, after=first, last=last, most=_MOST)
    if ids:
        payload = json.dumps(ids).encode()

        def write(connection: Connection) -> None:
            environment.outbox.add(connection, kind=LOOK_UP, organization=organization, payload=payload)

        environment.database.write(organization, write)
        record_access(environment, actor, "LookUpUnnumbered", ids)
    return len(ids)


def carry_look_ups(environment: Environment, items: Sequence[Item]) -> None:
    """Search for those who still lack a number, and hold what was found for a person."""
    for item in items:
        environment.tenants.prepare(item.organization)
        wanted = _attributes(environment, item.organization, json.loads(item.payload))
        proposed = _search(environment, item.organization, wanted)
        with environment.turns.of(item.organization):
            with environment.database.read() as connection:
                draft = Draft.begin(environment, connection, item.organization)
                _propose(environment, connection, draft, proposed)
            sealed = draft.sealed()

            def step(connection: Connection, sealed: SealedDraft = sealed, id_: int = item.id) -> None:
                sealed.write(connection)
                environment.outbox.done(connection, [id_])

            environment.database.write(item.organization, step)


def _attributes(environment: Environment, organization: str, ids: Sequence[int]) -> dict[int, BasicAttributes]:
    people = environment.stores.people
    with environment.database.read() as connection:
        rows = people.by_ids(connection, organization, ids)
    waiting = [row for row in rows.values() if row.individual_digest is None and not row.merged_into]
    opened = people.open_attributes(organization, [(row.id, row.attributes) for row in waiting])
    return {
        row.id: BasicAttributes(each.name, each.birth_date, each.sex, each.residential_address)
        for row, each in zip(waiting, opened, strict=True)
        if each.resident_kind != CORPORATION  # which has no individual number to be found
    }


def _search(environment: Environment, organization: str, wanted: dict[int, BasicAttributes]) -> dict[int, str]:
    """Return the one individual number found for each person; more than one is for a person to sort out elsewhere."""
    found: dict[int, str] = {}
    open_ = dict(wanted)
    for left_out in _LEAVE_OUT:
        queries = {
            id_: each._replace(**{left_out: ""}) if left_out else each
            for id_, each in open_.items()
            if not left_out or getattr(each, left_out)
        }
        queries = {
            id_: each
            for id_, each in queries.items()
            if sum(map(bool, each)) >= (_FEWEST if left_out else len(BasicAttributes._fields))
        }
        if not queries:
            continue
        matches = environment.network.search(organization, list(queries.values()))
        for id_, numbers in zip(queries, matches, strict=True):
            if (
                len(numbers) == 1
                and individual_number_failure(numbers[0], test=environment.takes_dummies_only(organization)) is None
            ):
                found[id_] = numbers[0]
            if numbers:
                del open_[id_]
    return found


def _propose(environment: Environment, connection: Connection, draft: Draft, proposed: dict[int, str]) -> None:
    stores, organization = environment.stores, draft.organization
    digests = environment.vault.index_digest_many(organization, "mismatch.proposal", map(str, proposed))
    names = dict(zip(proposed, digests, strict=True))
    waiting = stores.mismatches.open_for(connection, organization, digests)
    local_numbers = stores.local_numbers.of_people(connection, organization, proposed)
    rows = stores.people.by_ids(connection, organization, proposed)
    for id_, number in proposed.items():
        if names[id_] in waiting or rows[id_].individual_digest is not None or rows[id_].merged_into:
            continue
        key = local_numbers.get(id_, [LocalKey("", "", "")])[0]
        (attributes,) = stores.people.open_attributes(organization, [(id_, rows[id_].attributes)])
        draft.hold(
            Held(key, "", number, attributes or BLANK, names[id_]),
            names[id_],
            MismatchKind.INDIVIDUAL_NUMBER_PROPOSED,
            candidates=[id_],
            differing=["individual_number"],
        )
