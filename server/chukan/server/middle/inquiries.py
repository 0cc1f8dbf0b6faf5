# SPDX-License-Identifier: Apache-2.0
"""情報照会 (SKI) after acceptance: reading where inquiries stand, their content, acknowledging, cancelling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

from chukan.durable.changes import next_change_seq
from chukan.server.domain.exchange import AnswerKind, Outcome, milliseconds
from chukan.server.domain.exchange_record import RecordEnd
from chukan.server.domain.inquiry import (
    OPEN_STATES,
    Inquiry,
    InquiryEnd,
    InquirySpec,
    InquiryState,
    inquiry_of,
    receipt_id,
    receipt_number,
    receipt_prefix,
    unpack_sealed,
)
from chukan.server.middle.inquiry_acceptance import pack_ids
from chukan.server.middle.inquiry_timers import COMMIT_OUTCOMES
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.inquiry import InquiryRow, StoredResult
    from chukan.server.ports import Connection, Environment, Outbox
    from chukan.server.ports.exchange import Codec
    from chukan.server.ports.exchange_stores import ExchangeRecords, Inquiries

__all__ = ["InquiryDesk", "Result", "ResultsRead", "Unavailable"]


@dataclass(frozen=True, slots=True)
class Result:
    """An opened answer: the inquiry and the AnswerContent bytes, empty if there is no replica."""

    inquiry: Inquiry
    content: bytes
    provision_time_ms: int


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a result can't be had."""

    receipt_number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResultsRead:
    """What could be read, what can't be had, and how many of the receipt numbers these are of."""

    results: list[Result]
    unavailable: list[Unavailable]
    looked_at: int


