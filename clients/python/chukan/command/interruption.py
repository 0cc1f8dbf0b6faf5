# SPDX-License-Identifier: Apache-2.0
"""Whoever ends a command, by Ctrl-C, `kill` or a closed terminal, finds nothing left of it that it started."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["Interrupted", "end_at_once", "interruptible"]

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
_BY_A_SIGNAL: Final = 128


class Interrupted(KeyboardInterrupt):  # as Python calls its own
    """Raised as Ctrl-C is, for another signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = _BY_A_SIGNAL + number
        """What a shell expects of a process ended by it."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Let signals that end a process be raised as Ctrl-C is; what is ignored (nohup) stays so."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    changed = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def end_at_once(code: int) -> NoReturn:
    """End the process when all `finally` have run.

    Python's own end waits for ever for the channel of a call that was broken off: who read it is no longer there.
    """
    with suppress(OSError):  # who read our output may be gone too
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
