# SPDX-License-Identifier: Apache-2.0
"""From a case's texts to requests: `${name}` is filled in, a request is laid over its template, long lists are made."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict, ParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from google.protobuf.message import Message

    from chukan.cases.v1.case_pb2 import Fill, Step
    from chukan.conformance.contract import Method

__all__ = ["NameUnknownError", "document_of", "filled", "laid_over", "requests_of"]

_NAME: Final = re.compile(r"\$\{([a-z0-9_.]+)\}")


class NameUnknownError(LookupError):
    """A text names a value that there is not."""


def filled(text: str, value: Callable[[str], str]) -> str:
    """Return the text with the values in place of their names. Errors: NameUnknownError."""
    return _NAME.sub(lambda found: value(found.group(1)), text)


def requests_of(
    step: Step, method: Method, templates: Mapping[str, str], value: Callable[[str], str]
) -> Iterator[Message]:
    """Yield a step's requests. Errors: NameUnknownError, ValueError (no JSON, or none of this message)."""
    under = document_of(templates[step.template], value) if step.template else {}
    for text in step.requests or ["{}"]:
        document = laid_over(under, document_of(text, value))
        for fill in step.fills:
            _fill(document, fill, value)
        try:
            yield ParseDict(document, method.request()())
        except ParseError as error:
            raise ValueError(str(error)) from None


def document_of(text: str, value: Callable[[str], str]) -> dict[str, Any]:
    """Return a text as JSON; what the other side gave stays one value, whatever is in it. Errors: NameUnknownError."""
    document: dict[str, Any] = json.loads(filled(text, lambda name: json.dumps(value(name))[1:-1]))
    return document


def laid_over(under: Any, over: Any) -> Any:  # noqa: ANN401  # JSON
    """Merge objects; anything else replaces, and null takes away."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    merged = {key: laid_over(under.get(key), over[key]) for key in over}
    return {key: each for key, each in {**under, **merged}.items() if each is not None}


def _fill(document: dict[str, Any], fill: Fill, value: Callable[[str], str]) -> None:
    *parents, last = fill.field.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    text = filled(fill.value.replace("${row}", "\0"), value)
    document[last] = [text.replace("\0", str(row)) for row in range(fill.count)]
