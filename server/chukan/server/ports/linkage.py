# SPDX-License-Identifier: Apache-2.0
"""What the families of linkage codes and replicas need of the store of addressees and of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.linkage import Acquiring, AddresseeRow, LinkageUpdate, NewAddressee
    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.ports.environment import Connection

__all__ = ["AddresseeStore", "ProcessingNumberIssuer", "ReplicaMover"]


class ProcessingNumberIssuer(Protocol):
    """The network's end that issues processing numbers (処理通番)."""

    def issue_processing_numbers(self, organization: str, tokens: Sequence[str]) -> tuple[list[str], int]:
        """Return one processing number per token, and when they expire (microseconds since 1970).

        The same token answers the same number. Raises ChukanError of an unreachable peer.
        """


class ReplicaMover(Protocol):
    """Moves replicas between addressees when two people shared one number, or one person had two."""

    def move(
        self, connection: Connection, organization: str, key: tuple[str, str, str], source: int, target: int
    ) -> bool:
        """Move a replica (information, data set, record key) with its versions; return whether there was one."""

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
        """Return an addressee's replicas in order of information, data set and record key, without content."""


class AddresseeStore(Protocol):
    """Addressees: digests and seals are made outside a write, the rest inside one."""

    def number_digests(self, organization: str, numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of integrated address numbers."""

    def code_digests(self, organization: str, codes: Iterable[bytes]) -> list[bytes]:
        """Return the look-up digests of linkage codes."""

    def processing_digests(self, organization: str, processing_numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of processing numbers."""

    def seal_numbers(self, organization: str, digests: Sequence[bytes], numbers: Sequence[str]) -> list[bytes]:
        """Seal integrated address numbers for their rows."""

    def seal_processing_numbers(
        self, organization: str, digests: Sequence[bytes], processing_numbers: Sequence[str]
    ) -> list[bytes]:
        """Seal processing numbers for rows named by number digest."""

    def seal_codes(self, organization: str, digests: Sequence[bytes], codes: Sequence[bytes]) -> list[bytes]:
        """Seal linkage codes for rows named by number digest."""

    def find(self, connection: Connection, organization: str, numbers: Sequence[str]) -> dict[str, AddresseeRow]:
        """Return addressees by integrated address number."""

    def unopened(
        self, connection: Connection, organization: str, digests: Sequence[bytes]
    ) -> dict[bytes, AddresseeRow]:
        """Return addressees by number digest without what is sealed of them."""

    def find_by_codes(
        self, connection: Connection, organization: str, codes: Sequence[bytes]
    ) -> dict[bytes, AddresseeRow]:
        """Return addressees by linkage code, their numbers left sealed."""

    def waiting(
        self, connection: Connection, organization: str, processing_digests: Sequence[bytes]
    ) -> dict[bytes, Acquiring]:
        """Return who waits with a processing number, by its digest."""

    def ids(self, connection: Connection, organization: str, digests: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return (surrogate, state) by number digest."""

    def flags(
        self, connection: Connection, organization: str, digests: Sequence[bytes]
    ) -> dict[bytes, tuple[int, int, bool, bool, str, int, int]]:
        """Return surrogate, state, nondisclosure, self-information disabled, codes, survivor, linkage state."""

    def acquiring(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, Acquiring]:
        """Return where acquisitions stand, by surrogate."""

    def holders(self, connection: Connection, organization: str, code_digests: Sequence[bytes]) -> dict[bytes, int]:
        """Return the surrogates of those who hold these codes."""

    def number(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, str]:
        """Return integrated address numbers by surrogate."""

    def run_out(self, connection: Connection, *, before: int, most: int) -> list[tuple[str, int]]:
        """Return (organization, surrogate) of who waits with a processing number expired before an instant."""

    def page(
        self, connection: Connection, organization: str, *, after_id: int, states: Sequence[int], most: int
    ) -> list[AddresseeRow]:
        """Return addressees in order of registration."""

    def changed(
        self, connection: Connection, organization: str, *, after_seq: int, states: Sequence[int], most: int
    ) -> list[AddresseeRow]:
        """Return addressees in commit order of their last change."""

    def insert(
        self, connection: Connection, organization: str, rows: Sequence[NewAddressee], *, now: int, first_seq: int
    ) -> list[int]:
        """Insert addressees; return the surrogates of those whose codes are asked for at once."""

    def set_flags(
        self, connection: Connection, rows: Sequence[tuple[int, int, bool, bool, str, int]], *, now: int, first_seq: int
    ) -> None:
        """Update (surrogate, state, nondisclosure, self-information disabled, codes, survivor)."""

    def request(self, connection: Connection, ids: Sequence[int], *, now: int, first_seq: int) -> None:
        """Note that codes were asked for; none of these is under way or linked."""

    def issue(
        self,
        connection: Connection,
        rows: Sequence[tuple[int, bytes, bytes]],
        *,
        expires: int,
        now: int,
        first_seq: int,
    ) -> None:
        """Note (surrogate, digest, sealed processing number) of those who wait for one still."""

    def link(
        self, connection: Connection, rows: Sequence[tuple[int, bytes, bytes]], *, now: int, first_seq: int
    ) -> None:
        """Link (surrogate, digest, sealed code) and purge the processing numbers."""

    def set_linkage(self, connection: Connection, rows: Sequence[LinkageUpdate], *, now: int, first_seq: int) -> None:
        """Write the linkage columns."""

    def drop_code(self, connection: Connection, id_: int, *, now: int) -> None:
        """Forget a code."""
