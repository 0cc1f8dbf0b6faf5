# SPDX-License-Identifier: Apache-2.0
"""Registrations held for a person (不一致): listing them, and doing what the person decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.address_system.domain.outcomes import Decided, MismatchKind
from chukan.address_system.environment import number_of
from chukan.address_system.numbering.changes import assign_individual, change, record_access
from chukan.address_system.numbering.draft import Held, Individual
from chukan.address_system.numbering.views import show
from chukan.address_system.storage.local_numbers import StoredLink
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import Draft
    from chukan.address_system.numbering.views import PersonView
    from chukan.address_system.storage.local_numbers import LocalKey
    from chukan.address_system.storage.mismatches import MismatchRow
    from chukan.address_system.storage.people import PersonRow
    from chukan.durable import Connection

__all__ = ["MismatchView", "page", "resolve"]


@dataclass(frozen=True, slots=True)
class MismatchView:
    """A mismatch as it is shown; instants in microseconds since 1970, 0 where there is none."""

    id: int
    name: str
    kind: int
    held: Held
    candidates: Sequence[str]
    differing: Sequence[str]
    created: int
    resolved: int


def page(environment: Environment, actor: Actor, *, after: int, most: int, resolved: bool) -> list[MismatchView]:
    """Return mismatches, oldest first; the reading is recorded."""
    organization = actor.organization
    with environment.database.read() as connection:
        rows = environment.stores.mismatches.page(connection, organization, after=after, most=most, resolved=resolved)
    record_access(environment, actor, "ListMismatches")
    return _views(environment, organization, rows)


def resolve(
    environment: Environment, actor: Actor, sha256: bytes, *, name: str, decision: Decided, number: str
) -> tuple[MismatchView, PersonView | None]:
    """Do what a person decided; the same decision again changes nothing.

    Errors: MISMATCH_UNKNOWN, MISMATCH_RESOLVED, INDIVIDUAL_NUMBER_TAKEN, STATE_NOT_ALLOWED.
    """
    organization = actor.organization

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row = environment.stores.mismatches.by_name(connection, organization, name)
        if row is None:
            raise ChukanError("MISMATCH_UNKNOWN", field="mismatch_id")
        if row.resolved:
            if row.decision != decision or (number and row.person and number != number_of(row.person)):
                raise ChukanError("MISMATCH_RESOLVED", field="mismatch_id")
            return {"person": row.person}
        (packed,) = environment.stores.mismatches.open(organization, [row])
        case = _Case(environment, connection, draft, row, Held.unpack(packed, row.content))
        person = case.decide(decision, number)
        draft.resolve(row.id, decision, person)
        draft.record(actor, f"ResolveMismatch.{decision.name}", person)
        return {"person": person}

    found = change(environment, actor, "ResolveMismatch", sha256, build)
    with environment.database.read() as connection:
        row = environment.stores.mismatches.by_name(connection, organization, name)
    assert row is not None  # noqa: S101 narrows the type: it was there before
    (view,) = _views(environment, organization, [row])
    return view, show(environment, organization, found["person"]) if found["person"] else None


class _Case:
    """One open mismatch and the change that ends it."""

    def __init__(
        self, environment: Environment, connection: Connection, draft: Draft, row: MismatchRow, held: Held
    ) -> None:
        self._environment = environment
        self._connection = connection
        self._draft = draft
        self._row = row
        self._held = held

    def decide(self, decision: Decided, number: str) -> int:
        """Draft the decision and return the person, 0 if the registration is dropped."""
        proposed = self._row.kind == MismatchKind.INDIVIDUAL_NUMBER_PROPOSED
        if decision is Decided.DISMISS:
            return 0
        if decision is Decided.NEW_PERSON:
            if proposed:
                raise ChukanError("STATE_NOT_ALLOWED", field="decision")
            return self._number_new()
        person = self._candidate(number)
        self._assign(person)
        if not proposed:
            self._update(person)
            self._link(person.id)
        return person.id

    def _candidate(self, number: str) -> PersonRow:
        """Return the candidate that was chosen, the survivor if it was merged since."""
        people, organization = self._environment.stores.people, self._draft.organization
        ids = [int(each) for each in self._row.candidates.split()]
        if not ids:  # rows that claimed a number nobody had: a person knows whose it is
            ids = list(self._environment.tenants.surrogates(organization, [number]).values())
        survivors = people.survivors(self._connection, organization, ids)
        ids = [each for each in ids if each in survivors]
        by_number = {number_of(each): survivors[each] for each in ids}
        by_number.update((number_of(each), each) for each in survivors.values())
        chosen = by_number.get(number) if number else None
        if not number and len(set(survivors.values())) == 1:
            chosen = survivors[ids[0]]
        if chosen is None:
            raise ChukanError("INVALID_FIELD", violations=[("integrated_address_number", "one of the candidates")])
        return people.by_ids(self._connection, organization, [chosen])[chosen]

    def _assign(self, person: PersonRow) -> None:
        corporate = self._held.attributes.corporate_number
        number = self._held.individual_number or corporate
        if not number:
            return
        people, organization = self._environment.stores.people, self._draft.organization
        (digest,) = people.individual_digests(organization, [number])
        holder = people.by_individual(self._connection, organization, [digest]).get(digest)
        if holder != person.id:  # one they have, or had, is no news
            assign_individual(
                self._environment, self._connection, self._draft, person, number, corporate=bool(corporate)
            )

    def _update(self, person: PersonRow) -> None:
        organization = self._draft.organization
        (old,) = self._environment.stores.people.open_attributes(organization, [(person.id, person.attributes)])
        new = self._held.attributes
        if not new.movement_date or new.movement_date >= old.movement_date:
            self._draft.update(person.id, new.over(old, self._held.coverage, lifts=False))

    def _number_new(self) -> int:
        """Add a new person; a number that is another's is not theirs, and they wait for their own."""
        people, organization = self._environment.stores.people, self._draft.organization
        held = self._held
        individual = None
        number = held.individual_number or held.attributes.corporate_number
        if number:
            (digest,) = people.individual_digests(organization, [number])
            if digest not in people.by_individual(self._connection, organization, [digest]):
                individual = Individual(held.individual_number, digest)
        (birth,) = people.birth_keys(organization, [held.attributes.birth_date])
        person = self._draft.block.next()
        self._draft.add_person(person, held.attributes, individual, birth)
        self._link(person)
        return person

    def _link(self, person: int) -> None:
        local_numbers, organization = self._environment.stores.local_numbers, self._draft.organization
        held = self._held
        (digest,) = local_numbers.digests(organization, [held.key])
        self._relink(digest, held.key, StoredLink(person, held.content))
        if held.former:
            former = held.key._replace(local_address_number=held.former)
            (digest,) = local_numbers.digests(organization, [former])
            self._relink(digest, former, StoredLink(person, None, superseded=True))

    def _relink(self, digest: bytes, key: LocalKey, link: StoredLink) -> None:
        found = self._environment.stores.local_numbers.find(self._connection, self._draft.organization, [digest])
        if digest in found:
            content = link.content or found[digest].content
            self._draft.relink(digest, StoredLink(link.person, content, link.superseded or found[digest].superseded))
        else:
            self._draft.link(digest, key, link)


def _views(environment: Environment, organization: str, rows: Sequence[MismatchRow]) -> list[MismatchView]:
    opened = environment.stores.mismatches.open(organization, rows)
    return [
        MismatchView(
            row.id,
            row.name,
            row.kind,
            Held.unpack(packed, row.content),
            [number_of(int(each)) for each in row.candidates.split()],
            row.differing.split(),
            row.created,
            row.resolved,
        )
        for row, packed in zip(rows, opened, strict=True)
    ]
