# SPDX-License-Identifier: Apache-2.0
"""Exchange records (情報提供等記録, 番号法23条): one per side, refusals included; three copies that must agree.

That refusals are recorded too is [?] (docs/divergences, "Exchange records").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import Outcome

if TYPE_CHECKING:
    from chukan.server.domain.exchange import NetworkRecord

__all__ = [
    "ExchangeRecord",
    "Listing",
    "Reconciliation",
    "ReconciliationState",
    "RecordEnd",
    "RecordMark",
    "RecordRow",
    "RecordSide",
    "bound_sides",
    "reconcile",
]


class RecordSide(IntEnum):
    """Who wrote a record."""

    INQUIRER = 1
    PROVIDER = 2
    NETWORK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRecord:
    """One side's record of an exchange; exchange_id and permit_digest in lower-case hexadecimal."""

    exchange_id: str
    side: RecordSide
    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    number: str = ""
    inquiry_time_ms: int
    provision_time_ms: int = 0
    outcome: Outcome
    reason: str = ""
    undisclosable: bool = False
    item_codes: tuple[str, ...] = ()
    legal_basis: str = ""
    permission_row_id: str = ""
    receipt_number: str = ""
    inquirer_delegator: str = ""
    provider_delegator: str = ""
    mode: int = 0
    change_seq: int = 0
    permit_digest: str = ""


class RecordRow(NamedTuple):
    """A record as stored: the person by surrogate, items by the number of their set, instants in milliseconds."""

    organization: str
    id: int
    side: int
    exchange: bytes
    permit_digest: bytes
    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    inquirer_delegator: str
    provider_delegator: str
    mode: int
    addressee: int
    inquired: int
    provided: int
    outcome: int
    reason: str
    undisclosable: bool
    items: int
    legal_basis: str
    permission_row: str
    receipt: str
    change_seq: int


class RecordMark(NamedTuple):
    """What tells a record apart, without the rest."""

    id: int
    side: int
    exchange: bytes
    permit_digest: bytes
    provider: str


class RecordEnd(NamedTuple):
    """What took place in the end."""

    id: int
    provided: int
    outcome: int
    reason: str
    undisclosable: bool
    items: int
    change_seq: int


class Listing(NamedTuple):
    """How far the network's list was read.

    token: of the last page there is. place: the network's number of the last exchange listed, 0 = none: a copy fetched
    by name may lie far beyond it. listed: when the end was last seen, in milliseconds, 0 = never.
    """

    token: str = ""
    place: int = 0
    listed: int = 0


class ReconciliationState(IntEnum):
    """What the comparison of one side's record with the network's found."""

    AGREES = 1
    MISSING_AT_NETWORK = 2
    MISSING_HERE = 3
    DIFFERS = 4
    UNKNOWN = 5
    PENDING = 6
    MISSING_AT_INQUIRER = 7
    MISSING_AT_PROVIDER = 8


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Comparison of one side's record; the fields that differ by their names in the contract. side 0: nobody's."""

    exchange_id: str
    state: ReconciliationState
    differing_fields: tuple[str, ...] = ()
    side: int = 0


_COMPARED: Final = (
    ("inquirer_code", "inquirer"),
    ("provider_code", "provider"),
    ("affair_code", "affair"),
    ("procedure_code", "procedure"),
    ("information_code", "information"),
    ("inquiry_time", "inquiry_time_ms"),
    ("provision_time", "provision_time_ms"),
    ("outcome", "outcome"),
    ("permit_digest", "permit_digest"),
)
_MARK: Final = ("undisclosable", "undisclosable")
"""Compared of answers only: what ended before an answer was marked by those who knew of the mark by then."""
_ANSWERED: Final = (Outcome.PROVIDED, Outcome.NO_REPLICA)


def bound_sides(organization: str, network: NetworkRecord) -> tuple[RecordSide, ...]:
    """Return whose record there must be at an organization by what the network holds.

    The inquirer asked, so it has one. The provider has one once it answered: who was refused by the network, or timed
    out on the way, never reached it.
    """
    inquirer = (RecordSide.INQUIRER,) if network.inquirer == organization else ()
    provider = (RecordSide.PROVIDER,) if network.provider == organization and network.provider_committed else ()
    return inquirer + provider


def reconcile(
    exchange_id: str, own: ExchangeRecord | None, network: NetworkRecord | None, *, asked: bool, side: int = 0
) -> Reconciliation:
    """Compare one side's record with the network's; asked: the network's answer about it is held; side: if none is."""
    state, fields = _compared(own, network) if own and network else (_alone(own, network, asked=asked), ())
    return Reconciliation(exchange_id, state, fields, int(own.side) if own else side)


def _alone(own: ExchangeRecord | None, network: NetworkRecord | None, *, asked: bool) -> ReconciliationState:
    # 1. What never went out to the network has no second copy: nothing to miss.
    if own is not None and not own.permit_digest and own.outcome is not Outcome.PENDING and not asked:
        return ReconciliationState.AGREES
    # 2. A side that was not asked, or could not be, is unknown; never equal.
    if not asked or (own is None and network is None):
        return ReconciliationState.UNKNOWN
    # 3. One half is missing.
    return ReconciliationState.MISSING_HERE if own is None else ReconciliationState.MISSING_AT_NETWORK


def _compared(own: ExchangeRecord, network: NetworkRecord) -> tuple[ReconciliationState, tuple[str, ...]]:
    # 1. Not finished here, nor there.
    if own.outcome is Outcome.PENDING and network.outcome is Outcome.PENDING:
        return ReconciliationState.PENDING, ()
    # 2. Fields that both hold; a lost mark (不開示) is no agreement, both sides must record it.
    compared = (*_COMPARED, _MARK) if own.outcome in _ANSWERED and network.outcome in _ANSWERED else _COMPARED
    differing = tuple(name for name, field in compared if getattr(own, field) != getattr(network, field))
    if differing:
        return ReconciliationState.DIFFERS, differing
    # 3. An answer needs the commitments of both sides.
    if network.outcome in _ANSWERED and not network.provider_committed:
        return ReconciliationState.MISSING_AT_PROVIDER, ()
    if network.outcome in _ANSWERED and not network.inquirer_acknowledged:
        return ReconciliationState.MISSING_AT_INQUIRER, ()
    return ReconciliationState.AGREES, ()
