# SPDX-License-Identifier: Apache-2.0
"""What every lane has in common: its report, dead letters, progress, and how a run ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.adapter.sources import RowFault
from chukan.adapter.sync.options import ProgressEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chukan.adapter.mapping.rows import CellFault
    from chukan.adapter.sources import DelimitedFile
    from chukan.adapter.sync.dead_letters import DeadLetters
    from chukan.adapter.sync.options import LoadOptions, Progress
    from chukan.adapter.sync.report import LaneReport
    from chukan.adapter.sync.streams import Waiting

__all__ = ["Desk"]


@dataclass(slots=True)
class Desk:
    """Keeps the books of one lane: counts rows, writes dead letters, tells of progress."""

    options: LoadOptions
    report: LaneReport
    dead_letters: DeadLetters
    waiting: Waiting
    progress: Progress | None
    total: int = 0
    before: int = 0
    """Bytes of the files that were gone through already."""
    unreadable: int = 0
    """Rows whose key could not be read: what they stand for can't be called vanished."""
    quiet: bool = False
    """In a second pass rows are neither counted nor refused again; what the server refuses still is."""

    def begin_file(self, file: DelimitedFile) -> None:
        """Note which file is read."""
        if not self.quiet:
            self.report.files.append(file.label)

    def reader(self, file: DelimitedFile) -> Callable[[int, int, Sequence[RowFault], int], None]:
        """Return what is told of every block read: rows, rows unchanged, faults, bytes so far."""

        def tell(rows: int, unchanged: int, faults: Sequence[RowFault], position: int) -> None:
            self.waiting.check()
            if not self.quiet:
                self.report.rows += rows
                self.report.not_changed += unchanged
            self.refuse(file, faults)
            self.unreadable += len(faults)
            self.tell(self.before + position)

        return tell

    def end_file(self, file: DelimitedFile) -> None:
        """Note that a file was read to its end."""
        self.before += file.size

    def refuse(self, file: DelimitedFile, faults: Iterable[RowFault]) -> None:
        """Write dead letters."""
        if self.quiet:
            return
        for fault in faults:
            self.report.refuse(fault.reason)
            self.dead_letters.add(file.label, fault)

    def refuse_cells(self, file: DelimitedFile, faults: Iterable[CellFault], numbers: Sequence[int]) -> set[int]:
        """Write dead letters of cells: a row is counted once, each of its faults is written; return the rows."""
        rows: set[int] = set()
        if self.quiet:
            return {fault.row for fault in faults}
        for fault in sorted(faults, key=lambda each: each.row):
            if fault.row not in rows:
                rows.add(fault.row)
                self.report.refuse(fault.reason)
            letter = RowFault(numbers[fault.row], fault.reason, fault.column, fault.item, fault.rule)
            self.dead_letters.add(file.label, letter)
        return rows

    def tell(self, done: int) -> None:
        """Tell of progress."""
        if self.progress is not None:
            self.progress(ProgressEvent(self.report.name, done, self.total, self.report.rows, self.report.sent))
