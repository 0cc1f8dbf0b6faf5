# SPDX-License-Identifier: Apache-2.0
"""Where the ledgers are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ledger_path"]


def ledger_path(folder: Path, organization: str, world: str = "") -> Path:
    """Return where the ledger of an organization, in a world, is."""
    tail = "-" + re.sub("[^0-9A-Za-z_-]", "_", world) if world else ""
    return folder / f"inquiries-{organization}{tail}.db"
