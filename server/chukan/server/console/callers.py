# SPDX-License-Identifier: Apache-2.0
"""Connections of the console: one per organization, opened when first needed, with short deadlines."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from chukan.client import Client
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.server.console.settings import ConsoleSettings

__all__ = ["Callers"]

_SECONDS: Final = 4.0
"""A page that waits longer is no use; the sentence about the deadline is."""


class Callers:
    """Hands out clients that call in an organization's name."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    @property
    def organizations(self) -> tuple[str, ...]:
        """Whose names may be used."""
        return self._settings.organizations

    def of(self, organization: str) -> Client:
        """Return the client of an organization served here. Errors: ORGANIZATION_UNKNOWN, FILE_NOT_FOUND."""
        settings = self._settings
        if organization not in settings.organizations:
            raise ChukanError("ORGANIZATION_UNKNOWN")
        with self._lock:
            if organization not in self._clients:
                self._clients[organization] = Client(
                    settings.target,
                    organization=organization,
                    tls=settings.tls(organization),
                    network=settings.network,
                    mode=settings.modes.get(organization, "test"),
                    system="chukan-console",
                    timeout=_SECONDS,
                    retries=False,
                )
            return self._clients[organization]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
