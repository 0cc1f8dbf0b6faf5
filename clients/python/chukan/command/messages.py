# SPDX-License-Identifier: Apache-2.0
"""How the contract's values are shown to people: states without their prefix, instants in Japanese time, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chukan.standard.clock import JAPAN
from chukan.standard.organizations import organization
from chukan.standard.reasons import ChukanError, reason

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from chukan.command.language import Language
    from chukan.v1.common_pb2 import ItemValue, Period

__all__ = ["item_names", "item_text", "named", "period_text", "reason_text", "state", "when"]


def state(enum: Any, value: int, prefix: str) -> str:  # noqa: ANN401  # generated enum wrappers have no common type
    """Return an enum value's name without its prefix; nothing for the unspecified one."""
    name = str(enum.Name(value)).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name


def when(instant: Timestamp) -> str:
    """Return an instant in Japanese time, which it says; nothing if it is absent."""
    if not instant.seconds:
        return ""
    from datetime import UTC

    return instant.ToDatetime(tzinfo=UTC).astimezone(JAPAN).strftime("%Y-%m-%d %H:%M:%S JST")


def named(code: str) -> str:
    """Return an organization's code with its name."""
    try:
        return f"{code} {organization(code).name}" if code else ""
    except ChukanError:
        return code


def reason_text(code: str, language: Language) -> str:
    """Return a reason's code with its sentence."""
    from chukan.command.language import Text

    if not code:
        return ""
    try:
        found = reason(code)
    except LookupError:
        return code
    return f"{code}: {Text(found.english, found.japanese).word(language)}"


def period_text(period: Period) -> str:
    """Return a period, open ends left out."""
    return f"{period.start_date}-{period.end_date}" if period.start_date or period.end_date else ""


def item_text(item: ItemValue) -> str:
    """Return an item's value, or nil with its reason: never the same as an empty value."""
    if item.WhichOneof("content") == "nil_reason":
        from chukan.standard.layouts import NIL_REASONS

        known = NIL_REASONS.get(item.nil_reason)
        return f"nil({item.nil_reason} {known.japanese if known else '?'})"
    return item.value


def item_names(information: str, edition: str, data_set: str) -> dict[str, str]:
    """Return the names of a data set's items by code; none if the layout is not known here."""
    from chukan.standard.layouts import layout

    try:
        return {item.code: item.name for item in layout(information, edition).data_set(data_set).items}
    except ChukanError:
        return {}
