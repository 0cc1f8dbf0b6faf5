# SPDX-License-Identifier: Apache-2.0
"""What inquiries, provisions and exchange records need of their tables; all inside a write or a read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.exchange_record import RecordEnd, RecordMark, RecordRow
    from chukan.server.domain.inquiry import AcceptedInquiry, InquiryEnd, InquiryRow, InquiryStanding, StoredResult
    from chukan.server.domain.linkage import AddresseeRow
    from chukan.server.domain.provision import AnswerBatchRow, ProvisionRow, UsedNonce, WaitingRow
    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.ports.environment import Connection

__all__ = ["AddresseeFinder", "AnswerableReplicas", "ExchangeRecords", "Inquiries", "Provisions"]


class AddresseeFinder(Protocol):
    """Addressees, as those who ask and answer need them."""

    def find(self, connection: Connection, organization: str, numbers: Sequence[str]) -> dict[str, AddresseeRow]:
        """Return addressees by integrated address number."""

    def find_by_codes(
        self, connection: Connection, organization: str, codes: Sequence[bytes]
    ) -> dict[bytes, AddresseeRow]:
        """Return addressees by linkage code, their numbers left sealed."""

    def number(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, str]:
        """Return integrated address numbers by surrogate."""


class AnswerableReplicas(Protocol):
    """Replicas (副本), as a provider answers from them."""

    def answerable(
        self, connection: Connection, organization: str, pairs: Sequence[tuple[int, str]]
    ) -> list[ReplicaRow]:
        """Return the current replicas of (addressee, information) pairs, opened."""

    def loaded(self, connection: Connection, organization: str, information: str, *, start: str, end: str) -> bool:
        """Whether any replica of the information is published in the period; empty = open."""


class Inquiries(Protocol):
    """Inquiries and their opened answers."""

    def known(
        self, connection: Connection, organization: str, record_ids: Sequence[str]
    ) -> dict[str, tuple[bytes, int, int]]:
        """Return (digest of what was asked, id, acceptance) by record identification number."""

    def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert inquiries, as InquiryRow orders their columns."""

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, InquiryRow]:
        """Return inquiries by number."""

    def states(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, int]:
        """Return the states of inquiries, nothing else read."""

    def standings(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, InquiryStanding]:
        """Return where inquiries stand, nothing sealed read."""

    def accepted(self, connection: Connection, organization: str, ids: Sequence[int]) -> list[AcceptedInquiry]:
        """Return those of these inquiries that wait for their permit."""

    def page(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[InquiryRow]:
        """Return inquiries in order of receipt."""

    def changed(
        self,
        connection: Connection,
        organization: str,
        *,
        after: int,
        most: int,
        finished_only: bool,
        unacknowledged_only: bool,
    ) -> list[InquiryRow]:
        """Return inquiries changed after a position, in commit order, each as it stands now."""

    def permit(
        self, connection: Connection, organization: str, rows: Iterable[tuple[int, str, str, bytes, int]]
    ) -> None:
        """Set (id, permission row, legal basis, permit digest, change) of accepted inquiries."""

    def end(self, connection: Connection, organization: str, rows: Iterable[InquiryEnd]) -> None:
        """Move open inquiries on; those that ended otherwise meanwhile stay as they are."""

    def postpone(self, connection: Connection, organization: str, rows: Iterable[tuple[int, int]]) -> None:
        """Set (id, instant) when an open inquiry is to be looked at again."""

    def acknowledge(
        self, connection: Connection, organization: str, ids: Iterable[int], *, now: int, first_seq: int
    ) -> None:
        """Note that results were taken over."""

    def due(self, connection: Connection, *, now: int, most: int) -> dict[str, list[int]]:
        """Return open inquiries to be looked at, by organization."""

    def next_due(self, connection: Connection) -> int | None:
        """Return when the next open inquiry is to be looked at; None when none is open."""

    def counts(self, connection: Connection) -> dict[int, int]:
        """Return how many inquiries stand in each state."""

    def keep(self, connection: Connection, organization: str, results: Iterable[StoredResult]) -> None:
        """Insert opened answers, sealed for rest."""

    def results(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, StoredResult]:
        """Return opened answers that are still kept."""

    def any_expired(self, connection: Connection, *, now: int) -> bool:
        """Whether an answer's time is over."""

    def erase_expired(self, connection: Connection, *, now: int, most: int) -> int:
        """Delete answers whose time is over; return how many."""


class ExchangeRecords(Protocol):
    """One side's records, and copies of the network's."""

    def add(self, connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert records, as RecordRow orders their columns."""

    def marks(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes], *, side: int = 0
    ) -> list[RecordMark]:
        """Return what tells the records of exchanges apart, oldest first: replays make further ones."""

    def by_exchanges(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes], *, side: int = 0
    ) -> dict[bytes, RecordRow]:
        """Return the first record of each exchange; of one side, or of either."""

    def by_sides(
        self, connection: Connection, organization: str, exchanges: Sequence[bytes]
    ) -> dict[tuple[bytes, int], RecordRow]:
        """Return the first record of each exchange and side."""

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, RecordRow]:
        """Return records by the number of their inquiry or provision."""

    def page(
        self,
        connection: Connection,
        organization: str,
        *,
        after: int,
        most: int,
        side: int = 0,
        addressee: int = 0,
        outcomes: Sequence[int] = (),
        information: str = "",
        receipt: tuple[int, str] | None = None,
    ) -> list[RecordRow]:
        """Return records in order of writing; receipt: the number of its inquiry and the receipt number itself."""

    def changed(self, connection: Connection, organization: str, *, after: int, most: int) -> list[RecordRow]:
        """Return records changed after a position, in commit order."""

    def permit(
        self, connection: Connection, organization: str, rows: Iterable[tuple[int, bytes, str, str, int]]
    ) -> None:
        """Set (id, permit digest, legal basis, permission row, change)."""

    def end(self, connection: Connection, organization: str, rows: Iterable[RecordEnd]) -> None:
        """Set what took place."""

    def item_sets(self, connection: Connection, code_sets: Iterable[str]) -> dict[str, int]:
        """Return the number of each set of item codes, adding new ones; 0 is the empty set."""

    def item_codes(self, connection: Connection, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return the item codes of sets."""

    def keep_copies(
        self, connection: Connection, organization: str, rows: Iterable[tuple[bytes, bytes, int]], *, now: int
    ) -> None:
        """Replace (exchange, record as the network showed it or empty, the network's number of it)."""

    def copies(self, connection: Connection, organization: str, exchanges: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the network's records by exchange; absent = never fetched."""

    def copies_after(
        self, connection: Connection, organization: str, *, after: int, most: int
    ) -> list[tuple[int, bytes, bytes]]:
        """Return (the network's number, exchange, record) after a number, in its order."""

    def listing(self, connection: Connection, organization: str, generation: str) -> tuple[str, int]:
        """Return the token the network's list goes on from, and when its end was last seen, 0 = never."""

    def keep_listing(
        self, connection: Connection, organization: str, generation: str, *, token: str, listed: int
    ) -> None:
        """Replace how far the network's list was read."""


class Provisions(Protocol):
    """Provisions, the sealed batches they went out in, used nonces, and what waits for a person."""

    def add(self, connection: Connection, rows: Iterable[ProvisionRow]) -> None:
        """Insert provisions."""

    def by_ids(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, ProvisionRow]:
        """Return provisions by number."""

    def page(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[ProvisionRow]:
        """Return provisions in order of arrival."""

    def changed(
        self, connection: Connection, organization: str, *, after: int, states: Sequence[int], most: int
    ) -> list[ProvisionRow]:
        """Return provisions changed after a position, in commit order."""

    def settle(self, connection: Connection, row: ProvisionRow) -> None:
        """Replace a provision's state, answer, batch and change."""

    def add_batch(self, connection: Connection, row: AnswerBatchRow) -> None:
        """Insert a sealed batch."""

    def batches(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, AnswerBatchRow]:
        """Return sealed batches by number."""

    def nonces(self, connection: Connection, organization: str, nonces: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the permit digests under which nonces were used."""

    def use_nonces(self, connection: Connection, organization: str, rows: Iterable[UsedNonce]) -> None:
        """Note nonces as used."""

    def any_expired(self, connection: Connection, *, before: int) -> bool:
        """Whether a nonce's permit ran out."""

    def purge_nonces(self, connection: Connection, *, before: int, most: int) -> int:
        """Forget nonces of permits that ran out; return how many."""

    def add_waiting(self, connection: Connection, rows: Iterable[WaitingRow]) -> None:
        """Insert what waits for a person."""

    def waiting(self, connection: Connection, organization: str, id_: int) -> WaitingRow | None:
        """Return what waits under a provision."""

    def replace_waiting(self, connection: Connection, row: WaitingRow) -> None:
        """Replace what waits."""

    def drop_waiting(self, connection: Connection, organization: str, id_: int) -> None:
        """Drop what no longer waits."""
