# SPDX-License-Identifier: Apache-2.0
"""Page and resume tokens: where a listing or a watch goes on, opaque to the caller and checked when it comes back.

A token names what it is a place in (of a page: `edge.listing`), so that one of another listing is refused: its place
would mean nothing there. It is no secret and grants nothing: every page is read under the caller's own organization.
"""

from __future__ import annotations

import base64
import binascii
import json

from chukan.standard.reasons import ChukanError

__all__ = ["decode_token", "encode_token", "page_size"]

_DEFAULT = 100
_LONGEST = 512
_LAST_PLACE = 2**63 - 1


def encode_token(kind: str, *place: str | int) -> str:
    """Return the token of a place in the listing `kind`."""
    return base64.urlsafe_b64encode(json.dumps([kind, *place], separators=(",", ":")).encode()).decode().rstrip("=")


def decode_token(
    kind: str, token: str, *start: str | int, field: str = "page_token", reason: str = "PAGE_TOKEN_INVALID"
) -> list[str | int]:
    """Return the place a token names, or `start` for the empty one. Errors: `reason`."""
    if not token:
        return list(start)
    if len(token) > _LONGEST:
        raise ChukanError(reason, field=field)
    try:
        padded = token + "=" * (-len(token) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, list) or len(found) != len(start) + 1 or found[0] != kind:
        raise ChukanError(reason, field=field)
    place = found[1:]
    if not all(_names(value, first) for value, first in zip(place, start, strict=True)):
        raise ChukanError(reason, field=field)
    return place


def page_size(asked: int) -> int:
    """Return how many rows a page has: what was asked for, or 100."""
    return asked or _DEFAULT


def _names(value: object, first: str | int) -> bool:
    """Whether a value can be a place where places begin with `first`."""
    if isinstance(first, int):
        return type(value) is int and 0 <= value <= _LAST_PLACE
    return isinstance(value, str) and value.isascii()
