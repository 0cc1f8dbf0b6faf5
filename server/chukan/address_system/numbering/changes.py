# SPDX-License-Identifier: Apache-2.0
"""One change of an organization's people: looked up, drafted and sealed in its turn, then written in one step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from chukan.address_system.numbering.draft import Draft, Individual
from chukan.address_system.numbering.guard import rows_with_individual_numbers
from chukan.durable import answered
from chukan.standard.numbers import is_integrated_address_number, looks_like_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.address_system.domain.attributes import PersonAttributes
    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.storage.people import PersonRow
    from chukan.durable import Connection

    Result: TypeAlias = Mapping[str, Any]

__all__ = ["assign_individual", "change", "person_of", "record_access", "stored_person"]


def change(
    environment: Environment,
    actor: Actor,
    method: str,
    sha256: bytes,
    build: Callable[[Draft, Connection], Result],
) -> Result:
    """Write what `build` drafts and return its result: surrogates and ids, no personal value.

    A call with a request id that was made before returns what it returned then.
    """
    organization = actor.organization
    with environment.turns.of(organization):
        if actor.request_id:
            kept = _kept(environment, actor, method, sha256)
            if kept is not None:
                return kept
        with environment.database.read() as connection:
            draft = Draft.begin(environment, connection, organization)
            result = build(draft, connection)
        sealed = draft.sealed()

        def step(inner: Connection) -> bytes:
            sealed.write(inner)
            return json.dumps(result).encode()

        if actor.request_id:
            return _once(environment, actor, method, sha256, step)
        environment.database.write(organization, step)
        return result


def _kept(environment: Environment, actor: Actor, method: str, sha256: bytes) -> Result | None:
    body_digest = environment.body_digest(actor.organization, sha256)
    with environment.database.read() as connection:
        kept = answered(
            connection,
            organization=actor.organization,
            system=actor.system,
            method=method,
            request_id=actor.request_id,
            body_digest=body_digest,
        )
    return None if kept is None else cast("Result", json.loads(kept))


def _once(
    environment: Environment, actor: Actor, method: str, sha256: bytes, step: Callable[[Connection], bytes]
) -> Result:
    kept, _ = environment.once(
        actor,
        method=method,
        request_id=actor.request_id,
        body_digest=environment.body_digest(actor.organization, sha256),
        step=step,
    )
    answer: Result = json.loads(kept)
    return answer


def stored_person(
    environment: Environment,
    connection: Connection,
    organization: str,
    number: str,
    *,
    field: str = "integrated_address_number",
    merged: bool = False,
) -> tuple[PersonRow, PersonAttributes]:
    """Return a person by integrated address number. Errors: PERSON_UNKNOWN, PERSON_MERGED unless asked for."""
    row = person_of(environment, connection, organization, number, field=field)
    if row.merged_into and not merged:
        raise ChukanError("PERSON_MERGED", field=field)
    (attributes,) = environment.stores.people.open_attributes(organization, [(row.id, row.attributes)])
    return row, attributes


def person_of(
    environment: Environment, connection: Connection, organization: str, number: str, *, field: str
) -> PersonRow:
    """Return a person as stored. Errors: PERSON_UNKNOWN, INDIVIDUAL_NUMBER_REFUSED, NUMBER_MALFORMED."""
    if looks_like_individual_number(number) or rows_with_individual_numbers(
        environment, connection, organization, [number]
    ):
        raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field=field)
    if not is_integrated_address_number(number):
        raise ChukanError("NUMBER_MALFORMED", field=field)
    surrogate = environment.tenants.surrogates(organization, [number])[number]
    row = environment.stores.people.by_ids(connection, organization, [surrogate]).get(surrogate)
    if row is None:
        raise ChukanError("PERSON_UNKNOWN", field=field)
    return row


def assign_individual(
    environment: Environment,
    connection: Connection,
    draft: Draft,
    row: PersonRow,
    number: str,
    *,
    corporate: bool = False,
) -> bool:
    """Draft that a person has this individual number now; the one before is kept. Return whether anything changes.

    corporate: it is a corporate number, of which only the digest is used and no former one kept.
    Errors: INDIVIDUAL_NUMBER_TAKEN: it is, or was, another person's.
    """
    people, organization = environment.stores.people, draft.organization
    (digest,) = people.individual_digests(organization, [number])
    if row.individual_digest == digest:
        return False
    holder = people.by_individual(connection, organization, [digest]).get(digest)
    if holder not in {None, row.id}:
        raise ChukanError("INDIVIDUAL_NUMBER_TAKEN", field="corporate_number" if corporate else "individual_number")
    if corporate:
        draft.set_individual(row.id, Individual("", digest))
        return True
    if row.individual_digest is not None:
        sealed = people.individual_numbers(connection, organization, [row.id])
        former = people.open_individual_numbers(organization, sealed)[row.id]
        draft.keep_former(row.id, Individual(former, row.individual_digest))
    draft.set_individual(row.id, Individual(number, digest))
    return True


def record_access(environment: Environment, actor: Actor, action: str, surrogates: Sequence[int] = ()) -> None:
    """Record a reading before it is answered; without surrogates it was a list or a search."""
    organization = actor.organization
    with environment.database.read() as connection:
        draft = Draft.begin(environment, connection, organization)
    for surrogate in surrogates or (0,):
        draft.record(actor, action, surrogate)
    environment.database.write(organization, draft.sealed().write)
