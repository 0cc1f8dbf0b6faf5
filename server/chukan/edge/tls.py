# SPDX-License-Identifier: Apache-2.0
"""Certificate files and the gRPC credentials made of them.

A server that is given TLS files always asks for a client certificate: who calls is read from it
(`chukan.edge.identity`), never from what the caller says about itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import grpc
from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

__all__ = ["DEVELOPMENT_MARK", "TlsFiles", "channel_credentials", "expiries", "server_credentials", "tls_faults"]

#: Stands in the subject of every certificate the development CA issues, and of the CA itself.
DEVELOPMENT_MARK = "CHUKAN DEVELOPMENT"


class TlsFiles(NamedTuple):
    """Three PEM files: our certificate (chain), its key, and the CA we believe."""

    cert: Path
    key: Path
    ca: Path


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Mutual TLS: a caller without a certificate of our CA is turned away in the handshake."""
    return grpc.ssl_server_credentials(
        [(files.key.read_bytes(), files.cert.read_bytes())],
        root_certificates=files.ca.read_bytes(),
        require_client_auth=True,
    )


def channel_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """Make the caller's side of the same."""
    return grpc.ssl_channel_credentials(
        root_certificates=files.ca.read_bytes(),
        private_key=files.key.read_bytes(),
        certificate_chain=files.cert.read_bytes(),
    )


def expiries(files: TlsFiles) -> Mapping[str, float]:
    """Return when our certificate and the first authority we believe run out, in seconds since 1970."""
    own = x509.load_pem_x509_certificate(files.cert.read_bytes())
    authorities = x509.load_pem_x509_certificates(files.ca.read_bytes())
    return {
        "tls": own.not_valid_after_utc.timestamp(),
        "tls_authority": min(each.not_valid_after_utc.timestamp() for each in authorities),
    }


def tls_faults(files: TlsFiles, *, now: datetime, production: bool) -> list[str]:
    """Say in one sentence each what is wrong with the files; an empty list means they can be used."""
    missing = [path for path in (files.cert, files.key, files.ca) if not path.is_file()]
    if missing:
        return [f"the TLS file {path} is not there" for path in missing]
    try:
        certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
        authorities = x509.load_pem_x509_certificates(files.ca.read_bytes())
    except ValueError:
        return [f"{files.cert} or {files.ca} is not a PEM certificate"]
    faults = []
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        faults.append(
            f"the certificate {files.cert} is valid from {certificate.not_valid_before_utc:%Y-%m-%d} "
            f"to {certificate.not_valid_after_utc:%Y-%m-%d}, and today is {now:%Y-%m-%d}"
        )
    marked = [item for item in (certificate, *authorities) if DEVELOPMENT_MARK in item.subject.rfc4514_string()]
    if production and marked:
        faults.append(f"{files.cert} or {files.ca} is of the development CA, which the production profile refuses")
    return faults
