# SPDX-License-Identifier: Apache-2.0
"""An exchange as the network keeps it, from permit to both commitments (情報提供等記録, 番号法23条)."""

from __future__ import annotations

from typing import NamedTuple

from chukan.server.domain.exchange import NetworkRecord, Outcome

__all__ = ["Commitment", "ExchangeMark", "ExchangeStanding", "NetworkExchange", "NewExchange", "RecordColumns"]


class RecordColumns(NamedTuple):
    """What the network records when it decides; instants are milliseconds, provision_time 0 = not provided."""

    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    inquiry_time: int
    expire_time: int
    provision_time: int
    outcome: int
    reason: str
    undisclosable: bool
    permission_row: str
    legal_basis: str
    permit_digest: bytes


class NewExchange(NamedTuple):
    """An exchange that was decided: its record and its sealed permit (empty if refused)."""

    digest: bytes
    record: RecordColumns
    sealed_permit: bytes


class NetworkExchange(NamedTuple):
    """One row: the record and which commitments are held (0 = none)."""

    id: int
    digest: bytes
    request: int
    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    inquiry_time: int
    expire_time: int
    provision_time: int
    outcome: int
    reason: str
    undisclosable: bool
    permission_row: str
    legal_basis: str
    permit_digest: bytes
    provider_commitment: int
    inquirer_commitment: int

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.outcome == Outcome.PENDING

    def record(self) -> NetworkRecord:
        """Return the record as it is shown to either side."""
        return NetworkRecord(
            exchange_id=self.digest.hex(),
            inquirer=self.inquirer,
            provider=self.provider,
            affair=self.affair,
            procedure=self.procedure,
            information=self.information,
            inquiry_time_ms=self.inquiry_time,
            provision_time_ms=self.provision_time,
            outcome=Outcome(self.outcome),
            reason=self.reason,
            undisclosable=bool(self.undisclosable),
            legal_basis=self.legal_basis,
            permission_row_id=self.permission_row,
            permit_digest=self.permit_digest.hex(),
            provider_committed=self.provider_commitment > 0,
            inquirer_acknowledged=self.inquirer_commitment > 0,
            change_seq=self.id,
        )


class ExchangeStanding(NamedTuple):
    """What the network checks of an exchange when an answer comes."""

    digest: bytes
    id: int
    inquirer: str
    provider: str
    outcome: int
    reason: str
    permit_digest: bytes
    provider_commitment: int
    inquirer_commitment: int

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.outcome == Outcome.PENDING


class Commitment(NamedTuple):
    """A side's signed statement, encoded, with the leaves it is about."""

    organization: str
    statement: bytes
    leaves: bytes


class ExchangeMark(NamedTuple):
    """What an answer says about its exchange (a row); commitments are rows, 0 = none."""

    id: int
    provision_time: int
    outcome: int
    reason: str
    undisclosable: bool
    provider_commitment: int
    inquirer_commitment: int
