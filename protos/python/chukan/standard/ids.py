# SPDX-License-Identifier: Apache-2.0
"""Identifiers as an argument: time-ordered ones from the operating system, or seeded ones for repeatable runs.

Both are 26 characters of Crockford's base 32 (0-9, A-Z without I L O U), sort in the order of issue and say nothing
about a person. They are names, not secrets: nonces, tokens, salts and keys never come from here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from chukan.standard.clock import Clock

__all__ = ["Ids", "SeededIds", "SystemIds"]

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_ENTROPY_BITS: Final = 80
_ENTROPY_BYTES: Final = _ENTROPY_BITS // 8
_LENGTH: Final = 26


class Ids(Protocol):
    """What everything that names new things is given."""

    def next(self, kind: str) -> str:
        """Return a new identifier; kind names what it is for and is not part of it."""


class SystemIds:
    """Time-ordered identifiers: 48 bits of milliseconds, 80 bits of entropy, counted up within a millisecond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self, kind: str) -> str:
        """Return an identifier greater than every earlier one of this object."""
        del kind  # every kind draws from the same order
        now = int(self._clock.now().timestamp() * 1000) << _ENTROPY_BITS
        drawn = now | int.from_bytes(os.urandom(_ENTROPY_BYTES), "big")
        with self._lock:
            if drawn >> _ENTROPY_BITS <= self._last >> _ENTROPY_BITS:
                drawn = self._last + 1
            self._last = drawn
        return _encode(drawn)


class SeededIds:
    """Identifiers that depend on seed, kind and how many of the kind were asked for, and on nothing else."""

    def __init__(self, seed: int | str | bytes) -> None:
        self._key = seed if isinstance(seed, bytes) else str(seed).encode()
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def next(self, kind: str) -> str:
        """Return the next identifier of the kind."""
        with self._lock:
            ordinal = self._counts[kind] = self._counts.get(kind, 0) + 1
        digest = hmac.digest(self._key, f"{kind}\0{ordinal}".encode(), hashlib.sha256)
        return _encode(ordinal << _ENTROPY_BITS | int.from_bytes(digest[:_ENTROPY_BYTES], "big"))


def _encode(value: int) -> str:
    pairs = [_PAIRS[value >> shift & 1023] for shift in range(0, _LENGTH * 5, 10)]
    return "".join(reversed(pairs))
