# SPDX-License-Identifier: Apache-2.0
"""Resume tokens that outlive a call: where to go on, and in which world generation the place means anything.

A reset begins the commit order anew. A bare number would silently skip what came since; a token of another generation,
or of a place this world has not reached, is refused instead.
"""

from __future__ import annotations

from chukan.server.rpc.tokens import decode_token, encode_token
from chukan.standard.reasons import ChukanError

__all__ = ["place_of", "resume_token"]

_FIELD = "resume_token"


def resume_token(kind: str, generation: str, *place: int) -> str:
    """Return the token of a place."""
    return encode_token(kind, generation, *place)


def place_of(kind: str, token: str, generation: str, *, numbers: int, last: int) -> list[int]:
    """Return the numbers of a place, the first one a position in the commit order; zeros for the empty token.

    Errors: RESUME_TOKEN_INVALID, RESUME_TOKEN_EXPIRED.
    """
    start = [0] * numbers
    named, *place = decode_token(kind, token, generation, *start, field=_FIELD, reason="RESUME_TOKEN_INVALID")
    found = [int(each) for each in place]
    if named != generation or found[0] > last:
        raise ChukanError("RESUME_TOKEN_EXPIRED", field=_FIELD)
    return found
