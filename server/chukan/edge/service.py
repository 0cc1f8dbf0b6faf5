# SPDX-License-Identifier: Apache-2.0
"""What a server serves: one entry per gRPC service, with the pool each of its RPCs runs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import grpc

    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]

__all__ = ["POOLS", "Registers", "Service", "full_methods", "pool_of", "service_faults"]

#: unary: answers at once. bulk: streams that end. watch: streams that don't. member: calls between servers.
POOLS = ("unary", "bulk", "watch", "member", "reflection", "main")
#: A stream here would hold the threads of those who only want an answer.
_SHORT = frozenset({"unary", "member"})


@dataclass(frozen=True, slots=True)
class Service:
    """A servicer, the generated function that adds it, its full name, and its pools.

    `pool` is for all RPCs that `pools` (RPC name → pool) doesn't name. Every streaming RPC must be given a pool that
    is not a short one. `callers` are the organizations that may call it; without any, everybody may.
    `mode_of` tells the mode an organization is set to; without it nobody's is asked.
    """

    servicer: Any
    add_to_server: Callable[[Any, Any], None]
    full_name: str
    pool: str = "unary"
    pools: Mapping[str, str] = field(default_factory=dict)
    callers: frozenset[str] = frozenset()
    mode_of: Callable[[str], str] | None = None


class Registers(Protocol):
    """What takes the handlers of a service."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler], /) -> None:
        """Take them, by method name."""


class _Recorder:
    """Stands in for a server while generated code adds a servicer to it."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Ignore the same handlers, once more, for old servers."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Remember them."""
        self.handlers.update({f"/{service}/{method}": handler for method, handler in handlers.items()})


def full_methods(service: Service) -> dict[str, Handler]:
    """Return the service's own handlers by full method, as the generated code declares them."""
    recorder = _Recorder()
    service.add_to_server(service.servicer, recorder)
    return recorder.handlers


def pool_of(service: Service, full_method: str) -> str:
    """Return the pool one RPC runs in."""
    return service.pools.get(full_method.rpartition("/")[2], service.pool)


def service_faults(service: Service) -> list[str]:
    """Say what is wrong with the entry, in one sentence each."""
    handlers = full_methods(service)
    wrong_service = [method for method in handlers if not method.startswith(f"/{service.full_name}/")]
    if wrong_service or not handlers:
        return [f"{service.full_name}: the function given adds other methods than this service's"]
    names = {method.rpartition("/")[2] for method in handlers}
    faults = [
        f"{service.full_name} has no RPC {name}, but a pool for it" for name in service.pools if name not in names
    ]
    for method, handler in handlers.items():
        pool = pool_of(service, method)
        if pool not in POOLS:
            faults.append(f"{method}: got pool {pool}, expected one of {', '.join(POOLS)}")
        elif pool in _SHORT and (handler.request_streaming or handler.response_streaming):
            faults.append(f"{method} streams and can't run in the pool {pool}: declare bulk or watch for it")
    return faults
