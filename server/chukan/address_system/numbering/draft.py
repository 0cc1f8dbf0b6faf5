# SPDX-License-Identifier: Apache-2.0
"""What one change is going to write: collected and sealed first, then written in one step.

A draft is made while the organization's turn is held, so what it was made from still stands when it is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from chukan.address_system.domain.attributes import WHOLE, Coverage, PersonAttributes
from chukan.address_system.numbering.numbers import NumberBlock
from chukan.address_system.storage.access_records import AccessRecord
from chukan.address_system.storage.local_numbers import LocalKey, StoredLink
from chukan.address_system.storage.mismatches import MismatchRow
from chukan.address_system.storage.people import NewPerson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.domain.outcomes import Decided, MismatchKind
    from chukan.address_system.environment import Actor, Environment
    from chukan.durable import Connection

__all__ = ["Draft", "Held", "Individual", "SealedDraft"]


class Individual(NamedTuple):
    """An individual number with its digest; of a corporation the digest of its corporate number, and no number."""

    number: str
    digest: bytes


class Held(NamedTuple):
    """A registration as it is held for a person."""

    key: LocalKey
    former: str
    individual_number: str
    attributes: PersonAttributes
    content: bytes
    coverage: Coverage = WHOLE

    def pack(self) -> bytes:
        """Return it as the bytes that are sealed; the content digest lies beside."""
        return json.dumps([self.key, self.former, self.individual_number, self.attributes, self.coverage]).encode()

    @classmethod
    def unpack(cls, packed: bytes, content: bytes) -> Held:
        """Return it from opened bytes."""
        key, former, individual_number, attributes, (absent, flags) = json.loads(packed)
        coverage = Coverage(tuple(absent), flags)
        return cls(LocalKey(*key), former, individual_number, PersonAttributes(*attributes), content, coverage)


@dataclass(slots=True)
class _Person:
    attributes: PersonAttributes
    individual: Individual | None
    birth_key: int | None


@dataclass(slots=True)
class Draft:
    """One change of one organization's people."""

    environment: Environment
    organization: str
    block: NumberBlock
    new: dict[int, _Person] = field(default_factory=dict)
    updates: dict[int, PersonAttributes] = field(default_factory=dict)
    numbers: dict[int, Individual | None] = field(default_factory=dict)
    former: list[tuple[int, Individual]] = field(default_factory=list)
    links: dict[bytes, tuple[LocalKey, StoredLink]] = field(default_factory=dict)
    relinks: dict[bytes, StoredLink] = field(default_factory=dict)
    merges: list[tuple[int, int]] = field(default_factory=list)
    held: list[tuple[MismatchRow, Held]] = field(default_factory=list)
    resolved: list[tuple[int, int, int]] = field(default_factory=list)
    records: list[AccessRecord] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, environment: Environment, connection: Connection, organization: str) -> Draft:
        """Begin after what is committed."""
        return cls(environment, organization, NumberBlock.begin(environment, connection, organization))

    def add_person(
        self, id_: int, attributes: PersonAttributes, individual: Individual | None, birth_key: int | None
    ) -> None:
        """Add a person whose number was taken from the block."""
        self.new[id_] = _Person(attributes, individual, birth_key)

    def update(self, id_: int, attributes: PersonAttributes) -> None:
        """Replace a person's attributes."""
        if id_ in self.new:
            people = self.environment.stores.people
            new = self.new[id_]
            new.attributes = attributes
            (new.birth_key,) = people.birth_keys(self.organization, [attributes.birth_date])
        else:
            self.updates[id_] = attributes

    def set_individual(self, id_: int, individual: Individual | None) -> None:
        """Set or take away a person's individual number."""
        if id_ in self.new:
            self.new[id_].individual = individual
        else:
            self.numbers[id_] = individual

    def keep_former(self, id_: int, individual: Individual) -> None:
        """Keep an individual number that was changed."""
        self.former.append((id_, individual))

    def link(self, digest: bytes, key: LocalKey, link: StoredLink) -> None:
        """Link a local number that is not linked."""
        self.links[digest] = (key, link)

    def relink(self, digest: bytes, link: StoredLink) -> None:
        """Change the link of a local number."""
        if digest in self.links:
            self.links[digest] = (self.links[digest][0], link)
        else:
            self.relinks[digest] = link

    def merge(self, gone: int, into: int) -> None:
        """Merge a person into another, with all local numbers."""
        self.merges.append((gone, into))

    def hold(
        self, held: Held, digest: bytes, kind: MismatchKind, *, candidates: Sequence[int], differing: Sequence[str]
    ) -> str:
        """Hold a registration for a person and return the mismatch's id."""
        name = self.environment.ids.next("mismatch")
        texts = (" ".join(map(str, candidates)), " ".join(differing))
        now = self.environment.now()
        row = MismatchRow(0, self.organization, name, int(kind), digest, held.content, b"", *texts, now, 0, 0, 0)
        self.held.append((row, held))
        return name

    def resolve(self, id_: int, decision: Decided, person: int = 0) -> None:
        """Resolve a mismatch."""
        self.resolved.append((id_, int(decision), person))

    def record(self, actor: Actor, action: str, person: int = 0) -> None:
        """Note who did what to whom."""
        who = (actor.system, actor.terminal, actor.department, actor.user)
        self.records.append(AccessRecord(self.organization, self.environment.now(), action, person, *who))

    def advance(self, counter: str, last: int) -> None:
        """Note the last number used of another counter."""
        self.counters[counter] = last

    def sealed(self) -> SealedDraft:
        """Seal what is to be written."""
        return SealedDraft(self)


