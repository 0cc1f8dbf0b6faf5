# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes: what is signed, by whom, as which kind of statement.

Follows the DSSE protocol 1.0 (secure-systems-lab/dsse). The payload type is signed with
the payload, so a permit can never pass for a request. The signed bytes are kept and
forwarded verbatim, because protobuf encoding is not canonical.

Narrower than DSSE on purpose: exactly one signature, and its key id must name a trusted
key. The key id only selects which trusted key to try; it never vouches for anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.crypto.keys import VerifyKey
from chukan.server.domain.envelope import Envelope, Signature, pae
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.crypto.keys import SigningKey
    from chukan.server.domain.envelope import PayloadType

__all__ = ["sign", "verify"]


def sign(payload_type: PayloadType, payload: bytes, key: SigningKey) -> Envelope:
    """Sign the payload as this kind of statement; the same bytes every time."""
    signature = key.sign(pae(payload_type, payload))
    return Envelope(
        payload_type=str(payload_type),
        payload=payload,
        signatures=(Signature(key.verify_key.key_id, signature),),
    )


def verify(envelope: Envelope, payload_type: PayloadType, keys: VerifyKey | Sequence[VerifyKey]) -> bytes:
    """Return the payload if one of the keys signed it as this kind, else SIGNATURE_INVALID.

    Parse only what this returns, never `envelope.payload`. No keys: refused.
    """
    # 1. The envelope says it is the kind of statement the caller expects.
    if envelope.payload_type != payload_type:
        raise _refused("payload_type")
    # 2. It bears exactly one signature.
    if len(envelope.signatures) != 1:
        raise _refused("one_signature")
    # 3. The signature's key id names one of the trusted keys.
    (only,) = envelope.signatures
    trusted = (keys,) if isinstance(keys, VerifyKey) else keys
    key = next((key for key in trusted if key.key_id == only.key_id), None)
    if key is None:
        raise _refused("trusted_key")
    # 4. That key signed these bytes as this kind.
    key.verify(only.signature, pae(payload_type, envelope.payload))
    # 5. Only now is the payload worth reading.
    return envelope.payload


def _refused(rule: str) -> ChukanError:
    return ChukanError("SIGNATURE_INVALID", params={"rule": rule})
