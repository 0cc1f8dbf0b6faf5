# SPDX-License-Identifier: Apache-2.0
"""Looks now and then whether time made something due: real time says when to look, the injected clock what is due."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Timer"]

_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


def _never() -> None:
    return None


class Timer:
    """Looks every second, or as often as it is told, on a thread of its own."""

    def __init__(
        self,
        kind: str,
        run_due: Callable[[], int],
        *,
        seconds: float = _SECONDS,
        next_due: Callable[[], datetime | None] = _never,
    ) -> None:
        """kind: what it does, in a word. run_due: does it and says how often.

        next_due: when it will have to do by the clock; a timer without it tidies up and has no hour of its own.
        """
        self.kind = kind
        self.run_due = run_due
        self.next_due = next_due
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chukan-timer", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self.run_due()
            except Exception as error:  # noqa: BLE001 the next look finds the same again
                _log.warning("timer: %s", type(error).__name__)
