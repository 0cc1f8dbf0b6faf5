# SPDX-License-Identifier: Apache-2.0
"""Seals: the provider seals answers so that only the inquirer can read them.

One HPKE seal per group of answers (same provider, inquirer, procedure, information and
department): base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
AES-256-GCM, over the group's secret, a random row key among it. `info` is a domain label
and the digest of the signed context, so a secret opens in its own context only. Output is
RFC 9180's `enc ‖ ct`.

Each row is AES-256-GCM under the group's key with a random nonce and the digest of its
permit as associated data, so a row opens under its own permit only. A row is
`nonce ‖ ciphertext ‖ tag`. One answer is a group of one. Together this is the suite that
headers name, `domain.exchange.SUITE`; there is no other.

Gives up: whoever holds a group's key can open every row of it; base mode says nothing
about the sender (the signature inside does); no forward secrecy against loss of the
recipient's key. Sizes and metadata stay visible.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.crypto.keys import RecipientKey, SealingKey

__all__ = ["MAX_ROWS", "ROW_KEY_SIZE", "open_rows", "open_secret", "seal_rows", "seal_secret"]

ROW_KEY_SIZE: Final = 32
MAX_ROWS: Final = 100_000
"""Rows under one key. Far below 2³², where random 96-bit nonces begin to collide."""

_HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LABEL: Final = b"chukan/seal/group-secret/v1\x00"
_NONCE_SIZE: Final = 12
_DIGEST_SIZE: Final = 32


def seal_secret(secret: bytes, *, recipient: RecipientKey, context: bytes) -> bytes:
    """Seal a group's secret to the recipient in this context (signed bytes of a header)."""
    try:
        return _HPKE.encrypt(secret, recipient.public_key, _info(context))
    except ValueError:  # a key of small order gives an all-zero shared secret
        raise ChukanError("KEY_INVALID", params={"expected": "usable X25519 key"}) from None


def open_secret(sealed: bytes, *, key: SealingKey, context: bytes) -> bytes:
    """Open a group's secret, or SEAL_NOT_OPENABLE: other key, context, or changed bytes."""
    try:
        return _HPKE.decrypt(sealed, key.private_key, _info(context))
    except (InvalidTag, ValueError):
        raise ChukanError("SEAL_NOT_OPENABLE", params={"rule": "secret"}) from None


def seal_rows(key: bytes, plaintexts: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
    """Seal rows under a group's key, each bound to the digest at the same place.

    The key is fresh from the operating system and used for one group only.
    """
    encrypt = _cipher(key, plaintexts, bound_to).encrypt
    entropy = os.urandom(_NONCE_SIZE * len(plaintexts))
    nonces = [entropy[at : at + _NONCE_SIZE] for at in range(0, len(entropy), _NONCE_SIZE)]
    return [
        nonce + encrypt(nonce, plaintext, digest)
        for nonce, plaintext, digest in zip(nonces, plaintexts, bound_to, strict=True)
    ]


def open_rows(key: bytes, sealed: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
    """Open all rows or none; the refusal names the first row that fails, from 0.

    A caller that lets the other rows go on opens each by itself.
    """
    decrypt = _cipher(key, sealed, bound_to).decrypt
    opened: list[bytes] = []
    try:
        for row, digest in zip(sealed, bound_to, strict=True):
            opened.append(decrypt(row[:_NONCE_SIZE], row[_NONCE_SIZE:], digest))
    except (InvalidTag, ValueError):
        raise ChukanError("SEAL_NOT_OPENABLE", params={"rule": "row", "row": str(len(opened))}) from None
    return opened


def _info(context: bytes) -> bytes:
    return _LABEL + hashlib.sha256(context).digest()


def _cipher(key: bytes, rows: Sequence[bytes], bound_to: Sequence[bytes]) -> AESGCM:
    if len(rows) != len(bound_to) or len(rows) > MAX_ROWS:
        raise ValueError(f"got {len(rows)} rows and {len(bound_to)} digests, expected as many")
    if any(len(digest) != _DIGEST_SIZE for digest in bound_to):
        raise ValueError("got a digest of another size, expected 32 bytes")
    if len(key) != ROW_KEY_SIZE:
        raise ChukanError("SEAL_NOT_OPENABLE", params={"rule": "row_key_size"})
    return AESGCM(key)
