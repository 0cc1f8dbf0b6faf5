# SPDX-License-Identifier: Apache-2.0
"""The folder the ledgers are in: one run at a time, readable by its owner only."""

from __future__ import annotations

import fcntl
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hold_folder", "ledger_path"]


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold the folder; a killed run holds nothing. Errors: RUN_IN_PROGRESS."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "inquire.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ChukanError("RUN_IN_PROGRESS", params={"folder": str(folder)}) from None
        yield


def ledger_path(folder: Path, organization: str, world: str = "") -> Path:
    """Return where the ledger of an organization, in a world, is."""
    tail = "-" + re.sub("[^0-9A-Za-z_-]", "_", world) if world else ""
    return folder / f"inquiries-{organization}{tail}.db"
