# SPDX-License-Identifier: Apache-2.0
"""Which world a middle server's data belong to: what the adapter remembers of one means nothing in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError
from chukan.v1.operation_service_pb2 import GetStatusRequest

if TYPE_CHECKING:
    from chukan.client import Client

__all__ = ["world_generation"]


def world_generation(client: Client) -> str:
    """Return the server's world generation; "" where it has learnt none yet, or offers no such thing."""
    try:
        return client.operation.GetStatus(GetStatusRequest()).world_generation
    except ChukanError as error:
        if error.reason.call_status != "UNIMPLEMENTED":
            raise
        return ""
