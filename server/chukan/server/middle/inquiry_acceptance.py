# SPDX-License-Identifier: Apache-2.0
"""情報照会 (SKI), step 1 of 4: an inquiry is judged, accepted or refused, and durable before it is answered for.

Numbered procedure, the same for one inquiry and for a thousand:
1 what can't be taken in at all is named per row: a malformed or an individual number, a used record id;
2 the own permission list on today's date, consent, conditions;
3 the person is known and its linkage code acquired;
4 the statement leaf is made: its digest names the exchange from now on, on all sides;
5 one durable step: inquiries, their exchange records (refusals too) and the outbox row.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.durable.idempotency import once
from chukan.server.domain.exchange import (
    NONCE_SIZE,
    InquiryLeaf,
    Outcome,
    ReceiptOutcome,
    digest,
    instant,
    milliseconds,
)
from chukan.server.domain.exchange_record import RecordRow, RecordSide
from chukan.server.domain.inquiry import (
    InquiryRow,
    InquirySpec,
    InquiryState,
    check_spec,
    pack_sealed,
    receipt_number,
    time_out_of,
)
from chukan.server.domain.linkage import AddresseeState, LinkageState, RowFailure
from chukan.server.domain.permission import Decision, Purpose, decide
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.linkage import AddresseeRow
    from chukan.server.ports import Connection, Environment, Outbox
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.exchange_stores import AddresseeFinder, ExchangeRecords, Inquiries

__all__ = ["REPAIR_MS", "REQUEST_PERMITS", "AcceptedBatch", "InquiryAcceptance", "pack_ids", "unpack_ids"]

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


@dataclass(frozen=True, slots=True)
class _Judged:
    """One row ready to be stored; everything secret in it is sealed."""

    spec: InquirySpec
    spec_digest: bytes
    sealed: bytes
    exchange: bytes
    addressee: int
    decision: Decision
    inquired: int
    expires: int


class InquiryAcceptance:
    """Takes inquiries in, for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        addressees: AddresseeFinder,
        outbox: Outbox,
        codec: Codec,
        keys: ExchangeKeys,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._addressees = addressees
        self._outbox = outbox
        self._codec = codec
        self._keys = keys

    def accept_one(self, organization: str, spec: InquirySpec) -> int:
        """Accept or refuse one inquiry and return its number; the same again returns the same.

        Raises what a row failure names, and IDEMPOTENCY_CONFLICT for other content under the same record id.
        """
        accepted, ids = self._accept(organization, [spec])
        for failure in accepted.failures:
            code = "IDEMPOTENCY_CONFLICT" if failure.reason == "RECORD_ID_EXISTS" else failure.reason
            raise ChukanError(code, field=f"inquiry.{failure.field}")
        return ids[0]

    def accept(
        self, organization: str, system: str, batch_id: str, body_digest: bytes, specs: Sequence[InquirySpec]
    ) -> AcceptedBatch:
        """Accept or refuse a batch; the same batch id with the same content answers as before."""
        return self._accept(organization, specs, (system, batch_id, body_digest))[0]

    def _accept(
        self, organization: str, specs: Sequence[InquirySpec], batch: tuple[str, str, bytes] | None = None
    ) -> tuple[AcceptedBatch, list[int]]:
        now = milliseconds(self._environment.clock.now())
        failures = _failures(specs)
        judged = self._judge(organization, specs, failures, now)
        ids: list[int] = []
        fresh: list[bool] = []

        def step(connection: Connection) -> bytes:
            fresh.append(True)
            accepted, numbers = self._store(connection, organization, judged, failures, now)
            ids[:] = numbers
            return _encode(accepted)

        def whole(connection: Connection) -> bytes:
            fresh.clear()
            if batch is None:
                return step(connection)
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
        return accepted, ids

    def _judge(
        self, organization: str, specs: Sequence[InquirySpec], failures: dict[int, RowFailure], now: int
    ) -> list[_Judged | None]:
        taken = [row for row in range(len(specs)) if row not in failures]
        found = self._find(organization, {specs[row].number for row in taken})
        entropy = self._keys.random(NONCE_SIZE * len(taken))
        plain: list[bytes] = []
        asked: list[bytes] = []
        drafts: list[tuple[InquirySpec, Decision, int, bytes, int, int]] = []
        for place, row in enumerate(taken):
            spec = specs[row]
            person = found.get(spec.number)
            decision = self._decide(organization, spec, person)
            inquired, expires = spec.request_time_ms or now, now + time_out_of(spec)
            leaf = self._codec.encode(
                _leaf(
                    organization,
                    spec,
                    code=person.linkage_code or b"" if person else b"",
                    times=(inquired, expires),
                    nonce=entropy[place * NONCE_SIZE : (place + 1) * NONCE_SIZE],
                )
            )
            encoded = self._codec.encode(spec)
            asked.append(encoded)
            plain.append(pack_sealed(encoded, leaf))
            drafts.append((spec, decision, person.id if person else 0, digest(leaf), inquired, expires))
        vault = self._environment.vault
        sealed = vault.seal_many(organization, "inquiry", "sealed", [specs[row].record_id for row in taken], plain)
        digests = vault.index_digest_many(organization, "inquiry.spec", [digest(each).hex() for each in asked])
        judged: list[_Judged | None] = [None] * len(specs)
        for row, draft, seal, keyed in zip(taken, drafts, sealed, digests, strict=True):
            spec, decision, addressee, exchange, inquired, expires = draft
            judged[row] = _Judged(spec, keyed, seal, exchange, addressee, decision, inquired, expires)
        return judged

    def _find(self, organization: str, numbers: set[str]) -> dict[str, AddresseeRow]:
        if not numbers:
            return {}
        with self._environment.database.read() as connection:
            return self._addressees.find(connection, organization, list(numbers))

    def _decide(self, organization: str, spec: InquirySpec, person: AddresseeRow | None) -> Decision:
        permissions = self._environment.master.permissions
        purpose = Purpose(
            inquirer=organization,
            provider=spec.provider,
            affair=spec.affair,
            procedure=spec.procedure,
            information=spec.information,
            item_codes=spec.item_codes,
            inquirer_delegator=spec.inquirer_delegator,
            provider_delegator=spec.provider_delegator,
        )
        decision = decide(permissions, purpose, self._environment.clock.today()).with_consent(given=spec.consent)
        if not decision.permitted:
            return decision
        if person is None:
            return Decision("ADDRESSEE_UNKNOWN")
        if person.state is AddresseeState.MERGED:
            return Decision("ADDRESSEE_MERGED")
        if person.linkage_state is not LinkageState.LINKED or not person.linkage_code:
            return Decision("CODE_NOT_ACQUIRED")
        return decision

    def _store(
        self,
        connection: Connection,
        organization: str,
        judged: Sequence[_Judged | None],
        failures: dict[int, RowFailure],
        now: int,
    ) -> tuple[AcceptedBatch, list[int]]:
        refused = dict(failures)
        outcomes = [int(ReceiptOutcome.REFUSED)] * len(judged)
        receipts = [""] * len(judged)
        ids = [0] * len(judged)
        known = self._inquiries.known(
            connection, organization, [each.spec.record_id for each in judged if each is not None]
        )
        new: list[tuple[int, _Judged]] = []
        for row, each in enumerate(judged):
            if each is None:
                continue
            held = known.get(each.spec.record_id)
            if held is None:
                new.append((row, each))
            elif held[0] == each.spec_digest:
                outcomes[row], ids[row] = int(ReceiptOutcome.UNCHANGED), held[1]
                receipts[row] = receipt_number(instant(held[2]), held[1])
            else:
                refused[row] = RowFailure(row, "RECORD_ID_EXISTS", "record_id")
        if new:
            first = next_change_seq(connection, count=len(new))
            for place, (row, _) in enumerate(new):
                outcomes[row], ids[row] = int(ReceiptOutcome.COMMITTED), first + place
                receipts[row] = receipt_number(instant(now), first + place)
            self._insert(connection, organization, [(ids[row], receipts[row], each) for row, each in new], now)
        return AcceptedBatch(outcomes, receipts, [refused[row] for row in sorted(refused)]), ids

    def _insert(
        self, connection: Connection, organization: str, rows: Sequence[tuple[int, str, _Judged]], now: int
    ) -> None:
        self._inquiries.add(connection, [_inquiry_row(organization, id_, each, now) for id_, _, each in rows])
        self._records.add(connection, [_record_row(organization, *row) for row in rows])
        accepted = [id_ for id_, _, each in rows if each.decision.permitted]
        if accepted:
            self._outbox.add(connection, kind=REQUEST_PERMITS, organization=organization, payload=pack_ids(accepted))

    def _note(self, judged: Sequence[_Judged | None], accepted: AcceptedBatch) -> None:
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


