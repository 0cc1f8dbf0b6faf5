# SPDX-License-Identifier: Apache-2.0
"""情報照会 (SKI), step 1 of 4: an inquiry is judged, accepted or refused, and durable before it is answered for.

Numbered procedure, the same for one inquiry and for a thousand:
1 what can't be taken in at all is named per row: a malformed or an individual number, a used record id;
2 the own permission list on today's date, consent, conditions;
3 the person is known and its linkage code acquired;
4 the statement leaf is made: its digest names the exchange from now on, on all sides
  (steps 1 to 4 in `inquiry_judgement`);
5 one durable step: inquiries, their exchange records (refusals too) and the outbox row.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chukan.durable.changes import next_change_seq
from chukan.durable.idempotency import once
from chukan.server.domain.exchange import Outcome, ReceiptOutcome, milliseconds
from chukan.server.domain.exchange_record import RecordRow, RecordSide
from chukan.server.domain.inquiry import InquiryRow, InquiryState, inquiry_of, receipt_number, receipt_prefix
from chukan.server.domain.linkage import RowFailure
from chukan.server.middle.inquiry_judgement import row_failures
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import Mode
    from chukan.server.domain.inquiry import Inquiry, InquirySpec
    from chukan.server.middle.inquiry_judgement import InquiryJudge, Judged
    from chukan.server.ports import Connection, Environment, Outbox
    from chukan.server.ports.exchange_stores import ExchangeRecords, Inquiries

__all__ = [
    "REPAIR_MS",
    "REQUEST_PERMITS",
    "AcceptedBatch",
    "AcceptedOne",
    "InquiryAcceptance",
    "pack_ids",
    "unpack_ids",
]

REQUEST_PERMITS: Final = "request_permits"
"""Outbox kind of step 2; payload: the numbers of accepted inquiries."""
REPAIR_MS: Final = 60_000
"""After this long without an answer somebody looks at an open inquiry."""


@dataclass(frozen=True, slots=True)
class AcceptedBatch:
    """What became of a batch: outcomes and receipt numbers per row, failures of rows not taken in."""

    outcomes: list[int]
    receipts: list[str]
    failures: list[RowFailure]
    repeated: bool = False


class AcceptedOne(NamedTuple):
    """The number of an inquiry, and the inquiry itself if it was taken in just now."""

    id: int
    inquiry: Inquiry | None


class InquiryAcceptance:
    """Takes inquiries in, for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        outbox: Outbox,
        judge: InquiryJudge,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._outbox = outbox
        self._judge = judge

    def accept_one(self, organization: str, spec: InquirySpec) -> AcceptedOne:
        """Accept or refuse one inquiry; the same again has the same number.

        Raises what a row failure names.
        """
        accepted, ids, drafts = self._accept(organization, [spec])
        for failure in accepted.failures:
            raise ChukanError(failure.reason, field=f"inquiry.{failure.field}")
        draft = drafts[0]
        if draft is None or accepted.outcomes[0] != ReceiptOutcome.COMMITTED:
            return AcceptedOne(ids[0], None)
        row = InquiryRow._make((organization, ids[0], *draft.inquiry, ids[0]))
        return AcceptedOne(ids[0], inquiry_of(row, draft.asked, lambda _: spec))

    def accept(
        self, organization: str, system: str, batch_id: str, body_digest: bytes, specs: Sequence[InquirySpec]
    ) -> AcceptedBatch:
        """Accept or refuse a batch; the same batch id with the same content answers as before."""
        return self._accept(organization, specs, (system, batch_id, body_digest))[0]

    def _accept(
        self, organization: str, specs: Sequence[InquirySpec], batch: tuple[str, str, bytes] | None = None
    ) -> tuple[AcceptedBatch, list[int], Sequence[_Draft | None]]:
        now = milliseconds(self._environment.clock.now())
        failures = row_failures(specs)
        judged = self._judge.judge(organization, specs, failures, now)
        mode = self._environment.master.mode(organization)
        drafts = [None if each is None else _draft(organization, each, mode, now) for each in judged]
        if batch is None:
            accepted, ids = self._environment.database.write(
                organization, lambda connection: self._store(connection, organization, drafts, failures, now)
            )
            self._note(judged, accepted)
            return accepted, ids, drafts
        fresh: list[bool] = []

        def step(connection: Connection) -> bytes:
            fresh.append(True)
            return _encode(self._store(connection, organization, drafts, failures, now)[0])

        def whole(connection: Connection) -> bytes:
            fresh.clear()
            system, batch_id, body_digest = batch
            return once(
                connection,
                organization=organization,
                system=system,
                method="CreateInquiries",
                request_id=batch_id,
                body_digest=body_digest,
                clock=self._environment.clock,
                fn=step,
            )

        accepted = _decode(self._environment.database.write(organization, whole), repeated=not fresh)
        if fresh:
            self._note(judged, accepted)
        return accepted, [], drafts

    def _store(
        self,
        connection: Connection,
        organization: str,
        drafts: Sequence[_Draft | None],
        failures: dict[int, RowFailure],
        now: int,
    ) -> tuple[AcceptedBatch, list[int]]:
        refused = dict(failures)
        outcomes = [int(ReceiptOutcome.REFUSED)] * len(drafts)
        receipts = [""] * len(drafts)
        ids = [0] * len(drafts)
        known = self._inquiries.known(connection, organization, [each.record_id for each in drafts if each is not None])
        new: list[tuple[int, _Draft]] = []
        for row, each in enumerate(drafts):
            if each is None:
                continue
            held = known.get(each.record_id)
            if held is None:
                new.append((row, each))
            elif held[0] == each.spec_digest:
                outcomes[row], ids[row] = int(ReceiptOutcome.UNCHANGED), held[1]
                receipts[row] = receipt_number(receipt_prefix(held[2]), held[1])
            else:
                refused[row] = RowFailure(row, "RECORD_ID_EXISTS", "record_id")
        if new:
            first, prefix = next_change_seq(connection, count=len(new)), receipt_prefix(now)
            for id_, (row, _) in enumerate(new, first):
                outcomes[row], ids[row] = int(ReceiptOutcome.COMMITTED), id_
                receipts[row] = receipt_number(prefix, id_)
            self._insert(connection, organization, [(ids[row], receipts[row], each) for row, each in new])
        return AcceptedBatch(outcomes, receipts, [refused[row] for row in sorted(refused)]), ids

    def _insert(self, connection: Connection, organization: str, rows: Sequence[tuple[int, str, _Draft]]) -> None:
        self._inquiries.add(connection, [(organization, id_, *each.inquiry, id_) for id_, _, each in rows])
        self._records.add(connection, [(organization, id_, *each.record, receipt, id_) for id_, receipt, each in rows])
        accepted = [id_ for id_, _, each in rows if each.permitted]
        if accepted:
            self._outbox.add(connection, kind=REQUEST_PERMITS, organization=organization, payload=pack_ids(accepted))

    def _note(self, judged: Sequence[Judged | None], accepted: AcceptedBatch) -> None:
        metrics = self._environment.metrics
        counts: dict[str, int] = {}
        for each, outcome in zip(judged, accepted.outcomes, strict=True):
            if each is not None and outcome == ReceiptOutcome.COMMITTED:
                counts[each.decision.reason] = counts.get(each.decision.reason, 0) + 1
        for reason, count in counts.items():
            metrics.note_inquiry_state("refused" if reason else "accepted", count)
            if reason:
                metrics.note_refused(reason, count)


