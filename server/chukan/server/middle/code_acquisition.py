# SPDX-License-Identifier: Apache-2.0
"""The later steps of code acquisition: processing numbers come in, codes come in, processing numbers are purged.

Bad cases (domain §3a): an unknown or expired processing number, a code already linked to another addressee, a person
without a 住民票コード, an addressee closed meanwhile. Each ends in FAILED with its reason and can be asked for again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.durable.instants import to_micros
from chukan.server.domain.linkage import CODE_SIZE, AddresseeState, LinkageState, LinkageUpdate, Outcome, RowFailure
from chukan.server.middle.batches import answer_of
from chukan.server.middle.number_requests import NumberRequest, add_requests
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.linkage import Acquiring, BatchAnswer, CodeDelivery
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.linkage import AddresseeStore, ProcessingNumberIssuer

__all__ = ["CodeAcquisition"]

_TIMED_OUT: Final = "CODE_ANSWER_TIMED_OUT"
_MOST: Final = 1_000
_GRACE: Final = 60 * 1_000_000
"""Microseconds after expiry in which an answer under way still arrives, and clocks may differ."""


class CodeAcquisition:
    """Carries acquisitions on for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        addressees: AddresseeStore,
        outbox: Outbox,
        network: ProcessingNumberIssuer,
    ) -> None:
        self._environment = environment
        self._addressees = addressees
        self._outbox = outbox
        self._network = network

    def issue(self, items: Sequence[OutboxItem]) -> None:
        """Ask the network for processing numbers: the handler of ISSUE."""
        for item in items:
            self._issue(NumberRequest.of(item))

    def _issue(self, request: NumberRequest) -> None:
        organization = request.organization
        tokens = request.tokens(self._environment.vault)
        numbers, expires = self._network.issue_processing_numbers(organization, tokens)
        # A number is empty where it was issued before, never came to be kept here, and is purged by now.
        issued = {key: number for key, number in zip(request.ids, numbers, strict=True) if number}
        purged = [key for key in request.ids if key not in issued]
        with self._environment.database.read() as connection:
            held = self._addressees.acquiring(connection, organization, list(issued))
        row_keys = [held[key].number_digest for key in issued]
        digests = self._addressees.processing_digests(organization, issued.values())
        sealed = self._addressees.seal_processing_numbers(organization, row_keys, list(issued.values()))
        rows = list(zip(issued, digests, sealed, strict=True))
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> None:
            if rows:
                first = next_change_seq(connection, count=len(rows))
                self._addressees.issue(connection, rows, expires=expires, now=now, first_seq=first)
            waiting = [row.id for row in self._requested(connection, organization, purged)]
            add_requests(connection, self._outbox, organization, waiting)
            self._outbox.done(connection, [request.item])

        self._environment.database.write(organization, step)

    def give_up(self, items: Sequence[OutboxItem]) -> None:
        """End the acquisitions of requests that never succeeded, so that they can be asked for anew."""
        for request in map(NumberRequest.of, items):
            self._end_request(request)

    def _end_request(self, request: NumberRequest) -> None:
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> int:
            waiting = self._requested(connection, request.organization, request.ids)
            self._time_out(connection, waiting, now)
            self._outbox.done(connection, [request.item])
            return len(waiting)

        self._note_timed_out(self._environment.database.write(request.organization, step))

    def _requested(self, connection: Connection, organization: str, ids: Sequence[int]) -> list[Acquiring]:
        """Return who waits for a number still."""
        held = self._addressees.acquiring(connection, organization, ids)
        return [row for row in held.values() if row.linkage_state == LinkageState.REQUESTED]

    def deliver(self, organization: str, deliveries: Sequence[CodeDelivery]) -> BatchAnswer:
        """Link the codes that came; a repeated delivery changes nothing."""
        if any(one.linkage_code and len(one.linkage_code) != CODE_SIZE for one in deliveries):
            raise ChukanError("INVALID_FIELD", violations=[("deliveries.linkage_code", f"must be {CODE_SIZE} bytes")])
        digests = self._addressees.processing_digests(organization, [one.processing_number for one in deliveries])
        codes = [one.linkage_code for one in deliveries]
        code_digests = self._addressees.code_digests(organization, codes)
        with self._environment.database.read() as connection:
            waiting = self._addressees.waiting(connection, organization, digests)
        row_keys = [waiting[digest].number_digest if digest in waiting else os.urandom(16) for digest in digests]
        sealed = self._addressees.seal_codes(organization, row_keys, codes)
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> BatchAnswer:
            held = self._addressees.waiting(connection, organization, digests)
            taken = self._addressees.holders(connection, organization, code_digests)
            refused: dict[int, RowFailure] = {}
            outcomes: dict[int, int] = {}
            linked: list[tuple[int, bytes, bytes]] = []
            failed: list[LinkageUpdate] = []
            for row, one in enumerate(deliveries):
                found = held.get(digests[row])
                if found is None:
                    # purged after linking: a repetition of what stands already, or a number never issued here
                    if one.linkage_code and code_digests[row] in taken:
                        outcomes[row] = Outcome.UNCHANGED
                    else:
                        refused[row] = RowFailure(row, "PROCESSING_NUMBER_UNKNOWN", "processing_number")
                    continue
                reason = self._refusal(one, found, taken.get(code_digests[row]), now)
                if reason:
                    refused[row] = RowFailure(row, reason, "linkage_code")
                    failed.append(_failed(found, reason))
                else:
                    taken[code_digests[row]] = found.id
                    linked.append((found.id, code_digests[row], sealed[row]))
            if linked or failed:
                first = next_change_seq(connection, count=len(linked) + len(failed))
                self._addressees.link(connection, linked, now=now, first_seq=first)
                self._addressees.set_linkage(connection, failed, now=now, first_seq=first + len(linked))
            return answer_of(len(deliveries), outcomes, refused)

        return self._environment.database.write(organization, step)

    def end_run_out(self) -> int:
        """Give up acquisitions whose code never came, and purge their processing numbers; return how many."""
        ended = 0
        while waiting := self._run_out():
            for organization, ids in waiting.items():
                self._give_up(organization, ids)
                ended += len(ids)
        return ended

    def _run_out(self) -> dict[str, list[int]]:
        before = to_micros(self._environment.clock.now()) - _GRACE
        found: dict[str, list[int]] = {}
        with self._environment.database.read() as connection:
            for organization, id_ in self._addressees.run_out(connection, before=before, most=_MOST):
                found.setdefault(organization, []).append(id_)
        return found

    def _give_up(self, organization: str, ids: Sequence[int]) -> None:
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> int:
            held = self._addressees.acquiring(connection, organization, ids)
            late = [
                row
                for row in held.values()
                if row.linkage_state == LinkageState.PROCESSING_NUMBER_ISSUED
                and row.processing_number_expires < now - _GRACE
            ]
            self._time_out(connection, late, now)
            return len(late)

        self._note_timed_out(self._environment.database.write(organization, step))

    def _time_out(self, connection: Connection, rows: Sequence[Acquiring], now: int) -> None:
        if rows:
            updates = [_failed(row, _TIMED_OUT) for row in rows]
            first = next_change_seq(connection, count=len(updates))
            self._addressees.set_linkage(connection, updates, now=now, first_seq=first)

    def _note_timed_out(self, count: int) -> None:
        if count:
            self._environment.metrics.note_refused(_TIMED_OUT, count)

    @staticmethod
    def _refusal(one: CodeDelivery, row: Acquiring, holder: int | None, now: int) -> str:
        if one.reason or not one.linkage_code:
            return one.reason or "NO_RESIDENT_RECORD_CODE"
        if row.state != AddresseeState.ACTIVE:
            return "ADDRESSEE_CLOSED"
        if row.processing_number_expires and row.processing_number_expires < now:
            return "PROCESSING_NUMBER_EXPIRED"
        if holder is not None and holder != row.id:
            return "CODE_LINKED_TO_ANOTHER"
        return ""


def _failed(row: Acquiring, reason: str) -> LinkageUpdate:
    return LinkageUpdate(row.id, int(LinkageState.FAILED), failure_reason=reason, requested=row.requested)
