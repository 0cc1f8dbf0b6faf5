# SPDX-License-Identifier: Apache-2.0
"""People who are not on the resident register (住登外者): searched first, numbered only if nobody is found.

Their local numbers are counted per organization from 8,000,000,001, zero-filled, under number system 02 [own]
(docs/divergences "Address system"): above what businesses have issued themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.attributes import PersonAttributes
from chukan.address_system.domain.outcomes import LinkOutcome, MismatchKind, ResidentKind, ResidentState
from chukan.address_system.domain.registration import RegistrationBatch, check, column_name
from chukan.address_system.numbering.changes import assign_individual, change, stored_person
from chukan.address_system.numbering.draft import Held, Individual
from chukan.address_system.numbering.registration import Matching, registrations_of
from chukan.address_system.numbering.views import show
from chukan.address_system.storage.local_numbers import LocalKey, StoredLink
from chukan.standard.organizations import organization as organization_of
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.address_system.domain.registration import Checked
    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import Draft
    from chukan.address_system.numbering.views import PersonView
    from chukan.durable import Connection

__all__ = ["NUMBER_SYSTEM", "issue", "update"]

NUMBER_SYSTEM: Final = "02"
_COUNTER: Final = "non_resident_number"
_FIRST: Final = 8_000_000_001
_NON_RESIDENT: Final = str(int(ResidentKind.NON_RESIDENT))
_CORPORATION: Final = str(int(ResidentKind.CORPORATION))
_RESIDENT: Final = str(int(ResidentState.RESIDENT))
_PLACEHOLDER: Final = "0" * 15


def issue(
    environment: Environment,
    actor: Actor,
    sha256: bytes,
    *,
    business_id: str,
    attributes: PersonAttributes,
    individual_number: str,
) -> tuple[PersonView, LocalKey]:
    """Give a non-resident a number. Errors: PERSON_EXISTS, the candidates then wait for a person."""
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
            held = Held(key, "", individual_number, registration.attributes, registration.content)
            name = draft.hold(
                held,
                registration.local,
                decision.kind or MismatchKind.CANDIDATES_FOUND,
                candidates=[candidate.id for candidate in candidates],
                differing=decision.differing,
            )
            return {"mismatch": name, "candidates": len(candidates)}
        assert decision.person is not None  # noqa: S101 narrows the type: who is numbered is somebody
        individual = None
        if registration.individual is not None:
            individual = Individual(individual_number, registration.individual)
        draft.add_person(decision.person.id, registration.attributes, individual, registration.birth)
        draft.link(registration.local, key, StoredLink(decision.person.id, registration.content))
        draft.record(actor, "IssueNonResidentNumber", decision.person.id)
        return {"person": decision.person.id, "local_number": key.local_address_number}

    found = change(environment, actor, "IssueNonResidentNumber", sha256, build)
    if "mismatch" in found:
        params = {"mismatch_id": str(found["mismatch"]), "candidates": str(found["candidates"])}
        raise ChukanError("PERSON_EXISTS", params=params)
    key = LocalKey(NUMBER_SYSTEM, business_id, found["local_number"])
    return show(environment, organization, found["person"]), key


def update(
    environment: Environment,
    actor: Actor,
    sha256: bytes,
    *,
    number: str,
    attributes: PersonAttributes,
    individual_number: str,
) -> PersonView:
    """Replace the attributes of a non-resident; an individual number that is named becomes theirs."""
    organization = actor.organization
    checked = _checked(environment, organization, "", attributes, individual_number)

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row, before = stored_person(
            environment, connection, organization, number, field="person.integrated_address_number"
        )
        if before.resident_kind not in {_NON_RESIDENT, _CORPORATION}:
            raise ChukanError("PERSON_UNKNOWN", field="person.integrated_address_number")
        after = checked.attributes[0]._replace(
            resident_kind=before.resident_kind, resident_state=attributes.resident_state or before.resident_state
        )
        changed = bool(individual_number) and assign_individual(environment, connection, draft, row, individual_number)
        if after != before:
            draft.update(row.id, after)
            changed = True
        if changed:
            draft.record(actor, "UpdateNonResident", row.id)
        return {"person": row.id}

    found = change(environment, actor, "UpdateNonResident", sha256, build)
    return show(environment, organization, found["person"])


def _checked(
    environment: Environment, organization: str, business_id: str, attributes: PersonAttributes, individual_number: str
) -> Checked:
    """Check one person like a row of a batch; the first failure names the field."""
    if attributes.resident_kind != _CORPORATION:
        attributes = attributes._replace(resident_kind=_NON_RESIDENT)
    attributes = attributes._replace(resident_state=attributes.resident_state or _RESIDENT)
    flags = attributes.flags
    batch = RegistrationBatch(
        NUMBER_SYSTEM,
        business_id,
        [_PLACEHOLDER],
        [individual_number],
        columns={name: [value] for name, value in attributes._asdict().items()},
    )
    municipality = organization_of(organization).municipality_code or ""
    checked = check(batch, municipality=municipality, test=environment.takes_dummies_only(organization))
    if checked.failures:
        failure = checked.failures[0]
        fields = {column_name(name): name for name in (*PersonAttributes._fields, "individual_number")}
        field = f"person.{fields.get(failure.field, failure.field)}"
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
