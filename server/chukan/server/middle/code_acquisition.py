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
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.linkage import Acquiring, BatchAnswer, CodeDelivery
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.linkage import AddresseeStore, ProcessingNumberIssuer

__all__ = ["CodeAcquisition"]

_ID: Final = 8
_TOKEN: Final = 44
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
            ids = [int.from_bytes(item.payload[at : at + _ID], "big") for at in range(0, len(item.payload), _ID)]
            self._issue(item.organization, item.id, ids)

    def _issue(self, organization: str, item: int, ids: Sequence[int]) -> None:
        numbers, expires = self._network.issue_processing_numbers(organization, self._tokens(organization, item, ids))
        with self._environment.database.read() as connection:
            held = self._addressees.acquiring(connection, organization, ids)
        row_keys = [held[key].number_digest for key in ids]
        digests = self._addressees.processing_digests(organization, numbers)
        sealed = self._addressees.seal_processing_numbers(organization, row_keys, numbers)
        rows = list(zip(ids, digests, sealed, strict=True))
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> None:
            first = next_change_seq(connection, count=len(rows))
            self._addressees.issue(connection, rows, expires=expires, now=now, first_seq=first)
            self._outbox.done(connection, [item])

        self._environment.database.write(organization, step)

    def _tokens(self, organization: str, item: int, ids: Sequence[int]) -> list[str]:
        """Return the tokens of acquisitions: the same when the outbox row is tried again, unrelated to the numbers.

        They begin with the outbox row, which tells the network no more than the order it is asked in, and ascend with
        it: an index of tokens in no order would be written all over by every batch.
        """
        named = [f"{item}/{key}" for key in ids]
        digests = self._environment.vault.index_digest_many(organization, "acquisition.token", named)
        return [f"{item:012x}{digest.hex()}"[:_TOKEN] for digest in digests]

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
            updates = [
                _failed(row, "CODE_ANSWER_TIMED_OUT")
                for row in held.values()
                if row.linkage_state == LinkageState.PROCESSING_NUMBER_ISSUED
                and row.processing_number_expires < now - _GRACE
            ]
            if updates:
                first = next_change_seq(connection, count=len(updates))
                self._addressees.set_linkage(connection, updates, now=now, first_seq=first)
            return len(updates)

        ended = self._environment.database.write(organization, step)
        if ended:
            self._environment.metrics.note_refused("CODE_ANSWER_TIMED_OUT", ended)

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
