# SPDX-License-Identifier: Apache-2.0
"""Who may speak for an organization: certificates up to the organizations' authority."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from chukan.server.crypto.certificates import Authority, Purpose, TrustRoot
from chukan.server.crypto.envelope import sign
from chukan.server.crypto.keys import SealingKey, SigningKey
from chukan.server.crypto.sealing_keys import certify_sealing_key, verify_sealing_key
from chukan.server.domain.envelope import Envelope, PayloadType
from chukan.standard.clock import FixedClock
from chukan.standard.reasons import ChukanError

START = datetime(2026, 6, 1, tzinfo=UTC)
SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"
CLOCK = FixedClock(START)
AUTHORITY = Authority.create(CLOCK)
TRUST = TrustRoot(AUTHORITY.trust.der)
IDENTITY, SEALING = SigningKey.generate(), SealingKey.generate()
CERTIFICATE = AUTHORITY.issue(SHINJUKU, IDENTITY.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)
STATEMENT = certify_sealing_key(SHINJUKU, SEALING.recipient, identity=IDENTITY, clock=CLOCK)


def at(offset: timedelta) -> FixedClock:
    return FixedClock(START + offset)


def check(der: bytes, **changed: object) -> None:
    expected = {"organization": SHINJUKU, "purpose": Purpose.MEMBER, "clock": CLOCK} | changed
    TRUST.verify(der, **expected)  # type: ignore[arg-type]


def check_statement(
    envelope: Envelope = STATEMENT,
    *,
    certificate: bytes = CERTIFICATE,
    organization: str = SHINJUKU,
    clock: FixedClock = CLOCK,
) -> None:
    identity = TRUST.verify(certificate, organization=organization, purpose=Purpose.MEMBER, clock=CLOCK)
    verify_sealing_key(envelope, identity=identity, clock=clock)


def test_a_certificate_of_the_authority_names_its_organizations_key() -> None:
    """Verified with the root's public certificate alone."""
    identity = TRUST.verify(CERTIFICATE, organization=SHINJUKU, purpose=Purpose.MEMBER, clock=CLOCK)

    assert identity.verify_key == IDENTITY.verify_key
    assert (identity.organization, identity.purpose) == (SHINJUKU, Purpose.MEMBER)
    assert TRUST.is_development


def test_each_wrong_certificate_has_its_own_reason() -> None:
    """Other organization, purpose, authority, too early, too late, no certificate."""
    other = Authority.create(CLOCK).issue(SHINJUKU, IDENTITY.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_ORGANIZATION"):
        check(CERTIFICATE, organization=SETAGAYA)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_PURPOSE"):
        check(CERTIFICATE, purpose=Purpose.NETWORK)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_UNTRUSTED"):
        check(other)
    with pytest.raises(ChukanError, match=r"SIGNER_CERTIFICATE_EXPIRED.*rule=not_yet_valid"):
        check(CERTIFICATE, clock=at(timedelta(seconds=-61)))
    with pytest.raises(ChukanError, match=r"SIGNER_CERTIFICATE_EXPIRED.*rule=expired"):
        check(CERTIFICATE, clock=at(timedelta(days=365 * 20, seconds=61)))
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_INVALID"):
        check(b"")

    check(CERTIFICATE, clock=at(timedelta(seconds=-60)))
    check(CERTIFICATE, clock=at(timedelta(days=365 * 20, seconds=60)))


def test_an_expired_authority_vouches_for_nobody() -> None:
    """A certificate doesn't outlive the root that issued it."""
    authority = Authority.create(CLOCK, lifetime=timedelta(days=1))
    der = authority.issue(SHINJUKU, IDENTITY.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_EXPIRED"):
        authority.trust.verify(der, organization=SHINJUKU, purpose=Purpose.MEMBER, clock=at(timedelta(days=2)))


def test_a_member_is_no_authority() -> None:
    """A member's certificate is no root, the root no member, and a member can't issue."""
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_INVALID"):
        TrustRoot(CERTIFICATE)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_"):
        check(AUTHORITY.trust.der)

    member = x509.load_der_x509_certificate(CERTIFICATE)
    forged = (
        x509.CertificateBuilder()
        .public_key(IDENTITY.verify_key.public_key)
        .subject_name(member.subject)
        .issuer_name(member.subject)
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=1))
        .sign(IDENTITY.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_UNTRUSTED"):
        check(forged)


def test_a_certificate_with_something_critical_we_do_not_know_is_refused() -> None:
    """What we don't understand could forbid what we are about to accept."""
    parent = x509.load_der_x509_certificate(AUTHORITY.trust.der)
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), b"\x05\x00")
    der = (
        x509.CertificateBuilder()
        .public_key(IDENTITY.verify_key.public_key)
        .subject_name(parent.subject)
        .issuer_name(parent.subject)
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=1))
        .add_extension(unknown, critical=True)
        .sign(AUTHORITY.key.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )

    with pytest.raises(ChukanError, match="rule=critical extension"):
        check(der)


