# SPDX-License-Identifier: Apache-2.0
"""Services of the contract that a later version offers: served all the same, so that a caller is told so by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.descriptor_pool import Default

from chukan.edge.deferred import deferred
from chukan.edge.service import Service
from chukan.edge.unimplemented import unimplemented, unimplemented_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["control_services", "later_services", "unvalidated_messages"]

_CONTROLS: Final[Mapping[str, str]] = {
    "SaveSnapshot": "snapshots",
    "RestoreSnapshot": "snapshots",
    "ListSnapshots": "snapshots",
    "DeleteSnapshot": "snapshots",
    "ListJournal": "journal",
    "WatchJournal": "journal",
    "VerifyJournal": "journal",
}
"""RPCs of the control port that a later version offers."""

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
}


def later_services() -> list[Service]:
    """Return the services of chukan.v1 that a later version offers."""
    return [_later("chukan.v1", name, feature) for name, feature in _LATER.items()]


def control_services(load: Callable[[], Any]) -> list[Service]:
    """Return the services of the control port; load: makes the servicer of what is offered, at the first call."""
    module = import_module("chukan.emulator.v1.emulator_service_pb2_grpc")
    servicer = type("Controls", (module.EmulatorServiceServicer,), {k: unimplemented(v) for k, v in _CONTROLS.items()})
    service = Service(
        servicer(),
        module.add_EmulatorServiceServicer_to_server,
        "chukan.emulator.v1.EmulatorService",
        pools={"WatchJournal": "watch"},
    )
    return [deferred(service, load)]


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
