# SPDX-License-Identifier: Apache-2.0
"""A failed call as a page says it: what happened, what to do, the reason's code. Never a trace, never a value."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.console.language import Text
from chukan.standard.reasons import reason

if TYPE_CHECKING:
    from chukan.standard.reasons import ChukanError

__all__ = ["Problem", "problem_of", "problem_of_reason"]

_STATUSES: Final = {
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
    "UNAUTHENTICATED": HTTPStatus.FORBIDDEN,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "RESOURCE_EXHAUSTED": HTTPStatus.SERVICE_UNAVAILABLE,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
}


_OWN: Final = {"ORGANIZATION_UNKNOWN": HTTPStatus.NOT_FOUND}
"""In an address it is a page that is not there."""


class Problem(NamedTuple):
    """What is said. field: the part of the request at fault, by its name in the contract."""

    code: str
    says: Text
    todo: Text
    status: int = HTTPStatus.BAD_GATEWAY
    field: str = ""


def problem_of(error: ChukanError) -> Problem:
    """Return what is said about a failed call. Parameters stay out: a page may be shown to many."""
    status = _OWN.get(error.code) or _STATUSES.get(error.reason.call_status, HTTPStatus.BAD_GATEWAY)
    return problem_of_reason(error.code)._replace(status=status, field=error.field)


def problem_of_reason(code: str) -> Problem:
    """Return what the table says about a reason; a code it does not have, of a newer server, stands for itself."""
    try:
        found = reason(code)
    except LookupError:
        return Problem(code, Text(code, code), Text("", ""))
    return Problem(code, Text(found.english, found.japanese), Text(found.action_english, found.action_japanese))
