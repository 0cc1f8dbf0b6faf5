# SPDX-License-Identifier: Apache-2.0
"""What waits for a person, as kept sealed: the permit and the records that would be provided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.exchange import AnswerContent, AnswerKind, PermitLeaf

if TYPE_CHECKING:
    from chukan.server.domain.exchange import ResultRecord
    from chukan.server.ports.exchange import Codec

__all__ = ["pack_waiting", "unpack_waiting"]


def pack_waiting(codec: Codec, permit: bytes, records: tuple[ResultRecord, ...]) -> bytes:
    """Return the one value to be sealed; permit: the leaf's bytes."""
    kind = AnswerKind.VALUES if records else AnswerKind.NO_REPLICA
    return len(permit).to_bytes(4, "big") + permit + codec.encode(AnswerContent(b"", "", kind, records))


def unpack_waiting(codec: Codec, packed: bytes) -> tuple[bytes, PermitLeaf, tuple[ResultRecord, ...]]:
    """Return the permit's bytes, what they say, and the records."""
    end = 4 + int.from_bytes(packed[:4], "big")
    permit = packed[4:end]
    return permit, codec.decode(PermitLeaf, permit), codec.decode(AnswerContent, packed[end:]).records
