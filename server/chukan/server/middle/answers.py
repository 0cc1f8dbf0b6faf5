# SPDX-License-Identifier: Apache-2.0
"""情報照会, step 4 of 4: the network delivers sealed answers; the inquirer verifies, opens and keeps them.

Numbered procedure; the numbers stand in the code:
1 the batch is for us, and its provider's keys lead up to the organizations' authority;
2 the provider signed exactly these leaves, to us, in this world and mode;
3 each leaf is about an inquiry of ours, to this provider, under the permit we hold;
4 the group's secret opens, and the provider signed inside, over the plaintexts, with us as recipient;
5 each content belongs to its permit and to us;
6 one durable step: states, opened answers sealed for rest, records;
7 the receipt is signed over the leaves accepted: our commitment of our records.
An answer that comes after its inquiry timed out or was cancelled is recorded, but never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    NETWORK,
    SUITE,
    AnswerKind,
    AnswerLeaf,
    AnswerReceipt,
    AnswerSummary,
    GroupSecret,
    Header,
    Outcome,
    ReceiptFailure,
    ReceiptOutcome,
    digest,
    milliseconds,
)
from chukan.server.domain.exchange_record import RecordSide
from chukan.server.domain.inquiry import (
    OPEN_STATES,
    RESULT_LIFETIME_MS,
    InquiryState,
    StoredResult,
    end_state,
)
from chukan.server.domain.permits import check_all_leaves
from chukan.server.middle.answer_rows import GIVEN_UP, Received, inquiry_end, is_same, record_end
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import AnswerBatch
    from chukan.server.middle.statements import Statements
    from chukan.server.ports import Connection, Environment
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.exchange_stores import ExchangeRecords, Inquiries

__all__ = ["Answers"]

_RECEIPT_LIFETIME_MS: Final = 86_400_000
_PATIENCE_SECONDS: Final = 1.0
"""An answer may overtake the commit of its permit: wait this long for it before asking the network to come again."""


class Answers:
    """Receives answers, for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        codec: Codec,
        keys: ExchangeKeys,
        statements: Statements,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._codec = codec
        self._keys = keys
        self._statements = statements

    def deliver(self, organization: str, batch: AnswerBatch) -> AnswerReceipt:
        """Verify, open and keep a batch of answers; the receipt means: durable. The same again changes nothing."""
        statement_digest = self._verify_outside(organization, batch)
        answers = [Received(row, leaf, self._codec.decode(AnswerLeaf, leaf)) for row, leaf in enumerate(batch.leaves)]
        self._match(organization, batch, answers)
        self._open(organization, batch, answers)
        outcomes = self._keep(organization, answers)
        return self._receipt(organization, answers, outcomes, statement_digest)

    def _verify_outside(self, organization: str, batch: AnswerBatch) -> bytes:
        # 1. For us, with the provider's own keys.
        if batch.inquirer != organization or batch.provider_keys.organization != batch.provider:
            raise ChukanError("PERMIT_ROUTE_MISMATCH")
        self._keys.learn(batch.provider_keys)
        # 2. Signed by the provider, to us, here and now: exactly these leaves.
        statement = self._statements.verify(
            batch.statement,
            PayloadType.SEALED_ANSWER_BATCH,
            signer=batch.provider,
            organization=organization,
            recipients=(organization,),
        )
        check_all_leaves(statement, batch.leaves)
        return digest(batch.statement.payload)

    def _match(self, organization: str, batch: AnswerBatch, answers: Sequence[Received]) -> None:
        # 3. About inquiries of ours, to this provider, under the permits we hold.
        self._look_up(organization, answers)
        if any(each.state == InquiryState.ACCEPTED for each in answers):
            self._await_permits(organization, answers)
        for each in answers:
            if each.record is None:
                each.failure = "INQUIRY_UNKNOWN"
            elif each.record.provider != batch.provider:
                each.failure = "PERMIT_ROUTE_MISMATCH"
            elif each.record.permit_digest != each.leaf.permit_digest:
                each.failure = "PERMIT_CONTENT_MISMATCH"

    def _look_up(self, organization: str, answers: Sequence[Received]) -> None:
        with self._environment.database.read() as connection:
            marks = self._records.marks(
                connection,
                organization,
                [each.leaf.exchange_digest for each in answers],
                side=int(RecordSide.INQUIRER),
            )
            states = self._inquiries.states(connection, organization, [mark.id for mark in marks]) if marks else {}
        records = {mark.exchange: mark for mark in reversed(marks)}
        for each in answers:
            each.record = records.get(each.leaf.exchange_digest)
            each.state = states.get(each.record.id, 0) if each.record else 0

    def _await_permits(self, organization: str, answers: Sequence[Received]) -> None:
        changes = self._environment.database.changes
        before = changes.last()
        for _ in range(100):
            self._look_up(organization, answers)
            if not any(each.state == InquiryState.ACCEPTED for each in answers):
                return
            after = changes.wait(before, _PATIENCE_SECONDS)
            if after <= before:
                break
            before = after
        raise ChukanError("CONCURRENT_CHANGE", retry_after=_PATIENCE_SECONDS)

    def _open(self, organization: str, batch: AnswerBatch, answers: Sequence[Received]) -> None:
        groups: dict[int, list[Received]] = {}
        for each in answers:
            if each.leaf.outcome is not Outcome.PROVIDED:
                continue
            ciphertext = batch.ciphertexts[each.row]
            if not ciphertext or digest(ciphertext) != each.leaf.ciphertext_digest:
                each.failure = each.failure or "SIGNATURE_INVALID"
            groups.setdefault(batch.group_indexes[each.row], []).append(each)
        for number, members in groups.items():
            try:
                self._open_group(organization, batch, number, members)
            except ChukanError as error:
                for each in members:
                    each.failure = each.failure or error.code
        opened = [each for each in answers if each.content and not each.failure and each.record]
        seals = self._environment.vault.seal_many(
            organization,
            "inquiry_result",
            "content",
            [each.record.id for each in opened if each.record],
            [each.content for each in opened],
        )
        for each, seal in zip(opened, seals, strict=True):
            each.sealed = seal

    def _open_group(self, organization: str, batch: AnswerBatch, number: int, members: Sequence[Received]) -> None:
        # 4. The secret opens with our key, and the provider signed the plaintexts inside, to us.
        if number >= len(batch.groups):
            raise ChukanError("PEER_ANSWER_INVALID", params={"rule": "group"})
        group = batch.groups[number]
        context = self._codec.decode(Header, group.context)
        if context.suite != SUITE:
            raise ChukanError("SUITE_NOT_SUPPORTED", params={"expected": SUITE})
        secret = self._codec.decode(
            GroupSecret,
            self._keys.open_secret(
                organization, context.recipient_thumbprint, context=group.context, sealed=group.sealed_secret
            ),
        )
        statement = self._statements.verify(
            secret.content_statement,
            PayloadType.ANSWER_BATCH,
            signer=batch.provider,
            organization=organization,
            recipients=(organization,),
        )
        if statement.header != context:
            raise ChukanError("SIGNATURE_INVALID", params={"rule": "context"})
        contents = self._keys.open_rows(
            secret.key,
            [batch.ciphertexts[each.row] for each in members],
            [each.leaf.permit_digest for each in members],
        )
        check_all_leaves(statement, contents)
        # 5. Each content belongs to its permit and to us.
        for each, content in zip(members, contents, strict=True):
            summary = self._codec.decode(AnswerSummary, content)
            bound = (summary.permit_digest, summary.recipient, summary.kind)
            if bound != (each.leaf.permit_digest, organization, AnswerKind.VALUES):
                each.failure = each.failure or "PERMIT_CONTENT_MISMATCH"
            each.content, each.item_codes = content, summary.item_codes

    def _keep(self, organization: str, answers: Sequence[Received]) -> list[ReceiptOutcome]:
        # 6. One durable step.
        now = milliseconds(self._environment.clock.now())
        sound = [each for each in answers if not each.failure and each.record is not None]
        if not sound:
            return [ReceiptOutcome.REFUSED] * len(answers)

        def step(connection: Connection) -> list[ReceiptOutcome]:
            return self._store(connection, organization, answers, sound, now)

        outcomes = self._environment.database.write(organization, step)
        metrics = self._environment.metrics
        for each, outcome in zip(answers, outcomes, strict=True):
            if outcome is ReceiptOutcome.COMMITTED:
                metrics.note_inquiry_state(end_state(each.leaf.outcome).name.lower(), 1)
            if each.failure:
                metrics.note_refused(each.failure, 1)
        return outcomes

    def _store(
        self,
        connection: Connection,
        organization: str,
        answers: Sequence[Received],
        sound: Sequence[Received],
        now: int,
    ) -> list[ReceiptOutcome]:
        ids = {each.row: each.record.id for each in sound if each.record}
        states = self._inquiries.states(connection, organization, list(ids.values()))
        ended = [id_ for id_, state in states.items() if state not in OPEN_STATES]
        records = self._records.by_ids(connection, organization, ended) if ended else {}
        outcomes = [ReceiptOutcome.REFUSED if each.failure else ReceiptOutcome.UNCHANGED for each in answers]
        shown: list[Received] = []
        noted: list[Received] = []
        for each in sound:
            id_ = ids[each.row]
            state, record = states[id_], records.get(id_)
            if record is None and state != end_state(each.leaf.outcome):
                shown.append(each)
            elif record is not None and not is_same(each, record):
                outcomes[each.row] = ReceiptOutcome.REFUSED
                continue
            elif state not in GIVEN_UP or each.leaf.outcome is Outcome.PENDING or (record and record.provided):
                continue
            noted.append(each)
            outcomes[each.row] = ReceiptOutcome.COMMITTED
        if noted:
            seq = next_change_seq(connection, count=len(noted))
            place = {each.row: seq + at for at, each in enumerate(noted)}
            sets = self._records.item_sets(connection, {each.item_codes for each in noted})
            self._inquiries.end(
                connection, organization, [inquiry_end(ids[each.row], each, now, place[each.row]) for each in shown]
            )
            self._inquiries.keep(
                connection,
                organization,
                [
                    StoredResult(ids[each.row], each.sealed, each.leaf.provision_time_ms, now + RESULT_LIFETIME_MS)
                    for each in shown
                    if each.sealed
                ],
            )
            self._records.end(
                connection,
                organization,
                [
                    record_end(ids[each.row], each, sets[each.item_codes], place[each.row], records.get(ids[each.row]))
                    for each in noted
                ],
            )
        return outcomes

    def _receipt(
        self,
        organization: str,
        answers: Sequence[Received],
        outcomes: Sequence[ReceiptOutcome],
        statement_digest: bytes,
    ) -> AnswerReceipt:
        # 7. The receipt, over the leaves that were accepted.
        accepted = [
            each.encoded
            for each, outcome in zip(answers, outcomes, strict=True)
            if outcome is not ReceiptOutcome.REFUSED
        ]
        acknowledgement = None
        if accepted:
            header = self._statements.header(
                organization,
                PayloadType.ACKNOWLEDGEMENT,
                recipient=NETWORK,
                lifetime_ms=_RECEIPT_LIFETIME_MS,
                answers_digest=statement_digest,
            )
            acknowledgement = self._statements.sign(organization, PayloadType.ACKNOWLEDGEMENT, header, accepted)
        failures = tuple(
            ReceiptFailure(each.row, each.failure or "PERMIT_REPLAYED")
            for each, outcome in zip(answers, outcomes, strict=True)
            if outcome is ReceiptOutcome.REFUSED
        )
        return AnswerReceipt(acknowledgement, tuple(outcomes), failures)
