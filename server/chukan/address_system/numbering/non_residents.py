# SPDX-License-Identifier: Apache-2.0
"""People who are not on the resident register (住登外者): searched first, numbered only if nobody is found.

Their local numbers are counted per organization from 8,000,000,001, zero-filled, under number system 02 [own]
(docs/divergences "Address system"): above what businesses have issued themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.address_system.domain.attributes import PROTECTED, PersonAttributes
from chukan.address_system.domain.outcomes import CORPORATION, LinkOutcome, MismatchKind, ResidentKind, ResidentState
from chukan.address_system.domain.registration import RegistrationBatch, check, column_name
from chukan.address_system.environment import number_of
from chukan.address_system.numbering.changes import assign_individual, change, stored_person
from chukan.address_system.numbering.draft import Held, Individual
from chukan.address_system.numbering.registration import Matching, registrations_of
from chukan.address_system.numbering.views import show
from chukan.address_system.storage.local_numbers import LocalKey, StoredLink
from chukan.standard.organizations import organization as organization_of
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.address_system.domain.registration import Checked
    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import Draft
    from chukan.address_system.numbering.views import PersonView
    from chukan.address_system.storage.people import PersonRow
    from chukan.durable import Connection

__all__ = ["NUMBER_SYSTEM", "Issued", "issue", "update"]

NUMBER_SYSTEM: Final = "02"
_COUNTER: Final = "non_resident_number"
_FIRST: Final = 8_000_000_001
_NON_RESIDENT: Final = str(int(ResidentKind.NON_RESIDENT))
_RESIDENT: Final = str(int(ResidentState.RESIDENT))
_PLACEHOLDER: Final = "0" * 15


class Issued(NamedTuple):
    """What became of somebody who was to be numbered: view and key, or the mismatch that waits, with candidates."""

    view: PersonView | None = None
    key: LocalKey | None = None
    mismatch: str = ""
    candidates: Sequence[str] = ()


def issue(
    environment: Environment,
    actor: Actor,
    sha256: bytes,
    *,
    business_id: str,
    attributes: PersonAttributes,
    individual_number: str,
) -> Issued:
    """Give a non-resident a number, or hold the registration for a person if somebody known may be meant."""
    organization = actor.organization
    checked = _checked(environment, organization, business_id, attributes, individual_number)

    def build(draft: Draft, connection: Connection) -> Mapping[str, object]:
        key = _next_key(environment, connection, draft, business_id)
        (registration,) = registrations_of(environment, organization, checked, [key], [0])
        matching = Matching(environment, connection, organization, draft)
        matching.load([registration])
        decision = matching.register.apply(registration)
        if decision.outcome is not LinkOutcome.NUMBERED:
            candidates = decision.candidates or ((decision.person,) if decision.person else ())
            held = Held(
                key, "", individual_number, registration.attributes, registration.content, registration.coverage
            )
            name = draft.hold(
                held,
                registration.local,
                decision.kind or MismatchKind.CANDIDATES_FOUND,
                candidates=[candidate.id for candidate in candidates],
                differing=decision.differing,
            )
            return {"mismatch": name, "candidates": [number_of(candidate.id) for candidate in candidates]}
        assert decision.person is not None  # noqa: S101 narrows the type: who is numbered is somebody
        individual = None
        if registration.individual is not None:
            individual = Individual(individual_number, registration.individual)
        draft.add_person(decision.person.id, registration.attributes, individual, registration.births[0])
        draft.link(registration.local, key, StoredLink(decision.person.id, registration.content))
        draft.record(actor, "IssueNonResidentNumber", decision.person.id)
        return {"person": decision.person.id, "local_number": key.local_address_number}

    found = change(environment, actor, "IssueNonResidentNumber", sha256, build)
    if "mismatch" in found:
        return Issued(mismatch=found["mismatch"], candidates=found["candidates"])
    key = LocalKey(NUMBER_SYSTEM, business_id, found["local_number"])
    return Issued(show(environment, organization, found["person"]), key)


def update(
    environment: Environment,
    actor: Actor,
    sha256: bytes,
    *,
    number: str,
    changes: Mapping[str, str],
    flags: Mapping[str, bool],
    individual_number: str | None,
) -> PersonView:
    """Change what is named of a non-resident or a corporation; the rest stays.

    changes: attributes by name, an empty text clears. flags: letters to set or lift. individual_number: None leaves it,
    an empty one takes it away as never having been theirs. Errors: PERSON_UNKNOWN, INDIVIDUAL_NUMBER_TAKEN.
    """
    organization = actor.organization

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row, before = stored_person(environment, connection, organization, number)
        if before.resident_kind not in {_NON_RESIDENT, CORPORATION}:
            raise ChukanError("PERSON_UNKNOWN", field="integrated_address_number")
        wanted = _changed(before, changes, flags)
        checked = _checked(environment, organization, "", wanted, individual_number or "", person="")
        changed = _renumber(environment, connection, draft, row, before, checked, individual_number)
        after = checked.attributes[0]
        if after != before:
            draft.update(row.id, after)
            changed = True
        if changed:
            draft.record(actor, "UpdateNonResident", row.id)
        return {"person": row.id}

    found = change(environment, actor, "UpdateNonResident", sha256, build)
    return show(environment, organization, found["person"])


def _changed(before: PersonAttributes, changes: Mapping[str, str], flags: Mapping[str, bool]) -> PersonAttributes:
    after = before._replace(**changes)
    letters = set(before.flags) | {letter for letter, is_set in flags.items() if is_set}
    letters -= {letter for letter, is_set in flags.items() if not is_set}
    if PROTECTED not in letters:
        after = after._replace(protective_measure_end_date="")
    return after._replace(flags="".join(sorted(letters)))


def _renumber(  # noqa: PLR0917 - what one change has at hand
    environment: Environment,
    connection: Connection,
    draft: Draft,
    row: PersonRow,
    before: PersonAttributes,
    checked: Checked,
    individual_number: str | None,
) -> bool:
    """Draft another number, or that there is none; return whether anything changes."""
    is_corporation = before.resident_kind == CORPORATION
    number = checked.attributes[0].corporate_number if is_corporation else individual_number
    if number is None or (is_corporation and number == before.corporate_number):
        return False
    if number:
        return assign_individual(environment, connection, draft, row, number, corporate=is_corporation)
    if row.individual_digest is None:
        return False
    draft.set_individual(row.id, None)
    return True


def _checked(
    environment: Environment,
    organization: str,
    business_id: str,
    attributes: PersonAttributes,
    individual_number: str,
    *,
    person: str = "person.",
) -> Checked:
    """Check one person like a row of a batch; the first failure names the field, below `person`."""
    if attributes.resident_kind != CORPORATION:
        attributes = attributes._replace(resident_kind=_NON_RESIDENT)
    attributes = attributes._replace(resident_state=attributes.resident_state or _RESIDENT)
    flags, end = attributes.flags, attributes.protective_measure_end_date
    batch = RegistrationBatch(
        NUMBER_SYSTEM,
        business_id,
        [_PLACEHOLDER],
        [individual_number],
        columns={name: [value] for name, value in attributes._asdict().items() if value},  # what is blank is not said
        protected={0: end} if PROTECTED in flags else {},
    )
    municipality = organization_of(organization).municipality_code or ""
    checked = check(batch, municipality=municipality, test=environment.takes_dummies_only(organization))
    if checked.failures:
        failure = checked.failures[0]
        fields = {column_name(name): name for name in (*PersonAttributes._fields, "individual_number")}
        field = f"{person}{fields.get(failure.field, failure.field)}"
        raise ChukanError(failure.reason, field=field, params={"rule": failure.rule} if failure.rule else {})
    checked.attributes[0] = checked.attributes[0]._replace(flags=flags)
    return checked


def _next_key(environment: Environment, connection: Connection, draft: Draft, business_id: str) -> LocalKey:
    """Return the next local number that nobody has."""
    stores, organization = environment.stores, draft.organization
    last = stores.counters.last(connection, organization, _COUNTER) or _FIRST - 1
    while True:
        last += 1
        key = LocalKey(NUMBER_SYSTEM, business_id, f"{last:015d}")
        digests = stores.local_numbers.digests(organization, [key])
        if not stores.local_numbers.find(connection, organization, digests):
            draft.advance(_COUNTER, last)
            return key
