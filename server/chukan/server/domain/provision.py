# SPDX-License-Identifier: Apache-2.0
"""情報提供 at the provider: its states, what is stored, and which replicas answer an inquiry.

Three different answers: a value (zero included), nil with a reason, and no replica at all;
behind the last stand five causes that staff treat differently. How year and period
conditions choose, and how the causes are told apart, is [own] (docs/divergences,
"Choice of replicas").
"""

from __future__ import annotations

from datetime import MAXYEAR
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.content import CELL_SEPARATOR, NIL_MARK
from chukan.server.domain.exchange import ResultRecord
from chukan.standard.dates import fiscal_year, parse_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from chukan.server.domain.replica_rows import ReplicaRow

__all__ = [
    "AnswerBatchRow",
    "ProvisionRow",
    "ProvisionState",
    "UsedNonce",
    "WaitingRow",
    "asked_period",
    "choose",
    "item_codes_of",
    "to_records",
]

_LATEST_ONLY: Final = "1"
_FISCAL_YEAR: Final = "1"
_LAST_DAY: Final = f"{MAXYEAR}1231"


class ProvisionState(IntEnum):
    """State of a provision; numbers as stored and as in the contract."""

    WAITING = 1
    APPROVED = 2
    PROVIDED = 3
    REFUSED = 4


class ProvisionRow(NamedTuple):
    """A provision as stored; its record has the same number. batch 0: answered by no sealed batch yet."""

    organization: str
    id: int
    permit_digest: bytes
    state: int
    answer_kind: int
    reason: str
    received: int
    provided: int
    batch: int
    position: int
    change_seq: int
    note: bytes = b""
    """Why staff corrected or refused, sealed (row key = permit digest); never sent."""


class AnswerBatchRow(NamedTuple):
    """A signed batch verbatim, and the keys of its groups sealed for rest (row key = root)."""

    organization: str
    id: int
    root: bytes
    inquirer: str
    batch: bytes
    group_keys: bytes
    created: int


class UsedNonce(NamedTuple):
    """A permit's nonce and the permit it was used with."""

    nonce: bytes
    permit_digest: bytes
    expires: int


class WaitingRow(NamedTuple):
    """What waits for a person. sealed: permit and content (row key = permit digest)."""

    organization: str
    id: int
    sealed: bytes
    approver: str


def asked_period(start: str, end: str, *, year_kind: str, today: date) -> tuple[str, str]:
    """Return the span of days asked for, yyyyMMdd, both ends inclusive; empty = open.

    No period: valid today. Fiscal year: from 1 April of the start's year to 31 March after the end's.
    """
    if not start and not end:
        text = f"{today:%Y%m%d}"
        return text, text
    if year_kind == _FISCAL_YEAR and start:
        first = fiscal_year(parse_date(start))
        last = fiscal_year(parse_date(end)) if end else first
        return f"{first:04d}0401", f"{last + 1:04d}0331" if last < MAXYEAR else _LAST_DAY
    return start, end


def choose(replicas: Iterable[ReplicaRow], *, start: str, end: str, condition_kind: str) -> list[ReplicaRow]:
    """Return the replicas published in the span; of several editions of one record the highest.

    Condition "1": of each data set only those with the latest start.
    """
    best: dict[tuple[str, str, str], ReplicaRow] = {}
    for row in replicas:
        if (end and row.start_date > end) or (start and row.end_date and row.end_date < start):
            continue
        key = (row.data_set, row.record_key, row.start_date)
        held = best.get(key)
        if held is None or row.edition > held.edition:
            best[key] = row
    chosen = [best[key] for key in sorted(best)]
    if condition_kind != _LATEST_ONLY:
        return chosen
    latest: dict[str, str] = {}
    for row in chosen:
        latest[row.data_set] = max(latest.get(row.data_set, ""), row.start_date)
    return [row for row in chosen if row.start_date == latest[row.data_set]]


def to_records(replicas: Iterable[ReplicaRow], wanted: Sequence[str]) -> tuple[ResultRecord, ...]:
    """Return the records of an answer; wanted: only these items, empty = all."""
    only = frozenset(wanted)
    return tuple(
        ResultRecord(
            data_set=row.data_set,
            edition=row.edition,
            record_key=row.record_key,
            parent_record_key=row.parent_key,
            period_start=row.start_date,
            period_end=row.end_date,
            items=_items(row, only),
        )
        for row in replicas
    )


def _items(row: ReplicaRow, only: frozenset[str]) -> tuple[tuple[str, str | None, str | None], ...]:
    """Return what `unpack_row` says as an answer bears it, without a value in between for each item."""
    cells = row.content.decode().split(CELL_SEPARATOR) if row.item_codes else ()
    return tuple(
        [
            (code, None, cell[1:]) if cell[0] == NIL_MARK else (code, cell, None)
            for code, cell in zip(row.item_codes, cells, strict=True)
            if cell and (not only or code in only)
        ]
    )


def item_codes_of(records: Iterable[ResultRecord]) -> str:
    """Return the item codes of an answer, each once, in order, space between; both sides record the same text."""
    return " ".join(dict.fromkeys(item[0] for record in records for item in record.items))
