# SPDX-License-Identifier: Apache-2.0
"""The certificate files a client shows and believes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import grpc

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ClientTls"]


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Three PEM files: the organization's certificate (chain), its key, and the CA the server's certificate is of."""

    cert: Path
    key: Path
    ca: Path

    @classmethod
    def in_folder(cls, folder: Path, organization: str, *, field: str) -> Self:
        """Return an organization's files in a folder as `chukan serve --tls` makes it: ca.pem, CODE.pem, CODE.key.

        FILE_NOT_FOUND names the one that is not there; field: the setting that named the folder.
        """
        files = cls(cert=folder / f"{organization}.pem", key=folder / f"{organization}.key", ca=folder / "ca.pem")
        for path in (files.cert, files.key, files.ca):
            if not path.is_file():
                raise ChukanError("FILE_NOT_FOUND", field=field, params={"file": str(path)})
        return files

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files; OSError names the one that is not there."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes(),
            certificate_chain=self.cert.read_bytes(),
        )
