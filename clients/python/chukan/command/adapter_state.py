# SPDX-License-Identifier: Apache-2.0
"""What is in a state folder of the adapter: reports of loads, ledgers of inquiries."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["last_loads", "ledgers"]

_LEDGER: Final = re.compile(r"inquiries-(?P<code>[0-9]{16})\.db")


def last_loads(folder: Path) -> list[dict[str, Any]]:
    """Return the report of the last load into each target. Errors: CHECKPOINT_UNREADABLE."""
    found = []
    for path in sorted(folder.rglob("report.json")):
        try:
            found.append(json.loads(path.read_text("utf-8")))
        except ValueError:
            raise ChukanError("CHECKPOINT_UNREADABLE", params={"file": str(path)}) from None
    return found


def ledgers(folder: Path) -> list[tuple[Path, str]]:
    """Return the ledgers with the organization each is of."""
    paths = sorted(folder.rglob("inquiries-*.db"))
    return [(path, match["code"]) for path in paths if (match := _LEDGER.fullmatch(path.name))]
