# SPDX-License-Identifier: Apache-2.0
"""Keys of the exchange: signing (ECDSA P-256) and sealing (X25519).

Keys always come from the operating system's entropy, also in a seeded world: a key
that can be computed from a seed is no key. Signatures are deterministic (RFC 6979), so
the same statement always has the same bytes. A public key is named by its thumbprint,
SHA-256 of its SubjectPublicKeyInfo (RFC 5280 §4.1), and two keys are equal when these
bytes are.

Gives up: key files are plain PKCS #8 protected by mode 0600 alone; there is no HSM.
[own] The algorithms are our choice (docs/divergences, "Signatures and seals").
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["RecipientKey", "SealingKey", "SigningKey", "VerifyKey", "file_refused", "read_secret", "write_secret"]

_T = TypeVar("_T")
_DETERMINISTIC = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_ECDSA = ec.ECDSA(hashes.SHA256())
_PUBLIC = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """Public half of a signing key. Refuses any but the one DER form of a P-256 key."""

    spki: bytes
    thumbprint: bytes = field(init=False, compare=False)
    _key: ec.EllipticCurvePublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        key = _load_public(self.spki)
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise ChukanError("KEY_INVALID", params={"expected": "P-256 public key"})
        _fill(self, key, key.public_bytes(*_PUBLIC))

    @property
    def key_id(self) -> str:
        """Thumbprint in lower-case hexadecimal, the `keyid` of an envelope."""
        return self.thumbprint.hex()

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The library's object, for certificates."""
        return self._key

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the DER signature is this key's over the message, else refuse."""
        try:
            self._key.verify(signature, message, _ECDSA)
        except InvalidSignature:
            raise ChukanError("SIGNATURE_INVALID", params={"rule": "signature"}) from None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """ECDSA P-256 private key; signs deterministically."""

    _key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)
    verify_key: VerifyKey = field(init=False)

    def __post_init__(self) -> None:
        spki = self._key.public_key().public_bytes(*_PUBLIC)
        object.__setattr__(self, "verify_key", VerifyKey(spki))

    @classmethod
    def generate(cls) -> Self:
        """Make a new key from the operating system's entropy."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read an unencrypted PKCS #8 P-256 key."""
        key = _load_private(pem)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ChukanError("KEY_INVALID", params={"expected": "P-256 private key"})
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file that only its owner can read."""
        return _read(path, cls.from_pem)

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The library's object, for issuing certificates."""
        return self._key

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS #8."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def save(self, path: Path) -> None:
        """Write a new key file, mode 0600; an existing one is never replaced."""
        write_secret(path, self.to_pem())

    def sign(self, message: bytes) -> bytes:
        """Sign with SHA-256; DER, the same bytes every time."""
        return self._key.sign(message, _DETERMINISTIC)


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """Public half of a sealing key: whom an answer is sealed to."""

    spki: bytes
    thumbprint: bytes = field(init=False, compare=False)
    _key: x25519.X25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        key = _load_public(self.spki)
        if not isinstance(key, x25519.X25519PublicKey):
            raise ChukanError("KEY_INVALID", params={"expected": "X25519 public key"})
        _fill(self, key, key.public_bytes(*_PUBLIC))

    @property
    def public_key(self) -> x25519.X25519PublicKey:
        """The library's object, for HPKE."""
        return self._key


@dataclass(frozen=True, slots=True)
class SealingKey:
    """X25519 private key: opens what was sealed to its recipient key."""

    _key: x25519.X25519PrivateKey = field(repr=False, compare=False)
    recipient: RecipientKey = field(init=False)

    def __post_init__(self) -> None:
        spki = self._key.public_key().public_bytes(*_PUBLIC)
        object.__setattr__(self, "recipient", RecipientKey(spki))

    @classmethod
    def generate(cls) -> Self:
        """Make a new key from the operating system's entropy."""
        return cls(x25519.X25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Read an unencrypted PKCS #8 X25519 key."""
        key = _load_private(pem)
        if not isinstance(key, x25519.X25519PrivateKey):
            raise ChukanError("KEY_INVALID", params={"expected": "X25519 private key"})
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file that only its owner can read."""
        return _read(path, cls.from_pem)

    @property
    def private_key(self) -> x25519.X25519PrivateKey:
        """The library's object, for HPKE."""
        return self._key

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS #8."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def save(self, path: Path) -> None:
        """Write a new key file, mode 0600; an existing one is never replaced."""
        write_secret(path, self.to_pem())


def file_refused(path: Path, rule: str) -> ChukanError:
    """Return the refusal of a key file: by its name and its folder's, which says whose key it is."""
    return ChukanError("KEY_FILE_REFUSED", params={"file": f"{path.parent.name}/{path.name}", "rule": rule})


def _read(path: Path, parse: Callable[[bytes], _T]) -> _T:
    try:
        return parse(read_secret(path))
    except ChukanError as error:
        if error.code != "KEY_INVALID":
            raise
        raise file_refused(path, error.params["expected"]) from None


def write_secret(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 whole or not at all; an existing one is never replaced."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(draft, flags, _OWNER_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        _sync_directory(path.parent)
    except FileExistsError:
        raise file_refused(path, "exists") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()


def read_secret(path: Path) -> bytes:
    """Read a file, refusing one that others than its owner may read or write."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise file_refused(path, "mode 0600")
            return file.read()
    except FileNotFoundError:
        raise file_refused(path, "missing") from None
    except OSError:
        raise file_refused(path, "readable") from None


def _sync_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _load_public(spki: bytes) -> object:
    try:
        return load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm):
        raise ChukanError("KEY_INVALID", params={"expected": "SubjectPublicKeyInfo"}) from None


def _load_private(pem: bytes) -> object:
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ChukanError("KEY_INVALID", params={"expected": "PKCS #8 PEM"}) from None


def _fill(owner: VerifyKey | RecipientKey, key: object, canonical: bytes) -> None:
    """Set the derived fields; a second encoding of the same key would be a second name."""
    if canonical != owner.spki:
        raise ChukanError("KEY_INVALID", params={"expected": "canonical SubjectPublicKeyInfo"})
    object.__setattr__(owner, "_key", key)
    object.__setattr__(owner, "thumbprint", hashlib.sha256(canonical).digest())
