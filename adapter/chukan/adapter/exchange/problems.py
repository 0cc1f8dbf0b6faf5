# SPDX-License-Identifier: Apache-2.0
"""The list of everything that is wrong with the input: file, row, column, rule, in both languages; never a value."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING, Final

from chukan.adapter.exchange.durable_files import DurableFile
from chukan.adapter.exchange.rule_texts import rule_text
from chukan.adapter.refusals import sentences_of

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange.rows import Problem

__all__ = ["ProblemList"]

_HEADER: Final = (
    "ファイル", "行", "項目番号", "項目名", "規則", "理由コード", "内容", "出力先", "rule", "english",
)  # fmt: skip
_SHOWN: Final = 20


class ProblemList:
    """Writes `<stem>.errors.csv`; no problems, no file. `first` keeps some for the report."""

    def __init__(self, out: Path) -> None:
        self._path = out.with_name(f"{out.stem}.errors.csv")
        self._file: DurableFile | None = None
        self.first: list[Problem] = []
        self.by_reason: Counter[str] = Counter()
        self.count = 0

    def add(self, problem: Problem, goes_to: str) -> None:
        """Note one problem; goes_to: result, reject or nowhere."""
        if self._file is None:
            self._file = DurableFile(self._path)
            self._write(_HEADER)
        rule, why = rule_text(problem.rule), sentences_of(problem.reason)
        self._write(
            (
                problem.file,
                str(problem.row or ""),
                str(problem.column or ""),
                problem.name,
                rule.japanese,
                problem.reason,
                why.japanese,
                goes_to,
                rule.english,
                why.english,
            )
        )
        self.count += 1
        self.by_reason[problem.reason] += 1
        if len(self.first) < _SHOWN:
            self.first.append(problem)

    def keep(self) -> Path | None:
        """Make the list durable; an earlier run's list goes if there is nothing to say now."""
        if self._file is None:
            self._path.unlink(missing_ok=True)
            return None
        return self._file.keep()

    def abandon(self) -> None:
        """Drop what is not kept."""
        if self._file is not None:
            self._file.__exit__()

    def _write(self, cells: tuple[str, ...]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(cells)
        if self._file is not None:
            self._file.stream.write(line.getvalue().encode())
