# SPDX-License-Identifier: Apache-2.0
"""Who calls: the caller of the RPC in hand, and how a caller is written into metadata.

The keys stand in the contract; the values are the ones a middle server's header carries [own]
(docs/divergences, section "caller metadata").
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from time import monotonic

__all__ = ["METADATA_KEYS", "Caller", "current_caller", "set_caller"]

#: Metadata key → field of `Caller`.
METADATA_KEYS = {
    "chukan-organization": "organization",
    "chukan-system": "system",
    "chukan-terminal": "terminal",
    "chukan-department": "department",
    "chukan-user": "user",
    "chukan-mode": "mode",
    "chukan-world": "world",
    "chukan-request-id": "request_id",
    "traceparent": "traceparent",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """One call's caller. `organization` is proven (certificate) or, on plaintext loopback, believed.

    `mode` is empty where the call says none: then it is the organization's.
    `deadline` is on the monotonic clock; None when the caller set none.
    """

    organization: str
    system: str = ""
    terminal: str = ""
    department: str = ""
    user: str = ""
    mode: str = ""
    world: str = ""
    request_id: str = ""
    traceparent: str = ""
    deadline: float | None = None

    def remaining(self) -> float | None:
        """Return the seconds left until the deadline (negative once it has passed); None without one."""
        return None if self.deadline is None else self.deadline - monotonic()

    def onward(self) -> Caller:
        """Return the caller for a further call on this one's behalf: a request id is never forwarded."""
        return replace(self, request_id="", deadline=None)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Write it as metadata; an empty field is not sent."""
        return tuple((key, value) for key, field in METADATA_KEYS.items() if (value := getattr(self, field)))


_CALLER: ContextVar[Caller] = ContextVar("chukan_caller")


def current_caller() -> Caller:
    """Return the caller of the RPC this thread is serving; LookupError outside of one and in health and reflection."""
    return _CALLER.get()


def set_caller(caller: Caller) -> None:
    """Say who calls, once per RPC; gRPC and the in-process transport give each RPC its own context."""
    _CALLER.set(caller)
