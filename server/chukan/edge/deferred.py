# SPDX-License-Identifier: Apache-2.0
"""A service whose servicer is made when the first call asks for it: a short start loads nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .service import Service

__all__ = ["deferred"]


def deferred(service: Service, load: Callable[[], Any]) -> Service:
    """Return the service answered by what `load` returns; RPCs that its own servicer marks as not offered stay so.

    load: makes the servicer, or returns the one it made; may raise ChukanError, which answers the call.
    """
    methods: dict[str, Any] = {}
    for name in (each for each in dir(service.servicer) if each[0].isupper()):
        own = getattr(service.servicer, name)
        methods[name] = own if hasattr(own, "feature") else staticmethod(_forward(name, load))
    return replace(service, servicer=type("Deferred", (), methods)())


def _forward(name: str, load: Callable[[], Any]) -> Any:  # noqa: ANN401 any RPC
    def forward(request: object, context: object) -> Any:  # noqa: ANN401 any RPC
        return getattr(load(), name)(request, context)

    return forward
