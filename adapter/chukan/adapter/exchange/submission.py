# SPDX-License-Identifier: Apache-2.0
"""The first half of a run: rows become requests, each durable in the ledger before it leaves.

Per row, by what the ledger knows of it:
1 unknown, or failed before: the number is converted and the request noted; a row of another file that is open (the
  remainder fed again) goes on under its old record identification number;
2 noted but without a receipt: sent again as it was, with the number it had then, also after a merge;
3 with a receipt: nothing; `--resend` sends it again as it was while it is not delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.adapter.exchange.conversion import LocalKey
from chukan.adapter.exchange.ledger import EntryState
from chukan.adapter.exchange.requests import SpecMaker, line_digest
from chukan.adapter.exchange.sending import InquiryStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from chukan.adapter.exchange.conversion import Converter, StartedConversion
    from chukan.adapter.exchange.input_profile import InputProfile
    from chukan.adapter.exchange.intake import Chunk
    from chukan.adapter.exchange.ledger import Entry, Ledger
    from chukan.adapter.exchange.messages import Messages, RowStatus
    from chukan.adapter.exchange.rows import Row
    from chukan.adapter.exchange.sending import SentRow
    from chukan.client import Client
    from chukan.standard.clock import Clock
    from chukan.v1.inquiry_service_pb2 import InquirySpec

__all__ = ["Submission", "milliseconds"]


@dataclass(frozen=True, slots=True)
class _Started:
    chunk: Chunk
    fresh: list[Row]
    repeated: list[tuple[Row, Entry]]
    conversion: StartedConversion


class Submission:
    """Sends the rows of a run. `after_batch` is called between batches."""

    def __init__(
        self,
        ledger: Ledger,
        converter: Converter,
        *,
        profile: InputProfile,
        messages: Messages,
        consent: bool,
        resend: bool,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._converter = converter
        self._places = profile.places
        self._maker = SpecMaker(profile, consent=consent)
        self._messages = messages
        self._resend = resend
        self._clock = clock
        self._open_files = ledger.open_files()
        self.sent = 0

    def run(self, client: Client, chunks: Iterable[Chunk], after_batch: Callable[[int], None]) -> None:
        """Send what has to be sent; what fails on the way can be run again."""
        with InquiryStream(client) as stream:
            for chunk, specs in self._prepared(chunks):
                if specs:
                    for answer in stream.send(specs):
                        self._note(answer)
                after_batch(len(chunk.rows))
            for answer in stream.finish():
                self._note(answer)
                after_batch(0)

    def _prepared(self, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, list[InquirySpec]]]:
        """Yield requests, converting one chunk ahead."""
        before: _Started | None = None
        for chunk in chunks:
            started = self._start(chunk)
            if before is not None:
                yield before.chunk, self._finish(before)
            before = started
        if before is not None:
            yield before.chunk, self._finish(before)

    def _start(self, chunk: Chunk) -> _Started:
        known = self._known(chunk)
        fresh: list[Row] = []
        repeated: list[tuple[Row, Entry]] = []
        for row in chunk.rows:
            if row.fields is None or row.problems:
                continue
            entry = known.get(row.line.row)
            if entry is None or entry.state == EntryState.FAILED:
                fresh.append(row)
            elif entry.number and (
                entry.state == EntryState.PENDING
                or (self._resend and entry.state in (EntryState.SENT, EntryState.FINISHED))
            ):
                repeated.append((row, entry))
        keys = list(dict.fromkeys(self._key(row) for row in fresh if not self._given(row)))
        return _Started(chunk, fresh, repeated, self._converter.start(keys))

    def _known(self, chunk: Chunk) -> dict[int, Entry]:
        file = chunk.source.known
        known = self._ledger.entries(file, *chunk.bounds)
        if not self._open_files - {file.id}:
            return known
        unknown = [
            (row.line.row, line_digest(row.line.raw))
            for row in chunk.rows
            if row.fields is not None and not row.problems and row.line.row not in known
        ]
        return known | self._ledger.continue_rows(file, unknown) if unknown else known

    def _finish(self, started: _Started) -> list[InquirySpec]:
        numbers = started.conversion.result()
        now = milliseconds(self._clock)
        chunk = started.chunk
        pending: list[tuple[int, bytes, str]] = []
        failed: list[tuple[int, RowStatus, str]] = []
        specs = [
            self._maker.make(row.values, record=entry.record_id, number=entry.number) for row, entry in started.repeated
        ]
        for row in started.fresh:
            given = self._given(row)
            number, reason = (given, "") if given else numbers[self._key(row)]
            if number:
                pending.append((chunk.key(row), line_digest(row.line.raw), number))
                specs.append(self._maker.make(row.values, record=chunk.record_id(row), number=number))
            else:
                local = self._key(row).local_address_number
                failed.append((chunk.key(row), self._messages.local(reason, local=local), reason))
        with self._ledger.step():
            self._ledger.add_pending(pending, now)
            self._ledger.add_failed(failed, now)
        return specs

    def _note(self, answer: Sequence[SentRow]) -> None:
        now = milliseconds(self._clock)
        taken = [(each.record_id, each.receipt) for each in answer if not each.reason]
        with self._ledger.step():
            self._ledger.note_receipts(taken, now)
            self._ledger.note_not_taken(
                [(each.record_id, self._messages.local(each.reason), each.reason) for each in answer if each.reason],
                now,
            )
        self.sent += len(taken)

    def _key(self, row: Row) -> LocalKey:
        places = self._places
        return LocalKey(row.values[places["number_system"]], row.values[places["local_address_number"]])

    def _given(self, row: Row) -> str:
        """Return the integrated address number of a file that was converted already; "" as a rule."""
        place = self._places.get("integrated_address_number")
        return row.values[place] if place is not None else ""


def milliseconds(clock: Clock) -> int:
    """Return the present instant in milliseconds."""
    return int(clock.now().timestamp() * 1000)
