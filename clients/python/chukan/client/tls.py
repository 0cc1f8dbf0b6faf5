# SPDX-License-Identifier: Apache-2.0
"""The certificate files a client shows and believes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ClientTls"]


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Three PEM files: the organization's certificate (chain), its key, and the CA the server's certificate is of."""

    cert: Path
    key: Path
    ca: Path

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files; OSError names the one that is not there."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes(),
            certificate_chain=self.cert.read_bytes(),
        )
