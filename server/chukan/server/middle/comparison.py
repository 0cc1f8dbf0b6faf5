# SPDX-License-Identifier: Apache-2.0
"""Comparing the original's digests with the replicas (原本との突合): differences out, nothing else.

The digest of a record is the SHA-256 over its edition, period of publication, parent and ward, a line each, and a line
per item (docs/reference/replica_digest): both sides can compute it, and it says nothing by itself. All that decides
whether and how the record is answered is in it, so that no wrong edition or period compares as equal.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.content import unpack_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.content import Item
    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.middle.replicas import Replicas

__all__ = ["Difference", "DifferenceKind", "DigestedRecord", "ReplicaComparison", "digest_lines", "replica_digest"]

_FORM: Final = "chukan-replica-digest-v1"


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


class DigestedRecord(NamedTuple):
    """What is digested of a record; days yyyyMMdd, empty = none."""

    edition: str
    start_date: str
    end_date: str
    parent_record_key: str
    ward_code: str
    items: Sequence[Item]


def digest_lines(record: DigestedRecord) -> list[str]:
    """Return the lines the digest is made of, in order."""
    items = sorted(
        f"{item.item_code}!{item.nil_reason}" if item.nil_reason else f"{item.item_code}={item.value}"
        for item in record.items
    )
    head = [f"{name}={value}" for name, value in zip(DigestedRecord._fields[:-1], record[:-1], strict=True)]
    return [_FORM, *head, *items]


def replica_digest(record: DigestedRecord) -> bytes:
    """Return the digest of a record."""
    return hashlib.sha256("\n".join(digest_lines(record)).encode()).digest()


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
            (number, row.record_key): replica_digest(_digested(row))
            for page in self.replicas.export(self.organization, information)
            for number, row in page
            if row.data_set == data_set
        }


def _digested(row: ReplicaRow) -> DigestedRecord:
    items = unpack_row(row.item_codes, row.content)
    return DigestedRecord(row.edition, row.start_date, row.end_date, row.parent_key, row.ward_code, items)
