# SPDX-License-Identifier: Apache-2.0
"""One unary call, told by its request id (metadata `chukan-request-id`), has one effect however often it is sent.

Most changes are repeatable by what they say (record ids, states that stay as they are). Those that are not take a
`Repeat`: asked before anything is decided, kept inside the write of the effect. A call without a request id is always
a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.durable.idempotency import once

if TYPE_CHECKING:
    from chukan.server.ports import Connection, Environment

__all__ = ["Repeat"]


class _FreshError(Exception):
    """No such call was made before."""


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
        try:
            environment.database.write(self.organization, lambda connection: self._once(connection, environment, True))
        except _FreshError:
            return False
        return True

    def keep(self, connection: Connection, environment: Environment) -> None:
        """Inside the write of the effect: remember the call."""
        if self.request_id:
            self._once(connection, environment, False)

    def _once(self, connection: Connection, environment: Environment, only_known: bool) -> bytes:  # noqa: FBT001
        def fresh(inner: Connection) -> bytes:
            del inner
            if only_known:
                raise _FreshError
            return b""

        return once(
            connection,
            organization=self.organization,
            system=self.system,
            method=self.method,
            request_id=self.request_id,
            body_digest=self.body_digest,
            clock=environment.clock,
            fn=fresh,
        )
