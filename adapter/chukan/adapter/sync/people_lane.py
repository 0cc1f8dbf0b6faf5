# SPDX-License-Identifier: Apache-2.0
"""The lane of one resident or non-resident extract, in numbered steps.

1 rows that were sent before and did not change are passed over; the others are parsed, mapped and checked;
2 people are registered at the address system, which numbers or links them, holds them for a person, or refuses them;
3 the simulated resident network (住基ネット) is told who they are, by everybody's last row of the batch;
4 the middle server is told their integrated address numbers with their flags, and asked for their linkage codes (符号);
5 codes of people it is not told of are asked for too; of none without individual number;
6 the rows are remembered. Rows that are held for a person are sent again by every run, until somebody has decided.
Only rows that change what is known of a person speak for the person in steps 3 and 4: neither an older record nor a
business's view does. Several batches are under way at once, one per step and more. Telling the resident network is
[own]: a municipality's resident system does it (docs/divergences "Resident network"). Closed people are closed only
when their codes are there, because a closed addressee gets none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.mapping.rows import CellFault
from chukan.adapter.sources import RowFault
from chukan.adapter.sync import people_messages as messages
from chukan.adapter.sync.people_batch import PeopleBatch
from chukan.adapter.sync.preparation import missing, wrong_local_numbers
from chukan.adapter.sync.rows import by_value, changed_rows, parse
from chukan.adapter.sync.streams import BatchStream
from chukan.address.v1 import address_service_pb2 as address
from chukan.v1 import common_pb2 as common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chukan.adapter.mapping import PeopleMapping
    from chukan.adapter.mapping.people import MappedPeople
    from chukan.adapter.sources import DelimitedFile
    from chukan.adapter.sync.closings import Closings
    from chukan.adapter.sync.lane import Desk
    from chukan.adapter.sync.memory import Memory
    from chukan.adapter.sync.rows import RawRows, Rows
    from chukan.client import Client

__all__ = ["PeopleLane"]

_DEPTH: Final = 2
_ADDRESSEES: Final = 2
"""The step that tells the middle server."""
_NEW: Final = frozenset({address.LINK_OUTCOME_NUMBERED})
_SPEAKING: Final = _NEW | {address.LINK_OUTCOME_LINKED_WITH_UPDATE, address.LINK_OUTCOME_UNCHANGED}
_OUTCOMES: Final = {
    address.LINK_OUTCOME_NUMBERED: "numbered",
    address.LINK_OUTCOME_LINKED: "linked",
    address.LINK_OUTCOME_LINKED_WITH_UPDATE: "linked_with_update",
    address.LINK_OUTCOME_HELD: "held",
    address.LINK_OUTCOME_REFUSED: "refused",
    address.LINK_OUTCOME_UNCHANGED: "unchanged",
}


class PeopleLane:
    """Sends what changed of one extract of people. client is None in a dry run."""

    def __init__(
        self, mapping: PeopleMapping, memory: Memory, desk: Desk, *, client: Client | None, closings: Closings
    ) -> None:
        self._mapping = mapping
        self._memory = memory
        self._desk = desk
        self._closings = closings
        self._client = client
        self._salt = mapping.fingerprint
        self._under_way: set[bytes] = set()
        self._run = 1
        self._batches = 0
        self.asked = 0
        """Codes newly asked for."""
        self._steps: list[_Step] = []
        if client is not None:
            for call, request, take in (
                (client.address.RegisterPeople, self._registration, self._registered),
                (client.resident_network.NotifyResidents, self._notification, self._notified),
                (client.linkage_codes.RegisterAddressees, self._addressees, self._addressed),
                (client.linkage_codes.BatchRequestCodes, self._code_request, self._codes_asked),
            ):
                stream: BatchStream[PeopleBatch] = BatchStream(call, depth=_DEPTH, waiting=desk.waiting)
                self._steps.append(_Step(stream, request, take))

    def run(self, files: Sequence[DelimitedFile]) -> None:
        """Go through the files; errors of the lane as a whole are raised."""
        memory, desk = self._memory, self._desk
        self._run = int(memory.get("run", "0")) + 1
        if self._steps:
            memory.put("run", str(self._run))
            memory.commit()
        memory.begin()
        try:
            for file in files:
                desk.begin_file(file)
                for raw in changed_rows(file, memory, salt=self._salt, most=desk.options.batch, tell=desk.reader(file)):
                    for batch in self._prepared(file, raw):
                        self._advance(batch, 0)
                desk.end_file(file)
            self._drain()
            desk.report.vanished = sum(1 for _ in memory.vanished())
        finally:
            for step in self._steps:
                step.stream.close()

    # --- step 1 ---

    def _prepared(self, file: DelimitedFile, raw: RawRows) -> Iterator[PeopleBatch]:
        desk, mapping = self._desk, self._mapping
        rows, faults = parse(file, raw)
        desk.refuse(file, faults)
        cells = rows.columns(mapping.columns)
        local = mapping.local_number.apply(cells, len(rows))
        mapped = mapping.map_rows(cells, len(rows))
        wrong = [*wrong_local_numbers(mapping.local_number, local), *mapped.faults]
        business = None if mapping.business_id is None else mapping.business_id.apply(cells, len(rows))
        if business is not None and mapping.business_id is not None:
            wrong += missing(mapping.business_id, business)
        left_out = desk.refuse_cells(file, wrong, rows.numbers)
        businesses = ("",) * len(rows) if business is None else business.values
        keys = self._memory.key_digests(
            ["\x1f".join((mapping.number_system, *pair)) for pair in zip(businesses, local.values, strict=True)]
        )
        left_out |= self._passed_over(rows, keys, left_out)
        for name, group in by_value(businesses).items():
            kept = [row for row in group if row not in left_out]
            if kept:
                yield self._batch(name, rows, kept, local.values, keys, mapped)

    def _passed_over(self, rows: Rows, keys: Sequence[bytes], left_out: set[int]) -> set[int]:
        """Return the rows that were sent before after all, and those that stand twice."""
        memory = self._memory
        known = memory.known(keys)
        passed: set[int] = set()
        doubled: list[CellFault] = []
        batch: set[bytes] = set()
        for row, key in enumerate(keys):
            held = known.get(key)
            if row in left_out:
                if held is not None:
                    memory.see(held[0])
            elif key in batch or key in self._under_way or (held is not None and memory.is_seen(held[0])):
                passed.add(row)
                doubled.append(CellFault(row, self._mapping.local_number.column, "", "RECORD_DUPLICATE", ""))
            else:
                batch.add(key)
                if held is not None:
                    memory.see(held[0])
                    if held[1] == rows.digests[row]:
                        passed.add(row)
                        self._desk.report.not_changed += 1
        self._desk.refuse_cells(rows.file, doubled, rows.numbers)
        return passed

    def _batch(  # noqa: PLR0917 - columns of one block
        self,
        business: str,
        rows: Rows,
        kept: Sequence[int],
        local: Sequence[str],
        keys: Sequence[bytes],
        mapped: MappedPeople,
    ) -> PeopleBatch:
        self._batches += 1
        if len(kept) < len(rows):
            rows, mapped = rows.take(kept), mapped.take(kept)
            local, keys = [local[row] for row in kept], [keys[row] for row in kept]
        self._under_way.update(keys)
        said = b"".join((f"{self._run}\x1f{self._batches}\x1f{business}".encode(), *rows.digests))
        id_ = f"{self._memory.prefix}-{blake2b(said, digest_size=16).hexdigest()}"
        return PeopleBatch(id_, business, rows, local, keys, mapped)

    # --- going from step to step ---

    def _advance(self, batch: PeopleBatch, at: int) -> None:
        """Bring a batch to the next step that has something to do for it."""
        if not self._steps:
            self._desk.report.sent += len(batch.rows)
            self._under_way.difference_update(batch.keys)
            return
        for index in range(at, len(self._steps)):
            step = self._steps[index]
            request = step.request(batch)
            if request is not None:
                self._desk.report.batches += 1
                for done, answer in step.stream.send(batch, request):
                    step.take(done, answer)
                    self._advance(done, index + 1)
                return
        self._finish(batch)

    def _drain(self) -> None:
        while any(step.stream.is_busy for step in self._steps):
            for index, step in enumerate(self._steps):
                for done, answer in step.stream.drain():
                    step.take(done, answer)
                    self._advance(done, index + 1)
        self._memory.commit()

    # --- steps 2 to 5 ---

    def _registration(self, batch: PeopleBatch) -> Any:  # noqa: ANN401 - a message of the step
        self._desk.report.sent += len(batch.rows)
        return messages.registration(batch, self._mapping.number_system)

    def _registered(self, batch: PeopleBatch, answer: address.RegisterPeopleResponse) -> None:
        report = self._desk.report
        batch.numbers = list(answer.integrated_address_numbers)
        outcomes = list(answer.outcomes)
        report.outcomes += Counter(
            {_OUTCOMES.get(outcome, "other"): count for outcome, count in Counter(outcomes).items()}
        )
        held = outcomes.count(address.LINK_OUTCOME_HELD)
        report.held_for_a_person += held
        report.outcomes["without_individual_number"] += len(answer.unnumbered_rows)
        report.outcomes["substituted_characters"] += answer.substitution_count
        self._refuse(batch, answer.failures)
        batch.taken = [row for row, number in enumerate(batch.numbers) if number]
        unnumbered = frozenset(answer.unnumbered_rows)
        speaks = _SPEAKING if self._mapping.flags else _NEW
        batch.speaking = batch.last_of_each([row for row in batch.taken if outcomes[row] in speaks])
        batch.asked = batch.last_of_each([row for row in batch.taken if row not in unnumbered])

    def _notification(self, batch: PeopleBatch) -> Any:  # noqa: ANN401 - a message of the step
        return messages.notification(batch)

    def _notified(self, batch: PeopleBatch, answer: Any) -> None:  # noqa: ANN401 - a message of the step
        rows = messages.notified_rows(batch)
        self._drop(batch, self._refuse(batch, answer.failures, rows))

    def _addressees(self, batch: PeopleBatch) -> Any:  # noqa: ANN401 - a message of the step
        return messages.addressees(batch)

    def _addressed(self, batch: PeopleBatch, answer: Any) -> None:  # noqa: ANN401 - a message of the step
        self._drop(batch, self._refuse(batch, answer.failures, batch.speaking))
        self.asked += answer.requested_code_count
        told = set(batch.speaking)
        batch.asked = [row for row in batch.asked if row not in told]

    def _code_request(self, batch: PeopleBatch) -> Any:  # noqa: ANN401 - a message of the step
        return messages.code_request(batch)

    def _codes_asked(self, batch: PeopleBatch, answer: Any) -> None:  # noqa: ANN401 - a message of the step
        self.asked += list(answer.outcomes).count(common.ROW_OUTCOME_COMMITTED)
        failures = list(answer.failures)
        if not batch.is_repetition:
            unknown = [batch.asked[failure.row] for failure in failures if failure.reason == "ADDRESSEE_UNKNOWN"]
            failures = [failure for failure in failures if failure.reason != "ADDRESSEE_UNKNOWN"]
            if unknown:
                self._repeat(batch, unknown)
        self._drop(batch, self._refuse(batch, failures, batch.asked))

    def _repeat(self, batch: PeopleBatch, rows: list[int]) -> None:
        """Tell the middle server of people it does not know after all (a run broke off), and ask for their codes."""
        people = {batch.numbers[row] for row in rows}
        taken = [row for row in batch.taken if batch.numbers[row] in people]
        again = replace(batch, id=f"{batch.id}-again", taken=taken, speaking=rows, asked=list(rows), is_repetition=True)
        self._drop(batch, set(rows))
        self._advance(again, _ADDRESSEES)

    def _refuse(
        self, batch: PeopleBatch, failures: Sequence[common.RowFailure], rows: Sequence[int] | None = None
    ) -> set[int]:
        """Write dead letters; rows: the batch's rows by row of the message. Return the batch's rows."""
        refused: set[int] = set()
        for failure in failures:
            row = failure.row if rows is None else rows[failure.row]
            refused.add(row)
            column = self._mapping.column_of(failure.field)
            fault = RowFault(batch.rows.numbers[row], failure.reason, column, rule=failure.rule)
            self._desk.report.refuse(failure.reason)
            self._desk.dead_letters.add(
                batch.rows.file.label, fault, english=failure.message, japanese=failure.message_ja
            )
        return refused

    @staticmethod
    def _drop(batch: PeopleBatch, refused: set[int]) -> None:
        """Let refused rows, and others of the same people, go no further."""
        if refused:
            people = {batch.numbers[row] for row in refused}
            for rows in (batch.taken, batch.speaking, batch.asked):
                rows[:] = [row for row in rows if batch.numbers[row] not in people]

    # --- step 6 ---

    def _finish(self, batch: PeopleBatch) -> None:
        report = self._desk.report
        self._under_way.difference_update(batch.keys)
        self._closings.note(messages.closings(batch))
        report.written += len(batch.taken)
        keys, digests = batch.keys, batch.rows.digests
        self._memory.acknowledge([keys[row] for row in batch.taken], [digests[row] for row in batch.taken])
        self._memory.commit()


class _Step:
    """One step: a stream, what is sent of a batch (None: nothing), and what is done with the answer."""

    __slots__ = ("request", "stream", "take")

    def __init__(
        self,
        stream: BatchStream[PeopleBatch],
        request: Callable[[PeopleBatch], Any],
        take: Callable[[PeopleBatch, Any], None],
    ) -> None:
        self.stream = stream
        self.request = request
        self.take = take
