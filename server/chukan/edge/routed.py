# SPDX-License-Identifier: Apache-2.0
"""One service for many homes: each call goes to the servicer of its caller's world (or shard).

The persistent world's servicer is called directly. What was open in a world when that was dropped ends with
WORLD_RESET, whatever the ground pulled from under it made it raise; a stream that only waits for its client ends with
its next message.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from chukan.standard.reasons import ChukanError

from .caller import current_caller
from .service import full_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from .caller import Caller
    from .service import Service

__all__ = ["Home", "routed"]


class Home(Protocol):
    """A world as calls find it."""

    @property
    def ended(self) -> bool:
        """Whether it was dropped."""

    def visited(self) -> AbstractContextManager[None]:
        """Note a call as long as it is open."""

    @property
    def servicers(self) -> Mapping[str, Any]:
        """What answers in it, by full name of the service."""


def routed(service: Service, home_of: Callable[[Caller], Home | None]) -> Service:
    """Return the service for all homes.

    home_of: finds the home of a caller, None for the service's own servicer, or raises WORLD_UNKNOWN.
    """
    methods: dict[str, Any] = {}
    for full_method, handler in full_methods(service).items():
        name = full_method.rpartition("/")[2]
        own = getattr(service.servicer, name)
        if hasattr(own, "feature"):
            methods[name] = own  # offered in no world
            continue
        forward = _streaming if handler.response_streaming else _single
        methods[name] = staticmethod(forward(service.full_name, name, own, home_of))
    return replace(service, servicer=type("Routed", (), methods)())


def _single(service: str, name: str, own: Any, home_of: Callable[[Caller], Home | None]) -> Any:  # noqa: ANN401 any RPC
    def forward(request: Any, context: Any) -> Any:  # noqa: ANN401 any RPC
        home = home_of(current_caller())
        if home is None:
            return own(request, context)
        try:
            with home.visited():
                answer = getattr(home.servicers[service], name)(request, context)
        except Exception:
            if home.ended:
                raise ChukanError("WORLD_RESET") from None
            raise
        if home.ended:
            raise ChukanError("WORLD_RESET")
        return answer

    return forward


def _streaming(service: str, name: str, own: Any, home_of: Callable[[Caller], Home | None]) -> Any:  # noqa: ANN401 any RPC
    def forward(request: Any, context: Any) -> Iterator[Any]:  # noqa: ANN401 any RPC
        home = home_of(current_caller())
        if home is None:
            yield from own(request, context)
            return
        try:
            with home.visited():
                yield from getattr(home.servicers[service], name)(request, context)
        except Exception:
            if home.ended:
                raise ChukanError("WORLD_RESET") from None
            raise
        if home.ended and context.is_active():
            raise ChukanError("WORLD_RESET")

    return forward
