# SPDX-License-Identifier: Apache-2.0
"""What a run did: every row of the input once, the files written, and what to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chukan.standard.clock import JAPAN

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange.rows import Problem
    from chukan.standard.reasons import ChukanError

__all__ = ["Report", "RunWarning", "expiry_warning", "not_acknowledged_warning", "not_sent_warning"]


@dataclass(frozen=True, slots=True)
class RunWarning:
    """Something to look at, in both languages."""

    code: str
    english: str
    japanese: str


@dataclass(slots=True)
class Report:
    """Counts of input rows: rows = values + no_replica + refused + failed + remainder + rejected.

    values: answered with records. no_replica: answered, nothing there. refused: by a middle server or the network,
    timed-out and cancelled ones included. failed: never reached the middle server. remainder: open. rejected: no row.
    """

    rows: int = 0
    values: int = 0
    no_replica: int = 0
    refused: int = 0
    failed: int = 0
    remainder: int = 0
    rejected: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_reasons: dict[str, int] = field(default_factory=dict)
    result_file: Path | None = None
    remainder_files: list[Path] = field(default_factory=list)
    reject_files: list[Path] = field(default_factory=list)
    problem_file: Path | None = None
    state_folder: Path | None = None
    warnings: list[RunWarning] = field(default_factory=list)
    sent: int = 0
    seconds: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Whether every row was answered or refused, and nothing is wrong with the input."""
        return not (self.problem_count or self.failed or self.remainder or self.rejected)

    @property
    def rows_per_second(self) -> float:
        """The rate through everything."""
        return self.rows / self.seconds if self.seconds else 0.0

    def refuse(self, reason: str) -> None:
        """Count a refusal by its reason."""
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def to_data(self) -> dict[str, Any]:
        """Return it for JSON output."""
        data = asdict(self)
        for name in ("result_file", "problem_file", "state_folder"):
            data[name] = str(data[name]) if data[name] else ""
        for name in ("remainder_files", "reject_files"):
            data[name] = [str(path) for path in data[name]]
        data["problems"] = [each._asdict() for each in self.problems]
        data["is_complete"] = self.is_complete
        data["rows_per_second"] = round(self.rows_per_second, 1)
        return data


def expiry_warning(count: int, earliest: int) -> RunWarning:
    """Return the warning that results nobody took over will be erased; earliest in milliseconds."""
    when = datetime.fromtimestamp(earliest / 1000, UTC).astimezone(JAPAN)
    return RunWarning(
        "RESULTS_EXPIRE",
        f"{count} results not yet written to a file expire, the first at {when:%Y-%m-%d %H:%M}",
        f"未出力の照会結果が {count} 件あり、{when:%Y年%m月%d日 %H時%M分} から順に削除されます。",
    )


def not_sent_warning(error: ChukanError) -> RunWarning:
    """Return the warning that sending was given up, with the server's reason and when it may be asked again."""
    code = error.params.get("reason", "") or error.code
    told = error.retry_after
    return RunWarning(
        code,
        f"not every row was sent before the cut-off: {error.reason.english}"
        + (f"; the server asks to come back after {told:g} s" if told else ""),
        f"締切までに送信できなかった行があります。{error.reason.japanese}"
        + (f"接続先は {told:g} 秒後の再試行を求めています。" if told else ""),
    )


def not_acknowledged_warning(error: ChukanError) -> RunWarning:
    """Return the warning that the results are written, but the server could not be told so."""
    return RunWarning(
        error.params.get("reason", "") or error.code,
        f"the results are written, but could not all be acknowledged: {error.reason.english}; the next run does it",
        f"結果は書き込みましたが、受領を通知できないものがあります。{error.reason.japanese}次回の実行で通知します。",
    )
