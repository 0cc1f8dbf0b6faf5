# SPDX-License-Identifier: Apache-2.0
"""The certificate files of the server that is drilled: what callers show it, and its own, exchanged while it runs.

The server reads its file at its start for its callers, and at each scrape to tell when it runs out: what is put there
later is seen by monitoring only, so the load goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.client import ClientTls

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Certificates"]

_SERVER: Final = "server.pem"
_FIELD: Final = "--tls"
"""The setting that names the folder."""


class Certificates:
    """The folder as `chukan serve --tls` made it. expiring: a certificate that runs out soon, to put in its place."""

    def __init__(self, folder: Path, expiring: Path) -> None:
        self._folder = folder
        self._expiring = expiring
        self._own = (folder / _SERVER).read_bytes()

    def of(self, organization: str) -> ClientTls:
        """Return what an organization shows and believes."""
        return ClientTls.in_folder(self._folder, organization, field=_FIELD)

    def let_expire(self) -> None:
        """Put the one there that runs out soon."""
        self._put(self._expiring.read_bytes())

    def damage(self) -> None:
        """Put half of it there, as a copy that was broken off."""
        self._put(self._own[: len(self._own) // 2])

    def restore(self) -> None:
        """Put the server's own there again."""
        self._put(self._own)

    def _put(self, content: bytes) -> None:
        beside = self._folder / f"{_SERVER}.new"
        beside.write_bytes(content)
        beside.replace(self._folder / _SERVER)
