# SPDX-License-Identifier: Apache-2.0
"""The ExchangeKeys of ports.exchange over a key ring: who signs, who is believed, to whom is sealed.

The group secret is sealed with HPKE under its context header; it bears a random key for
the rows and the inside signature. Keys once verified are remembered by the ring, so a
member's keys cost two signatures once and a comparison afterwards.

Adds one rule of its own: permits count from the network only, and the network's signature
counts on nothing but permits and its commitments of records.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from chukan.server.crypto import envelope as envelopes
from chukan.server.crypto import sealing
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import NETWORK, PublicKey, milliseconds
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chukan.server.crypto.keyring import KeyRing
    from chukan.server.domain.envelope import Envelope
    from chukan.server.domain.exchange import MemberKeys

__all__ = ["RingKeys"]

_PERMITS: Final = {PayloadType.PERMIT, PayloadType.PERMIT_BATCH}
_NETWORK_SIGNS: Final = {*_PERMITS, PayloadType.RECORD_COMMITMENT}


class RingKeys:
    """ExchangeKeys over a ring, or over one that is found when it is needed. Safe for threads, as the ring is."""

    __slots__ = ("_find",)

    def __init__(self, ring: KeyRing | Callable[[], KeyRing]) -> None:
        self._find = ring if callable(ring) else lambda: ring

    @property
    def _ring(self) -> KeyRing:
        return self._find()

    def sign(self, organization: str, kind: PayloadType, payload: bytes) -> Envelope:
        """Sign as an organization served here."""
        return envelopes.sign(kind, payload, self._ring.signing_key(organization))

    def verify(self, organization: str, kind: PayloadType, envelope: Envelope) -> bytes:
        """Return the payload if the organization signed it as this kind, else SIGNATURE_INVALID."""
        # 1. The organization may make this kind of statement at all.
        if kind not in _NETWORK_SIGNS if organization == NETWORK else kind in _PERMITS:
            raise ChukanError("SIGNATURE_INVALID", params={"rule": "kind"})
        # 2. One of its certified keys signed it.
        return envelopes.verify(envelope, kind, self._ring.verify_keys(organization))

    def member_keys(self, organization: str) -> MemberKeys:
        """Return what an organization served here shows to others."""
        return self._ring.shown(organization)

    def learn(self, keys: MemberKeys) -> None:
        """Verify another's keys up to the organizations' authority and know them from now on."""
        self._ring.learn(keys)

    def recipient_thumbprint(self, organization: str) -> bytes:
        """Return the thumbprint of the key that answers for the organization are sealed to now."""
        return self._ring.recipient_key(organization).thumbprint

    def seal_secret(self, recipient: str, thumbprint: bytes, *, context: bytes, secret: bytes) -> bytes:
        """Seal a group secret with HPKE to the recipient's key of this thumbprint, else KEY_UNKNOWN."""
        key = self._ring.recipient_key(recipient, thumbprint)
        return sealing.seal_secret(secret, recipient=key, context=context)

    def open_secret(self, organization: str, thumbprint: bytes, *, context: bytes, sealed: bytes) -> bytes:
        """Open a group secret sealed to an organization served here, else SEAL_NOT_OPENABLE."""
        key = self._ring.sealing_key(organization, thumbprint)
        return sealing.open_secret(sealed, key=key, context=context)

    def seal_rows(self, key: bytes, plaintexts: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
        """Seal rows under a group's key, each bound to the digest (32 bytes) of its permit."""
        return sealing.seal_rows(key, plaintexts, bound_to)

    def open_rows(self, key: bytes, sealed: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
        """Open rows, else SEAL_NOT_OPENABLE with the first row that fails."""
        return sealing.open_rows(key, sealed, bound_to)

    def public_keys(self, organization: str) -> list[PublicKey]:
        """Return an organization's certified public keys, newest first."""
        keys: list[PublicKey] = []
        for identity, recipient in self._ring.certified(organization):
            signing, since, until = identity.verify_key, identity.not_before, identity.not_after
            keys.append(
                PublicKey("signing", signing.thumbprint, signing.spki, milliseconds(since), milliseconds(until))
            )
            if recipient is not None:
                sealed_to, since, until = recipient.key, recipient.valid_from, recipient.valid_to
                keys.append(
                    PublicKey("sealing", sealed_to.thumbprint, sealed_to.spki, milliseconds(since), milliseconds(until))
                )
        return keys

    def random(self, size: int) -> bytes:
        """Return bytes from the operating system, for nonces and keys; never from a seed."""
        return os.urandom(size)
