# SPDX-License-Identifier: Apache-2.0
"""Messages of AddressService to the address system's values and back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from chukan.address.v1 import address_service_pb2 as pb
from chukan.address_system.domain.attributes import (
    NONDISCLOSURE,
    PROTECTED,
    SELF_INFORMATION_DISABLED,
    PersonAttributes,
)
from chukan.address_system.domain.registration import RegistrationBatch
from chukan.address_system.storage.local_numbers import LocalKey
from chukan.durable.instants import from_micros
from chukan.standard.reasons import ChukanError, reason
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.message import Message

    from chukan.address_system.domain.outcomes import RegistrationAnswer, RowFailure
    from chukan.address_system.numbering.merging import Ended
    from chukan.address_system.numbering.mismatches import MismatchView
    from chukan.address_system.numbering.views import PersonView

_FlagField: TypeAlias = Literal["nondisclosure_rows", "self_information_disabled_rows"]

__all__ = [
    "attributes_of",
    "batch_of",
    "changes_of",
    "failures",
    "flag_changes_of",
    "local_key",
    "local_message",
    "merged_message",
    "mismatch_message",
    "person_message",
    "registration_response",
    "sha256",
    "wire",
]

_COLUMNS: Final = {
    "name": "names",
    "kana_name": "kana_names",
    "alias": "aliases",
    "former_name": "former_names",
    "birth_date": "birth_dates",
    "sex": "sexes",
    "postal_code": "postal_codes",
    "residential_address_code": "residential_address_codes",
    "residential_address": "residential_addresses",
    "building": "buildings",
    "household_number": "household_numbers",
    "movement_reason": "movement_reasons",
    "movement_date": "movement_dates",
    "notification_date": "notification_dates",
    "municipality_code": "municipality_codes",
    "corporate_number": "corporate_numbers",
}
_ENUMS: Final = {"resident_kind": "resident_kinds", "resident_state": "resident_states"}
_CODES: Final = {0: "", **{code: str(code) for code in range(1, 6)}}
_FLAGS: Final = {
    "nondisclosure": NONDISCLOSURE,
    "protective_measures": PROTECTED,
    "self_information_disabled": SELF_INFORMATION_DISABLED,
}
_SAME_NAMES: Final = (
    "name",
    "kana_name",
    "alias",
    "former_name",
    "birth_date",
    "sex",
    "postal_code",
    "residential_address",
    "building",
    "municipality_code",
    "corporate_number",
    "household_number",
    "protective_measure_end_date",
)
_NOT_GIVEN: Final = frozenset({"household_number"})
"""Attributes that are shown and told of by extracts only."""


def sha256(request: Message) -> bytes:
    """Return the digest of a request; the same sender encodes the same content to the same bytes.

    That is [own] (docs/divergences "Interface").
    """
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def wire(value: Any) -> Any:  # noqa: ANN401 the stubs name a type that exists for the type checker only
    """Return a domain enum, or a column of them, as the contract's enum of the same numbers."""
    return value


def batch_of(request: pb.RegisterPeopleRequest) -> RegistrationBatch:
    """Return the columns of a batch."""
    columns: dict[str, Sequence[str]] = {name: list(getattr(request, field)) for name, field in _COLUMNS.items()}
    columns |= {name: [_CODES.get(code, "0") for code in getattr(request, field)] for name, field in _ENUMS.items()}
    return RegistrationBatch(
        number_system=request.number_system,
        business_id=request.business_id,
        local_numbers=list(request.local_address_numbers),
        individual_numbers=list(request.individual_numbers),
        former_local_numbers=list(request.former_local_address_numbers),
        columns=columns,
        protected=_protected(request),
        nondisclosure=_rows(request, "nondisclosure_rows"),
        self_information_disabled=_rows(request, "self_information_disabled_rows"),
    )


def _protected(request: pb.RegisterPeopleRequest) -> dict[int, str] | None:
    if not request.HasField("protective_measures"):
        return None
    rows, ends = request.protective_measures.rows, request.protective_measures.end_dates
    if ends and len(ends) != len(rows):
        raise ChukanError("COLUMNS_UNEQUAL", field="protective_measures.end_dates")
    return dict(zip(rows, ends or [""] * len(rows), strict=True))


def _rows(request: pb.RegisterPeopleRequest, field: _FlagField) -> set[int] | None:
    return set(getattr(request, field).rows) if request.HasField(field) else None


