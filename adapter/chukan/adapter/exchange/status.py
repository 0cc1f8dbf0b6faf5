# SPDX-License-Identifier: Apache-2.0
"""`chukan adapter status`: what the ledger knows is open, per file, and what is about to expire. Asks no server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chukan.adapter.exchange.ledger import EntryState, Ledger
from chukan.adapter.exchange.ledger_folder import ledger_path
from chukan.adapter.exchange.report import expiry_warning
from chukan.standard.clock import JAPAN, SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange.report import RunWarning
    from chukan.standard.clock import Clock

__all__ = ["FileStatus", "InquiryStatusReport", "inquiry_status"]


@dataclass(frozen=True, slots=True)
class FileStatus:
    """How the rows of one file stand. ready: finished, in no result file yet; expires: when the first of them goes."""

    name: str
    first_seen: datetime
    times_asked_again: int
    reason: str
    open: int
    ready: int
    delivered: int
    failed: int
    superseded: int
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class InquiryStatusReport:
    """All files of a ledger, oldest first."""

    files: list[FileStatus]
    warnings: list[RunWarning]

    def to_data(self) -> dict[str, Any]:
        """Return it for JSON output."""
        return {
            "files": [
                {
                    "name": each.name,
                    "first_seen": each.first_seen.isoformat(),
                    "times_asked_again": each.times_asked_again,
                    "reason": each.reason,
                    "open": each.open,
                    "ready": each.ready,
                    "delivered": each.delivered,
                    "failed": each.failed,
                    "superseded": each.superseded,
                    "expires": each.expires.isoformat() if each.expires else "",
                }
                for each in self.files
            ],
            "warnings": [each.english for each in self.warnings],
        }


def inquiry_status(
    state: Path,
    organization: str,
    *,
    world: str = "",
    warn_before: timedelta = timedelta(days=3),
    clock: Clock | None = None,
) -> InquiryStatusReport:
    """Read the ledger in a folder. Errors: FILE_NOT_FOUND, CHECKPOINT_UNREADABLE."""
    path = ledger_path(state, organization, world)
    if not path.exists():
        raise ChukanError("FILE_NOT_FOUND", params={"file": str(path)})
    now = (clock or SystemClock()).now()
    ledger = Ledger(path)
    try:
        count, earliest = ledger.expiring(int((now + warn_before).timestamp() * 1000))
        warnings = [expiry_warning(count, earliest)] if count else []
        files = []
        for each in ledger.summaries():
            states = each.states
            files.append(
                FileStatus(
                    name=each.name,
                    first_seen=_instant(each.first_seen),
                    times_asked_again=each.generation,
                    reason=each.again_reason,
                    open=states.get(EntryState.PENDING, 0) + states.get(EntryState.SENT, 0),
                    ready=states.get(EntryState.FINISHED, 0),
                    delivered=states.get(EntryState.DELIVERED, 0) + states.get(EntryState.ACKNOWLEDGED, 0),
                    failed=states.get(EntryState.FAILED, 0),
                    superseded=states.get(EntryState.SUPERSEDED, 0),
                    expires=_instant(each.expires) if each.expires else None,
                )
            )
    finally:
        ledger.close()
    return InquiryStatusReport(files, warnings)


def _instant(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC).astimezone(JAPAN)
