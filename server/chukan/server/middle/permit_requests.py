# SPDX-License-Identifier: Apache-2.0
"""情報照会, step 2 of 4: accepted inquiries become one signed request; its permits and refusals become durable.

Called by the dispatcher only. A repetition sends the same leaves under a new signature;
the network knows them by their digests and answers with the same permits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.durable.changes import next_change_seq
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    BATCH_LIMIT,
    NETWORK,
    Outcome,
    PermitRequest,
    PermitSummary,
    digest,
    milliseconds,
)
from chukan.server.domain.exchange_record import RecordEnd
from chukan.server.domain.inquiry import OPEN_STATES, InquiryEnd, InquiryState, unpack_sealed
from chukan.server.domain.permits import check_all_leaves
from chukan.server.middle.inquiry_acceptance import unpack_ids
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chukan.server.domain.exchange import PermitResponse
    from chukan.server.domain.inquiry import AcceptedInquiry
    from chukan.server.middle.statements import Statements
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.exchange import Codec, ExchangeKeys, ExchangeNetwork
    from chukan.server.ports.exchange_stores import ExchangeRecords, Inquiries

__all__ = ["PermitRequests"]

_LIFETIME_MS: Final = 300_000
"""How long a signed request counts: it is sent at once, and signed anew when repeated."""


class _Decided(NamedTuple):
    """The network's word about one inquiry: a verified permit, or a refusal."""

    row: AcceptedInquiry
    reason: str
    permit_digest: bytes = b""
    permission_row: str = ""
    legal_basis: str = ""


class PermitRequests:
    """Asks the network for permits, for every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        outbox: Outbox,
        codec: Codec,
        keys: ExchangeKeys,
        statements: Statements,
        network: ExchangeNetwork,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._outbox = outbox
        self._codec = codec
        self._keys = keys
        self._statements = statements
        self._network = network

    def handle(self, items: Sequence[OutboxItem]) -> None:
        """Ask for all inquiries of some outbox items of one organization, at most a thousand under one signature."""
        for part in _parts(items):
            self._ask(part[0].organization, part)

    def _ask(self, organization: str, items: Sequence[OutboxItem]) -> None:
        ids = [id_ for item in items for id_ in unpack_ids(item.payload)]
        with self._environment.database.read() as connection:
            rows = self._inquiries.accepted(connection, organization, ids)
        decided = self._decisions(organization, rows) if rows else []
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> None:
            self._store(connection, organization, decided, now)
            self._outbox.done(connection, [item.id for item in items])

        self._environment.database.write(organization, step)
        self._note(decided)

    def _decisions(self, organization: str, rows: Sequence[AcceptedInquiry]) -> list[_Decided]:
        opened = self._environment.vault.open_many(
            organization, "inquiry", "sealed", [row.record_id for row in rows], [row.sealed for row in rows]
        )
        leaves = [unpack_sealed(each)[1] for each in opened]
        header = self._statements.header(
            organization, PayloadType.REQUEST_BATCH, recipient=NETWORK, lifetime_ms=_LIFETIME_MS
        )
        envelope = self._statements.sign(organization, PayloadType.REQUEST_BATCH, header, leaves)
        response = self._network.request_permits(organization, PermitRequest(envelope, tuple(leaves)))
        return self._verified(organization, rows, digest(envelope.payload), response)

    def _verified(
        self, organization: str, rows: Sequence[AcceptedInquiry], request_digest: bytes, response: PermitResponse
    ) -> list[_Decided]:
        # 1. Every leaf is either permitted or refused.
        permits, refusals = response.permits, response.refusals
        permitted = [row for at, row in enumerate(rows) if at not in refusals]
        if len(permitted) != len(permits) or len(permits) + len(refusals) != len(rows):
            raise ChukanError("PEER_ANSWER_INVALID", params={"rule": "decisions"})
        # 2. The network signed the permits, as an answer to this request, and they stand under its root.
        if permits:
            if response.statement is None:
                raise ChukanError("PERMIT_MISSING")
            statement = self._statements.verify(
                response.statement,
                PayloadType.PERMIT_BATCH,
                signer=NETWORK,
                organization=organization,
                recipients=("", organization),
            )
            if statement.header.answers_digest != request_digest:
                raise ChukanError("SIGNATURE_INVALID", params={"rule": "answers_digest"})
            check_all_leaves(statement, permits)
        # 3. Each is about the inquiry it came for.
        thumbprint = self._keys.recipient_thumbprint(organization)
        decided = [_Decided(rows[at], reason or "NOT_PERMITTED") for at, reason in refusals.items()]
        for row, permit in zip(permitted, permits, strict=True):
            leaf = self._codec.decode(PermitSummary, permit)
            if leaf.exchange_digest != row.exchange or leaf.inquirer != organization:
                raise ChukanError("PERMIT_CONTENT_MISMATCH", params={"rule": "exchange"})
            if leaf.recipient_thumbprint != thumbprint:
                raise ChukanError("PERMIT_CONTENT_MISMATCH", params={"rule": "recipient_key"})
            decided.append(_Decided(row, "", digest(permit), leaf.permission_row_id, leaf.legal_basis))
        return decided

    def _store(self, connection: Connection, organization: str, decided: Sequence[_Decided], now: int) -> None:
        if not decided:
            return
        states = self._inquiries.states(connection, organization, [each.row.id for each in decided])
        seq = next_change_seq(connection, count=len(decided))
        numbered = [(each, seq + at) for at, each in enumerate(decided)]
        permitted = [(each, at) for each, at in numbered if not each.reason]
        refused = [(each, at) for each, at in numbered if each.reason and states.get(each.row.id) in OPEN_STATES]
        self._inquiries.permit(
            connection,
            organization,
            [(each.row.id, each.permission_row, each.legal_basis, each.permit_digest, at) for each, at in permitted],
        )
        self._records.permit(
            connection,
            organization,
            [(each.row.id, each.permit_digest, each.legal_basis, each.permission_row, at) for each, at in permitted],
        )
        self._inquiries.end(
            connection,
            organization,
            [InquiryEnd(each.row.id, int(InquiryState.REFUSED), 0, each.reason, now, 0, at) for each, at in refused],
        )
        self._records.end(
            connection,
            organization,
            [
                RecordEnd(
                    each.row.id, 0, int(Outcome.REFUSED), each.reason, undisclosable=False, items=0, change_seq=at
                )
                for each, at in refused
            ],
        )

    def _note(self, decided: Sequence[_Decided]) -> None:
        metrics = self._environment.metrics
        permitted = sum(1 for each in decided if not each.reason)
        if permitted:
            metrics.note_inquiry_state("permitted", permitted)
        for each in decided:
            if each.reason:
                metrics.note_inquiry_state("refused", 1)
                metrics.note_refused(each.reason, 1)


def _parts(items: Sequence[OutboxItem]) -> Iterator[list[OutboxItem]]:
    """Cut items into parts whose inquiries fit under one signature."""
    part: list[OutboxItem] = []
    size = 0
    for item in items:
        count = len(item.payload) // 8
        if part and size + count > BATCH_LIMIT:
            yield part
            part, size = [], 0
        part.append(item)
        size += count
    if part:
        yield part
