# SPDX-License-Identifier: Apache-2.0
"""The second half of a run: every input row goes to exactly one place: the result, the remainder or the rejected.

The order is the promise: 1 contents are fetched and written; 2 all files are durable under their names; 3 the ledger
notes them delivered; 4 the middle server is told, and may erase them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.adapter.exchange.durable_files import DurableFile
from chukan.adapter.exchange.fetching import Fetch, acknowledge
from chukan.adapter.exchange.ledger import EntryState
from chukan.adapter.exchange.messages import RowStatus
from chukan.adapter.exchange.problems import ProblemList
from chukan.adapter.exchange.report import RunWarning, not_acknowledged_warning
from chukan.adapter.exchange.result_rows import ResultRows
from chukan.adapter.exchange.returned_rows import ReturnedRows
from chukan.adapter.exchange.rows import Problem, provider_of
from chukan.adapter.exchange.submission import milliseconds
from chukan.adapter.patience import may_pass
from chukan.standard.reasons import ChukanError
from chukan.v1.common_pb2 import ANSWER_KIND_NO_REPLICA, ANSWER_KIND_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from chukan.adapter.exchange.intake import Chunk
    from chukan.adapter.exchange.ledger import Entry, Ledger
    from chukan.adapter.exchange.report import Report
    from chukan.adapter.exchange.result_profile import ResultProfile
    from chukan.adapter.exchange.rows import Row
    from chukan.client import Client
    from chukan.standard.clock import Clock
    from chukan.v1.inquiry_service_pb2 import InquiryResult

__all__ = ["Delivery"]

_AHEAD: Final = 3
_READABLE: Final = frozenset({EntryState.FINISHED, EntryState.DELIVERED, EntryState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class _Fetched:
    chunk: Chunk
    entries: dict[int, Entry]
    fetch: Fetch


class Delivery:
    """Writes the files of one run."""

    def __init__(
        self,
        client: Client,
        ledger: Ledger,
        profile: ResultProfile,
        *,
        report: Report,
        clock: Clock,
        replace: bool,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._profile = profile
        self._messages = profile.messages
        self._places = profile.input.places
        self._report = report
        self._clock = clock
        self._replace = replace
        self._lost = 0
        self._rows = ResultRows(profile)
        self._delivered: list[tuple[str, str]] = []

    def run(
        self, out: Path, chunks: Iterable[Chunk], file_problems: Iterable[Problem], note: Callable[[int], None]
    ) -> None:
        """Write, make durable, acknowledge."""
        most = self._profile.input.rows_per_file
        remainder = ReturnedRows(out, "remainder", rows_per_file=most)
        rejects = ReturnedRows(out, "rejects", rows_per_file=most)
        problems = ProblemList(out)
        written = 0
        try:
            with DurableFile(out) as results:
                for problem in file_problems:
                    problems.add(problem, "nowhere")
                for chunk, entries, found, unavailable in self._fetched(chunks):
                    for row in chunk.rows:
                        self._place(chunk, row, entries, (found, unavailable), (remainder, rejects, problems))
                    written += results.stream.write(self._rows.take())
                    note(len(chunk.rows))
                if self._lost and out.exists() and not self._replace:
                    rule = "it holds results that can't be read again"
                    raise ChukanError("OUTPUT_EXISTS", params={"file": str(out), "rule": rule})
                self._keep(remainder, rejects, problems)
                if written:
                    self._report.result_file = results.keep()
                elif self._replace:  # no row has a result: no empty file, and none of other inquiries in its place
                    out.unlink(missing_ok=True)
        finally:
            for file in (remainder, rejects, problems):
                file.abandon()
        self._settle()

    def _fetched(
        self, chunks: Iterable[Chunk]
    ) -> Iterator[tuple[Chunk, dict[int, Entry], dict[str, InquiryResult], dict[str, str]]]:
        ahead: deque[_Fetched] = deque()
        for chunk in chunks:
            ahead.append(self._fetch(chunk))
            if len(ahead) > _AHEAD:
                first = ahead.popleft()
                yield first.chunk, first.entries, *first.fetch.result()
        while ahead:
            first = ahead.popleft()
            yield first.chunk, first.entries, *first.fetch.result()

    def _fetch(self, chunk: Chunk) -> _Fetched:
        entries = self._ledger.entries(chunk.source.known, *chunk.bounds)
        receipts = [
            entries[row.line.row].receipt
            for row in chunk.rows
            if row.line.row in entries and not row.problems and _has_content(entries[row.line.row])
        ]
        return _Fetched(chunk, entries, Fetch(self._client, receipts))

    def _place(
        self,
        chunk: Chunk,
        row: Row,
        entries: dict[int, Entry],
        contents: tuple[dict[str, InquiryResult], dict[str, str]],
        files: tuple[ReturnedRows, ReturnedRows, ProblemList],
    ) -> None:
        """Put one row where it belongs."""
        remainder, rejects, problems = files
        report = self._report
        report.rows += 1
        entry = entries.get(row.line.row)
        for problem in row.problems:
            problems.add(problem, "reject" if row.fields is None else "result")
        if row.fields is None:
            report.rejected += 1
            rejects.add(chunk.source.file, row.line)
        elif row.problems:
            self._add_problem(row)
        elif entry is None or entry.state not in (*_READABLE, EntryState.FAILED):
            report.remainder += 1
            remainder.add(chunk.source.file, row.line)
        elif not _has_content(entry):
            self._add_refusal(row, entry)
            if entry.state == EntryState.FAILED:
                problems.add(self._failure(chunk, row, entry), "result")
        else:
            found, unavailable = contents
            result = found.get(entry.receipt)
            reason = unavailable.get(entry.receipt, "INQUIRY_UNKNOWN")
            if result is not None:
                self._add_answer(row, entry, result)
            elif reason == "INQUIRY_NOT_FINISHED":
                report.remainder += 1
                remainder.add(chunk.source.file, row.line)
            else:
                report.failed += 1
                self._lost += entry.state in (EntryState.DELIVERED, EntryState.ACKNOWLEDGED)
                self._write(row, self._messages.local(reason), entry, reason=reason)
                problems.add(self._failure(chunk, row, entry, reason), "result")

    def _add_problem(self, row: Row) -> None:
        first = row.problems[0]
        status = self._messages.local(
            first.reason,
            column=first.name,
            position=str(first.column),
            rule=first.rule,
            local=self._value(row, "local_address_number"),
            information=self._value(row, "information_code"),
        )
        self._report.failed += 1
        self._write(row, status, None, reason=first.reason)

    def _add_refusal(self, row: Row, entry: Entry) -> None:
        report = self._report
        if entry.state == EntryState.FAILED:
            report.failed += 1
            status = entry.status
        else:
            report.refused += 1
            report.refuse(entry.reason)
            status = self._messages.refused(
                entry.status, entry.reason, number=entry.number, information=self._value(row, "information_code")
            )
        self._write(row, status, entry, reason=entry.reason)
        self._note_delivered(entry)

    def _add_answer(self, row: Row, entry: Entry, result: InquiryResult) -> None:
        if result.answer_kind == ANSWER_KIND_NO_REPLICA:
            self._report.no_replica += 1
        else:
            self._report.values += 1
        shown = result.status
        status = RowStatus(shown.row_status, shown.row_message, shown.information_status, shown.information_message)
        self._write(row, status, entry, result=result)
        self._note_delivered(entry)

    def _write(
        self, row: Row, status: RowStatus, entry: Entry | None, *, reason: str = "", result: InquiryResult | None = None
    ) -> None:
        self._rows.add(
            row.fields or (),
            status,
            provider=provider_of(self._value(row, "provider_code")),
            record_id=entry.record_id if entry else "",
            receipt=entry.receipt if entry else "",
            reason=reason,
            result=result,
        )

    def _keep(self, remainder: ReturnedRows, rejects: ReturnedRows, problems: ProblemList) -> None:
        """Make durable what stands beside the result, which comes last: where it stands, all of it stands."""
        report = self._report
        report.remainder_files = remainder.keep()
        report.reject_files = rejects.keep()
        report.problem_file = problems.keep()
        report.problems, report.problem_count = problems.first, problems.count
        report.problem_reasons = dict(problems.by_reason)
        for code, count in sorted(self._rows.unplaced.items()):
            report.warnings.append(
                RunWarning(
                    "ITEM_WITHOUT_COLUMN",
                    f"{count} values of item {code} have no column in profile {self._profile.name}",
                    f"項目 {code} の値 {count} 件は、プロファイル {self._profile.name} に列がありません。",
                )
            )

    def _settle(self) -> None:
        now = milliseconds(self._clock)
        with self._ledger.step():
            self._ledger.note_delivered([record for record, _ in self._delivered], now)
        receipts = {receipt: record for record, receipt in self._delivered if receipt}
        try:
            for some in acknowledge(self._client, list(receipts)):
                with self._ledger.step():
                    self._ledger.note_acknowledged([receipts[receipt] for receipt in some], now)
        except ChukanError as error:
            if not may_pass(error):
                raise
            self._report.warnings.append(not_acknowledged_warning(error))

    def _note_delivered(self, entry: Entry) -> None:
        if entry.state in (EntryState.FINISHED, EntryState.DELIVERED):
            self._delivered.append((entry.record_id, entry.receipt))

    def _failure(self, chunk: Chunk, row: Row, entry: Entry, reason: str = "") -> Problem:
        meaning = "local_address_number"
        field = self._profile.input.fields[self._places[meaning]]
        own = (reason or entry.reason) in ("LOCAL_NUMBER_UNKNOWN", "PERSON_UNKNOWN")
        return Problem(
            chunk.source.file.name,
            row.line.row,
            field.position if own else 0,
            field.name if own else "",
            "a number that is registered" if own else "",
            reason or entry.reason,
        )

    def _value(self, row: Row, meaning: str) -> str:
        place = self._places.get(meaning)
        return row.values[place] if place is not None else ""


def _has_content(entry: Entry) -> bool:
    return entry.state in _READABLE and entry.answer_kind in (ANSWER_KIND_VALUES, ANSWER_KIND_NO_REPLICA)
