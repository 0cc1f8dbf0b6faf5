# SPDX-License-Identifier: Apache-2.0
"""What every use case is handed: durable state, the vault, time, names, figures and the masters in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from chukan.server.domain.exchange import Mode
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids
    from chukan.standard.permission_list import PermissionList

__all__ = ["Changes", "Connection", "Database", "Environment", "Master", "Outbox", "OutboxItem", "Vault"]

T = TypeVar("T")

Connection = Any
"""A database connection, passed on to stores and never looked into."""


class Changes(Protocol):
    """Change numbers that are committed, in commit order."""

    @property
    def closed(self) -> bool:
        """Whether nobody should wait any more: the server is stopping."""

    def last(self, name: str = "change") -> int:
        """Return the last committed number of a sequence, 0 when none was allotted."""

    def wait(self, after_seq: int, timeout: float | None = None, name: str = "change") -> int:
        """Wait until a greater number is committed, at most so many seconds; return the last one."""


class Database(Protocol):
    """Snapshots to read; one durable step per write."""

    @property
    def changes(self) -> Changes:
        """The committed change numbers."""

    def read(self) -> AbstractContextManager[Connection]:
        """Lend a connection that sees one snapshot; keep it short."""

    def write(self, organization: str, function: Callable[[Connection], T], /) -> T:
        """Run the function in one durable step and return its value after the COMMIT.

        The function reads, checks and writes through its connection only, has no other
        effect, no cryptography in it, and may run more than once.
        """


class Outbox(Protocol):
    """What is left to do, written in the same step as its cause."""

    def add(
        self,
        conn: Connection,
        *,
        kind: str,
        organization: str,
        payload: bytes,
        due: datetime | None = None,
        key: str = "",
    ) -> int:
        """Add an item inside a write and return its id."""

    def waits(self, conn: Connection, *, kind: str, organization: str, key: str) -> bool:
        """Whether an item of this key is still to be done; what was given up is not."""

    def done(self, conn: Connection, ids: Sequence[int]) -> None:
        """Complete items inside the write that holds their effect."""


class OutboxItem(Protocol):
    """An item of the outbox as its handler gets it."""

    @property
    def id(self) -> int:
        """Names the item in `done`."""

    @property
    def organization(self) -> str:
        """Whose it is."""

    @property
    def payload(self) -> bytes:
        """What `add` was given."""


class Vault(Protocol):
    """Encryption at rest, under keys of the organization, bound to organization, table, column and row."""

    def seal(self, organization: str, table: str, column: str, row_key: bytes | int | str, plaintext: bytes) -> bytes:
        """Encrypt one value."""

    def open(self, organization: str, table: str, column: str, row_key: bytes | int | str, sealed: bytes) -> bytes:
        """Decrypt one value, or VAULT_UNREADABLE."""

    def seal_many(
        self,
        organization: str,
        table: str,
        column: str,
        row_keys: Sequence[bytes | int | str],
        plaintexts: Sequence[bytes],
    ) -> list[bytes]:
        """Encrypt many values."""

    def open_many(
        self,
        organization: str,
        table: str,
        column: str,
        row_keys: Sequence[bytes | int | str],
        sealed: Sequence[bytes],
    ) -> list[bytes]:
        """Decrypt many values."""

    def index_digest(self, organization: str, kind: str, value: str) -> bytes:
        """Return the keyed digest by which a value is looked up."""

    def index_digest_many(self, organization: str, kind: str, values: Iterable[str]) -> list[bytes]:
        """Return the keyed digests of many values."""

    def index_digest_many_bytes(self, organization: str, kind: str, values: Iterable[bytes]) -> list[bytes]:
        """Return the keyed digests of many values that are bytes already."""


class Master(Protocol):
    """The master data in force at one organization: the network's and a member's copies may differ."""

    @property
    def world_generation(self) -> str:
        """World and its generation, in every signed statement."""

    @property
    def version(self) -> str:
        """Version of the master data."""

    @property
    def permissions(self) -> PermissionList:
        """The organization's own copy of the permission list (照会許可用照合リスト)."""

    def mode(self, organization: str) -> Mode:
        """Return the mode the organization is set to."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the composition hands to every use case."""

    database: Database
    vault: Vault
    clock: Clock
    ids: Ids
    metrics: Any
    master: Master
    settings: Any

    def today(self) -> date:
        """Return the date in Japan: the date lists, editions and periods are read for."""
        return self.clock.today()
