# SPDX-License-Identifier: Apache-2.0
"""What the console is told when it starts: whom it calls, in whose names, and where alerts are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chukan.client import ClientTls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ConsoleSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """target: address of the services. organizations: codes of those served there, in order.

    network: where the network answers, if not at the target. modes: of organizations that are not in test mode.
    certificates: folder with ca.pem and, per organization, <code>.pem and <code>.key; None is plaintext.
    alertmanager: base address of an Alertmanager; empty for none.
    """

    target: str
    organizations: tuple[str, ...]
    network: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)
    certificates: Path | None = None
    alertmanager: str = ""

    def check(self) -> None:
        """Refuse to start without a certificate for every organization. Errors: FILE_NOT_FOUND."""
        for code in self.organizations:
            self.tls(code)

    def tls(self, organization: str) -> ClientTls | None:
        """Return the certificate to call with in an organization's name. Errors: FILE_NOT_FOUND."""
        if self.certificates is None:
            return None
        return ClientTls.in_folder(self.certificates, organization, field="--console")
