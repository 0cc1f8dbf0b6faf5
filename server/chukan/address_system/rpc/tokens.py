# SPDX-License-Identifier: Apache-2.0
"""Page tokens: the place after which a list goes on, of one list only. They hold a place, no personal value."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from chukan.standard.reasons import ChukanError

__all__ = ["page_token", "place_of"]

_LONGEST: Final = 200


def page_token(listing: str, place: int) -> str:
    """Return the token of a place, empty for none."""
    if not place:
        return ""
    return base64.urlsafe_b64encode(json.dumps([listing, place]).encode()).decode().rstrip("=")


def place_of(listing: str, token: str) -> int:
    """Return the place a token names, 0 for the beginning. Errors: PAGE_TOKEN_INVALID."""
    if not token:
        return 0
    try:
        found = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    if len(token) > _LONGEST or not isinstance(found, list) or len(found) != 2 or found[0] != listing:  # noqa: PLR2004
        raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
    place = found[1]
    if type(place) is not int or not 0 < place < 10**15:
        raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
    return place
