# SPDX-License-Identifier: Apache-2.0
"""What a page token belongs to: one RPC, one caller in one world, the same filters. Elsewhere it would say nothing."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from chukan.edge.caller import current_caller

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["listing"]


def listing(name: str, request: Message) -> str:
    """Return the kind of token of one listing: of this RPC, this caller and these filters."""
    asked: Any = type(request)()
    asked.CopyFrom(request)
    for paging in ("page_token", "page_size"):
        asked.ClearField(paging)
    caller = current_caller()
    said = f"{caller.organization} {caller.world} ".encode() + asked.SerializeToString(deterministic=True)
    return f"{name}.{blake2b(said, digest_size=8).hexdigest()}"
