# SPDX-License-Identifier: Apache-2.0
"""What a load did: counted per lane, never a personal value."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from chukan.standard.reasons import ChukanError

__all__ = ["COMPLETE", "FAILED", "HELD", "CodeReport", "LaneReport", "Remark", "Report", "as_json"]

COMPLETE: Final = "complete"
HELD: Final = "held"
"""The server holds the lane; other lanes went on."""
FAILED: Final = "failed"


class Remark(NamedTuple):
    """Something to look at, in both languages."""

    english: str
    japanese: str

    @classmethod
    def of(cls, error: ChukanError) -> Remark:
        """Return what an error says: what happened, where, what to do."""
        reason, where = error.reason, ", ".join(f"{name}={value}" for name, value in error.params.items())
        return cls(
            f"{error.code}: {reason.english}{f' ({where})' if where else ''}; {reason.action_english}",
            f"{error.code}: {reason.japanese}{f'（{where}）' if where else ''}{reason.action_japanese}",
        )


@dataclass(slots=True)
class LaneReport:
    """One lane: the people of one extract, or the replicas of one information.

    Every row read is counted once: as not changed, provided (written or standing already), not provided because
    個人番号 is not set, held for a person, or refused (a dead letter).
    """

    name: str
    kind: str
    name_english: str = ""
    information_code: str = ""
    edition: str = ""
    started: str = ""
    files: list[str] = field(default_factory=list)
    rows: int = 0
    not_changed: int = 0
    sent: int = 0
    written: int = 0
    standing: int = 0
    not_provided_no_individual_number: int = 0
    held_for_a_person: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    vanished: int = 0
    deleted: int = 0
    batches: int = 0
    sends: int = 0
    seconds: float = 0.0
    state: str = COMPLETE
    problem: str = ""
    notes: list[Remark] = field(default_factory=list)

    @property
    def took_nothing(self) -> bool:
        """Whether every row of the lane was refused: a wrong file more likely than so many wrong rows."""
        return 0 < self.rows == self.refused

    def refuse(self, reason: str) -> None:
        """Count a refused row."""
        self.refused += 1
        self.reasons[reason] += 1


@dataclass(slots=True)
class CodeReport:
    """Acquisition of linkage codes (符号取得)."""

    asked: int = 0
    submitted: int = 0
    linked: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    open: int = 0
    closed_addressees: int = 0
    merged_addressees: int = 0
    merges_refused: Counter[str] = field(default_factory=Counter)
    state: str = COMPLETE
    problem: str = ""


@dataclass(slots=True)
class Report:
    """The whole load."""

    target: str
    organization: str
    dry_run: bool
    started: str
    seconds: float = 0.0
    lanes: list[LaneReport] = field(default_factory=list)
    codes: CodeReport = field(default_factory=CodeReport)
    dead_letters: int = 0
    dead_letter_file: str = ""
    state_folder: str = ""
    notes: list[Remark] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything was gone through; refused rows don't count against it."""
        return all(lane.state == COMPLETE for lane in self.lanes) and self.codes.state == COMPLETE

    @property
    def succeeded(self) -> bool:
        """Whether everything was gone through, and of no lane every row refused."""
        return self.complete and not any(lane.took_nothing for lane in self.lanes)

    def to_data(self) -> dict[str, Any]:
        """Return it for JSON output."""
        return {**_plain(self), "complete": self.complete, "succeeded": self.succeeded}

    def to_json(self) -> str:
        """Return it as text."""
        return as_json(self.to_data())


def as_json(data: dict[str, Any]) -> str:
    """Return a report's data as text."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _plain(report: Report | LaneReport | CodeReport) -> dict[str, Any]:
    values: dict[str, Any] = {each.name: getattr(report, each.name) for each in fields(report)}
    if not isinstance(report, CodeReport):
        values["notes"] = [note._asdict() for note in report.notes]
    if isinstance(report, Report):
        values["lanes"] = [_plain(lane) for lane in report.lanes]
        values["codes"] = _plain(report.codes)
    return values