def registration_response(batch_id: str, answer: RegistrationAnswer) -> pb.RegisterPeopleResponse:
    """Return what became of a batch."""
    return pb.RegisterPeopleResponse(
        batch_id=batch_id,
        outcomes=wire(answer.outcomes),
        integrated_address_numbers=answer.numbers,
        failures=failures(answer.failures),
        unnumbered_rows=answer.unnumbered,
        substitution_count=answer.substitutions,
        repeated_batch=answer.repeated,
        mismatch_ids=answer.mismatches,
    )


def failures(rows: Sequence[RowFailure]) -> list[common_pb2.RowFailure]:
    """Return refused rows with the sentences of their reasons."""
    return [
        common_pb2.RowFailure(
            row=failure.row,
            reason=failure.reason,
            field=failure.field,
            rule=failure.rule,
            message=reason(failure.reason).english,
            message_ja=reason(failure.reason).japanese,
        )
        for failure in rows
    ]


def local_key(message: pb.LocalNumber) -> LocalKey:
    """Return the key of a local address number."""
    return LocalKey(message.number_system, message.business_id, message.local_address_number)


def local_message(key: LocalKey) -> pb.LocalNumber:
    """Return a local address number as a message."""
    return pb.LocalNumber(
        number_system=key.number_system,
        business_id=key.business_id,
        local_address_number=key.local_address_number,
    )


def attributes_of(person: pb.Person) -> PersonAttributes:
    """Return the attributes a caller names of a person."""
    flags = [letter for field, letter in _FLAGS.items() if getattr(person, field)]
    return PersonAttributes(
        **{name: getattr(person, name) for name in _SAME_NAMES if name not in _NOT_GIVEN},
        resident_kind=_CODES.get(person.resident_kind, ""),
        resident_state=_CODES.get(person.resident_state, "0"),  # one of a later version is refused by the check
        flags="".join(sorted(flags)),
    )


def changes_of(request: pb.UpdateNonResidentRequest) -> dict[str, str]:
    """Return the attributes an update names."""
    changes = {
        name: getattr(request, name)
        for name in _SAME_NAMES
        if name not in _NOT_GIVEN and request.HasField(name)  # type: ignore[arg-type] # the stubs want literals
    }
    if request.HasField("resident_state"):
        changes["resident_state"] = _CODES.get(request.resident_state, "")
    return changes


def flag_changes_of(request: pb.UpdateNonResidentRequest) -> dict[str, bool]:
    """Return the flags an update sets or lifts, by their letters."""
    return {
        letter: getattr(request, field)
        for field, letter in _FLAGS.items()
        if request.HasField(field)  # type: ignore[arg-type] # the stubs want literals
    }


def merged_message(ended: Ended) -> pb.MergedPerson:
    """Return a number that ended."""
    message = pb.MergedPerson(
        merged_integrated_address_number=ended.number, surviving_integrated_address_number=ended.survivor
    )
    _set_time(message.merge_time, ended.ended)
    return message


def person_message(view: PersonView) -> pb.Person:
    """Return a person as shown."""
    message = _described(view.attributes)
    message.integrated_address_number = view.number
    message.individual_number = view.individual_number
    message.local_numbers.extend(map(local_message, view.local_numbers))
    message.merged_into = view.merged_into
    message.unnumbered = view.unnumbered
    _set_time(message.update_time, view.updated)
    return message


def mismatch_message(view: MismatchView) -> pb.Mismatch:
    """Return a mismatch with what was held."""
    message = pb.Mismatch(
        mismatch_id=view.name,
        kind=wire(view.kind),
        local_number=local_message(view.held.key),
        candidates=view.candidates,
        differing_attributes=view.differing,
        registration=_described(view.held.attributes),
    )
    _set_time(message.create_time, view.created)
    _set_time(message.resolve_time, view.resolved)
    return message


def _described(attributes: PersonAttributes) -> pb.Person:
    message = pb.Person(
        resident_kind=wire(int(attributes.resident_kind or 0)),
        resident_state=wire(int(attributes.resident_state or 0)),
        **{name: getattr(attributes, name) for name in _SAME_NAMES},
    )
    for field, letter in _FLAGS.items():
        setattr(message, field, letter in attributes.flags)
    return message


def _set_time(message: Any, micros: int) -> None:  # noqa: ANN401 the stubs give timestamps no common type
    """Set a timestamp to a stored instant; 0 leaves it absent."""
    if micros:
        message.FromDatetime(from_micros(micros))
