# SPDX-License-Identifier: Apache-2.0
"""Takes providers' sealed answers: verifies the outside signature, notes what it says, keeps it as the provider's word.

Procedure, the numbers stand in the code: 1 the batch is the expected provider's and its keys lead up to the members'
authority  2 the provider signed the statement  3 header: kind, version, issuer, recipient, world, not from the future
4 exactly these leaves were signed  5 each leaf is about a permit this network issued to this pair  6 each ciphertext is
the one the leaf names. The core opens nothing: it has no key to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    SKEW_MS,
    STATEMENT_VERSION,
    AnswerLeaf,
    Outcome,
    ReceiptOutcome,
    Statement,
    digest,
)
from chukan.server.domain.network_exchange import Commitment, ExchangeMark
from chukan.server.domain.permits import check_all_leaves
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.envelope import Envelope
    from chukan.server.domain.exchange import AnswerBatch, AnswerReceipt
    from chukan.server.domain.network_exchange import ExchangeStanding
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["DELIVER_ANSWERS", "Receipt", "note_answers", "return_answers", "verify_answers", "verify_receipt"]

DELIVER_ANSWERS: Final = "deliver_answers"
"""Outbox kind: deliver a provider's answers to the inquirer. Payload: the encoded batch, sealed by the provider."""
_ANSWER_KINDS: Final = (PayloadType.SEALED_ANSWER, PayloadType.SEALED_ANSWER_BATCH)
_UNHELD: Final = 0


def return_answers(core: Core, provider: str, batch: AnswerBatch) -> None:
    """Take answers that waited for a person, and promise their delivery to the inquirer.

    Errors: ORGANIZATION_MISMATCH for another's answers, and what `verify_answers` finds.
    """
    if batch.provider != provider:
        raise ChukanError("ORGANIZATION_MISMATCH", field="answers.provider_code")
    leaves = verify_answers(core, provider, batch)
    payload = core.codec.encode(batch)

    def write(connection: Connection) -> None:
        note_answers(core, connection, batch, leaves)
        core.outbox.add(connection, kind=DELIVER_ANSWERS, organization=batch.inquirer, payload=payload)

    core.environment.database.write(provider, write)


def verify_answers(core: Core, provider: str, batch: AnswerBatch) -> list[AnswerLeaf]:
    """Return what the provider signed about each answer, or refuse the batch with the reason of the failing step."""
    # 1. The provider's batch, with keys of its own.
    if batch.provider != provider or batch.provider_keys.organization != provider:
        raise ChukanError("PEER_ANSWER_INVALID", params={"rule": "provider"})
    core.keys.learn(batch.provider_keys)
    # 2. The provider signed it as an answer.
    payload = core.keys.verify(provider, _kind(batch.statement, _ANSWER_KINDS), batch.statement)
    # 3. To this inquirer, in this world, not from the future. Stored answers come back old: they don't expire here.
    statement = core.codec.decode(Statement, payload)
    _check_header(core, statement, issuer=provider, recipient=batch.inquirer)
    # 4. Exactly these leaves.
    check_all_leaves(statement, batch.leaves)
    leaves = [core.codec.decode(AnswerLeaf, leaf) for leaf in batch.leaves]
    # 5. About permits of this network, from this inquirer to this provider.
    with core.environment.database.read() as connection:
        known = core.exchanges.standings(connection, [leaf.exchange_digest for leaf in leaves])
    for leaf in leaves:
        _check_permit(known.get(leaf.exchange_digest), leaf, batch)
    # 6. With these ciphertexts.
    for leaf, ciphertext in zip(leaves, batch.ciphertexts, strict=True):
        if leaf.ciphertext_digest != (digest(ciphertext) if ciphertext else b""):
            raise ChukanError("PEER_ANSWER_INVALID", params={"rule": "ciphertext_digest"})
    return leaves


class Receipt:
    """The inquirer's verified receipt: its signed statement and the exchanges it is about."""

    __slots__ = ("accepted", "acknowledgement")

    def __init__(self, acknowledgement: Envelope | None, accepted: Sequence[bytes]) -> None:
        self.acknowledgement = acknowledgement
        self.accepted = accepted


