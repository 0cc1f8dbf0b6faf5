# SPDX-License-Identifier: Apache-2.0
"""Files that are either there whole and durable, or not at all: written beside, synced, renamed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["DurableFile"]


class DurableFile:
    """A file being written beside its final name; `keep` puts it in place, everything else leaves no trace."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + ".partial")
        self.stream: BinaryIO = self._partial.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if not self.stream.closed:
            self.stream.close()
            self._partial.unlink(missing_ok=True)

    def keep(self) -> Path:
        """Make the content durable under its final name."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        self._partial.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self._path