def _failures(specs: Sequence[InquirySpec]) -> dict[int, RowFailure]:
    failures: dict[int, RowFailure] = {}
    seen: set[str] = set()
    for row, spec in enumerate(specs):
        fault = check_spec(spec)
        if fault is not None:
            failures[row] = RowFailure(row, fault[0], fault[1], rule=fault[2])
        elif spec.record_id in seen:
            failures[row] = RowFailure(row, "RECORD_ID_EXISTS", "record_id")
        seen.add(spec.record_id)
    return failures


def _leaf(organization: str, spec: InquirySpec, *, code: bytes, times: tuple[int, int], nonce: bytes) -> InquiryLeaf:
    return InquiryLeaf(
        inquirer=organization,
        provider=spec.provider,
        inquirer_delegator=spec.inquirer_delegator,
        provider_delegator=spec.provider_delegator,
        department=spec.department,
        affair=spec.affair,
        procedure=spec.procedure,
        information=spec.information,
        condition_kind=spec.condition_kind,
        year_kind=spec.year_kind,
        period_start=spec.period_start,
        period_end=spec.period_end,
        item_codes=spec.item_codes,
        linkage_code=code,
        undisclosable=spec.undisclosable,
        consent=spec.consent,
        inquiry_time_ms=times[0],
        expire_time_ms=times[1],
        nonce=nonce,
    )


def _inquiry_row(organization: str, id_: int, each: _Judged, now: int) -> InquiryRow:
    refused = not each.decision.permitted
    return InquiryRow(
        organization=organization,
        id=id_,
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
        change_seq=id_,
    )


def _record_row(organization: str, id_: int, receipt: str, each: _Judged) -> RecordRow:
    spec, decision = each.spec, each.decision
    return RecordRow(
        organization=organization,
        id=id_,
        side=int(RecordSide.INQUIRER),
        exchange=each.exchange,
        permit_digest=b"",
        inquirer=organization,
        provider=spec.provider,
        affair=spec.affair,
        procedure=spec.procedure,
        information=spec.information,
        addressee=each.addressee,
        inquired=each.inquired,
        provided=0,
        outcome=int(Outcome.PENDING if decision.permitted else Outcome.REFUSED),
        reason=decision.reason,
        undisclosable=spec.undisclosable,
        items=0,
        legal_basis=decision.legal_basis,
        permission_row=decision.row_id,
        receipt=receipt,
        change_seq=id_,
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
