# SPDX-License-Identifier: Apache-2.0
"""The contract's methods by name, from the generated code: what a request is made of and how a method streams."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

__all__ = ["Method", "find_method", "methods_of"]


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service."""

    descriptor: MethodDescriptor

    @property
    def path(self) -> str:
        """As HTTP/2 names it."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def name(self) -> str:
        """Service and method without the package."""
        return f"{self.descriptor.containing_service.name}/{self.descriptor.name}"

    @property
    def request_stream(self) -> bool:
        """Whether it takes a stream."""
        return bool(self.descriptor.client_streaming)

    @property
    def response_stream(self) -> bool:
        """Whether it answers with a stream."""
        return bool(self.descriptor.server_streaming)

    def request(self) -> type[Message]:
        """Return the class of its requests."""
        return GetMessageClass(self.descriptor.input_type)

    def response(self) -> type[Message]:
        """Return the class of its answers."""
        return GetMessageClass(self.descriptor.output_type)


@lru_cache
def methods_of(service: str) -> dict[str, Method]:
    """Return a service's methods by name. Errors: LookupError."""
    package, _, name = service.rpartition(".")
    file = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    try:
        module = import_module(f"{package}.{file}_pb2")
    except ImportError as error:
        raise LookupError(service) from error
    return {method.name: Method(method) for method in module.DESCRIPTOR.services_by_name[name].methods}


def find_method(call: str, service: str) -> Method:
    """Return the method a step calls: of the case's service unless it says which. Errors: LookupError."""
    named, _, method = call.rpartition("/")
    return methods_of(named or service)[method]
