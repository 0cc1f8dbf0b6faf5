# SPDX-License-Identifier: Apache-2.0
"""Paths of a case for clients against the contract: one that names no field would always find nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chukan.conformance.checks import parts_of
from chukan.conformance.contract import methods_of
from chukan.conformance.examiner.received import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chukan.conformance.contract import Method

__all__ = ["methods_meant", "unknown_of_call", "unknown_of_request", "unknown_of_row"]

_PLAIN: Final = ("call", "task", "status", "output", "deadline_ms", "since_ms")
_EXTRA: Final = ("request", "rows", "metadata", "answers")


def methods_meant(call: str) -> list[Method]:
    """Return the methods of a service that "full.Service/Method", or one with "*" at its end, means; none for more."""
    service, slash, name = call.rpartition("/")
    if not slash:
        return []
    try:
        methods = methods_of(service)
    except (LookupError, ValueError):
        return []
    if name.endswith("*"):
        return [method for each, method in methods.items() if each.startswith(name[:-1])]
    return [methods[name]] if name in methods else []


def unknown_of_call(paths: Iterable[str], methods: Sequence[Method]) -> Iterator[str]:
    """Say which paths through a received call name what no call has."""
    for path in paths:
        first, *rest = parts_of(path) or [""]
        if first in _PLAIN:
            known = not rest
        elif first == "request":
            known = not methods or any(_leads(each.request().DESCRIPTOR, rest) for each in methods)
        elif first == "answers":
            known = not methods or any(_leads(each.response().DESCRIPTOR, rest[1:]) for each in methods)
        elif first == "rows":
            known = not methods or any(_leads_row(each.request().DESCRIPTOR, rest[1:], rest[:1]) for each in methods)
        else:
            known = first in (*_EXTRA, "")
        if not known:
            yield f"looks at {path}, which no such call has"


def unknown_of_request(paths: Iterable[str], method: Method) -> Iterator[str]:
    """Say which paths through a request name no field of it."""
    for path in paths:
        if not _leads(method.request().DESCRIPTOR, parts_of(path)):
            yield f"looks at {path}, which is no field of its request"


def unknown_of_row(paths: Iterable[str], method: Method, rows_of: str) -> Iterator[str]:
    """Say which paths through a row name nothing of it."""
    request = method.request().DESCRIPTOR
    field = request.fields_by_name.get(rows_of)
    row: Any = field.message_type if field is not None and field.message_type is not None else request
    for path in paths:
        if not _leads(row, parts_of(path)):
            yield f"looks at {path}, which no row of {rows_of} has"


def _leads(message: Any, parts: Sequence[str]) -> bool:  # noqa: ANN401  # protobuf has two types for it
    """Whether each part names a field of the message before it; a list's entry, or all, is its message still."""
    for part in parts:
        if part == "*" or part.isdecimal():
            continue
        name = part.partition("=")[0]
        if message is None or name not in message.fields_by_name:
            return False
        if "=" not in part:
            message = message.fields_by_name[name].message_type
    return True


def _leads_row(request: Any, parts: Sequence[str], chosen: Sequence[str]) -> bool:  # noqa: ANN401  # as above
    named = [each.partition("=")[0] for each in (*chosen, *parts) if each != "*" and not each.isdecimal()]
    columns = {one_of(each.name) for each in request.fields}
    messages = [each.message_type for each in request.fields if each.message_type is not None]
    return columns.issuperset(named) or any(set(each.fields_by_name).issuperset(named) for each in messages)
