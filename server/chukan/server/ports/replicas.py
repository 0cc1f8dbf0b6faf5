# SPDX-License-Identifier: Apache-2.0
"""What the family of replicas needs of its stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.replica_rows import HeldReplica, ImportRow, LaneRow, NewReplica, ReplicaRow
    from chukan.server.ports.environment import Connection

__all__ = ["ImportStore", "ReplicaStore"]


class ReplicaStore(Protocol):
    """Replicas and their versions; seals and digests are made outside a write."""

    def seal(self, organization: str, record_ids: Sequence[str], contents: Sequence[bytes]) -> list[bytes]:
        """Seal packed contents, each under its record id."""

    def digests(self, organization: str, said: Iterable[bytes]) -> list[bytes]:
        """Return keyed digests of what rows say."""

    def shape(self, connection: Connection, edition: str, item_codes: Sequence[str]) -> int:
        """Return the id of an edition's item codes, interning them when they are new."""

    def edition(self, connection: Connection, shape: int) -> str:
        """Return the edition of a shape."""

    def known_records(self, connection: Connection, organization: str, record_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the digests of record ids used before."""

    def held(
        self, connection: Connection, organization: str, information: str, data_set: str, addressees: Sequence[int]
    ) -> dict[int, dict[str, HeldReplica]]:
        """Return current replicas of a data set, by addressee and record key, deleted ones too."""

    def add_records(
        self, connection: Connection, organization: str, record_ids: Sequence[str], digests: Sequence[bytes]
    ) -> None:
        """Note record ids as used."""

    def insert(self, connection: Connection, rows: Sequence[NewReplica]) -> None:
        """Insert first versions."""

    def replace(self, connection: Connection, rows: Sequence[NewReplica]) -> None:
        """Put new versions in the place of current ones, which become history."""

    def delete(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Delete logically: (organization, information, addressee, data set, key, version, record id, reason, now)."""

    def answerable(
        self, connection: Connection, organization: str, pairs: Sequence[tuple[int, str]]
    ) -> list[ReplicaRow]:
        """Return the current replicas of (addressee, information) pairs, opened."""

    def versions(
        self, connection: Connection, organization: str, key: tuple[int, str, str, str], *, before: int, most: int
    ) -> list[ReplicaRow]:
        """Return versions of one replica, newest first, opened."""

    def page(
        self,
        connection: Connection,
        organization: str,
        addressee: int,
        *,
        informations: Sequence[str],
        deleted: bool,
        after: tuple[str, str, str],
        most: int,
    ) -> list[ReplicaRow]:
        """Return an addressee's replicas in order, without content."""

    def export(
        self, connection: Connection, organization: str, information: str, *, after: tuple[int, str, str], most: int
    ) -> list[ReplicaRow]:
        """Return current replicas of an information in order of addressee, opened."""


class ImportStore(Protocol):
    """Imports, sends and lanes."""

    def find(self, connection: Connection, organization: str, system: str, batch_id: str) -> ImportRow | None:
        """Return the import of a system's batch id."""

    def by_batch(self, connection: Connection, organization: str, batch_id: str) -> ImportRow | None:
        """Return the newest import of a batch id."""

    def page(
        self, connection: Connection, organization: str, *, information: str, before: int, most: int
    ) -> list[ImportRow]:
        """Return imports, newest first."""

    def add(self, connection: Connection, organization: str, system: str, row: ImportRow) -> None:
        """Add an import."""

    def lane(self, connection: Connection, organization: str, information: str) -> LaneRow:
        """Return a lane."""

    def put_lane(self, connection: Connection, organization: str, row: LaneRow) -> None:
        """Write a lane."""

    def lanes(self, connection: Connection, organization: str) -> list[LaneRow]:
        """Return the lanes in order of information."""

    def sent(self, connection: Connection, organization: str, information: str, send_id: str) -> int:
        """Return how many rows a send has brought."""

    def put_sent(self, connection: Connection, key: tuple[str, str, str], rows: int) -> None:
        """Write how many rows a send (organization, information, send id) has brought."""
