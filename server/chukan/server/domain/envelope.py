# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes as values: what is signed, as which kind of statement, by whom.

Follows the DSSE protocol 1.0 (secure-systems-lab/dsse). The payload type is signed with
the payload, so a permit can never pass for a request. The signed bytes are kept and
forwarded verbatim, because protobuf encoding is not canonical. Signing and verifying
live with the keys.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Envelope", "PayloadType", "Signature", "pae"]


class PayloadType(StrEnum):
    """One media type per kind of signed statement. The payload is protobuf unless it says JSON."""

    REQUEST = "application/vnd.chukan.request.v1+protobuf"
    """情報照会 of one item: inquirer's middle server → core."""
    REQUEST_BATCH = "application/vnd.chukan.request-batch.v1+protobuf"
    """Merkle root over many requests."""
    PERMIT = "application/vnd.chukan.permit.v1+protobuf"
    """提供許可証: core → provider and inquirer."""
    PERMIT_BATCH = "application/vnd.chukan.permit-batch.v1+protobuf"
    """Merkle root over many permits."""
    ANSWER = "application/vnd.chukan.answer.v1+protobuf"
    """What the provider says, signed inside the seal together with its recipient."""
    ANSWER_BATCH = "application/vnd.chukan.answer-batch.v1+protobuf"
    """Merkle root over many answers, inside the seal."""
    SEALED_ANSWER = "application/vnd.chukan.sealed-answer.v1+protobuf"
    """The provider's word over the digest of the ciphertext, for those who can't open it."""
    SEALED_ANSWER_BATCH = "application/vnd.chukan.sealed-answer-batch.v1+protobuf"
    """Merkle root over many sealed answers."""
    RECORD_COMMITMENT = "application/vnd.chukan.record-commitment.v1+protobuf"
    """Each side's commitment to its exchange record (情報提供等記録)."""
    ACKNOWLEDGEMENT = "application/vnd.chukan.acknowledgement.v1+protobuf"
    """The inquirer's receipt for an answer."""
    SEALING_KEY = "application/vnd.chukan.sealing-key.v1+json"
    """An organization's word that a sealing key is its own."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: DER, and the thumbprint (hexadecimal) of the key that made it."""

    key_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type and who signed it. Unverified until somebody with the keys verified it."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the signed bytes (PAE): names the statement, whoever signed it."""
        return hashlib.sha256(pae(self.payload_type, self.payload)).digest()


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding: lengths are in bytes, decimal ASCII."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