class SealedDraft:
    """A draft ready to be written; may be written again when its group fails."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._now = draft.environment.now()
        self._people = self._seal_new()
        self._updates = self._seal_updates()
        self._numbers = self._seal_numbers()
        self._former = self._seal_former()
        self._links = self._seal_links()
        self._held = self._seal_held()

    def write(self, connection: Connection) -> None:
        """Write everything inside a write; numbers given up come before those taken."""
        draft = self._draft
        self._write_people(connection)
        self._write_links(connection)
        stores = draft.environment.stores
        stores.mismatches.resolve(connection, draft.resolved, now=self._now)
        stores.mismatches.insert(connection, self._held)
        stores.access_records.add(connection, draft.records)
        for name, last in draft.counters.items():
            stores.counters.advance(connection, draft.organization, name, last)
        draft.block.save(connection)

    def _write_people(self, connection: Connection) -> None:
        draft, people, now = self._draft, self._draft.environment.stores.people, self._now
        people.add_former(connection, draft.organization, self._former, now=now)
        for gone, into in draft.merges:
            people.merge(connection, gone, into, now=now)
        people.insert(connection, draft.organization, self._people, now=now)
        people.update(connection, self._updates, now=now)
        people.set_individual(connection, self._numbers, now=now)

    def _write_links(self, connection: Connection) -> None:
        draft, local_numbers = self._draft, self._draft.environment.stores.local_numbers
        for gone, into in draft.merges:
            local_numbers.move(connection, draft.organization, gone, into)
        local_numbers.set(connection, draft.organization, list(draft.relinks.items()))
        local_numbers.insert(connection, draft.organization, self._links)

    def _seal_new(self) -> list[NewPerson]:
        draft = self._draft
        people, organization, ids = draft.environment.stores.people, draft.organization, list(draft.new)
        new = list(draft.new.values())
        if not new:
            return []
        attributes = people.seal(organization, "attributes", ids, [person.attributes.pack() for person in new])
        known = [
            (id_, person.individual.number.encode())
            for id_, person in draft.new.items()
            if person.individual and person.individual.number
        ]
        individual = dict(
            zip(
                [id_ for id_, _ in known],
                people.seal(
                    organization, "individual_number", [id_ for id_, _ in known], [plain for _, plain in known]
                ),
                strict=True,
            )
        )
        return [
            NewPerson(
                id_,
                person.individual.digest if person.individual else None,
                individual.get(id_),
                blob,
                person.birth_key,
            )
            for (id_, person), blob in zip(draft.new.items(), attributes, strict=True)
        ]

    def _seal_updates(self) -> list[tuple[int, bytes, int | None]]:
        draft = self._draft
        people, organization = draft.environment.stores.people, draft.organization
        ids, attributes = list(draft.updates), list(draft.updates.values())
        sealed = people.seal(organization, "attributes", ids, [each.pack() for each in attributes])
        births = people.birth_keys(organization, [each.birth_date for each in attributes])
        return list(zip(ids, sealed, births, strict=True))

    def _seal_numbers(self) -> list[tuple[int, bytes | None, bytes | None]]:
        draft = self._draft
        people, organization = draft.environment.stores.people, draft.organization
        # Those who lose a number come first: it may be another's in the same write.
        rows: list[tuple[int, bytes | None, bytes | None]] = [
            (id_, None, None) for id_, individual in draft.numbers.items() if individual is None
        ]
        given = {id_: individual for id_, individual in draft.numbers.items() if individual is not None}
        rows += [(id_, individual.digest, None) for id_, individual in given.items() if not individual.number]
        known = {id_: individual for id_, individual in given.items() if individual.number}
        plain = [individual.number.encode() for individual in known.values()]
        sealed = people.seal(organization, "individual_number", list(known), plain)
        rows += [(id_, individual.digest, blob) for (id_, individual), blob in zip(known.items(), sealed, strict=True)]
        return rows

    def _seal_former(self) -> list[tuple[bytes, int, bytes]]:
        draft = self._draft
        digests = [individual.digest for _, individual in draft.former]
        numbers = [individual.number for _, individual in draft.former]
        sealed = draft.environment.stores.people.seal_former(draft.organization, digests, numbers)
        return [(each.digest, id_, blob) for (id_, each), blob in zip(draft.former, sealed, strict=True)]

    def _seal_links(self) -> list[tuple[bytes, bytes, StoredLink]]:
        draft = self._draft
        digests = list(draft.links)
        local_numbers = draft.environment.stores.local_numbers
        sealed = local_numbers.seal(draft.organization, digests, [key for key, _ in draft.links.values()])
        links = [link for _, link in draft.links.values()]
        return list(zip(digests, sealed, links, strict=True))

    def _seal_held(self) -> list[MismatchRow]:
        draft = self._draft
        rows = [row for row, _ in draft.held]
        packed = [held.pack() for _, held in draft.held]
        sealed = draft.environment.stores.mismatches.seal(draft.organization, [row.name for row in rows], packed)
        return [row._replace(held=blob) for row, blob in zip(rows, sealed, strict=True)]
