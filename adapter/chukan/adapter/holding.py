# SPDX-License-Identifier: Apache-2.0
"""A state folder is one run's at a time: what is written there belongs together."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hold_folder"]


@contextmanager
def hold_folder(folder: Path, lock: str) -> Iterator[None]:
    """Hold the folder by a lock file; a killed run holds nothing. Errors: RUN_IN_PROGRESS."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / lock).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ChukanError("RUN_IN_PROGRESS", params={"folder": str(folder)}) from None
        yield
