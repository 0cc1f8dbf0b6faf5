# SPDX-License-Identifier: Apache-2.0
"""What one load is asked to do, and how it tells of its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.sources import Encoding
    from chukan.client import ClientTls

__all__ = ["SEND_CAP", "LoadOptions", "Progress", "ProgressEvent"]

SEND_CAP: Final = 200_000
"""Rows of one information per send: about the cap 会津若松市's resend ran into in 2023 [P]."""


class ProgressEvent(NamedTuple):
    """How far one lane is: bytes of its files read, rows read, rows sent; or codes linked of those asked for."""

    lane: str
    done: int
    total: int
    rows: int
    sent: int


Progress = Callable[[ProgressEvent], None]
"""Called from the lanes' threads, about once per batch; must not block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """Options of a load.

    people: resident and non-resident extracts, or folders of them. extracts: a folder of business extracts.
    state: where is remembered what was sent; beside the people (or extracts) if not given. number_system: of the local
    numbers in business extracts whose mapping names none. edition: of the layouts; the one in force today if empty.
    delete_reason: delete replicas whose records vanished, for this reason. stall_timeout: seconds without an answer
    after which a lane, or code acquisition, is given up for this run; patience: seconds a lost server is waited for.
    network, address: where the network and the integrated address system answer, if not at the target.
    """

    target: str
    organization: str
    people: tuple[Path, ...] = ()
    extracts: Path | None = None
    state: Path | None = None
    mappings: Path | None = None
    dry_run: bool = False
    encoding: Encoding = "auto"
    batch: int = 1000
    number_system: str = "01"
    edition: str = ""
    delete_reason: str = ""
    send_cap: int = SEND_CAP
    stall_timeout: float = 120.0
    patience: float = 60.0
    network: str = ""
    address: str = ""
    tls: ClientTls | None = None
    system: str = "adapter"
    terminal: str = ""
    department: str = ""
    user: str = ""
    mode: str = "test"
    world: str = ""
