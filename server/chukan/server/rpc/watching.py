# SPDX-License-Identifier: Apache-2.0
"""Following changes: batches in commit order from a resume token on, until the caller goes away.

List-then-watch loses nothing: a token names a position in the commit order, and every row carries the position of its
last change. A watch costs a thread of the watch pool and one short read per wake-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from chukan.server.rpc.tokens import decode_token, encode_token
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import grpc

    from chukan.server.ports import Changes

__all__ = ["position", "watch"]

_KIND = "changes"
_MOST = 1_000
_WAKE_SECONDS = 1.0
"""How soon a watch notices that its caller went away."""


class Changed(Protocol):
    """A row that knows the position of its last change."""

    @property
    def change_seq(self) -> int:
        """Position in the commit order."""


Row = TypeVar("Row", bound=Changed)


class Watching(Protocol):
    """A request that says from where on it watches."""

    @property
    def resume_token(self) -> str:
        """Where a watch or a list left off; empty = the beginning."""

    @property
    def from_now(self) -> bool:
        """Only what changes from now on."""


def position(changes: Changes) -> str:
    """Return the token to watch from after a list that is read after this call."""
    return encode_token(_KIND, changes.last())


def watch(
    changes: Changes,
    context: grpc.ServicerContext,
    request: Watching,
    read: Callable[[int, int], Sequence[Row]],
) -> Iterator[tuple[str, Sequence[Row]]]:
    """Yield (resume token, rows) as rows change; `read` takes a position and how many rows at most."""
    resume_token = request.resume_token
    if request.from_now:
        if resume_token:
            raise ChukanError("INVALID_FIELD", field="from_now", params={"rule": "not together with resume_token"})
        after = changes.last()
        yield encode_token(_KIND, after), ()  # the caller now knows from where on it hears of everything
    else:
        (place,) = decode_token(_KIND, resume_token, 0, field="resume_token", reason="RESUME_TOKEN_INVALID")
        after = int(place)
        if after > changes.last():  # of a time before this world's last reset
            raise ChukanError("RESUME_TOKEN_EXPIRED", field="resume_token")
    while context.is_active():
        if changes.closed:
            raise ChukanError("SHUTTING_DOWN")
        seen = changes.last()
        rows = read(after, _MOST)
        if rows:
            after = rows[-1].change_seq
            yield encode_token(_KIND, after), rows
        if len(rows) < _MOST:
            after = max(after, seen)  # the read saw all up to there: what it passed over is not read again
            changes.wait(seen, _WAKE_SECONDS)
