# SPDX-License-Identifier: Apache-2.0
"""One person at a time: reading, linking a local number, another individual number, closing.

Every reading is recorded before it is answered. The individual number is shown to a named user only [own]; who that
user is and may see is the staff service's to judge (docs/divergences "Address system").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.address_system.domain.outcomes import CORPORATION, ResidentKind, ResidentState
from chukan.address_system.domain.registration import check_key, individual_number_failure, local_number_failure
from chukan.address_system.numbering.changes import assign_individual, change, person_of, record_access, stored_person
from chukan.address_system.numbering.guard import rows_with_individual_numbers
from chukan.address_system.numbering.views import show
from chukan.address_system.storage.local_numbers import StoredLink
from chukan.standard.dates import parse_date
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.address_system.environment import Actor, Environment
    from chukan.address_system.numbering.draft import Draft
    from chukan.address_system.numbering.views import PersonView
    from chukan.address_system.storage.local_numbers import LocalKey
    from chukan.durable import Connection

__all__ = ["change_individual_number", "close", "get", "link_local_number"]

_NON_RESIDENTS: Final = frozenset({str(int(ResidentKind.NON_RESIDENT)), CORPORATION})
_CLOSING: Final = frozenset({ResidentState.MOVED_OUT, ResidentState.DIED, ResidentState.REMOVED})


def get(environment: Environment, actor: Actor, number: str, *, individual: bool) -> PersonView:
    """Return a person, a merged one as it was. Errors: PERSON_UNKNOWN, INDIVIDUAL_NUMBER_NOT_ALLOWED."""
    if individual and not actor.user:
        raise ChukanError("INDIVIDUAL_NUMBER_NOT_ALLOWED", field="chukan-user")
    organization = actor.organization
    action = "GetPerson.individual_number" if individual else "GetPerson"

    with environment.database.read() as connection:
        row = person_of(environment, connection, organization, number, field="integrated_address_number")
    record_access(environment, actor, action, [row.id])
    return show(environment, organization, row.id, individual=individual)


def link_local_number(environment: Environment, actor: Actor, sha256: bytes, number: str, key: LocalKey) -> PersonView:
    """Link a local number to a person, as a person decided. Errors: PERSON_UNKNOWN, LOCAL_NUMBER_TAKEN."""
    organization = actor.organization
    check_key(key.number_system, key.business_id)
    failure = local_number_failure(key.local_address_number)
    if failure is not None:
        raise ChukanError(failure[0], field="local_number.local_address_number")

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        texts = [key.local_address_number]
        if rows_with_individual_numbers(environment, connection, organization, texts):
            raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field="local_number.local_address_number")
        row, _ = stored_person(environment, connection, organization, number)
        (digest,) = environment.stores.local_numbers.digests(organization, [key])
        holder = environment.stores.local_numbers.find(connection, organization, [digest]).get(digest)
        if holder is not None and holder.person != row.id:
            raise ChukanError("LOCAL_NUMBER_TAKEN", field="local_number")
        if holder is None:
            draft.link(digest, key, StoredLink(row.id, None))
            draft.record(actor, "LinkLocalNumber", row.id)
        return {"person": row.id}

    found = change(environment, actor, "LinkLocalNumber", sha256, build)
    return show(environment, organization, found["person"])


def change_individual_number(
    environment: Environment, actor: Actor, sha256: bytes, number: str, individual_number: str
) -> PersonView:
    """Set a changed individual number; number and linkage code stay. Errors: INDIVIDUAL_NUMBER_TAKEN."""
    failure = individual_number_failure(individual_number, test=environment.takes_dummies_only(actor.organization))
    if failure is not None:
        raise ChukanError(failure[0], field="individual_number")

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row, _ = stored_person(environment, connection, actor.organization, number)
        if assign_individual(environment, connection, draft, row, individual_number):
            draft.record(actor, "ChangeIndividualNumber", row.id)
        return {"person": row.id}

    found = change(environment, actor, "ChangeIndividualNumber", sha256, build)
    return show(environment, actor.organization, found["person"])


def close(
    environment: Environment,
    actor: Actor,
    sha256: bytes,
    number: str,
    *,
    state: int = 0,
    movement_date: str = "",
    non_resident: bool = False,
) -> PersonView:
    """Close a person, who stays answerable.

    non_resident: only a 住登外者 or a corporation is closed this way, others are unknown.
    """
    asked = ResidentState.REMOVED if non_resident else state or ResidentState.MOVED_OUT
    if asked not in _CLOSING:
        raise ChukanError("INVALID_FIELD", violations=[("resident_state", "moved out, died or removed")])
    closed = ResidentState(asked)
    if movement_date:
        parse_date(movement_date)

    def build(draft: Draft, connection: Connection) -> Mapping[str, int]:
        row, attributes = stored_person(environment, connection, actor.organization, number)
        if non_resident and attributes.resident_kind not in _NON_RESIDENTS:
            raise ChukanError("PERSON_UNKNOWN", field="integrated_address_number")
        after = attributes._replace(
            resident_state=str(int(closed)), movement_date=movement_date or attributes.movement_date
        )
        if after != attributes:
            draft.update(row.id, after)
            draft.record(actor, "CloseNonResident" if non_resident else "ClosePerson", row.id)
        return {"person": row.id}

    found = change(environment, actor, "CloseNonResident" if non_resident else "ClosePerson", sha256, build)
    return show(environment, actor.organization, found["person"])
