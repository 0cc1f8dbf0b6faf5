# SPDX-License-Identifier: Apache-2.0
"""Comparing the original's digests with the replicas (原本との突合): differences out, nothing else.

The digest of a record is the SHA-256 of `item code = value` lines, sorted by item code, nil as `item code ! reason`,
absent items left out (docs/reference/replica_digest): both sides can compute it, and it says nothing by itself.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from chukan.server.domain.content import unpack_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.server.domain.content import Item
    from chukan.server.middle.replicas import Replicas

__all__ = ["Difference", "DifferenceKind", "ReplicaComparison", "replica_digest"]


class DifferenceKind(IntEnum):
    """How original and replica differ; numbers as in the contract."""

    MISSING_IN_REPLICA = 1
    ONLY_IN_REPLICA = 2
    CONTENT_DIFFERS = 3


class Difference(NamedTuple):
    """One difference."""

    number: str
    record_key: str
    kind: DifferenceKind


def replica_digest(items: Iterable[Item]) -> bytes:
    """Return the digest of a record's items."""
    lines = sorted(
        f"{item.item_code}!{item.nil_reason}" if item.nil_reason else f"{item.item_code}={item.value}" for item in items
    )
    return hashlib.sha256("\n".join(lines).encode()).digest()


class ReplicaComparison:
    """Begins comparisons."""

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas

    def begin(self, organization: str) -> Comparing:
        """Return a comparison; it holds digests of one data set at a time."""
        return Comparing(self._replicas, organization)


@dataclass(slots=True)
class Comparing:
    """One comparison under way."""

    replicas: Replicas
    organization: str
    compared: int = 0
    _left: dict[tuple[str, str], dict[tuple[str, str], bytes]] = field(default_factory=dict)

    def compare(
        self, information: str, data_set: str, named: Sequence[tuple[str, str, bytes]], *, last: bool
    ) -> list[Difference]:
        """Compare (number, record key, digest) rows; with `last`, also report what was never named."""
        place = (information, data_set)
        if place not in self._left:
            self._left[place] = self._load(information, data_set)
        left = self._left[place]
        found: list[Difference] = []
        for number, record_key, digest in named:
            held = left.pop((number, record_key), None)
            if held is None:
                found.append(Difference(number, record_key, DifferenceKind.MISSING_IN_REPLICA))
            elif not hmac.compare_digest(held, digest):
                found.append(Difference(number, record_key, DifferenceKind.CONTENT_DIFFERS))
        self.compared += len(named)
        if last:
            found += [Difference(number, key, DifferenceKind.ONLY_IN_REPLICA) for number, key in left]
            del self._left[place]
        return found

    def _load(self, information: str, data_set: str) -> dict[tuple[str, str], bytes]:
        return {
            (number, row.record_key): replica_digest(unpack_row(row.item_codes, row.content))
            for page in self.replicas.export(self.organization, information)
            for number, row in page
            if row.data_set == data_set
        }
