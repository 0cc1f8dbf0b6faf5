# SPDX-License-Identifier: Apache-2.0
"""Registering people (付番): a batch is checked by columns, matched row by row in memory, and written in one step.

What was registered under the same number with the same content costs one look-up. Everything else is looked up for the
whole batch at once: by individual number (former ones too), by local number and its predecessor, and, for rows without
any, by two attributes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.attributes import WHOLE, is_year_known, residential_address_key
from chukan.address_system.domain.matching import Known, Registration
from chukan.address_system.domain.outcomes import CORPORATION, Decided, LinkOutcome, RegistrationAnswer, RowFailure
from chukan.address_system.domain.register import Link, Register
from chukan.address_system.domain.registration import check
from chukan.address_system.environment import number_of
from chukan.address_system.numbering.draft import Draft, Held, Individual
from chukan.address_system.numbering.guard import refuse_individual_number, rows_with_individual_numbers
from chukan.address_system.storage.local_numbers import LocalKey, StoredLink
from chukan.standard.organizations import organization as organization_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.domain.matching import Decision
    from chukan.address_system.domain.registration import Checked, RegistrationBatch
    from chukan.address_system.environment import Actor, Environment
    from chukan.durable import Connection

__all__ = ["Matching", "register", "registrations_of"]

_METHOD: Final = "RegisterPeople"
_PAGE: Final = 2_000


def register(
    environment: Environment, actor: Actor, batch_id: str, sha256: bytes, batch: RegistrationBatch
) -> RegistrationAnswer:
    """Register one batch; the same id and content answers as before. Errors: IDEMPOTENCY_CONFLICT."""
    organization = actor.organization
    municipality = organization_of(organization).municipality_code or ""
    refuse_individual_number(environment, organization, batch_id, field="batch_id")
    checked = check(batch, municipality=municipality, test=environment.takes_dummies_only(organization))
    with environment.turns.of(organization):
        with environment.database.read() as connection:
            draft = Draft.begin(environment, connection, organization)
            matching = Matching(environment, connection, organization, draft)
            matching.run(batch, checked)
        sealed = matching.draft.sealed()

        def step(inner: Connection) -> bytes:
            sealed.write(inner)
            return matching.encode()

        kept, repeated = environment.once(
            actor,
            method=_METHOD,
            request_id=batch_id,
            body_digest=environment.body_digest(organization, sha256),
            step=step,
        )
    answer = _answer(kept, repeated=repeated)
    if not repeated:
        for failure in answer.failures:
            environment.metrics.note_refused(failure.reason)
    return answer


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows to be matched, with what is written of them if they are accepted or held."""

    rows: list[Registration]
    keys: Sequence[LocalKey]
    former: Sequence[str]
    individual: Sequence[str]

    def held(self, registration: Registration) -> Held:
        """Return a row as it is held."""
        row = registration.row
        return Held(
            self.keys[row],
            self.former[row],
            self.individual[row],
            registration.attributes,
            registration.content,
            registration.coverage,
        )


def registrations_of(
    environment: Environment, organization: str, checked: Checked, keys: Sequence[LocalKey], rows: Sequence[int]
) -> list[Registration]:
    """Return the given rows with everything they are looked up by."""
    people, local_numbers = environment.stores.people, environment.stores.local_numbers
    system, business = (keys[0].number_system, keys[0].business_id) if keys else ("", "")
    attributes = [checked.attributes[row] for row in rows]
    numbers = [checked.individual_numbers[row] for row in rows]
    former = [checked.former_local_numbers[row] for row in rows]
    locals_ = local_numbers.digests(organization, [keys[row] for row in rows])
    named = [place for place, number in enumerate(former) if number]
    digests = local_numbers.digests(organization, [(system, business, former[place]) for place in named])
    before = dict(zip(named, digests, strict=True))
    if CORPORATION in {each.resident_kind for each in attributes}:  # they are found by their corporate numbers
        numbers = [number or each.corporate_number for number, each in zip(numbers, attributes, strict=True)]
    individual = people.individual_digests(organization, numbers)
    births = people.birth_look_ups(organization, [each.birth_date for each in attributes])
    coverage = checked.coverage
    said = "" if coverage == WHOLE else f"\x1f{coverage.flags} {coverage.absent}"
    packed = [
        "\x1f".join((number, old, *each)) + said for number, old, each in zip(numbers, former, attributes, strict=True)
    ]
    contents = local_numbers.contents(organization, packed)
    return [
        Registration(
            row,
            locals_[place],
            before.get(place),
            individual[place] if numbers[place] else None,
            contents[place],
            births[place],
            attributes[place],
            coverage,
        )
        for place, row in enumerate(rows)
    ]


