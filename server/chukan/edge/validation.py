# SPDX-License-Identifier: Apache-2.0
"""The rules the contract declares on its messages (protovalidate), checked before a handler sees a message.

Two more rules hold for every message, for the single texts in it (an id, a code, a reason; not what its rows hold,
which their handlers check): none is an individual number (個人番号), unless the field is there for one; and what names
something (`batch_id`, `user_id` …) is printable, because it is kept, listed and logged as it came.

A message type without rules is found once and costs a dictionary look-up from then on; so does a type the server is
told to skip because its handler checks the columns faster itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chukan.standard.numbers import looks_like_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message
    from protovalidate import Violation

__all__ = ["Validation"]

_FOR_INDIVIDUAL_NUMBERS = frozenset({"individual_number"})
_INDIVIDUAL_NUMBER_LENGTH = 12


class Validation:
    """Checks messages; one per server, shared by all threads."""

    def __init__(self, *, skip: frozenset[str] = frozenset()) -> None:
        """`skip`: full names of message types that are not checked here."""
        self._skip = skip
        self._checks: dict[type[Message], Callable[[Message], list[Violation]] | None] = {}
        self._texts: dict[type[Message], _Texts] = {}
        self._collect: Callable[[Message], list[Violation]] | None = None

    def prepare(self) -> None:
        """Load the validator now instead of with the first message that has rules."""
        self._validator()

    def check(self, message: Message) -> None:
        """Raise INVALID_FIELD with every broken rule, or INDIVIDUAL_NUMBER_REFUSED; values are never quoted."""
        try:
            collect = self._checks[type(message)]
        except KeyError:
            collect = self._learn(message)
        violations = collect(message) if collect is not None else ()
        if violations:
            raise ChukanError("INVALID_FIELD", violations=[_shown(violation) for violation in violations])
        texts = self._texts[type(message)]
        found = _individual_number(message, texts)
        if found:
            raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field=found)
        found = _unprintable(message, texts)
        if found:
            raise ChukanError("INVALID_FIELD", violations=[(found, "printable characters")])

    def _learn(self, message: Message) -> Callable[[Message], list[Violation]] | None:
        descriptor: Any = message.DESCRIPTOR  # the stubs know two classes of descriptors
        skipped = descriptor.full_name in self._skip
        self._texts[type(message)] = _NO_TEXTS if skipped else _texts(descriptor, ())
        wanted = not skipped and _has_rules(descriptor, set())
        collect = self._checks[type(message)] = self._validator() if wanted else None
        return collect

    def _validator(self) -> Callable[[Message], list[Violation]]:
        if self._collect is None:
            from protovalidate import Validator  # noqa: PLC0415  # 50 ms: after a start, not in it

            self._collect = Validator().collect_violations
        return self._collect


class _Texts(NamedTuple):
    """Names of a message's single texts, those of ids, and the same of the single messages in it."""

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    parts: tuple[tuple[str, _Texts], ...] = ()


_NO_TEXTS = _Texts()


def _texts(descriptor: Descriptor, above: tuple[str, ...]) -> _Texts:
    single = [field for field in descriptor.fields if not field.is_repeated]
    names = [
        field.name for field in single if field.type == field.TYPE_STRING and field.name not in _FOR_INDIVIDUAL_NUMBERS
    ]
    here = (*above, descriptor.full_name)
    parts = [
        (field.name, _texts(field.message_type, here))
        for field in single
        if field.message_type is not None and field.message_type.full_name not in here
    ]
    ids = tuple(name for name in names if name.endswith("_id"))
    return _Texts(tuple(names), ids, tuple(each for each in parts if each[1] != _NO_TEXTS))


def _individual_number(message: Message, texts: _Texts) -> str:
    """Return the path of a text that is an individual number, empty if there is none."""
    for name in texts.names:
        value = getattr(message, name)
        if len(value) >= _INDIVIDUAL_NUMBER_LENGTH and looks_like_individual_number(value):
            return name
    for name, inner in texts.parts:
        if message.HasField(name):
            found = _individual_number(getattr(message, name), inner)
            if found:
                return f"{name}.{found}"
    return ""


def _unprintable(message: Message, texts: _Texts) -> str:
    """Return the path of an id with a character nobody sees, empty if there is none."""
    for name in texts.ids:
        if not getattr(message, name).isprintable():
            return name
    for name, inner in texts.parts:
        if message.HasField(name):
            found = _unprintable(getattr(message, name), inner)
            if found:
                return f"{name}.{found}"
    return ""


def _has_rules(descriptor: Descriptor, seen: set[str]) -> bool:
    from buf.validate import validate_pb2  # noqa: PLC0415  # registers the options, or they read as unknown fields

    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    return (
        descriptor.GetOptions().HasExtension(validate_pb2.message)
        or any(oneof.GetOptions().HasExtension(validate_pb2.oneof) for oneof in descriptor.oneofs)
        or any(
            field.GetOptions().HasExtension(validate_pb2.field)
            or (field.message_type is not None and _has_rules(field.message_type, seen))
            for field in descriptor.fields
        )
    )


def _shown(violation: Violation) -> tuple[str, str]:
    """Return path and rule. A map's key may be a value of a person, so it is not in the path."""
    path = ""
    proto = violation.proto
    for element in proto.field.elements if proto.field else ():
        path += ("." if path else "") + element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value}]" if element.subscript.field == "index" else "[*]"
    return path, proto.message or proto.rule_id