def pack_ids(ids: Sequence[int]) -> bytes:
    """Return numbers as an outbox payload."""
    return struct.pack(f">{len(ids)}Q", *ids)


def unpack_ids(payload: bytes) -> list[int]:
    """Return the numbers of an outbox payload."""
    return list(struct.unpack(f">{len(payload) // 8}Q", payload))


class _Draft(NamedTuple):
    """One row as the write inserts it: all but its number, receipt and position are there."""

    record_id: str
    spec_digest: bytes
    asked: bytes
    permitted: bool
    inquiry: tuple[Any, ...]
    record: tuple[Any, ...]


def _draft(organization: str, each: Judged, mode: Mode, now: int) -> _Draft:
    inquiry, record = _inquiry_row(organization, each, now), _record_row(organization, each, mode)
    permitted = each.decision.permitted
    return _Draft(each.spec.record_id, each.spec_digest, each.asked, permitted, inquiry[2:-1], record[2:-2])


def _inquiry_row(organization: str, each: Judged, now: int) -> InquiryRow:
    refused = not each.decision.permitted
    return InquiryRow(
        organization=organization,
        id=0,
        record_id=each.spec.record_id,
        spec_digest=each.spec_digest,
        sealed=each.sealed,
        addressee=each.addressee,
        exchange=each.exchange,
        state=int(InquiryState.REFUSED if refused else InquiryState.ACCEPTED),
        reason=each.decision.reason,
        permission_row=each.decision.row_id,
        legal_basis=each.decision.legal_basis,
        accepted=now,
        finished=now if refused else 0,
        expires=each.expires,
        due=min(each.expires, now + REPAIR_MS),
    )


def _record_row(organization: str, each: Judged, mode: Mode) -> RecordRow:
    spec, decision = each.spec, each.decision
    return RecordRow(
        organization=organization,
        id=0,
        side=int(RecordSide.INQUIRER),
        exchange=each.exchange,
        permit_digest=b"",
        inquirer=organization,
        provider=spec.provider,
        affair=spec.affair,
        procedure=spec.procedure,
        information=spec.information,
        inquirer_delegator=spec.inquirer_delegator,
        provider_delegator=spec.provider_delegator,
        mode=int(mode),
        addressee=each.addressee,
        inquired=each.inquired,
        provided=0,
        outcome=int(Outcome.PENDING if decision.permitted else Outcome.REFUSED),
        reason=decision.reason,
        undisclosable=each.undisclosable,
        items=0,
        legal_basis=decision.legal_basis,
        permission_row=decision.row_id,
        receipt="",
        change_seq=0,
    )


def _encode(accepted: AcceptedBatch) -> bytes:
    """Return an answer as kept beside its batch id; it bears no personal value."""
    kept = {
        "outcomes": bytes(accepted.outcomes).hex(),
        "receipts": accepted.receipts,
        "failures": [asdict(failure) for failure in accepted.failures],
    }
    return json.dumps(kept, separators=(",", ":")).encode()


def _decode(kept: bytes, *, repeated: bool) -> AcceptedBatch:
    data = json.loads(kept)
    failures = [RowFailure(**row) for row in data["failures"]]
    return AcceptedBatch(list(bytes.fromhex(data["outcomes"])), data["receipts"], failures, repeated)