class Matching:
    """Matches one batch and drafts what is written; the organization's turn is held."""

    def __init__(self, environment: Environment, connection: Connection, organization: str, draft: Draft) -> None:
        self.draft = draft
        self._environment = environment
        self._connection = connection
        self._organization = organization
        self.register = Register(self.draft.block.next)
        self._linked: dict[bytes, StoredLink] = {}
        self._held: dict[int, Decision] = {}
        self._mismatches: dict[int, str] = {}
        self._outcomes: list[int] = []
        self._people: list[int] = []
        self._failures: dict[int, RowFailure] = {}
        self._unnumbered: list[int] = []
        self._substitutions = 0

    def run(self, batch: RegistrationBatch, checked: Checked) -> None:
        """Decide about every row."""
        rows = len(checked.local_numbers)
        self._outcomes, self._people = [int(LinkOutcome.REFUSED)] * rows, [0] * rows
        self._failures, self._substitutions = checked.failures, checked.substitutions
        self._refuse_individual_numbers(checked)
        keys = [LocalKey(batch.number_system, batch.business_id, number) for number in checked.local_numbers]
        taken = [row for row in range(rows) if row not in self._failures]
        every = registrations_of(self._environment, self._organization, checked, keys, taken)
        fresh = self._refuse_households(self._skip_unchanged(every), checked)
        prepared = Prepared(fresh, keys, checked.former_local_numbers, checked.individual_numbers)
        self.load(prepared.rows)
        for registration in prepared.rows:
            self._take(registration, self.register.apply(registration), prepared)
        self._settle_mismatches(prepared)

    def encode(self) -> bytes:
        """Return the answer as kept beside its batch id: surrogates stand for numbers."""
        return json.dumps(
            {
                "outcomes": bytes(self._outcomes).hex(),
                "people": self._people,
                "failures": [asdict(self._failures[row]) for row in sorted(self._failures)],
                "unnumbered": sorted(self._unnumbered),
                "substitutions": self._substitutions,
                "mismatches": [self._mismatches[row] for row in sorted(self._mismatches)],
            },
            separators=(",", ":"),
        ).encode()

    def _refuse_individual_numbers(self, checked: Checked) -> None:
        for column, texts in (
            ("local_address_numbers", checked.local_numbers),
            ("former_local_address_numbers", checked.former_local_numbers),
        ):
            for row in self._rows_with_individual_numbers(texts, checked):
                self._failures[row] = RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", column)

    def _refuse_households(self, fresh: list[Registration], checked: Checked) -> list[Registration]:
        households = list({each.attributes.household_number for each in fresh})
        wrong = {households[place] for place in self._rows_with_individual_numbers(households, checked)}
        if not wrong:
            return fresh
        refused = {each.row for each in fresh if each.attributes.household_number in wrong}
        for row in refused:
            self._failures[row] = RowFailure(row, "INDIVIDUAL_NUMBER_REFUSED", "household_numbers")
        return [registration for registration in fresh if registration.row not in refused]

    def _rows_with_individual_numbers(self, texts: Sequence[str], checked: Checked) -> list[int]:
        return rows_with_individual_numbers(
            self._environment, self._connection, self._organization, texts, checked.individual_numbers
        )

    def _skip_unchanged(self, every: list[Registration]) -> list[Registration]:
        local_numbers = self._environment.stores.local_numbers
        self._linked = local_numbers.find(self._connection, self._organization, [each.local for each in every])
        fresh, without = [], []
        for registration in every:
            link = self._linked.get(registration.local)
            if link is None or link.content != registration.content:
                fresh.append(registration)
                continue
            self._outcomes[registration.row], self._people[registration.row] = int(LinkOutcome.UNCHANGED), link.person
            if registration.attributes.resident_kind == CORPORATION:
                self._unnumbered.append(registration.row)
            elif registration.individual is None:
                without.append(registration.row)
        if without:
            people = self._environment.stores.people
            rows = people.by_ids(self._connection, self._organization, {self._people[row] for row in without})
            self._unnumbered += [row for row in without if rows[self._people[row]].individual_digest is None]
        return fresh

    def load(self, rows: Sequence[Registration]) -> None:
        """Look up everybody these rows can lead to."""
        connection, organization = self._connection, self._organization
        people, local_numbers = self._environment.stores.people, self._environment.stores.local_numbers
        numbers = people.by_individual(
            connection, organization, [row.individual for row in rows if row.individual is not None]
        )
        former = [row.former for row in rows if row.former is not None]
        self._linked.update(local_numbers.find(connection, organization, former))
        wanted = {row.local for row in rows} | set(former)
        links = {digest: link for digest, link in self._linked.items() if digest in wanted}
        lone = set(chain.from_iterable({row.births for row in rows if row.individual is None}))
        others = set(chain.from_iterable({row.births for row in rows})) - lone
        born = people.born(connection, organization, lone)
        born += people.born(connection, organization, others, unnumbered=True)
        ids = {*numbers.values(), *(link.person for link in links.values()), *(person for _, person in born)}
        stored = list(people.by_ids(connection, organization, ids).values())
        opened = people.open_attributes(organization, [(row.id, row.attributes) for row in stored])
        known = {row.id: Known(row.id, row.individual_digest, each) for row, each in zip(stored, opened, strict=True)}
        register = self.register
        register.by_number.update((digest, known[person]) for digest, person in numbers.items())
        register.by_local.update(
            (digest, Link(known[link.person], link.content, link.superseded)) for digest, link in links.items()
        )
        register.expect(rows)
        register.dispute(rows)
        for birth, person in born:
            register.add(known[person], birth)
        if register.homes:
            self._load_neighbours(rows, known)

    def _load_neighbours(self, rows: Sequence[Registration], known: dict[int, Known]) -> None:
        """Go through everybody for rows whose birth date has no year: the price of keeping no index of places."""
        people, organization, tenants = self._environment.stores.people, self._organization, self._environment.tenants
        homes = self.register.homes
        sought = any(row.individual is None for row in rows if not is_year_known(row.attributes.birth_date))
        after, last = tenants.first(organization), tenants.last(organization)
        while page := people.page(self._connection, after=after, last=last, most=_PAGE, unnumbered=not sought):
            after = page[-1][0]
            opened = people.open_attributes(organization, page)
            near = {
                id_: each
                for (id_, _), each in zip(page, opened, strict=True)
                if is_year_known(each.birth_date) and residential_address_key(each.residential_address) in homes
            }
            stored = people.by_ids(self._connection, organization, near)
            for id_, each in near.items():
                person = known.get(id_) or Known(id_, stored[id_].individual_digest, each)
                self.register.add_neighbour(person)

    def _take(self, registration: Registration, decision: Decision, prepared: Prepared) -> None:
        """Draft what was decided about a row."""
        row = registration.row
        self._outcomes[row] = int(decision.outcome)
        if decision.person is None:
            self._held[row] = decision
            return
        person = decision.person
        self._people[row] = person.id
        if person.individual is None or registration.attributes.resident_kind == CORPORATION:
            self._unnumbered.append(row)
        individual = None
        if registration.individual is not None:
            individual = Individual(prepared.individual[row], registration.individual)
        if decision.outcome is LinkOutcome.NUMBERED:
            self.draft.add_person(person.id, registration.attributes, individual, registration.births[0])
        if decision.update is not None:
            self.draft.update(person.id, decision.update)
        if decision.sets_number:
            self.draft.set_individual(person.id, individual)
        held = self._linked.get(registration.local)
        superseded = held is not None and held.superseded
        self._link(registration.local, prepared.keys[row], StoredLink(person.id, registration.content, superseded))
        if registration.former is not None:
            former = prepared.keys[row]._replace(local_address_number=prepared.former[row])
            before = self._linked.get(registration.former)
            content = None if before is None else before.content
            self._link(registration.former, former, StoredLink(person.id, content, superseded=True))

    def _link(self, digest: bytes, key: LocalKey, link: StoredLink) -> None:
        if digest not in self._linked:
            self.draft.link(digest, key, link)
        elif self._linked[digest] != link:
            self.draft.relink(digest, link)
        self._linked[digest] = link

    def _settle_mismatches(self, prepared: Prepared) -> None:
        """Hold what waits for a person, once; let go of what its source has put right."""
        mismatches = self._environment.stores.mismatches
        waiting = mismatches.open_for(self._connection, self._organization, [each.local for each in prepared.rows])
        for registration in prepared.rows:
            decision = self._held.get(registration.row)
            known = waiting.get(registration.local)
            if known is not None:
                same = decision is not None and decision.kind == known[2] and registration.content == known[3]
                if same:
                    self._mismatches[registration.row] = known[1]
                    continue
                self.draft.resolve(known[0], Decided.SUPERSEDED)
            if decision is not None and decision.kind is not None:
                self._mismatches[registration.row] = self.draft.hold(
                    prepared.held(registration),
                    registration.local,
                    decision.kind,
                    candidates=[candidate.id for candidate in decision.candidates],
                    differing=decision.differing,
                )


def _answer(kept: bytes, *, repeated: bool) -> RegistrationAnswer:
    data = json.loads(kept)
    return RegistrationAnswer(
        outcomes=list(bytes.fromhex(data["outcomes"])),
        numbers=[number_of(person) if person else "" for person in data["people"]],
        failures=[RowFailure(**failure) for failure in data["failures"]],
        unnumbered=data["unnumbered"],
        substitutions=data["substitutions"],
        mismatches=data["mismatches"],
        repeated=repeated,
    )
