# SPDX-License-Identifier: Apache-2.0
"""Resume tokens that outlive a call: where to go on, and in which world generation the place means anything.

A reset begins the commit order anew. A bare number would silently skip what came since; a token of another generation,
or of a place this world has not reached, is refused instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.rpc.tokens import decode_token, encode_token
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.server.ports import Changes, Environment

__all__ = ["Positions", "place_of", "resume_token"]

_FIELD = "resume_token"
_KIND = "changes"


class Positions:
    """Places in the commit order of the world there is now, as tokens."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def changes(self) -> Changes:
        """The commit order itself."""
        return self._environment.database.changes

    def token(self, place: int) -> str:
        """Return the token of a place."""
        return resume_token(_KIND, self._generation(), place)

    def place(self, token: str) -> int:
        """Return the place of a token, 0 for the empty one. Errors: RESUME_TOKEN_INVALID, RESUME_TOKEN_EXPIRED."""
        (place,) = place_of(_KIND, token, self._generation(), numbers=1, last=self.changes.last())
        return place

    def _generation(self) -> str:
        """Return the generation, empty before the network told it: a list can be read without the network."""
        try:
            return self._environment.master.world_generation
        except ChukanError:
            return ""


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
