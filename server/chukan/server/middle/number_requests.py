# SPDX-License-Identifier: Apache-2.0
"""Requests for processing numbers (処理通番) as they wait in the outbox, and the tokens they are made with.

A request has a number of its organization's own: the network learns how often the organization asked, as it does
anyway; the outbox's number would show by its gaps what all organizations here do. Payload: that number, then the
surrogates of the addressees, 8 bytes each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.durable.changes import next_change_seq

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.ports import Connection, Outbox, OutboxItem, Vault

__all__ = ["ISSUE", "NumberRequest", "add_requests"]

ISSUE: Final = "issue_processing_numbers"
"""Outbox kind: ask the network for processing numbers."""
_BLOCK: Final = 1_000
"""Addressees of one outbox row: what one call to the network carries."""
_WIDTH: Final = 8
_TOKEN: Final = 44


class NumberRequest(NamedTuple):
    """One request; number: which one of its organization's it is, from 1."""

    organization: str
    item: int
    number: int
    ids: Sequence[int]

    @classmethod
    def of(cls, item: OutboxItem) -> NumberRequest:
        """Return the request of an outbox row."""
        payload = item.payload
        words = [int.from_bytes(payload[at : at + _WIDTH], "big") for at in range(0, len(payload), _WIDTH)]
        return cls(item.organization, item.id, words[0], words[1:])

    def tokens(self, vault: Vault) -> list[str]:
        """Return the tokens of its acquisitions: the same when it is tried again, unrelated to the address numbers.

        They begin with the request's number and ascend with it: an index of tokens in no order would be written all
        over by every batch.
        """
        named = [f"{self.number}/{key}" for key in self.ids]
        digests = vault.index_digest_many(self.organization, "acquisition.token", named)
        return [f"{self.number:012x}{digest.hex()}"[:_TOKEN] for digest in digests]


def add_requests(connection: Connection, outbox: Outbox, organization: str, ids: Sequence[int]) -> None:
    """Write the outbox rows by which processing numbers are asked for."""
    for start in range(0, len(ids), _BLOCK):
        number = next_change_seq(connection, f"acquisition.{organization}")
        payload = b"".join([word.to_bytes(_WIDTH, "big") for word in (number, *ids[start : start + _BLOCK])])
        outbox.add(connection, kind=ISSUE, organization=organization, payload=payload)
