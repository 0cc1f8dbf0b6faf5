# SPDX-License-Identifier: Apache-2.0
"""Following changes: batches in commit order from a resume token on, until the caller goes away.

List-then-watch loses nothing: a token names a position in the commit order, and every row carries the position of its
last change. A watch costs a thread of the watch pool and one short read per wake-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import grpc

    from chukan.server.rpc.resuming import Positions

__all__ = ["position", "watch"]

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


def position(positions: Positions) -> str:
    """Return the token to watch from after a list that is read after this call."""
    return positions.token(positions.changes.last())


def watch(
    positions: Positions,
    context: grpc.ServicerContext,
    request: Watching,
    read: Callable[[int, int], Sequence[Row]],
) -> Iterator[tuple[str, Sequence[Row]]]:
    """Yield (resume token, rows) as rows change; `read` takes a position and how many rows at most."""
    changes = positions.changes
    if request.from_now:
        if request.resume_token:
            raise ChukanError("INVALID_FIELD", field="from_now", params={"rule": "not together with resume_token"})
        after = changes.last()
        yield positions.token(after), ()  # the caller now knows from where on it hears of everything
    else:
        after = positions.place(request.resume_token)
    while context.is_active():
        if changes.closed:
            raise ChukanError("SHUTTING_DOWN")
        seen = changes.last()
        rows = read(after, _MOST)
        if rows:
            after = rows[-1].change_seq
            yield positions.token(after), rows
        if len(rows) < _MOST:
            after = max(after, seen)  # the read saw all up to there: what it passed over is not read again
            changes.wait(seen, _WAKE_SECONDS)