def verify_receipt(core: Core, batch: AnswerBatch, leaves: Sequence[AnswerLeaf], receipt: AnswerReceipt) -> Receipt:
    """Return which exchanges the inquirer signed for, or refuse a receipt that is not its own."""
    if len(receipt.outcomes) != len(batch.leaves):
        raise ChukanError("PEER_ANSWER_INVALID", params={"rule": "outcomes"})
    taken = [at for at, outcome in enumerate(receipt.outcomes) if outcome is not ReceiptOutcome.REFUSED]
    if not taken or receipt.acknowledgement is None:
        return Receipt(None, [])
    core.directory.keys_of(batch.inquirer)
    payload = core.keys.verify(batch.inquirer, PayloadType.ACKNOWLEDGEMENT, receipt.acknowledgement)
    statement = core.codec.decode(Statement, payload)
    _check_header(core, statement, issuer=batch.inquirer, recipient=None)
    if statement.header.answers_digest != digest(batch.statement.payload):
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "answers_digest"})
    check_all_leaves(statement, [batch.leaves[at] for at in taken])
    return Receipt(receipt.acknowledgement, [leaves[at].exchange_digest for at in taken])


def note_answers(
    core: Core,
    connection: Connection,
    batch: AnswerBatch,
    leaves: Sequence[AnswerLeaf],
    receipt: Receipt | None = None,
) -> None:
    """Keep inside a write what the batch says, and the inquirer's receipt if there is one; twice changes nothing."""
    known = core.exchanges.standings(connection, [leaf.exchange_digest for leaf in leaves])
    news = [
        leaf
        for leaf in leaves
        if leaf.outcome is not Outcome.PENDING and not known[leaf.exchange_digest].provider_commitment
    ]
    accepted = set(receipt.accepted) if receipt else set()
    acknowledged = {
        leaf.exchange_digest
        for leaf in leaves
        if leaf.exchange_digest in accepted
        and leaf.outcome is not Outcome.PENDING
        and not known[leaf.exchange_digest].inquirer_commitment
    }
    answered, received = _commitments(core, connection, batch, receipt if acknowledged else None, news=bool(news))
    marks = [
        _mark(known[leaf.exchange_digest], leaf, answered, received if leaf.exchange_digest in acknowledged else 0)
        for leaf in news
    ]
    core.exchanges.mark(connection, marks)
    late = acknowledged.difference(leaf.exchange_digest for leaf in news)
    if late:
        core.exchanges.acknowledge(connection, [known[name].id for name in late], received)


def _commitments(
    core: Core, connection: Connection, batch: AnswerBatch, receipt: Receipt | None, *, news: bool
) -> tuple[int, int]:
    """Keep the signed statements and return their rows."""
    held: list[Commitment] = []
    if news:
        leaves = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in batch.leaves)
        held.append(Commitment(batch.provider, core.codec.encode(batch.statement), leaves))
    if receipt is not None and receipt.acknowledgement is not None:
        held.append(Commitment(batch.inquirer, core.codec.encode(receipt.acknowledgement), b""))
    rows = core.exchanges.commit(connection, held) if held else []
    return (rows[0] if news else _UNHELD, rows[-1] if receipt is not None and rows else _UNHELD)


def _mark(known: ExchangeStanding, leaf: AnswerLeaf, answered: int, received: int) -> ExchangeMark:
    """Return what an answer changes; an exchange the inquirer gave up meanwhile stays given up."""
    ended = not known.is_open
    return ExchangeMark(
        id=known.id,
        outcome=known.outcome if ended else int(leaf.outcome),
        reason=known.reason if ended else leaf.reason,
        provision_time=leaf.provision_time_ms if leaf.outcome is Outcome.PROVIDED else 0,
        undisclosable=leaf.undisclosable,
        provider_commitment=answered,
        inquirer_commitment=received or known.inquirer_commitment,
    )


def _check_header(core: Core, statement: Statement, *, issuer: str, recipient: str | None) -> None:
    header = statement.header
    if (header.version, header.issuer) != (STATEMENT_VERSION, issuer):
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "header"})
    if recipient is not None and header.recipient != recipient:
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "recipient"})
    if header.world_generation != core.environment.master.world_generation:
        raise ChukanError("WORLD_MISMATCH")
    if header.issue_time_ms > core.now_ms + SKEW_MS:
        raise ChukanError("MESSAGE_TOO_OLD", params={"rule": "not_yet_valid"})


def _check_permit(known: ExchangeStanding | None, leaf: AnswerLeaf, batch: AnswerBatch) -> None:
    if known is None or known.permit_digest != leaf.permit_digest:
        raise ChukanError("PERMIT_UNKNOWN")
    if (known.inquirer, known.provider) != (batch.inquirer, batch.provider):
        raise ChukanError("PERMIT_ROUTE_MISMATCH")


def _kind(envelope: Envelope, allowed: Sequence[PayloadType]) -> PayloadType:
    for kind in allowed:
        if envelope.payload_type == kind:
            return kind
    raise ChukanError("SIGNATURE_INVALID", params={"rule": "payload_type"})
