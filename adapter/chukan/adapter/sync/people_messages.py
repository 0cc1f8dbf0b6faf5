# SPDX-License-Identifier: Apache-2.0
"""Batches of people as messages to the address system, the resident network and the middle server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.address.v1 import address_service_pb2 as address
from chukan.network.v1 import resident_network_service_pb2 as network
from chukan.v1 import common_pb2 as common
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.sync.people_batch import PeopleBatch

__all__ = [
    "Closing",
    "addressees",
    "closing_request",
    "closings",
    "code_request",
    "notification",
    "notified_rows",
    "registration",
]

_ENUMS: Final = ("resident_kinds", "resident_states")
_APART: Final = ("resident_record_codes", "protective_measure_end_dates", *_ENUMS)


class Closing(NamedTuple):
    """What is to be said of an addressee once its code is there; closed False: it is open after all."""

    number: str
    closed: bool


def registration(batch: PeopleBatch, number_system: str) -> address.RegisterPeopleRequest:
    """Return the registration of all rows."""
    columns, flags = batch.mapped.columns, batch.mapped.flags
    request = address.RegisterPeopleRequest(
        batch_id=batch.id,
        number_system=number_system,
        business_id=batch.business_id,
        local_address_numbers=batch.local,
        nondisclosure_rows=_rows(flags.get("nondisclosure")),
        self_information_disabled_rows=_rows(flags.get("self_information_disabled")),
        **{name: column for name, column in columns.items() if name not in _APART},  # type: ignore[arg-type]
    )
    for name in _ENUMS:
        if name in columns:
            getattr(request, name).extend([int(value) if value else 0 for value in columns[name]])
    if "protective_measures" in flags:
        protected = sorted(flags["protective_measures"])
        ends = columns.get("protective_measure_end_dates")
        request.protective_measures.CopyFrom(
            address.ProtectiveMeasureSet(rows=protected, end_dates=[ends[row] for row in protected] if ends else ())
        )
    return request


def notified_rows(batch: PeopleBatch) -> list[int]:
    """Return the rows the resident network is told of: each individual number's last."""
    numbers = batch.mapped.columns.get("individual_numbers")
    if not numbers:
        return []
    return sorted({numbers[row]: row for row in batch.speaking if numbers[row]}.values())


def notification(batch: PeopleBatch) -> network.NotifyResidentsRequest | None:
    """Return identity data of residents; None if the extract has no resident record codes (住登外者)."""
    columns = batch.mapped.columns
    if "resident_record_codes" not in columns:
        return None
    rows = notified_rows(batch)
    if not rows:
        return None

    def taken(name: str) -> list[str]:
        column = columns.get(name)
        return [column[row] for row in rows] if column else []

    return network.NotifyResidentsRequest(
        batch_id=batch.id,
        individual_numbers=taken("individual_numbers"),
        resident_record_codes=taken("resident_record_codes"),
        names=taken("names"),
        birth_dates=taken("birth_dates"),
        sexes=taken("sexes"),
        residential_addresses=taken("residential_addresses"),
    )


def addressees(batch: PeopleBatch) -> linkage.RegisterAddresseesRequest | None:
    """Return the people the middle server is told of, open as yet, with who of them needs a code."""
    if not batch.speaking:
        return None
    flags, asked = batch.mapped.flags, frozenset(batch.asked)
    return linkage.RegisterAddresseesRequest(
        batch_id=batch.id,
        integrated_address_numbers=[batch.numbers[row] for row in batch.speaking],
        nondisclosure_rows=_positions(batch.speaking, flags.get("nondisclosure")),
        self_information_disabled_rows=_positions(batch.speaking, flags.get("self_information_disabled")),
        closed_rows=common.RowSet() if "closed" in flags else None,
        code_rows=[position for position, row in enumerate(batch.speaking) if row in asked],
    )


def code_request(batch: PeopleBatch) -> linkage.BatchRequestCodesRequest | None:
    """Return the request for the linkage codes of people the middle server is not told of."""
    if not batch.asked:
        return None
    return linkage.BatchRequestCodesRequest(
        batch_id=batch.id, integrated_address_numbers=[batch.numbers[row] for row in batch.asked]
    )


def closings(batch: PeopleBatch) -> list[Closing]:
    """Return what is to be said of the batch's addressees later on."""
    closed = batch.mapped.flags.get("closed", frozenset())
    return [Closing(batch.numbers[row], row in closed) for row in batch.speaking]


def closing_request(batch_id: str, every: Sequence[Closing]) -> linkage.RegisterAddresseesRequest:
    """Return the message that closes addressees."""
    return linkage.RegisterAddresseesRequest(
        batch_id=batch_id,
        integrated_address_numbers=[each.number for each in every],
        closed_rows=common.RowSet(rows=range(len(every))),
    )


def _rows(flagged: frozenset[int] | None) -> common.RowSet | None:
    """Return flagged rows; None, which says nothing, if the extract has no such flag."""
    return None if flagged is None else common.RowSet(rows=sorted(flagged))


def _positions(rows: Sequence[int], flagged: frozenset[int] | None) -> common.RowSet | None:
    """Return where flagged rows stand in the message; None, which says nothing, if the extract has no such flag."""
    if flagged is None:
        return None
    return common.RowSet(rows=[position for position, row in enumerate(rows) if row in flagged] if flagged else ())
