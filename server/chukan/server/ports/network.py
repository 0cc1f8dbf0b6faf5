# SPDX-License-Identifier: Apache-2.0
"""What the network core needs: its own tables, and the middle servers it delivers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.acquisition import Acquisition, LinkageCodeRow
    from chukan.server.domain.linkage import BatchAnswer, CodeDelivery
    from chukan.server.domain.network_exchange import (
        Commitment,
        ExchangeMark,
        ExchangeStanding,
        NetworkExchange,
        NewExchange,
    )
    from chukan.server.domain.resident import KnownResident, ResidentRow
    from chukan.server.ports.environment import Connection

__all__ = [
    "CodeMember",
    "Exchanges",
    "LinkageCodes",
    "Members",
    "ProcessingNumbers",
    "Residents",
]


class ProcessingNumbers(Protocol):
    """Acquisitions by token and by row; another organization's are absent."""

    def by_tokens(self, connection: Connection, organization: str, tokens: Sequence[str], /) -> dict[str, Acquisition]:
        """Return acquisitions by the token they were asked for with."""

    def by_ids(self, connection: Connection, organization: str, ids: Iterable[int], /) -> dict[int, Acquisition]:
        """Return acquisitions by row."""

    def add(
        self,
        connection: Connection,
        organization: str,
        tokens: Sequence[str],
        secrets: Sequence[str],
        expire: int,
        /,
    ) -> list[Acquisition]:
        """Open one acquisition per token, in order; expire in milliseconds."""

    def settle(self, connection: Connection, rows: Sequence[tuple[int, int, str, int]], /) -> None:
        """Set (state, resident, reason, row)."""

    def purge(self, connection: Connection, ids: Iterable[int], /) -> None:
        """Drop the numbers of finished acquisitions."""

    def expired(self, connection: Connection, /, *, before: int, most: int) -> list[int]:
        """Return rows whose numbers are kept and expired before an instant (milliseconds)."""

    def forget(self, connection: Connection, ids: Iterable[int], /) -> None:
        """Drop the numbers of acquisitions that nobody finished."""


class Residents(Protocol):
    """Residents by keyed digests."""

    def known(self, connection: Connection, digests: Sequence[bytes], /) -> dict[bytes, KnownResident]:
        """Return residents by the digest of their individual number, or of one they had before."""

    def by_codes(self, connection: Connection, digests: Sequence[bytes], /) -> dict[bytes, KnownResident]:
        """Return residents by the digest of their 住民票コード."""

    def identities(self, connection: Connection, ids: Sequence[int], /) -> dict[int, bytes]:
        """Return sealed identities by row."""

    def add(self, connection: Connection, rows: Sequence[ResidentRow], /) -> None:
        """Add residents whose numbers are new."""

    def change(self, connection: Connection, rows: Iterable[tuple[int, ResidentRow]], /) -> None:
        """Replace what is known of residents, named by their rows."""

    def note_former(self, connection: Connection, rows: Sequence[tuple[bytes, int]], /) -> None:
        """Remember (digest of a number, row) of numbers that residents have no more."""

    def candidates(
        self, connection: Connection, *, name_key: int | None = None, place_key: int | None = None
    ) -> list[tuple[bytes, bytes]]:
        """Return (number digest, sealed identity) of those who may match."""


class LinkageCodes(Protocol):
    """Linkage codes (符号) by keyed digest and by resident."""

    def residents(self, connection: Connection, organization: str, digests: Sequence[bytes], /) -> dict[bytes, int]:
        """Return whose codes these are."""

    def codes(
        self, connection: Connection, organization: str, residents: Sequence[int], /
    ) -> dict[int, LinkageCodeRow]:
        """Return the organization's codes of these residents."""

    def add(self, connection: Connection, organization: str, rows: Sequence[LinkageCodeRow], /) -> None:
        """Add codes of residents who have none at this organization."""


class Exchanges(Protocol):
    """Requests, exchanges, permits and commitments."""

    def by_digests(self, connection: Connection, digests: Sequence[bytes], /) -> dict[bytes, NetworkExchange]:
        """Return exchanges by digest."""

    def standings(self, connection: Connection, digests: Sequence[bytes], /) -> dict[bytes, ExchangeStanding]:
        """Return where exchanges stand, by digest."""

    def known(self, connection: Connection, digests: Sequence[bytes], /) -> set[bytes]:
        """Return which of these digests have an exchange."""

    def by_ids(self, connection: Connection, ids: Iterable[int], /) -> list[NetworkExchange]:
        """Return exchanges by row, in order."""

    def permit_leaves(self, connection: Connection, exchanges: Sequence[int], /) -> dict[int, bytes]:
        """Return the sealed permits of exchanges that have one."""

    def request_digests(self, connection: Connection, requests: Iterable[int], /) -> dict[int, bytes]:
        """Return the digests of request statements."""

    def add(
        self,
        connection: Connection,
        *,
        inquirer: str,
        request_digest: bytes,
        request_statement: bytes,
        exchanges: Sequence[NewExchange],
    ) -> list[int]:
        """Add what one request brought; return the rows of its exchanges."""

    def commit(self, connection: Connection, commitments: Sequence[Commitment], /) -> list[int]:
        """Keep signed statements; return their rows."""

    def mark(self, connection: Connection, marks: Iterable[ExchangeMark], /) -> None:
        """Set what answers say about their exchanges."""

    def acknowledge(self, connection: Connection, rows: Iterable[int], commitment: int, /) -> None:
        """Note that the inquirer's receipt is held."""

    def end(self, connection: Connection, rows: Iterable[tuple[int, int, str]], /) -> None:
        """Set (row, outcome, reason) of exchanges that end without an answer."""

    def half(self, connection: Connection, /) -> int:
        """Return of how many exchanges the provider's signed answer is held and the inquirer's receipt is not."""

    def drop_permits(self, connection: Connection, /, *, before: int, most: int) -> int:
        """Delete permits that ran out before an instant (milliseconds); return how many."""

    def page(self, connection: Connection, organization: str, /, *, after: int, most: int) -> list[NetworkExchange]:
        """Return an organization's exchanges after a row, in order."""


class Members(Protocol):
    """The directory of members."""

    def all(self, connection: Connection, /) -> Sequence[tuple[str, bytes, str]]:
        """Return every member: organization, keys, endpoint."""

    def put(self, connection: Connection, organization: str, keys: bytes, endpoint: str, /) -> None:
        """Add a member or replace what it announced before."""


class CodeMember(Protocol):
    """A middle server as codes are delivered to it; organization = the member called."""

    def deliver_codes(self, organization: str, deliveries: Sequence[CodeDelivery]) -> BatchAnswer:
        """Deliver codes, or reasons why there are none; the answer means durable."""
