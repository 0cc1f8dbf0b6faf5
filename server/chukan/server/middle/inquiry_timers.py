# SPDX-License-Identifier: Apache-2.0
"""Who repairs what, for inquiries: every open state is looked at again when it is due.

ACCEPTED: the outbox owns it; if its row was given up, a new one is written.
PERMITTED, WAITING_FOR_APPROVAL: the network is asked to deliver again (Forward); a stored answer comes back as it was.
Any of them past its time: TIMED_OUT, recorded, and told to the network.
Opened answers past their time are erased, used nonces of expired permits forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.server.domain.exchange import SKEW_MS, Outcome, OutcomeCommitment, instant, milliseconds
from chukan.server.domain.exchange_record import RecordEnd
from chukan.server.domain.inquiry import OPEN_STATES, InquiryEnd, InquiryState
from chukan.server.middle.inquiry_acceptance import REPAIR_MS, REQUEST_PERMITS, pack_ids, unpack_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.server.domain.inquiry import InquiryRow
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.exchange import ExchangeNetwork
    from chukan.server.ports.exchange_stores import ExchangeRecords, Inquiries, Provisions

__all__ = ["COMMIT_OUTCOMES", "FORWARD_INQUIRIES", "InquiryTimers"]

COMMIT_OUTCOMES: Final = "commit_outcomes"
"""Outbox kind: tell the network of cancellations and time-outs. Payload: numbers of inquiries."""
FORWARD_INQUIRIES: Final = "forward_inquiries"
"""Outbox kind: ask the network to deliver permits again. Payload: numbers of inquiries."""
_MOST: Final = 1_000
_LONGEST_PAUSE_MS: Final = 3_600_000


class InquiryTimers:
    """Looks after the open inquiries of the organizations served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        provisions: Provisions,
        outbox: Outbox,
        network: ExchangeNetwork,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._provisions = provisions
        self._outbox = outbox
        self._network = network

    def run_due(self) -> int:
        """Look at everything due now and return how many inquiries were; called by the timer and after time moved."""
        looked_at = 0
        while due := self._due():
            for organization, ids in due.items():
                self._look(organization, ids)
                looked_at += len(ids)
        self._erase()
        return looked_at

    def next_due(self) -> datetime | None:
        """Return when the next open inquiry is to be looked at; None when none is open."""
        with self._environment.database.read() as connection:
            due = self._inquiries.next_due(connection)
        return None if due is None else instant(due)

    def _due(self) -> dict[str, list[int]]:
        now = milliseconds(self._environment.clock.now())
        with self._environment.database.read() as connection:
            return self._inquiries.due(connection, now=now, most=_MOST)

    def _look(self, organization: str, due: Sequence[int]) -> None:
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> int:
            rows = self._inquiries.by_ids(connection, organization, due)
            open_ones = [row for row in rows.values() if row.state in OPEN_STATES]
            expired = [row for row in open_ones if row.expires <= now]
            self._time_out(connection, organization, expired, now)
            self._repair(connection, organization, [row for row in open_ones if row.expires > now], now)
            return len(expired)

        ended = self._environment.database.write(organization, step)
        if ended:
            self._environment.metrics.note_inquiry_state("timed_out", ended)

    def _time_out(self, connection: Connection, organization: str, rows: Sequence[InquiryRow], now: int) -> None:
        if not rows:
            return
        first = next_change_seq(connection, count=len(rows))
        ends = [
            InquiryEnd(row.id, int(InquiryState.TIMED_OUT), 0, "TIMED_OUT", now, 0, first + at)
            for at, row in enumerate(rows)
        ]
        recorded = [
            RecordEnd(
                row.id, 0, int(Outcome.TIMED_OUT), "TIMED_OUT", undisclosable=False, items=0, change_seq=first + at
            )
            for at, row in enumerate(rows)
        ]
        self._inquiries.end(connection, organization, ends)
        self._records.end(connection, organization, recorded)
        self._add(connection, organization, COMMIT_OUTCOMES, rows)

    def _repair(self, connection: Connection, organization: str, rows: Sequence[InquiryRow], now: int) -> None:
        self._add(connection, organization, REQUEST_PERMITS, [row for row in rows if row.state == _ACCEPTED])
        self._add(connection, organization, FORWARD_INQUIRIES, [row for row in rows if row.state != _ACCEPTED])
        # Twice as long until the next look as the inquiry has waited, within bounds.
        self._inquiries.postpone(
            connection,
            organization,
            [
                (row.id, min(row.expires, now + min(_LONGEST_PAUSE_MS, max(REPAIR_MS, now - row.accepted))))
                for row in rows
            ],
        )

    def _add(self, connection: Connection, organization: str, kind: str, rows: Sequence[InquiryRow]) -> None:
        if rows:
            payload = pack_ids([row.id for row in rows])
            self._outbox.add(connection, kind=kind, organization=organization, payload=payload)

    def _erase(self) -> None:
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> int:
            erased = self._inquiries.erase_expired(connection, now=now, most=_MOST)
            return erased + self._provisions.purge_nonces(connection, before=now - SKEW_MS, most=_MOST)

        while self._is_anything_expired(now) and self._environment.database.write("", step):
            pass

    def _is_anything_expired(self, now: int) -> bool:
        with self._environment.database.read() as connection:
            return self._inquiries.any_expired(connection, now=now) or self._provisions.any_expired(
                connection, before=now - SKEW_MS
            )

    # --- handlers of the dispatcher ---

    def forward(self, items: Sequence[OutboxItem]) -> None:
        """Ask the network to deliver again what is still open."""
        organization = items[0].organization
        rows = [row for row in self._rows(items) if row.state in OPEN_STATES and row.permit_digest]
        for start in range(0, len(rows), _MOST):
            self._network.forward(organization, [row.exchange for row in rows[start : start + _MOST]])
        self._done(items)

    def commit_outcomes(self, items: Sequence[OutboxItem]) -> None:
        """Tell the network of cancellations and time-outs of what it had permitted."""
        outcomes = {InquiryState.TIMED_OUT: Outcome.TIMED_OUT, InquiryState.CANCELLED: Outcome.CANCELLED}
        ended = [
            OutcomeCommitment(row.exchange, outcomes[InquiryState(row.state)], row.reason)
            for row in self._rows(items)
            if InquiryState(row.state) in outcomes and row.permit_digest
        ]
        for start in range(0, len(ended), _MOST):
            self._network.commit_records(items[0].organization, ended[start : start + _MOST])
        self._done(items)

    def _rows(self, items: Sequence[OutboxItem]) -> list[InquiryRow]:
        ids = sorted({id_ for item in items for id_ in unpack_ids(item.payload)})
        with self._environment.database.read() as connection:
            return list(self._inquiries.by_ids(connection, items[0].organization, ids).values())

    def _done(self, items: Sequence[OutboxItem]) -> None:
        ids = [item.id for item in items]
        self._environment.database.write(items[0].organization, lambda connection: self._outbox.done(connection, ids))


_ACCEPTED: Final = InquiryState.ACCEPTED
