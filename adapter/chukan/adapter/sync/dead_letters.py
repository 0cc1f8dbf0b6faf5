# SPDX-License-Identifier: Apache-2.0
"""The dead-letter file: every row that was not taken, with file, row, column, item, reason and rule, never the value.

It is written anew by each run: a row that was not taken is tried again by the next one.
"""

from __future__ import annotations

import csv
import threading
from typing import TYPE_CHECKING, Final, Self

from chukan.standard.reasons import reason as reason_of
from chukan.standard.rules import rule as rule_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from chukan.adapter.sources import RowFault

__all__ = ["DeadLetters"]

_HEADER: Final = ("file", "row", "column", "item", "reason", "rule", "english", "japanese")


class DeadLetters:
    """The file of one run; lanes write to it from their threads. A lane that outlives its run (Ctrl-C) adds nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._lock = threading.Lock()
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(_HEADER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._file.close()

    def add(self, file: str, fault: RowFault, *, english: str = "", japanese: str = "") -> None:
        """Write one row. Texts are those of the reason and the rule unless a server gave its own."""
        texts = _texts(fault.reason, fault.rule)
        with self._lock:
            if self._file.closed:
                return
            self.count += 1
            self._rows.writerow((file, *_cells(fault), english or texts[0], japanese or texts[1]))

    def flush(self) -> None:
        """Let readers see what was written."""
        with self._lock:
            if not self._file.closed:
                self._file.flush()


def _cells(fault: RowFault) -> tuple[str, ...]:
    return (str(fault.line), fault.column, fault.item, fault.reason, fault.rule)


def _texts(reason: str, rule: str) -> tuple[str, str]:
    try:
        found = reason_of(reason)
    except LookupError:  # a reason of a newer server
        return reason, reason
    try:
        broken = rule_of(rule)
    except LookupError:
        return found.english, found.japanese
    return f"{found.english}: {broken.english}", f"{found.japanese}{broken.japanese}"
