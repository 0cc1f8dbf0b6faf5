# SPDX-License-Identifier: Apache-2.0
"""The cryptography of exchanges with nothing but `cryptography`: signatures, HPKE, AES-GCM over payloads of real size.

Counted in the real flow: per signed batch (of one inquiry when one is in flight) 6 signatures (request, permit to the
inquirer, permit to the provider, answer inside, answer outside, acknowledgement) and 7 verifications (the answer
outside twice), one HPKE seal and open; per inquiry one row sealed and opened, 3 values sealed and 6 opened for rest.
What they run over is random bytes of the sizes seen in the real flow; no encoding or parsing of messages.
"""

from __future__ import annotations

import os
from hashlib import blake2b, sha256
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

REQUEST: Final = 266
PERMIT: Final = 280
INSIDE: Final = 400
OUTSIDE: Final = 414
ACKNOWLEDGEMENT: Final = 304
SECRET: Final = 570
_DETERMINISTIC: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_AT_REST: Final = b"0220113112101700\0inquiry\0sealed\0001\0"


class Keys:
    """One signing pair, one sealing pair, one key for values at rest, one for look-up digests."""

    def __init__(self) -> None:
        self._signing = ec.generate_private_key(ec.SECP256R1())
        self._verifying = self._signing.public_key()
        self._opening = x25519.X25519PrivateKey.generate()
        self._sealing = self._opening.public_key()
        self._rest = AESGCM(os.urandom(32))
        self._index = os.urandom(32)

    def sign_and_verify(self, size: int, *, verified: int = 1) -> None:
        """Sign a statement; have it verified by so many parties."""
        payload = os.urandom(size)
        signature = self._signing.sign(payload, _DETERMINISTIC)
        for _ in range(verified):
            self._verifying.verify(signature, payload, _ECDSA)

    def seal_secret(self) -> bytes:
        """HPKE to the recipient."""
        return _HPKE.encrypt(os.urandom(SECRET), self._sealing, sha256(b"context").digest())

    def open_secret(self, sealed: bytes) -> None:
        """HPKE by the recipient."""
        _HPKE.decrypt(sealed, self._opening, sha256(b"context").digest())

    def seal_rows(self, rows: list[bytes]) -> tuple[AESGCM, list[bytes]]:
        """Seal each row under a fresh key."""
        cipher = AESGCM(os.urandom(32))
        sealed = []
        for row in rows:
            nonce = os.urandom(12)
            sealed.append(nonce + cipher.encrypt(nonce, row, sha256(row).digest()))
        return cipher, sealed

    @staticmethod
    def open_rows(cipher: AESGCM, sealed: list[bytes], rows: list[bytes]) -> list[bytes]:
        """Open each row."""
        return [
            cipher.decrypt(each[:12], each[12:], sha256(row).digest()) for each, row in zip(sealed, rows, strict=True)
        ]

    def rest(self, value: bytes) -> bytes:
        """Seal a value for rest."""
        nonce = os.urandom(12)
        return b"\1" + nonce + self._rest.encrypt(nonce, value, _AT_REST)

    def opened(self, sealed: bytes) -> bytes:
        """Open a value at rest."""
        return self._rest.decrypt(sealed[1:13], sealed[13:], _AT_REST)

    def digest(self, value: bytes) -> bytes:
        """Return a keyed look-up digest."""
        return blake2b(value, key=self._index, digest_size=16).digest()
