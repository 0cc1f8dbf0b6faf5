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

__all__ = ["Interrupted", "end_at_once", "exit_code_of", "interruptible"]

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BY_A_SIGNAL: Final = 128


class Interrupted(KeyboardInterrupt):  # as Python calls its own
    """Raised as Ctrl-C is, for another signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = _BY_A_SIGNAL + number
        """What a shell expects of a process ended by it."""


@contextmanager
def interruptible(*, insist: bool = False) -> Iterator[None]:
    """Let signals that end a process be raised as Ctrl-C is.

    What is ignored stays so (nohup, a shell's &), unless one insists: for what runs until it is ended.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    changed = [number for number, handler in before.items() if insist or handler is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, before[number])


def exit_code_of(error: KeyboardInterrupt) -> int:
    """Return what a shell expects of a process that was ended so."""
    return error.code if isinstance(error, Interrupted) else _BY_A_SIGNAL + signal.SIGINT


def end_at_once(code: int, *lines: str) -> NoReturn:
    """End the process when all `finally` have run.

    lines: what is said to whoever still reads it, among the errors if the code is one.
    Python's own end waits for ever for the channel of a call that was broken off: who read it is no longer there.
    """
    with suppress(OSError):  # a terminal that is closed, a pipe that nobody reads
        for line in lines:
            print(line, file=sys.stderr if code else sys.stdout)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(number)
