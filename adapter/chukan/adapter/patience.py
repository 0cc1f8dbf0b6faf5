# SPDX-License-Identifier: Apache-2.0
"""What may be asked again, and when: as the server says, but never longer than somebody is willing to wait.

A reason this adapter does not know is judged by the gRPC status it came with. A delay longer than what is left of the
patience is not waited for: the server's reason is told at once. gRPC's own retries know a delay only by a trailer that
a server need not send, so the adapter's clients repeat nothing beneath this.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LONGEST_WAIT",
    "RETRIED",
    "STREAM_SECONDS",
    "Pauses",
    "answer_of",
    "may_pass",
    "patiently",
]

T = TypeVar("T")

RETRIED: Final = frozenset(
    {
        "CONCURRENT_CHANGE",
        "CONNECTION_LIMIT",
        "IDEMPOTENCY_IN_PROGRESS",
        "NOT_READY",
        "OVERLOADED",
        "PEER_UNREACHABLE",
        "SHUTTING_DOWN",
        "STORAGE_UNAVAILABLE",
        "WATCH_IDLE",
    }
)
"""Reasons after which the same batch is sent again."""
STREAM_SECONDS: Final = 600.0
"""How long a watch or a stream of batches may last; then it is taken up again where it was (docs/calling)."""
LONGEST_WAIT: Final = 300.0
"""Seconds after which a server is asked again, whatever delay it named, where nobody set an end to the waiting."""
_PATIENCE: Final = 60.0
"""Seconds a call is repeated for where nothing else says how long."""
_AT_FIRST: Final = 1.4
"""As long as the published retry policy repeats a call: who is not there at the beginning is told soon."""
_RESTART: Final = 15.0
"""Within which a server that was restarted answers again: work that has begun survives it."""

_UNKNOWN: Final = "PEER_ANSWER_INVALID"
_TRANSIENT: Final = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
_BUSY: Final = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED"})
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


def _is_transient(error: ChukanError) -> bool:
    """Whether the same call may succeed in a while."""
    return _status(error) in _TRANSIENT and error.code != "MESSAGE_TOO_LARGE"


def _is_retried(error: ChukanError) -> bool:
    """Whether the same batch is sent again."""
    return error.code in RETRIED or (error.code == _UNKNOWN and _status(error) in _BUSY)


def may_pass(error: ChukanError) -> bool:
    """Whether what failed may succeed in a while, as it was or sent again."""
    return _is_transient(error) or _is_retried(error)


def patiently(call: Callable[[], T], *, moment: float = _AT_FIRST) -> T:
    """Return what the call returns, calling again: after the delay where the server names one, else for a moment.

    moment: seconds for which a server is asked again that fails without naming a delay.
    """
    told = untold = None
    while True:
        try:
            return call()
        except ChukanError as error:
            if error.retry_after is None:
                pauses = untold = untold or Pauses(moment)
            else:
                pauses = told = told or Pauses(_PATIENCE)
                untold = None  # it has answered
            threading.Event().wait(pauses.after(error))


def answer_of(under_way: Any, ask: Callable[[], Any]) -> Any:  # noqa: ANN401  # calls of any method
    """Return the answer of a call that is under way, asking again as `patiently` does, over a restart of the server."""
    calls = [under_way]

    def result() -> Any:  # noqa: ANN401  # likewise
        return (calls.pop() if calls else ask()).result()

    return patiently(result, moment=_RESTART)


class Pauses:
    """How long to wait between attempts: longer and longer, as the server says, until patience ends."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._pause = _FIRST_PAUSE
        self._since = time.monotonic()

    def after(self, error: ChukanError) -> float:
        """Return the seconds to wait before the next attempt, or raise the error if there should be none."""
        left = self._patience - (time.monotonic() - self._since)
        told = error.retry_after or 0.0
        if not (_is_retried(error) or (_is_transient(error) and told)) or left < 0 or told > left:
            raise error
        pause = min(max(self._pause, told), threading.TIMEOUT_MAX)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return pause


def _status(error: ChukanError) -> str:
    """Return the gRPC status; of a reason of a newer server, the one it came with."""
    return error.params.get("status", "") if error.code == _UNKNOWN else error.reason.call_status
