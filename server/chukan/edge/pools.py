# SPDX-License-Identifier: Apache-2.0
"""Bounded thread pools, one per class of RPC.

One pool for all deadlocks: a server that calls a server that calls back waits for a thread that waits for it. So
`unary`, `bulk`, `watch` and `member` calls never wait for each other's threads, and what exceeds a pool's room is
refused at once instead of queueing without end.
What it gives up: a caller that opens a unary call and never sends its message holds a thread until its deadline or
its connection's keep-alive ends it (synchronous gRPC reads the message on the pool's thread).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BoundedPool", "PoolSize", "PoolSizes", "Pools", "pool_refusal"]


class PoolSize(NamedTuple):
    """`waiting` calls may wait for one of `threads`; one more is refused with `refusal` (a reason)."""

    threads: int
    waiting: int
    refusal: str = "OVERLOADED"


class PoolSizes(NamedTuple):
    """More threads are not faster: they wait on one interpreter lock and one writer [measured]."""

    unary: PoolSize = PoolSize(16, 1024)
    bulk: PoolSize = PoolSize(8, 64)
    watch: PoolSize = PoolSize(64, 0, "WATCHES_EXHAUSTED")
    member: PoolSize = PoolSize(16, 1024)
    reflection: PoolSize = PoolSize(4, 16)


#: Threads of gRPC's own pool: health, channelz, unknown methods. Nothing that can wait for us runs there.
_MAIN_THREADS = 4
#: Threads that tell the refused ones that they are.
_REFUSING_THREADS = 4


class _Refusal(threading.local):
    """Set on the thread that tells a caller it is refused."""

    reason = ""


_REFUSAL = _Refusal()


def pool_refusal() -> str:
    """Return the reason why this thread's call must be refused, or "" when it has a place."""
    return _REFUSAL.reason


class BoundedPool(ThreadPoolExecutor):
    """A thread pool that knows how much it holds and passes what is too much to another pool, marked as refused."""

    def __init__(self, name: str, size: PoolSize, overflow: ThreadPoolExecutor) -> None:
        super().__init__(max_workers=size.threads, thread_name_prefix=f"chukan-{name}")
        self._room = size.threads + size.waiting
        self._refusal = size.refusal
        self._overflow = overflow
        self._held = 0
        self._held_lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Run it here, or have it refused."""
        with self._held_lock:
            full = self._held >= self._room
            self._held += not full
        if full:
            return self._overflow.submit(_refuse, self._refusal, fn, args, kwargs)
        try:
            return super().submit(self._run, fn, args, kwargs)
        except BaseException:
            self._leave()
            raise

    def _run(self, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        try:
            return fn(*args, **kwargs)
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._held_lock:
            self._held -= 1


def _refuse(reason: str, fn: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    _REFUSAL.reason = reason
    try:
        return fn(*args, **kwargs)
    finally:
        _REFUSAL.reason = ""


class Pools:
    """All pools of one server."""

    def __init__(self, sizes: PoolSizes) -> None:
        self._refusing = ThreadPoolExecutor(_REFUSING_THREADS, thread_name_prefix="chukan-refusing")
        self.main = ThreadPoolExecutor(_MAIN_THREADS, thread_name_prefix="chukan-main")
        self._by_name = {
            name: BoundedPool(name, getattr(sizes, name), self._refusing)
            for name in ("unary", "bulk", "watch", "member", "reflection")
        }

    def named(self, name: str) -> ThreadPoolExecutor:
        """Return the pool of a class; "main" is gRPC's own."""
        return self.main if name == "main" else self._by_name[name]

    def close(self) -> None:
        """Take no more work; threads end with what they are doing."""
        for pool in (self.main, *self._by_name.values(), self._refusing):
            pool.shutdown(wait=False, cancel_futures=True)
