# SPDX-License-Identifier: Apache-2.0
"""Identity certificates: whose signing key is whose, under the organizations' authority.

The authority is a P-256 root (X.509, RFC 5280) that belongs to the organizations, not to
the network core, so the core can't put a key of its own in somebody's place. Member and
core certificates carry different extended key usages: no member can issue a permit, the
core can answer for nobody, and a TLS certificate is neither.

Made at run time, marked as a development authority. [own] The real authority (LGPKI) is
different (docs/divergences, "Signatures and seals"). Gives up: one level below the root,
no revocation here, no names in certificates but the organization's code.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from chukan.server.crypto.keys import SigningKey, VerifyKey
from chukan.server.domain.exchange import SKEW_MS
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import datetime

    from chukan.standard.clock import Clock

__all__ = ["DEVELOPMENT_MARK", "Authority", "Identity", "Purpose", "TrustRoot", "check_validity"]

DEVELOPMENT_MARK = "CHUKAN DEVELOPMENT"
"""Organization name (O=) of every authority made here; a production profile refuses it."""

_T = TypeVar("_T", bound=x509.ExtensionType)

_URN = "urn:chukan:organization:"
_SKEW = timedelta(milliseconds=SKEW_MS)
_AUTHORITY_LIFETIME = timedelta(days=365 * 50)
_IDENTITY_LIFETIME = timedelta(days=365 * 20)


def _usage(name: str) -> x509.ObjectIdentifier:
    """OID under 2.25 (ITU-T X.667): made from a UUID, needs no registration."""
    return x509.ObjectIdentifier(f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, _URN + name).int}")


class Purpose(Enum):
    """What the holder of a certificate may sign."""

    MEMBER = _usage("member")
    """Requests, answers, commitments, acknowledgements, sealing keys."""
    NETWORK = _usage("network")
    """Permits and the core's records."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified certificate: this key speaks for this organization in this time."""

    organization: str
    purpose: Purpose
    verify_key: VerifyKey
    not_before: datetime
    not_after: datetime

    def check_times(self, clock: Clock) -> None:
        """Refuse before and after the certificate's time; for use after caching."""
        check_validity(clock, self.not_before, self.not_after)


class TrustRoot:
    """The authority's certificate, as everyone holds it. Verifies, can't issue."""

    __slots__ = ("_certificate", "der")

    def __init__(self, der: bytes) -> None:
        self._certificate = _parse(der)
        constraints = _extension(self._certificate, x509.BasicConstraints)
        if not constraints.ca:
            raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": "authority"})
        self.der = der

    @property
    def is_development(self) -> bool:
        """Whether the authority was made by this program."""
        names = self._certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return any(name.value == DEVELOPMENT_MARK for name in names)

    def verify(self, der: bytes, *, organization: str, purpose: Purpose, clock: Clock) -> Identity:
        """Return whose key this is, or refuse with the reason of the first step that fails."""
        # 1. It is an X.509 certificate with nothing critical in it that we don't know.
        certificate = _parse(der)
        # 2. This authority issued it: name and signature.
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise ChukanError("SIGNER_CERTIFICATE_UNTRUSTED") from None
        # 3. Authority and certificate are in their time.
        for each in (self._certificate, certificate):
            check_validity(clock, each.not_valid_before_utc, each.not_valid_after_utc)
        # 4. It is no authority itself and may sign for this purpose, and only this.
        _check_purpose(certificate, purpose)
        # 5. It names exactly one organization, the expected one.
        names = _extension(certificate, x509.SubjectAlternativeName)
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        if len(names) != 1 or uris != [_URN + organization]:
            raise ChukanError("SIGNER_CERTIFICATE_WRONG_ORGANIZATION")
        # 6. Its key is one we can verify with.
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Identity(
            organization=organization,
            purpose=purpose,
            verify_key=VerifyKey(key),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


class Authority:
    """The organizations' authority with its key: issues identity certificates."""

    __slots__ = ("_certificate", "_key", "trust")

    def __init__(self, key: SigningKey, certificate: bytes) -> None:
        self._key = key
        self._certificate = _parse(certificate)
        self.trust = TrustRoot(certificate)

    @classmethod
    def create(cls, clock: Clock, *, key: SigningKey | None = None, lifetime: timedelta = _AUTHORITY_LIFETIME) -> Self:
        """Make a new development authority with a key of its own, or with one that waits for its certificate."""
        key = key or SigningKey.generate()
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT_MARK),
                x509.NameAttribute(NameOID.COMMON_NAME, "Organizations authority"),
            ]
        )
        now = clock.now().replace(microsecond=0)
        builder = (
            _builder(key.verify_key, now, lifetime)
            .subject_name(name)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
        )
        certificate = builder.sign(key.private_key, hashes.SHA256())
        return cls(key, certificate.public_bytes(Encoding.DER))

    @property
    def key(self) -> SigningKey:
        """The authority's key, for keeping it in a file."""
        return self._key

    @property
    def holds_its_key(self) -> bool:
        """Whether the key is the one its certificate is about."""
        certified = self._certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return certified == self._key.verify_key.spki

    def issue(
        self,
        organization: str,
        key: VerifyKey,
        *,
        purpose: Purpose,
        clock: Clock,
        lifetime: timedelta = _IDENTITY_LIFETIME,
    ) -> bytes:
        """Certify (DER) that the key speaks for the organization. The caller has checked that."""
        urn = x509.UniformResourceIdentifier(_URN + organization)
        now = clock.now().replace(microsecond=0)
        builder = (
            _builder(key, now, lifetime)
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, organization)]))
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose.value]), critical=True)
            .add_extension(x509.SubjectAlternativeName([urn]), critical=False)
        )
        certificate = builder.sign(self._key.private_key, hashes.SHA256())
        return certificate.public_bytes(Encoding.DER)


def check_validity(clock: Clock, not_before: datetime, not_after: datetime) -> None:
    """Return between the two instants, give or take the skew, else SIGNER_CERTIFICATE_EXPIRED."""
    now = clock.now()
    if now + _SKEW < not_before:
        raise ChukanError("SIGNER_CERTIFICATE_EXPIRED", params={"rule": "not_yet_valid"})
    if now - _SKEW > not_after:
        raise ChukanError("SIGNER_CERTIFICATE_EXPIRED", params={"rule": "expired"})


_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
)
_UNDERSTOOD = (
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
)


def _parse(der: bytes) -> x509.Certificate:
    """Parse, or refuse everything that isn't wholly understood."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = list(certificate.extensions)
        certificate.subject, certificate.issuer, certificate.public_key()
    except _UNREADABLE:
        raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": "encoding"}) from None
    if not der.endswith(b"\x00" + certificate.signature):
        # The library lets a bit string claim unused bits; a certificate has one form only.
        raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": "encoding"})
    if any(each.critical and not isinstance(each.value, _UNDERSTOOD) for each in extensions):
        raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": "critical extension"})
    return certificate


def _extension(certificate: x509.Certificate, kind: type[_T]) -> _T:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": kind.__name__}) from None


def _check_purpose(certificate: x509.Certificate, purpose: Purpose) -> None:
    usages = list(_extension(certificate, x509.ExtendedKeyUsage))
    if (
        _extension(certificate, x509.BasicConstraints).ca
        or not _extension(certificate, x509.KeyUsage).digital_signature
        or usages != [purpose.value]
    ):
        raise ChukanError("SIGNER_CERTIFICATE_WRONG_PURPOSE")


def _builder(key: VerifyKey, now: datetime, lifetime: timedelta) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .public_key(key.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
