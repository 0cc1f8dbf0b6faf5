# SPDX-License-Identifier: Apache-2.0
"""The lane of one information: its extracts become replicas (副本), in numbered steps.

1 rows that were sent before and did not change are passed over unparsed;
2 the others are parsed, and told apart by data set;
3 records whose row was sent before after all (it moved in the file) are passed over, doubled ones refused;
4 宛名番号 are converted; people without 個人番号 are not provided, which the report says;
5 rows are mapped and checked by the layout; faults become dead letters;
6 a batch is noted with its record numbers, then sent; parents' data sets go before their children's;
7 what the server wrote is remembered; what it refused becomes a dead letter and is tried again by the next run;
8 replicas whose records vanished are deleted if that is asked for; rows that had overlapped them are sent again.
Record identification numbers ascend within a lane [own] (docs/divergences "Adapter").
"""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.refusals import refused_for
from chukan.adapter.sources import RowFault
from chukan.adapter.sync.preparation import Preparation
from chukan.adapter.sync.replica_messages import delete_request, register_request
from chukan.adapter.sync.rows import changed_rows
from chukan.adapter.sync.streams import BatchStream, retried
from chukan.adapter.sync.vanished import believable, deletions
from chukan.v1 import common_pb2 as common
from chukan.v1 import replica_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.mapping import DataSetMapping, ExtractMapping
    from chukan.adapter.sources import DelimitedFile
    from chukan.adapter.sync.lane import Desk
    from chukan.adapter.sync.memory import Memory
    from chukan.adapter.sync.numbers import Numbers
    from chukan.adapter.sync.preparation import Ready
    from chukan.client import Client

__all__ = ["ReplicaLane"]

_DEPTH: Final = 4
_DELETED: Final = b"\0" * 16
_OVERLAP: Final = "PERIODS_OVERLAP"


class _Sent(NamedTuple):
    """A batch under way; a batch of deletions has no file."""

    file: DelimitedFile | None
    mapping: DataSetMapping
    lines: Sequence[int]
    keys: Sequence[bytes]
    digests: Sequence[bytes]
    note: int


