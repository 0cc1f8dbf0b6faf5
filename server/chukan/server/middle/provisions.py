# SPDX-License-Identifier: Apache-2.0
"""情報提供 (TKY), step 3 of 4: permits are verified, answered from replicas, sealed, and the answer is kept.

Numbered procedure; the numbers stand in the code:
1 the inquirer's keys lead up to the organizations' authority;
2 the network signed the statement, for us, in this world and mode, and it counts now;
3 every permit stands under the signed root;
4 a permit answered before gets its stored answer, verbatim; anything else on a used nonce
  or exchange is PERMIT_REPLAYED, and is recorded;
5 each permit: route, times, recipient key, then the own copy of the permission list;
6 code → person, flags, replicas (`provision_content`); those under 自動応答不可 wait for a person;
7 answers sealed to the inquirer, signed inside and outside;
8 one durable step per batch: nonces, sealed batch, provisions, records (refusals too).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    NETWORK,
    NONCE_SIZE,
    SKEW_MS,
    AnswerBatch,
    PermitLeaf,
    digest,
    milliseconds,
)
from chukan.server.domain.exchange_record import RecordSide
from chukan.server.domain.permission import decide
from chukan.server.domain.permits import check_all_leaves
from chukan.server.domain.provision import (
    AnswerBatchRow,
    WaitingRow,
    item_codes_of,
)
from chukan.server.middle.provision_rows import (
    Asked,
    by_size,
    draft_of,
    provision_row,
    purpose_of,
    record_row,
    used_nonces,
)
from chukan.server.middle.waiting import Waiting, pack_waiting
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import Delivery
    from chukan.server.middle.provision_content import ProvisionContent
    from chukan.server.middle.sealed_answers import AnswerSealer, SealedBatch
    from chukan.server.middle.statements import Statements
    from chukan.server.ports import Connection, Environment
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.exchange_stores import ExchangeRecords, Provisions

__all__ = ["AutomaticProvisions"]

_TRIES: Final = 3
"""A permit delivered twice at once is stored once: who comes second starts again and finds it."""


class AutomaticProvisions:
    """Answers permits, for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        provisions: Provisions,
        records: ExchangeRecords,
        content: ProvisionContent,
        sealer: AnswerSealer,
        codec: Codec,
        keys: ExchangeKeys,
        statements: Statements,
    ) -> None:
        self._environment = environment
        self._provisions = provisions
        self._records = records
        self._content = content
        self._sealer = sealer
        self._codec = codec
        self._keys = keys
        self._statements = statements

    def deliver(self, organization: str, delivery: Delivery) -> tuple[AnswerBatch, ...]:
        """Answer permits of one inquirer; durable before it returns. Match answers by exchange, not by position."""
        inquirer = delivery.inquirer_keys.organization
        # 1. Whose keys these are.
        self._keys.learn(delivery.inquirer_keys)
        # 2. The network's word, for us, here and now.
        statement = self._statements.verify(
            delivery.statement,
            PayloadType.PERMIT_BATCH,
            signer=NETWORK,
            organization=organization,
            recipients=("", organization),
        )
        # 3. About these permits.
        check_all_leaves(statement, delivery.permits)
        asked = [
            Asked(permit, digest(permit), self._codec.decode(PermitLeaf, permit))
            for permit in dict.fromkeys(delivery.permits)
        ]
        statement_digest = digest(delivery.statement.payload)
        for _ in range(_TRIES):
            stored, fresh = self._sort(organization, asked)
            if not fresh:
                return stored
            now = milliseconds(self._environment.clock.now())
            self._check(organization, inquirer, fresh, now)
            self._find(organization, fresh)
            answered = [self._answer(organization, inquirer, statement_digest, part, now) for part in by_size(fresh)]
            if None not in answered:
                return (*stored, *(batch for batch in answered if batch is not None))
        raise ChukanError("CONCURRENT_CHANGE", retry_after=1.0)

    def _sort(self, organization: str, asked: Sequence[Asked]) -> tuple[tuple[AnswerBatch, ...], list[Asked]]:
        # 4. Stored answers come back verbatim; other content on a used nonce or exchange is a replay.
        with self._environment.database.read() as connection:
            nonces, answered, exchanges = self._used(connection, organization, asked)
            provisions = self._provisions.by_ids(connection, organization, list(answered.values())) if answered else {}
            wanted = {
                provisions[answered[each.name]].batch
                for each in asked
                if each.name in answered and provisions[answered[each.name]].batch
            }
            batches = self._provisions.batches(connection, organization, sorted(wanted)) if wanted else {}
        stored = tuple(self._codec.decode(AnswerBatch, batches[number].batch) for number in sorted(batches))
        fresh = [each for each in asked if each.name not in answered]
        seen: set[bytes] = set()
        for each in fresh:
            each.used_before = each.leaf.nonce in nonces or each.leaf.exchange_digest in exchanges
            again = each.leaf.nonce in seen or each.leaf.exchange_digest in seen
            each.refusal, each.detail = "PERMIT_REPLAYED" if each.used_before or again else "", ""
            seen.update((each.leaf.nonce, each.leaf.exchange_digest))
        return stored, fresh

    def _used(
        self, connection: Connection, organization: str, asked: Sequence[Asked]
    ) -> tuple[dict[bytes, bytes], dict[bytes, int], set[bytes]]:
        """Return used nonces, provisions by permit digest, and exchanges that have a record here."""
        nonces = self._provisions.nonces(connection, organization, [each.leaf.nonce for each in asked])
        records = self._records.marks(
            connection, organization, [each.leaf.exchange_digest for each in asked], side=int(RecordSide.PROVIDER)
        )
        return nonces, {row.permit_digest: row.id for row in records}, {row.exchange for row in records}

    def _check(self, organization: str, inquirer: str, asked: Sequence[Asked], now: int) -> None:
        # 5. Route, times, recipient key; then the own list. The first rule that fails is the refusal.
        thumbprint = self._keys.recipient_thumbprint(inquirer)
        today = self._environment.clock.today()
        permissions = self._environment.master.permissions
        for each in asked:
            leaf = each.leaf
            if each.refusal:
                continue
            if leaf.provider != organization or leaf.inquirer != inquirer or not leaf.route:
                each.refusal = "PERMIT_ROUTE_MISMATCH"
            elif len(leaf.nonce) != NONCE_SIZE or leaf.recipient_thumbprint != thumbprint:
                each.refusal = "PERMIT_CONTENT_MISMATCH"
            elif leaf.expire_time_ms <= now - SKEW_MS:
                each.refusal = "PERMIT_EXPIRED"
            else:
                decision = decide(permissions, purpose_of(leaf), today).with_consent(given=leaf.consent)
                each.permitted_items = decision.row.items if decision.row else ()
                if not decision.permitted:
                    each.refusal, each.detail = "PROVIDER_LIST_REFUSES", decision.reason

    def _find(self, organization: str, asked: Sequence[Asked]) -> None:
        # 6. Who it is about and what there is.
        sound = [each for each in asked if not each.refusal]
        for each, found in zip(sound, self._content.find(organization, [each.question for each in sound]), strict=True):
            each.found = found

    def _answer(
        self, organization: str, inquirer: str, statement_digest: bytes, asked: Sequence[Asked], now: int
    ) -> AnswerBatch | None:
        # 7. and 8. Sealed, signed, kept; None if somebody else kept the same meanwhile.
        drafts = [draft_of(each) for each in asked]
        sealed = self._sealer.seal(organization, inquirer, statement_digest, drafts, now)
        return sealed.batch if self._keep(organization, statement_digest, asked, sealed, now) else None

    def _keep(
        self, organization: str, statement_digest: bytes, asked: Sequence[Asked], sealed: SealedBatch, now: int
    ) -> bool:
        # 8. One durable step, unless somebody else stored the same meanwhile.
        vault = self._environment.vault
        group_keys = vault.seal(organization, "answer_batch", "group_keys", sealed.root, sealed.group_keys)
        waiting = [each for each in asked if each.waits]
        seals = vault.seal_many(
            organization,
            "provision_waiting",
            "sealed",
            [each.name for each in waiting],
            [
                pack_waiting(
                    self._codec, Waiting(statement_digest, each.encoded, each.found.records if each.found else ())
                )
                for each in waiting
            ],
        )
        waiting_seals = dict(zip((each.name for each in waiting), seals, strict=True))
        codes = [item_codes_of(each.found.records) if each.found and not each.waits else "" for each in asked]
        mode = self._environment.master.mode(organization)

        def step(connection: Connection) -> bool:
            nonces, answered, exchanges = self._used(connection, organization, asked)
            used = [each.leaf.nonce in nonces or each.leaf.exchange_digest in exchanges for each in asked]
            if any(each.name in answered for each in asked) or used != [each.used_before for each in asked]:
                return False
            sets = self._records.item_sets(connection, codes)
            first = next_change_seq(connection, count=len(asked))
            self._provisions.add_batch(
                connection,
                AnswerBatchRow(
                    organization, first, sealed.root, sealed.batch.inquirer, sealed.encoded, group_keys, now
                ),
            )
            self._provisions.use_nonces(connection, organization, used_nonces(asked))
            self._provisions.add(
                connection,
                [provision_row(organization, first + at, each, (first, at), now) for at, each in enumerate(asked)],
            )
            self._records.add(
                connection,
                [
                    record_row(organization, first + at, each, items=sets[items], mode=mode, now=now)
                    for at, (each, items) in enumerate(zip(asked, codes, strict=True))
                ],
            )
            if waiting_seals:
                self._provisions.add_waiting(
                    connection,
                    [
                        WaitingRow(organization, first + at, waiting_seals[each.name], "")
                        for at, each in enumerate(asked)
                        if each.name in waiting_seals
                    ],
                )
            return True

        kept = self._environment.database.write(organization, step)
        if kept:
            for each in asked:
                if each.refusal:
                    self._environment.metrics.note_refused(each.refusal)
        return kept
