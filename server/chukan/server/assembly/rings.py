# SPDX-License-Identifier: Apache-2.0
"""Which key rings a process has: the members', and the network core's, which holds no key of theirs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from chukan.server.crypto.exchange_keys import RingKeys
from chukan.server.crypto.keyring import KeyRing
from chukan.server.domain.exchange import NETWORK

if TYPE_CHECKING:
    from chukan.server.assembly.foundation import Foundation

__all__ = ["core_ring", "keys_of_both", "member_ring"]


def member_ring(foundation: Foundation) -> KeyRing:
    """Return the ring of the members served here: on disk in a directory of their own, else in memory."""
    directory = foundation.config.keys_directory
    if directory is None:
        return KeyRing.in_memory(foundation.clock, serves=foundation.organizations)
    return KeyRing.open(directory, foundation.clock, serves=foundation.organizations)


def core_ring(foundation: Foundation, members: KeyRing | None) -> KeyRing:
    """Return the core's ring: on disk certified once by the members' authority, in memory with the members'."""
    config = foundation.config
    directory = config.network_keys_directory
    if directory is not None:
        certified_by = config.authority if members is None else config.keys_directory
        return KeyRing.open_core(directory, foundation.clock, certified_by=certified_by)
    if members is None:
        return KeyRing.in_memory(foundation.clock, serves=frozenset({NETWORK}))
    return members.core_in_memory()


def keys_of_both(foundation: Foundation) -> tuple[RingKeys, RingKeys]:
    """Return the keys of members and core in one process.

    One world of many makes them when the first statement is signed: most worlds rest before that. A server has those of
    the authority and the network from its start, which a file of theirs ends that can't be used; a member's own are
    read when they are first needed.
    """
    rings = _Both(foundation)
    if not foundation.resting:
        rings.get()
    return RingKeys(lambda: rings.get()[0]), RingKeys(lambda: rings.get()[1])


class _Both:
    """The two rings, made once. Safe for threads."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._lock = threading.Lock()
        self._rings: tuple[KeyRing, KeyRing] | None = None

    def get(self) -> tuple[KeyRing, KeyRing]:
        if self._rings is None:
            with self._lock:
                self._rings = self._rings or self._make()
        return self._rings

    def _make(self) -> tuple[KeyRing, KeyRing]:
        members = member_ring(self._foundation)
        core = core_ring(self._foundation, members)
        members.learn(core.shown(NETWORK))
        return members, core