class ReplicaLane:
    """Sends what changed of one information. client and numbers are None in a dry run."""

    def __init__(
        self, mapping: ExtractMapping, memory: Memory, desk: Desk, *, client: Client | None, numbers: Numbers | None
    ) -> None:
        self._mapping = mapping
        self._memory = memory
        self._desk = desk
        self._client = client
        self._numbers = numbers
        self._salt = blake2b(mapping.fingerprint + mapping.layout.edition.encode(), digest_size=16).digest()
        self._under_way: set[bytes] = set()
        self._preparation = Preparation(mapping, memory, desk, numbers=numbers, under_way=self._under_way)
        self._defers = False
        self._deferred = 0
        self._send_number = self._rows_of_send = 0
        self._run_kind = pb.RUN_KIND_MOVEMENT
        self._run = 1
        self._stream: BatchStream[_Sent] | None = None
        if client is not None:
            self._stream = BatchStream(client.replicas.RegisterReplicas, depth=_DEPTH, waiting=desk.waiting)

    def run(self, files: Sequence[DelimitedFile]) -> None:
        """Go through the files; errors of the lane as a whole are raised."""
        memory = self._memory
        try:
            self._begin()
            self._go_through(files)
            self._settle_vanished()
            if self._deferred:
                self._defers, self._desk.quiet, self._desk.before = False, True, 0
                self._go_through(files)
            if self._stream is not None:
                memory.put("edition", self._mapping.layout.edition)
                memory.put("fingerprint", self._salt.hex())
                memory.finish()
        finally:
            if self._stream is not None:
                self._stream.close()

    def _begin(self) -> None:
        memory, edition, salt = self._memory, self._mapping.layout.edition, self._salt.hex()
        self._defers = bool(self._desk.options.delete_reason) and self._stream is not None
        self._run = int(memory.get("run", "0")) + 1
        if memory.begin() == 0:
            self._run_kind = pb.RUN_KIND_INITIAL
        elif memory.get("edition", edition) != edition:
            self._run_kind = pb.RUN_KIND_EDITION_CHANGE
        elif memory.get("fingerprint", salt) != salt:
            self._run_kind = pb.RUN_KIND_REREGISTRATION
        if self._stream is not None:
            memory.put("run", str(self._run))

    def _go_through(self, files: Sequence[DelimitedFile]) -> None:
        desk = self._desk
        self._memory.begin()
        for file in files:
            desk.begin_file(file)
            for raw in changed_rows(
                file, self._memory, salt=self._salt, most=desk.options.batch, tell=desk.reader(file)
            ):
                for ready in self._preparation.ready(file, raw):
                    self._send(file, ready)
            desk.end_file(file)
        self._drain()

    # --- step 6 ---

    def _send(self, file: DelimitedFile, ready: Ready) -> None:
        rows = ready.named.rows
        if self._stream is None:
            self._desk.report.sent += len(rows)
            return
        note, numbers = self._memory.reserve(ready.named.keys, rows.digests)
        ids = self._record_ids(numbers)
        request = register_request(self._mapping.layout, ready, ids)
        self._address(request, ids)
        self._memory.commit()
        self._under_way.update(ready.named.keys)
        self._desk.report.sent += len(rows)
        sent = _Sent(file, ready.mapping, rows.numbers, ready.named.keys, rows.digests, note)
        for done, answer in self._stream.send(sent, request):
            self._answered(done, answer)

    def _record_ids(self, numbers: Sequence[int]) -> list[str]:
        prefix = self._memory.prefix
        return [f"{prefix}{number:010d}" for number in numbers]

    def _address(self, request: pb.RegisterReplicasRequest, record_ids: Sequence[str]) -> None:
        """Count the batch to a send; fill in the header and an id that is the same for the same rows of the send."""
        options, rows = self._desk.options, len(record_ids)
        if not self._send_number or self._rows_of_send + rows > options.send_cap:
            self._send_number, self._rows_of_send = self._send_number + 1, 0
        self._rows_of_send += rows
        self._desk.report.sends = self._send_number
        self._desk.report.batches += 1
        header = request.header
        header.mode = common.MODE_PRODUCTION if options.mode == "production" else common.MODE_TEST
        header.source_system, header.department, header.user_id = options.system, options.department, options.user
        header.run_kind = self._run_kind
        header.send_id = f"{self._memory.prefix}-{self._run}-{self._send_number}"
        said = "\x1f".join((header.send_id, request.data_set, *record_ids))
        request.batch_id = f"{self._memory.prefix}-{blake2b(said.encode(), digest_size=16).hexdigest()}"
        header.message_id = request.batch_id

    def _drain(self) -> None:
        if self._stream is not None:
            for done, answer in self._stream.drain():
                self._answered(done, answer)
            self._memory.commit()

    # --- step 7 ---

    def _answered(self, sent: _Sent, answer: pb.RegisterReplicasResponse) -> None:
        self._under_way.difference_update(sent.keys)
        if answer.state == pb.IMPORT_STATE_REFUSED:
            first = answer.failures[0]
            raise refused_for(first.reason, first.field)
        report, outcomes = self._desk.report, list(answer.outcomes)
        written = outcomes.count(common.ROW_OUTCOME_COMMITTED)
        if sent.file is None:
            report.deleted += written
            return
        report.written += written
        report.standing += outcomes.count(common.ROW_OUTCOME_UNCHANGED)
        kept = [row for row, outcome in enumerate(outcomes) if outcome != common.ROW_OUTCOME_REFUSED]
        keys, digests = sent.keys, sent.digests
        if len(kept) < len(outcomes):
            keys, digests = [keys[row] for row in kept], [digests[row] for row in kept]
        self._memory.acknowledge(keys, digests, sent.note)
        if len(kept) < len(outcomes):
            self._refuse(sent, sent.file, answer.failures)

    def _refuse(self, sent: _Sent, file: DelimitedFile, failures: Sequence[common.RowFailure]) -> None:
        for failure in failures:
            if failure.reason == _OVERLAP and self._defers:
                self._deferred += 1
                continue
            column = sent.mapping.column_of(failure.item_code) or self._column_of(sent.mapping, failure.field)
            fault = RowFault(sent.lines[failure.row], failure.reason, column, failure.item_code, failure.rule)
            self._desk.report.refuse(failure.reason)
            self._desk.dead_letters.add(file.label, fault, english=failure.message, japanese=failure.message_ja)

    def _column_of(self, mapping: DataSetMapping, field: str) -> str:
        found = {
            "integrated_address_numbers": self._mapping.local_number,
            "record_keys": mapping.record_key,
            "parent_record_keys": mapping.parent_key,
            "start_dates": mapping.start,
            "end_dates": mapping.end,
        }.get(field)
        return found.column if found is not None else ""

    # --- step 8 ---

    def _settle_vanished(self) -> None:
        desk, memory = self._desk, self._memory
        vanished = set(memory.vanished())
        desk.report.vanished = len(vanished)
        reason = desk.options.delete_reason
        if not vanished or not reason or self._client is None or self._numbers is None or self._stream is None:
            return
        if not believable(desk, len(vanished)):
            return
        held = partial(deletions, self._client, self._numbers, self._mapping, vanished, digests=memory.key_digests)
        found = retried(held, desk.waiting)
        for mapping in reversed(self._mapping.data_sets):
            records = found.get(mapping.data_set.code, [])
            for start in range(0, len(records), desk.options.batch):
                part = records[start : start + desk.options.batch]
                note, numbers = memory.reserve([each.digest for each in part], [_DELETED] * len(part))
                ids = self._record_ids(numbers)
                request = delete_request(self._mapping.layout, mapping, part, record_ids=ids, reason=reason)
                self._address(request, ids)
                memory.commit()
                for done, answer in self._stream.send(_Sent(None, mapping, (), (), (), note), request):
                    self._answered(done, answer)
        self._drain()
        memory.forget(sorted(vanished))
        memory.commit()
