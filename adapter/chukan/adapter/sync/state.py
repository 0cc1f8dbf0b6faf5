# SPDX-License-Identifier: Apache-2.0
"""The folder where a load remembers what was sent, one per organization, target and world; for its owner only.

What is remembered belongs to a world generation as well, which the server tells; a server of another one, or one that
has nothing of what is remembered, is sent everything again [own] (docs/divergences "Adapter").
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from chukan.adapter.sync.memory import Memory
from chukan.adapter.sync.report import as_json
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.sync.options import LoadOptions
    from chukan.adapter.sync.report import Report
    from chukan.standard.ids import Ids

__all__ = ["State"]

_FOLDER: Final = "chukan-state"
_KEY_BYTES: Final = 32


class State:
    """The state folder of one organization at one target."""

    def __init__(self, options: LoadOptions, ids: Ids) -> None:
        where = blake2b(f"{options.target}\x1f{options.world}".encode(), digest_size=6).hexdigest()
        self.folder = _base(options) / f"{options.organization}-{where}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._secret = _secret(self.folder / "key")
        self._ids = ids

    def memory(self, name: str) -> Memory:
        """Open the memory of a lane. Errors: RUN_IN_PROGRESS, CHECKPOINT_UNREADABLE."""
        return Memory(self.folder / f"{name}.db", secret=self._secret, ids=self._ids)

    @property
    def token_file(self) -> Path:
        """Where code acquisition keeps its position."""
        return self.folder / "linkage_token"

    @property
    def dead_letter_file(self) -> Path:
        """Where the rows that were not taken are named."""
        return self.folder / "dead_letters.csv"

    def keep_report(self, report: Report) -> None:
        """Keep the report; of lanes this load did not go through, what the last one that did had to say."""
        path, data = self.folder / "report.json", report.to_data()
        names = {lane["name"] for lane in data["lanes"]}
        with suppress(OSError, ValueError):
            earlier = json.loads(path.read_text("utf-8"))["lanes"]
            data["lanes"] += [lane for lane in earlier if lane["name"] not in names]
        path.write_text(as_json(data), encoding="utf-8")


def _base(options: LoadOptions) -> Path:
    if options.state is not None:
        return options.state
    given = options.people[0] if options.people else options.extracts
    assert given is not None  # noqa: S101 - the plan is made first
    return (given if given.is_dir() and options.people else given.parent) / _FOLDER


def _secret(path: Path) -> bytes:
    """Return the key digests are made with, made once: whole under its name, or not there. CHECKPOINT_UNREADABLE."""
    if not path.exists():
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another run was quicker
            os.link(partial, path)
        partial.unlink()
    secret = path.read_bytes()
    if len(secret) != _KEY_BYTES:
        raise ChukanError("CHECKPOINT_UNREADABLE", params={"state": path.name})
    return secret
