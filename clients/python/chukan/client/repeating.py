# SPDX-License-Identifier: Apache-2.0
"""Repeating calls by the published policy, but after the delay a server names (`RetryInfo`) where it names one.

gRPC's own retries know that delay only as the trailer `grpc-retry-pushback-ms`, which not every server sends; the
contract demands RetryInfo. So the policy (service_config.json) is carried out here. A delay beyond the deadline of the
call is not waited for: the server's reason is told at once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from chukan.client.errors import error_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Gate", "Policy", "Repetition", "published_policy"]

__tracebackhide__ = True  # pytest shows the line that called

_PUSHBACK: Final = "grpc-retry-pushback-ms"
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be repeated ("/full.Service/Method"), after which statuses, how often, and the pauses in seconds."""

    methods: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    attempts: int = 1
    first: float = 0.0
    longest: float = 0.0
    factor: float = 1.0


@cache
def published_policy() -> Policy:
    """Return the policy of service_config.json."""
    whole = json.loads(files("chukan.client").joinpath("service_config.json").read_text("utf-8"))
    (config,) = whole["methodConfig"]
    policy = config["retryPolicy"]
    return Policy(
        frozenset(f"/{each['service']}/{each['method']}" for each in config["name"]),
        frozenset(policy["retryableStatusCodes"]),
        policy["maxAttempts"],
        float(policy["initialBackoff"].removesuffix("s")),
        float(policy["maxBackoff"].removesuffix("s")),
        policy["backoffMultiplier"],
    )


class Gate:
    """Where calls of one client wait; closing it ends all waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stir(self) -> None:
        """Let those who wait look whether they still should."""
        with self._changed:
            self._changed.notify_all()

    def passed(self, seconds: float, is_over: Callable[[], bool]) -> bool:
        """Wait; False if it was closed, or over, before."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._closed or is_over(), min(seconds, threading.TIMEOUT_MAX))


@dataclass(slots=True)
class Repetition:
    """One call and its repetitions. timeout: seconds for all of them together, None without end."""

    policy: Policy
    gate: Gate
    method: str
    timeout: float | None
    cancelled: bool = False
    _attempts: int = 1
    _began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float | None:
        """Seconds that are left of the call."""
        return None if self.timeout is None else max(self.timeout - (time.monotonic() - self._began), 0.0)

    def cancel(self) -> None:
        """Wait no more, and repeat no more."""
        self.cancelled = True
        self.gate.stir()

    def after(self, failed: Any) -> bool:  # noqa: ANN401  # gRPC's errors are calls as well, which no type says
        """Wait as long as the server or the policy says; whether the call is to be made once more then."""
        policy = self.policy
        if self.method not in policy.methods or self._attempts >= policy.attempts:
            return False
        if failed.code().name not in policy.statuses or self.cancelled:
            return False
        told, left = _told(failed), self.left
        if told is None:
            backoff = min(policy.first * policy.factor ** (self._attempts - 1), policy.longest)
            told = backoff * random.uniform(1 - _JITTER, 1 + _JITTER)  # lets clients come apart
        if told < 0 or (left is not None and told >= left):
            return False
        self._attempts += 1
        return self.gate.passed(told, lambda: self.cancelled)


def _told(failed: Any) -> float | None:  # noqa: ANN401  # as above
    """Return the seconds the server asks to wait, below zero for ever; None if it says nothing of it."""
    delay = error_of(failed).retry_after
    for key, text in failed.trailing_metadata() or ():
        if key == _PUSHBACK:
            pushback = int(text) / 1000 if str(text).isdecimal() else -1.0
            return pushback if pushback < 0 else max(pushback, delay or 0.0)
    return delay