def certificate_with_an_even_signature() -> bytes:
    """Return one whose signature could also be read with unused bits at its end."""
    while True:
        der = AUTHORITY.issue(SHINJUKU, IDENTITY.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)
        if der[-1] % 2 == 0:
            return der


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_certificate_with_any_bit_flipped_is_refused() -> None:
    """Names, times, key, extensions, algorithm and signature alike."""
    certificate = certificate_with_an_even_signature()
    check(certificate)

    for bit in range(8 * len(certificate)):
        changed = bytearray(certificate)
        changed[bit // 8] ^= 1 << bit % 8

        with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_"):
            check(bytes(changed))


def test_a_sealing_key_is_believed_on_its_organizations_word() -> None:
    """Statement, identity and authority lead to the key that answers are sealed to."""
    identity = TRUST.verify(CERTIFICATE, organization=SHINJUKU, purpose=Purpose.MEMBER, clock=CLOCK)

    certified = verify_sealing_key(STATEMENT, identity=identity, clock=CLOCK)

    assert certified.key == SEALING.recipient


def test_the_network_core_can_not_put_its_own_sealing_key_in_place() -> None:
    """Its identity is no member's, and a member's word about another's key counts nothing."""
    core, own = SigningKey.generate(), SealingKey.generate()
    as_core = AUTHORITY.issue(SHINJUKU, core.verify_key, purpose=Purpose.NETWORK, clock=CLOCK)
    as_setagaya = AUTHORITY.issue(SETAGAYA, core.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)
    as_itself = Authority.create(CLOCK).issue(SHINJUKU, core.verify_key, purpose=Purpose.MEMBER, clock=CLOCK)
    swapped = certify_sealing_key(SHINJUKU, own.recipient, identity=core, clock=CLOCK)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_PURPOSE"):
        check_statement(swapped, certificate=as_core)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_ORGANIZATION"):
        check_statement(swapped, certificate=as_setagaya)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_ORGANIZATION"):
        check_statement(swapped, certificate=as_setagaya, organization=SETAGAYA)
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_UNTRUSTED"):
        check_statement(swapped, certificate=as_itself)
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        check_statement(swapped)


def test_the_networks_own_identity_certifies_no_sealing_key() -> None:
    """Its certificate is the authority's, but not a member's."""
    core = SigningKey.generate()
    certificate = AUTHORITY.issue("network", core.verify_key, purpose=Purpose.NETWORK, clock=CLOCK)
    identity = TRUST.verify(certificate, organization="network", purpose=Purpose.NETWORK, clock=CLOCK)
    statement = certify_sealing_key("network", SEALING.recipient, identity=core, clock=CLOCK)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_PURPOSE"):
        verify_sealing_key(statement, identity=identity, clock=CLOCK)


def test_an_identity_that_expired_since_vouches_for_nothing() -> None:
    """Verified once is not verified for ever."""
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_EXPIRED"):
        check_statement(clock=at(timedelta(days=365 * 20, seconds=61)))


def test_a_statement_counts_in_its_time() -> None:
    """Too early and too late are refused, within the skew accepted."""
    short = certify_sealing_key(SHINJUKU, SEALING.recipient, identity=IDENTITY, clock=CLOCK, lifetime=timedelta(days=1))

    with pytest.raises(ChukanError, match=r"SIGNER_CERTIFICATE_EXPIRED.*rule=expired"):
        check_statement(short, clock=at(timedelta(days=1, seconds=61)))
    later = certify_sealing_key(SHINJUKU, SEALING.recipient, identity=IDENTITY, clock=at(timedelta(seconds=61)))
    with pytest.raises(ChukanError, match=r"SIGNER_CERTIFICATE_EXPIRED.*rule=not_yet_valid"):
        check_statement(later)

    check_statement(short, clock=at(timedelta(days=1, seconds=60)))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        STATEMENT.payload.replace(b'"validFromMs":"', b'"validFromMs":"x'),
        STATEMENT.payload.replace(b'"validToMs":"', b'"validToMs":"' + b"9" * 30),
        STATEMENT.payload.replace(f'"{SHINJUKU}"'.encode(), b"220113104101700"),
        json.dumps(["organizationCode", "publicKey", "validFromMs", "validToMs"]).encode(),
        STATEMENT.payload.replace(b"{", b'{"more":"",'),
        STATEMENT.payload.replace(b'"publicKey":"', b'"publicKey":"*'),
    ],
)
def test_a_statement_has_exactly_its_form(payload: bytes) -> None:
    """Even signed by the right identity, anything else is refused."""
    envelope = sign(PayloadType.SEALING_KEY, payload, IDENTITY)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_INVALID"):
        check_statement(envelope)
