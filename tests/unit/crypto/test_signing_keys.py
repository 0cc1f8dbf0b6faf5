# SPDX-License-Identifier: Apache-2.0
"""Keys: where they come from, what names them, who may read their files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.crypto.keys import RecipientKey, SealingKey, SigningKey, VerifyKey
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPKI = PublicFormat.SubjectPublicKeyInfo
KEY = SigningKey.generate()
SEALING = SealingKey.generate()
MESSAGE = b"a statement"
SIGNATURE = KEY.sign(MESSAGE)


def test_signatures_are_deterministic_and_verify() -> None:
    """The same statement has the same signature every time (RFC 6979)."""
    assert KEY.sign(MESSAGE) == SIGNATURE

    KEY.verify_key.verify(SIGNATURE, MESSAGE)


def flips(content: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def test_a_signature_with_any_bit_flipped_is_refused() -> None:
    """Values and DER framing alike."""
    for changed in flips(SIGNATURE):
        with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
            KEY.verify_key.verify(changed, MESSAGE)


@given(message=st.binary())
def test_a_signature_is_of_its_own_message(message: bytes) -> None:
    """Any message can be signed, also none."""
    signature = KEY.sign(message)

    KEY.verify_key.verify(signature, message)
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        KEY.verify_key.verify(signature, message + b"\x00")


@pytest.mark.parametrize(
    "signature",
    [b"", SIGNATURE + b"\x00", SIGNATURE[:-1], b"0" * 64],
    ids=["empty", "longer", "shorter", "not DER"],
)
def test_a_signature_has_one_form(signature: bytes) -> None:
    """Nothing, something more, something less and another encoding are refused."""
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        KEY.verify_key.verify(signature, MESSAGE)


def test_another_keys_signature_is_refused() -> None:
    """A key vouches for its own signatures only."""
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        SigningKey.generate().verify_key.verify(SIGNATURE, MESSAGE)


def test_a_public_key_with_any_bit_flipped_is_refused() -> None:
    """The framing has one form, and a changed coordinate leaves the curve."""
    for changed in flips(KEY.verify_key.spki):
        with pytest.raises(ChukanError, match="KEY_INVALID"):
            VerifyKey(changed)


def test_a_public_key_has_one_encoding() -> None:
    """A compressed point would be a second name of the same key."""
    numbers = KEY.verify_key.public_key.public_numbers()
    compressed = bytes([2 + numbers.y % 2]) + numbers.x.to_bytes(32, "big")
    framing = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")

    with pytest.raises(ChukanError, match="canonical"):
        VerifyKey(framing + compressed)


def test_a_thumbprint_is_sha256_of_the_public_key() -> None:
    """SHA-256 of SubjectPublicKeyInfo; the key id is its hexadecimal."""
    assert KEY.verify_key.thumbprint == hashlib.sha256(KEY.verify_key.spki).digest()
    assert KEY.verify_key.key_id == KEY.verify_key.thumbprint.hex()
    assert SEALING.recipient.thumbprint == hashlib.sha256(SEALING.recipient.spki).digest()


def test_a_key_of_another_kind_is_refused() -> None:
    """Signing takes P-256, sealing takes X25519, and each refuses the other's key."""
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(Encoding.DER, SPKI)
    edwards = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, SPKI)

    for spki in (p384, edwards, SEALING.recipient.spki, b""):
        with pytest.raises(ChukanError, match="KEY_INVALID"):
            VerifyKey(spki)
    for spki in (p384, edwards, KEY.verify_key.spki, b""):
        with pytest.raises(ChukanError, match="KEY_INVALID"):
            RecipientKey(spki)
    for pem in (SEALING.to_pem(), b"", b"-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(ChukanError, match="KEY_INVALID"):
            SigningKey.from_pem(pem)
    with pytest.raises(ChukanError, match="KEY_INVALID"):
        SealingKey.from_pem(KEY.to_pem())


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Saved with mode 0600; refused when others may read it; never replaced."""
    path, sealing_path = tmp_path / "signing.pem", tmp_path / "sealing.pem"

    KEY.save(path)
    SEALING.save(sealing_path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(path).verify_key == KEY.verify_key
    assert SealingKey.load(sealing_path).recipient == SEALING.recipient
    assert sorted(tmp_path.iterdir()) == [sealing_path, path]
    with pytest.raises(ChukanError, match="rule=exists"):
        SigningKey.generate().save(path)
    path.chmod(0o640)
    with pytest.raises(ChukanError, match="rule=mode 0600"):
        SigningKey.load(path)
    with pytest.raises(ChukanError, match="rule=missing"):
        SigningKey.load(tmp_path / "none.pem")


def test_private_keys_show_nothing_when_printed() -> None:
    """A log line with a key in it names the public half only."""
    assert "PrivateKey" not in repr(KEY) + repr(SEALING)
