# SPDX-License-Identifier: Apache-2.0
"""Services of the contract that a later version offers: served all the same, so that a caller is told so by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor_pool import Default

from chukan.edge.service import Service
from chukan.edge.unimplemented import unimplemented_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["control_services", "later_services", "unvalidated_messages"]

_WORLDS: Final = "worlds, clock and faults"
_LATER: Final[Mapping[str, str]] = {
    "AccessService": "registered systems and terminals",
    "DisclosureService": "disclosure flags",
    "InHouseService": "in-house inquiries",
    "NoticeService": "notices",
    "SelfInformationService": "self-information",
    "StaffService": "staff",
}
_STREAMING: Final[Mapping[str, Mapping[str, str]]] = {
    "StaffService": {"ImportStaff": "bulk"},
    "EmulatorService": {"WatchJournal": "watch"},
}


def later_services() -> list[Service]:
    """Return the services of chukan.v1 that a later version offers."""
    return [_later("chukan.v1", name, feature) for name, feature in _LATER.items()]


def control_services() -> list[Service]:
    """Return the services of the control port."""
    return [_later("chukan.emulator.v1", "EmulatorService", _WORLDS)]


def unvalidated_messages(services: Iterable[Service]) -> frozenset[str]:
    """Return the requests of RPCs not offered: they are answered so, whatever they hold."""
    found = set()
    for service in services:
        for method in Default().FindServiceByName(service.full_name).methods:
            if hasattr(getattr(service.servicer, method.name), "feature"):
                found.add(method.input_type.full_name)
    return frozenset(found)


@cache
def _later(package: str, name: str, feature: str) -> Service:
    """Return one service, the same for every world.

    Its generated module is imported here, so that a short start can leave it for later.
    """
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
    module = import_module(f"{package}.{snake}_pb2_grpc")
    return Service(
        unimplemented_service(getattr(module, f"{name}Servicer"), feature),
        getattr(module, f"add_{name}Servicer_to_server"),
        f"{package}.{name}",
        pools=_STREAMING.get(name, {}),
    )
