# SPDX-License-Identifier: Apache-2.0
"""Which world a middle server's data belong to: what the adapter remembers of one means nothing in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.standard.reasons import ChukanError
from chukan.v1.operation_service_pb2 import GetStatusRequest

if TYPE_CHECKING:
    from chukan.client import Client

__all__ = ["Server", "server_of"]


class Server(NamedTuple):
    """world: its generation, "" where the server has learnt none yet; now: its time in microseconds."""

    world: str = ""
    now: int = 0


def server_of(client: Client) -> Server:
    """Return what a server says of itself; nothing where it offers no such thing."""
    try:
        status = client.operation.GetStatus(GetStatusRequest())
    except ChukanError as error:
        if error.reason.call_status != "UNIMPLEMENTED":
            raise
        return Server()
    return Server(status.world_generation, status.server_time.ToMicroseconds())