class InquiryDesk:
    """Inquiries of every organization served here, as their own staff read them."""

    def __init__(
        self,
        environment: Environment,
        *,
        inquiries: Inquiries,
        records: ExchangeRecords,
        outbox: Outbox,
        codec: Codec,
    ) -> None:
        self._environment = environment
        self._inquiries = inquiries
        self._records = records
        self._outbox = outbox
        self._codec = codec

    def by_id(self, organization: str, id_: int, *, field: str = "receipt_number") -> Inquiry:
        """Return one inquiry by its number; field: by what the caller asked for it."""
        with self._environment.database.read() as connection:
            found = self._inquiries.by_ids(connection, organization, [id_])
        if id_ not in found:
            raise ChukanError("INQUIRY_UNKNOWN", field=field)
        return self._shown(organization, [found[id_]])[0]

    def by_receipt(self, organization: str, receipt: str) -> Inquiry:
        """Return one inquiry by receipt number. Errors: INQUIRY_UNKNOWN."""
        inquiry = self.by_id(organization, receipt_id(receipt) or 0)
        if inquiry.receipt_number != receipt:
            raise ChukanError("INQUIRY_UNKNOWN", field="receipt_number")
        return inquiry

    def by_record(self, organization: str, record_id: str) -> Inquiry:
        """Return one inquiry by record identification number. Errors: INQUIRY_UNKNOWN."""
        with self._environment.database.read() as connection:
            known = self._inquiries.known(connection, organization, [record_id])
        if record_id not in known:
            raise ChukanError("INQUIRY_UNKNOWN", field="record_id")
        return self.by_id(organization, known[record_id][1], field="record_id")

    def page(self, organization: str, *, after: int, states: Sequence[int], most: int) -> list[tuple[int, Inquiry]]:
        """Return (number, inquiry) in order of receipt."""
        with self._environment.database.read() as connection:
            rows = self._inquiries.page(connection, organization, after=after, states=states, most=most)
        return list(zip([row.id for row in rows], self._shown(organization, rows), strict=True))

    def changed(
        self, organization: str, *, after: int, most: int, finished_only: bool, unacknowledged_only: bool = False
    ) -> list[Inquiry]:
        """Return inquiries changed after a position, in commit order, each as it stands now."""
        with self._environment.database.read() as connection:
            rows = self._inquiries.changed(
                connection,
                organization,
                after=after,
                most=most,
                finished_only=finished_only,
                unacknowledged_only=unacknowledged_only,
            )
        return self._shown(organization, rows)

    def results(self, organization: str, receipts: Sequence[str], *, most_bytes: int) -> ResultsRead:
        """Read finished inquiries in the order asked for, as long as their contents fit; one at least is looked at."""
        numbers = [receipt_id(receipt) or 0 for receipt in receipts]
        with self._environment.database.read() as connection:
            rows = self._inquiries.by_ids(connection, organization, numbers)
            stored = self._inquiries.results(connection, organization, list(rows)) if rows else {}
        looked_at = _how_many_fit([len(stored[each].content) if each in stored else 0 for each in numbers], most_bytes)
        receipts, numbers = receipts[:looked_at], numbers[:looked_at]
        wanted = set(numbers)
        rows = {id_: row for id_, row in rows.items() if id_ in wanted}
        shown = dict(zip(rows, self._shown(organization, list(rows.values())), strict=True))
        now = milliseconds(self._environment.clock.now())
        kept = {id_: each for id_, each in stored.items() if id_ in wanted and each.expires > now}
        contents = dict(
            zip(
                kept,
                self._environment.vault.open_many(
                    organization, "inquiry_result", "content", list(kept), [each.content for each in kept.values()]
                ),
                strict=True,
            )
        )
        results: list[Result] = []
        unavailable: list[Unavailable] = []
        for receipt, number in zip(receipts, numbers, strict=True):
            inquiry = shown.get(number)
            reason = _why_not(inquiry, receipt, has_content=number in contents)
            if inquiry is None or reason:
                unavailable.append(Unavailable(receipt, reason))
            else:
                results.append(_result(inquiry, contents.get(number, b""), stored.get(number)))
        return ResultsRead(results, unavailable, looked_at)

    def acknowledge(self, organization: str, receipts: Sequence[str]) -> tuple[int, list[Unavailable]]:
        """Note that results were taken over; return how many newly, and those that can't be."""
        numbers = {receipt: receipt_id(receipt) or 0 for receipt in receipts}
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> tuple[int, list[Unavailable]]:
            rows = self._inquiries.standings(connection, organization, list(numbers.values()))
            unavailable: list[Unavailable] = []
            fresh: list[int] = []
            for receipt, number in numbers.items():
                row = rows.get(number)
                if row is None or receipt_number(receipt_prefix(row.accepted), number) != receipt:
                    unavailable.append(Unavailable(receipt, "INQUIRY_UNKNOWN"))
                elif row.state in OPEN_STATES:
                    unavailable.append(Unavailable(receipt, "INQUIRY_NOT_FINISHED"))
                elif not row.acknowledged:
                    fresh.append(number)
            if fresh:
                first = next_change_seq(connection, count=len(fresh))
                self._inquiries.acknowledge(connection, organization, fresh, now=now, first_seq=first)
            return len(fresh), unavailable

        return self._environment.database.write(organization, step)

    def cancel(self, organization: str, receipt: str) -> Inquiry:
        """Cancel an inquiry that is not finished; again changes nothing."""
        number = receipt_id(receipt) or 0
        now = milliseconds(self._environment.clock.now())

        def step(connection: Connection) -> bool:
            row = self._inquiries.by_ids(connection, organization, [number]).get(number)
            if row is None or receipt_number(receipt_prefix(row.accepted), row.id) != receipt:
                raise ChukanError("INQUIRY_UNKNOWN", field="receipt_number")
            if row.state == InquiryState.CANCELLED:
                return False
            if row.state not in OPEN_STATES:
                raise ChukanError("INQUIRY_FINISHED")
            seq = next_change_seq(connection)
            ended = InquiryEnd(number, int(InquiryState.CANCELLED), 0, "INQUIRY_CANCELLED", now, 0, seq)
            recorded = RecordEnd(
                number, 0, int(Outcome.CANCELLED), "INQUIRY_CANCELLED", undisclosable=False, items=0, change_seq=seq
            )
            self._inquiries.end(connection, organization, [ended])
            self._records.end(connection, organization, [recorded])
            self._outbox.add(connection, kind=COMMIT_OUTCOMES, organization=organization, payload=pack_ids([number]))
            return True

        if self._environment.database.write(organization, step):
            self._environment.metrics.note_inquiry_state("cancelled", 1)
        return self.by_id(organization, number)

    def _shown(self, organization: str, rows: Sequence[InquiryRow]) -> list[Inquiry]:
        opened = self._environment.vault.open_many(
            organization, "inquiry", "sealed", [row.record_id for row in rows], [row.sealed for row in rows]
        )
        return [
            inquiry_of(row, unpack_sealed(plain)[0], partial(self._codec.decode, InquirySpec))
            for row, plain in zip(rows, opened, strict=True)
        ]


def _how_many_fit(sizes: Sequence[int], most: int) -> int:
    """Return how many of the contents, from the first on, are opened for one response; at least one."""
    for count, total in enumerate(accumulate(sizes)):
        if total > most:
            return max(count, 1)
    return len(sizes)


def _why_not(inquiry: Inquiry | None, receipt: str, *, has_content: bool) -> str:
    if inquiry is None or inquiry.receipt_number != receipt:
        return "INQUIRY_UNKNOWN"
    if inquiry.state in OPEN_STATES:
        return "INQUIRY_NOT_FINISHED"
    if inquiry.state is not InquiryState.ANSWERED:
        return "INQUIRY_HAS_NO_RESULT"
    if inquiry.answer_kind is AnswerKind.VALUES and not has_content:
        return "RESULT_EXPIRED"
    return ""


def _result(inquiry: Inquiry, content: bytes, stored: StoredResult | None) -> Result:
    return Result(inquiry, content, stored.provided if stored else inquiry.finish_time_ms)
