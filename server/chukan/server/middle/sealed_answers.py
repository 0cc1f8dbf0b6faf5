# SPDX-License-Identifier: Apache-2.0
"""Makes signed and sealed batches of answers: one outside signature, one seal and one inside signature per group.

A group is what may share a key: one inquirer, procedure, information and department. The
group's secret is sealed with HPKE to the key the permit names; the inside signature is over
the plaintexts with their recipient, the outside one over ciphertexts everybody may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    AnswerBatch,
    AnswerContent,
    AnswerKind,
    AnswerLeaf,
    GroupSecret,
    Outcome,
    SealedGroup,
    digest,
)
from chukan.server.domain.merkle import leaf_hashes, root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import PermitLeaf, ResultRecord
    from chukan.server.middle.statements import Statements
    from chukan.server.ports.exchange import Codec, ExchangeKeys

__all__ = ["AnswerSealer", "DraftAnswer", "SealedBatch"]

_LIFETIME_MS: Final = 45 * 86_400_000
"""How long an answer's signature counts: longer than any permit, so a stored answer can still be delivered [own]
(docs/divergences "The exchange")."""
_KEY_SIZE: Final = 32


class DraftAnswer(NamedTuple):
    """What the provider says to one permit."""

    permit: PermitLeaf
    permit_digest: bytes
    outcome: Outcome
    reason: str = ""
    records: tuple[ResultRecord, ...] = ()
    undisclosable: bool = False


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """The batch, its encoded bytes as kept, the root that names it, and its groups' keys one after another."""

    batch: AnswerBatch
    encoded: bytes
    root: bytes
    group_keys: bytes


class AnswerSealer:
    """Seals and signs as a provider served here."""

    def __init__(self, codec: Codec, keys: ExchangeKeys, statements: Statements) -> None:
        self._codec = codec
        self._keys = keys
        self._statements = statements

    def seal(
        self, organization: str, inquirer: str, statement_digest: bytes, drafts: Sequence[DraftAnswer], now: int
    ) -> SealedBatch:
        """Seal and sign answers to permits of one statement and one inquirer, in order."""
        groups: dict[tuple[str, str, str, bytes], list[int]] = {}
        for at, draft in enumerate(drafts):
            if draft.outcome is Outcome.PROVIDED:
                permit = draft.permit
                key = (permit.procedure, permit.information, permit.department, permit.recipient_thumbprint)
                groups.setdefault(key, []).append(at)
        ciphertexts = [b""] * len(drafts)
        numbers = [0] * len(drafts)
        sealed_groups: list[SealedGroup] = []
        secrets: list[bytes] = []
        for key, members in groups.items():
            secret, group, rows = self._seal_group(
                organization, inquirer, key[3], statement_digest, [drafts[at] for at in members]
            )
            for at, row in zip(members, rows, strict=True):
                ciphertexts[at], numbers[at] = row, len(sealed_groups)
            sealed_groups.append(group)
            secrets.append(secret)
        leaves = [
            self._codec.encode(_leaf(draft, ciphertext, now))
            for draft, ciphertext in zip(drafts, ciphertexts, strict=True)
        ]
        header = self._statements.header(
            organization,
            PayloadType.SEALED_ANSWER_BATCH,
            recipient=inquirer,
            lifetime_ms=_LIFETIME_MS,
            answers_digest=statement_digest,
            sealed_to=drafts[0].permit.recipient_thumbprint if groups else b"",
        )
        batch = AnswerBatch(
            provider=organization,
            inquirer=inquirer,
            statement=self._statements.sign(organization, PayloadType.SEALED_ANSWER_BATCH, header, leaves),
            groups=tuple(sealed_groups),
            leaves=tuple(leaves),
            group_indexes=tuple(numbers),
            ciphertexts=tuple(ciphertexts),
            provider_keys=self._keys.member_keys(organization),
        )
        return SealedBatch(batch, self._codec.encode(batch), root(leaf_hashes(leaves)), b"".join(secrets))

    def open_own(self, batch: AnswerBatch, position: int, group_keys: bytes) -> AnswerContent | None:
        """Open one answer of a batch sealed here, with the group keys kept; None if it holds no content."""
        ciphertext = batch.ciphertexts[position]
        if not ciphertext:
            return None
        group = batch.group_indexes[position]
        key = group_keys[group * _KEY_SIZE : (group + 1) * _KEY_SIZE]
        leaf = self._codec.decode(AnswerLeaf, batch.leaves[position])
        (content,) = self._keys.open_rows(key, [ciphertext], [leaf.permit_digest])
        return self._codec.decode(AnswerContent, content)

    def _seal_group(
        self,
        organization: str,
        inquirer: str,
        thumbprint: bytes,
        statement_digest: bytes,
        drafts: Sequence[DraftAnswer],
    ) -> tuple[bytes, SealedGroup, list[bytes]]:
        contents = [
            self._codec.encode(AnswerContent(draft.permit_digest, inquirer, AnswerKind.VALUES, draft.records))
            for draft in drafts
        ]
        header = self._statements.header(
            organization,
            PayloadType.ANSWER_BATCH,
            recipient=inquirer,
            lifetime_ms=_LIFETIME_MS,
            answers_digest=statement_digest,
            sealed_to=thumbprint,
        )
        inside = self._statements.sign(organization, PayloadType.ANSWER_BATCH, header, contents)
        key = self._keys.random(_KEY_SIZE)
        context = self._codec.encode(header)
        secret = self._keys.seal_secret(
            inquirer, thumbprint, context=context, secret=self._codec.encode(GroupSecret(key, inside))
        )
        rows = self._keys.seal_rows(key, contents, [draft.permit_digest for draft in drafts])
        return key, SealedGroup(secret, context), rows


def _leaf(draft: DraftAnswer, ciphertext: bytes, now: int) -> AnswerLeaf:
    return AnswerLeaf(
        exchange_digest=draft.permit.exchange_digest,
        permit_digest=draft.permit_digest,
        ciphertext_digest=digest(ciphertext) if ciphertext else b"",
        outcome=draft.outcome,
        reason=draft.reason,
        provision_time_ms=now,
        undisclosable=draft.undisclosable,
    )
