# SPDX-License-Identifier: Apache-2.0
"""Paths through an answer, and the rules a case lays upon what stands there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from chukan.conformance.template import filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.cases.v1.case_pb2 import Check

__all__ = ["MISSING", "broken_path", "broken_rule", "look_up", "parts_of", "text_of"]


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING: Final = _Missing()
"""What stands where nothing stands: absent is absent, never zero."""

_PART: Final = re.compile(r"([a-z_0-9]+)|\[(\*|[0-9]+|[a-z_]+=[^\]]*)\]")


def broken_path(path: str) -> bool:
    """Whether no path is written so."""
    rest = _PART.sub("", path)
    return bool(rest.replace(".", ""))


def look_up(document: Any, path: str) -> Any:  # noqa: ANN401  # JSON
    """Return what stands at a path, MISSING if nothing does."""
    return _walk(document, parts_of(path))


def parts_of(path: str) -> list[str]:
    """Return the steps of a path: names, numbers, "*", key=value."""
    return [name or rule for name, rule in _PART.findall(path)]


def _walk(found: Any, parts: list[str]) -> Any:  # noqa: ANN401  # JSON
    for at, part in enumerate(parts):
        if part == "*":
            below = [_walk(each, parts[at + 1 :]) for each in found] if isinstance(found, list) else []
            return [each for each in below if each is not MISSING]
        found = _step(found, part)
        if found is MISSING:
            return MISSING
    return found


def _step(found: Any, part: str) -> Any:  # noqa: ANN401  # JSON
    if isinstance(found, dict):
        return found.get(part, MISSING)
    if not isinstance(found, list):
        return MISSING
    if part.isdecimal():
        return found[int(part)] if int(part) < len(found) else MISSING
    key, _, wanted = part.partition("=")
    return next((each for each in found if isinstance(each, dict) and text_of(each.get(key)) == wanted), MISSING)


def text_of(value: Any) -> str:  # noqa: ANN401  # JSON
    """Return a value as a case writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)


def broken_rule(check: Check, found: Any, value: Callable[[str], str]) -> str:  # noqa: ANN401  # JSON
    """Return what was expected if the rule does not hold, "" if it does."""
    name = str(check.WhichOneof("rule"))
    wanted = getattr(check, name)
    if isinstance(wanted, str):
        wanted = filled(wanted, value)
    held, expected = _RULES[name](found, wanted)
    return "" if held else expected or "an empty text"


def _equals(found: Any, wanted: str) -> tuple[bool, str]:  # noqa: ANN401
    return found is not MISSING and text_of(found) == wanted, wanted


def _differs(found: Any, wanted: str) -> tuple[bool, str]:  # noqa: ANN401
    return found is not MISSING and text_of(found) != wanted, f"another than {wanted}"


def _present(found: Any, wanted: bool) -> tuple[bool, str]:  # noqa: ANN401, FBT001
    return (found is not MISSING) == wanted, "something" if wanted else "nothing"


def _matches(found: Any, wanted: str) -> tuple[bool, str]:  # noqa: ANN401
    return isinstance(found, str) and re.fullmatch(wanted, found) is not None, f"text like {wanted}"


def _count(found: Any, wanted: int) -> tuple[bool, str]:  # noqa: ANN401
    return isinstance(found, list) and len(found) == wanted, f"a list of {wanted}"


def _contains(found: Any, wanted: str) -> tuple[bool, str]:  # noqa: ANN401
    return isinstance(found, list) and wanted in map(text_of, found), f"a list with {wanted}"


def _nowhere(found: Any, wanted: str) -> tuple[bool, str]:  # noqa: ANN401
    shown = "" if found is MISSING else text_of(found)
    return bool(wanted) and wanted not in shown, "a text that does not show what was sent"


def _at_least(found: Any, wanted: int) -> tuple[bool, str]:  # noqa: ANN401
    text = "" if found is MISSING else text_of(found)
    number = re.fullmatch(r"-?[0-9]+", text)
    return number is not None and int(text) >= wanted, f"at least {wanted}"


def _empty(found: Any, wanted: bool) -> tuple[bool, str]:  # noqa: ANN401, FBT001
    is_empty = found is not MISSING and found in ("", [], {}, 0, "0", False)
    return found is not MISSING and is_empty == wanted, "nothing in it" if wanted else "something in it"


def _ascending(found: Any, wanted: bool) -> tuple[bool, str]:  # noqa: ANN401, FBT001
    keys = [int(each) if text_of(each).isdecimal() else each for each in found] if isinstance(found, list) else []
    return bool(keys) and (keys == sorted(keys)) == wanted, "a list in ascending order"


_RULES: Final[dict[str, Callable[[Any, Any], tuple[bool, str]]]] = {
    "equals": _equals,
    "differs": _differs,
    "present": _present,
    "matches": _matches,
    "count": _count,
    "contains": _contains,
    "nowhere": _nowhere,
    "at_least": _at_least,
    "empty": _empty,
    "ascending": _ascending,
}
