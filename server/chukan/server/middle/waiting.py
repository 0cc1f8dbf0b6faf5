# SPDX-License-Identifier: Apache-2.0
"""What waits for a person, as kept sealed: the permit and the records that would be provided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.server.domain.exchange import AnswerContent, AnswerKind
from chukan.server.domain.merkle import HASH_SIZE

if TYPE_CHECKING:
    from chukan.server.domain.exchange import ResultRecord
    from chukan.server.ports.exchange import Codec

__all__ = ["Waiting", "pack_waiting", "unpack_waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The digest of the permits' statement, the permit's bytes, and the records that would be provided."""

    statement_digest: bytes
    permit: bytes
    records: tuple[ResultRecord, ...]


def pack_waiting(codec: Codec, waiting: Waiting) -> bytes:
    """Return the one value to be sealed."""
    kind = AnswerKind.VALUES if waiting.records else AnswerKind.NO_REPLICA
    content = codec.encode(AnswerContent(b"", "", kind, waiting.records))
    return waiting.statement_digest + len(waiting.permit).to_bytes(4, "big") + waiting.permit + content


def unpack_waiting(codec: Codec, packed: bytes) -> Waiting:
    """Return what waits."""
    start = HASH_SIZE + 4
    end = start + int.from_bytes(packed[HASH_SIZE:start], "big")
    return Waiting(packed[:HASH_SIZE], packed[start:end], codec.decode(AnswerContent, packed[end:]).records)
