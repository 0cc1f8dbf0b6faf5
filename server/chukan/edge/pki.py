# SPDX-License-Identifier: Apache-2.0
"""The development CA: certificates for a server on this machine and for each organization.

For trying mutual TLS in minutes, never for use: everything it makes is marked in the subject, the CA is constrained
to the name localhost, and the production profile refuses it. An organization is named by a URI,
`urn:chukan:organization:<16 digits>` [own]: the real networks' certificate profiles are not public
(docs/divergences, section "certificates").
"""

from __future__ import annotations

import ipaddress
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .tls import DEVELOPMENT_MARK, TlsFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from chukan.standard.clock import Clock

__all__ = ["ORGANIZATION_URN", "DevelopmentPki", "issue_certificate", "make_development_pki"]

ORGANIZATION_URN = "urn:chukan:organization:"

_CA_LIFE = timedelta(days=3650)
_CERTIFICATE_LIFE = timedelta(days=397)
#: A laptop's clock may be behind the server's.
_BACKDATED = timedelta(hours=1)
_LOCAL_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


class DevelopmentPki(NamedTuple):
    """Where the files are: the server's and each organization's."""

    server: TlsFiles
    organizations: Mapping[str, TlsFiles]


def make_development_pki(directory: Path, organizations: Iterable[str], *, clock: Clock) -> DevelopmentPki:
    """Make what is not there yet; an existing CA, key or certificate is kept."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = directory / "ca.pem"
    if not authority.exists():
        _make_authority(directory, clock.now())
    urns = {code: x509.UniformResourceIdentifier(ORGANIZATION_URN + code) for code in organizations}
    # Middle servers and the network call each other in the name of every organization served.
    server = issue_certificate(directory, "server", names=[*_LOCAL_NAMES, *urns.values()], now=clock.now())
    issued = {code: issue_certificate(directory, code, names=[urn], now=clock.now()) for code, urn in urns.items()}
    return DevelopmentPki(server=server, organizations=issued)


def issue_certificate(
    directory: Path, stem: str, *, names: Sequence[x509.GeneralName], now: datetime, life: timedelta = _CERTIFICATE_LIFE
) -> TlsFiles:
    """Issue `stem`.pem and `stem`.key under the CA of `directory`, unless they are there."""
    files = TlsFiles(cert=directory / f"{stem}.pem", key=directory / f"{stem}.key", ca=directory / "ca.pem")
    if files.cert.exists() and files.key.exists():
        return files
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    authority_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        message = f"{directory / 'ca.key'} is not an elliptic curve key"
        raise TypeError(message)
    key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _builder(_name(stem), authority.subject, key.public_key(), now=now, life=life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write_pair(files.cert, files.key, certificate=certificate, key=key)
    return files


def _make_authority(directory: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("CA")
    # Only names are constrained: gRPC's TLS library refuses every certificate below a CA with a constraint on
    # addresses ("unsupported name constraint type"). What it gives up: a stolen CA key could certify an address.
    allowed: list[x509.GeneralName] = [x509.DNSName("localhost")]
    certificate = (
        _builder(name, name, key.public_key(), now=now, life=_CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_pair(directory / "ca.pem", directory / "ca.key", certificate=certificate, key=key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT_MARK),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write_pair(cert: Path, key_path: Path, *, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key first and only for the owner, so that a certificate never stands without its key."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_path.unlink(missing_ok=True)
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
