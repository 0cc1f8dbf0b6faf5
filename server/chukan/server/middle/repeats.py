# SPDX-License-Identifier: Apache-2.0
"""One unary call, told by its request id (metadata `chukan-request-id`), has one effect however often it is sent.

Most changes are repeatable by what they say (record ids, states that stay as they are). Those that are not take a
`Repeat`: asked before anything is decided, kept inside the write of the effect. A call without a request id is always
a new one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from chukan.durable.idempotency import answered, once
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.server.ports import Connection, Environment

__all__ = ["Repeat"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A call that may have been made before."""

    organization: str = ""
    system: str = ""
    method: str = ""
    request_id: str = ""
    body_digest: bytes = b""

    def was_made(self, environment: Environment) -> bool:
        """Whether the same call had its effect already. Errors: IDEMPOTENCY_CONFLICT (same id, other content)."""
        if not self.request_id:
            return False
        with environment.database.read() as connection:
            return answered(connection, **asdict(self)) is not None

    def keep(self, connection: Connection, environment: Environment) -> None:
        """Inside the write of the effect: remember the call. Errors: CONCURRENT_CHANGE (its twin was quicker)."""
        if self.request_id:
            if answered(connection, **asdict(self)) is not None:
                raise ChukanError("CONCURRENT_CHANGE")
            once(connection, **asdict(self), clock=environment.clock, fn=lambda _: b"")
