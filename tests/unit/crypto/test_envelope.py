# SPDX-License-Identifier: Apache-2.0
"""An envelope verifies for its own bytes, kind and signer, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.crypto.envelope import sign, verify
from chukan.server.crypto.keys import SigningKey
from chukan.server.domain.envelope import Envelope, PayloadType, Signature, pae
from chukan.standard.reasons import ChukanError

KEY = SigningKey.generate()
ENVELOPE = sign(PayloadType.PERMIT, b"payload of some length", KEY)


def flipped(envelope: Envelope, part: int, bit: int) -> Envelope:
    """Return the envelope with one bit of its kind, payload, key id or signature flipped."""
    (signature,) = envelope.signatures
    parts = [
        envelope.payload_type.encode(),
        envelope.payload,
        signature.key_id.encode(),
        signature.signature,
    ]
    changed = bytearray(parts[part])
    changed[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(changed)
    return Envelope(
        parts[0].decode("latin-1"),
        parts[1],
        (Signature(parts[2].decode("latin-1"), parts[3]),),
    )


def test_what_was_signed_comes_back() -> None:
    """Verification returns the signed bytes, also when several keys are trusted."""
    others = [SigningKey.generate().verify_key for _ in range(2)]

    assert verify(ENVELOPE, PayloadType.PERMIT, KEY.verify_key) == ENVELOPE.payload
    assert verify(ENVELOPE, PayloadType.PERMIT, [*others, KEY.verify_key]) == ENVELOPE.payload


@pytest.mark.parametrize("part", range(4))
def test_an_envelope_with_any_bit_flipped_is_refused(part: int) -> None:
    """Kind, payload, key id and signature: no bit may differ."""
    (signature,) = ENVELOPE.signatures
    kind, key_id = ENVELOPE.payload_type, signature.key_id
    size = [len(kind), len(ENVELOPE.payload), len(key_id), len(signature.signature)][part]

    for bit in range(8 * size):
        with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
            verify(flipped(ENVELOPE, part, bit), PayloadType.PERMIT, KEY.verify_key)


@pytest.mark.parametrize("kind", sorted(set(PayloadType) - {PayloadType.PERMIT}))
def test_a_statement_of_one_kind_never_passes_for_another(kind: PayloadType) -> None:
    """Neither as it is nor relabelled."""
    for envelope in (ENVELOPE, replace(ENVELOPE, payload_type=str(kind))):
        with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
            verify(envelope, kind, KEY.verify_key)


def test_nobody_trusted_means_refused() -> None:
    """No keys, or only keys of others: refused."""
    for keys in ([], [SigningKey.generate().verify_key]):
        with pytest.raises(ChukanError, match="rule=trusted_key"):
            verify(ENVELOPE, PayloadType.PERMIT, keys)


def test_the_key_id_vouches_for_nothing() -> None:
    """A forger's signature under the trusted key's id is refused."""
    forged = sign(PayloadType.PERMIT, ENVELOPE.payload, SigningKey.generate())
    renamed = Signature(KEY.verify_key.key_id, forged.signatures[0].signature)

    with pytest.raises(ChukanError, match="rule=signature"):
        verify(replace(forged, signatures=(renamed,)), PayloadType.PERMIT, KEY.verify_key)


@pytest.mark.parametrize("count", [0, 2])
def test_an_envelope_bears_exactly_one_signature(count: int) -> None:
    """None is no signature, and a second one is nobody's."""
    envelope = replace(ENVELOPE, signatures=ENVELOPE.signatures * count)

    with pytest.raises(ChukanError, match="rule=one_signature"):
        verify(envelope, PayloadType.PERMIT, KEY.verify_key)


@given(
    first=st.tuples(st.text(), st.binary()),
    second=st.tuples(st.text(), st.binary()),
)
def test_two_statements_never_share_their_signed_bytes(first: tuple[str, bytes], second: tuple[str, bytes]) -> None:
    """The encoding is injective, so the digest names one statement."""
    assert (pae(*first) == pae(*second)) == (first == second)
    assert (Envelope(*first, ()).digest == Envelope(*second, ()).digest) == (first == second)
