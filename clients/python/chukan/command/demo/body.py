# SPDX-License-Identifier: Apache-2.0
"""One of the demo's municipalities: who it is, and the dummy files made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.people import Manifest
    from chukan.standard.organizations import Organization

__all__ = ["Body"]


@dataclass(frozen=True, slots=True)
class Body:
    """One of the two municipalities."""

    organization: Organization
    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name."""
        return self.organization.name

    @property
    def code(self) -> str:
        """Its 16 digits."""
        return self.organization.code

    @property
    def inquiry_files(self) -> list[Path]:
        """Its inquiry files."""
        return [self.folder / name for name in self.manifest.files if name.startswith("inquiries/")]

    def rows(self, prefix: str) -> int:
        """Return how many rows its files with a prefix have."""
        return sum(file.rows for name, file in self.manifest.files.items() if name.startswith(prefix))
