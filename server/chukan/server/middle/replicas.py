# SPDX-License-Identifier: Apache-2.0
"""情報提供データベース管理 (DBM): registering batches of replicas, reading them, and the lanes they come in.

A batch, in numbered steps:
1 the batch as a whole is checked (layout, columns, mode): a fault refuses it, nothing of it is written;
2 the rows are checked as far as the batch shows (items, keys, periods), column by column;
3 contents are packed, digested and sealed, outside the write;
4 inside one write: a resend is recognised, lane and send cap are asked, addressees, record ids, parents and periods are
  checked against what is held, and all good rows are written with the import's report.
Source of the flow: domain facts on registration messages; the order of steps is [own]
(docs/divergences "Replicas").
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.durable.instants import to_micros
from chukan.server.domain.linkage import WHOLE_BATCH, Outcome, RowFailure
from chukan.server.domain.replica import ImportState, LaneState, Operation, ReplicaBatch, ReplicaState
from chukan.server.domain.replica_rows import ImportRow, LaneRow
from chukan.server.middle.replica_batch import PreparedBatch
from chukan.standard.layouts import information_codes
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.middle.replica_batch import BatchEffect
    from chukan.server.ports import Connection, Environment
    from chukan.server.ports.linkage import AddresseeStore
    from chukan.server.ports.replicas import ImportStore, ReplicaStore

__all__ = ["SEND_CAP", "Replicas", "usual_send_cap"]

SEND_CAP: Final = 200_000
"""Rows of one information per send: about the cap that 会津若松市's resend exceeded in 2023 [P]."""

_KEPT_FAILURES: Final = 1_000
_PAGE: Final = 1_000


def usual_send_cap(_organization: str, _information: str) -> int:
    """Return the cap of every organization and information."""
    return SEND_CAP


class Replicas:
    """Replicas of every organization served here."""

    def __init__(
        self,
        environment: Environment,
        addressees: AddresseeStore,
        replicas: ReplicaStore,
        imports: ImportStore,
        *,
        send_cap: Callable[[str, str], int] = usual_send_cap,
    ) -> None:
        # send_cap: rows of one information an organization may send at once, asked with every batch.
        self._environment = environment
        self._addressees = addressees
        self._replicas = replicas
        self._imports = imports
        self._send_cap = send_cap

    # --- registering ---

    def register(
        self, organization: str, system: str, batch: ReplicaBatch, body_digest: bytes, *, mode: str = ""
    ) -> tuple[ImportRow, bool]:
        """Register a batch; return its report and whether it had been answered before.

        mode: "production" or "test", as the header says; empty = as the organization is set to.
        """
        now = to_micros(self._environment.clock.now())
        prepared: PreparedBatch | None = None
        refusal: RowFailure | None = None
        try:
            self._check_mode(organization, mode)
            prepared = PreparedBatch(
                organization,
                batch,
                addressees=self._addressees,
                replicas=self._replicas,
                today=self._environment.clock.today(),
            )
        except ChukanError as error:
            refusal = RowFailure(WHOLE_BATCH, error.reason.code, error.field, error.params.get("item_code", ""))

        def step(connection: Connection) -> tuple[ImportRow, bool]:
            known = self._imports.find(connection, organization, system, batch.batch_id)
            if known is not None:
                if not hmac.compare_digest(known.body_digest, body_digest):
                    raise ChukanError("IDEMPOTENCY_CONFLICT", field="batch_id")
                return known, True
            failure = refusal or self._gate(connection, organization, batch)
            if failure is not None or prepared is None:
                row = self._refused(connection, organization, batch, failure, now)
            else:
                row = self._written(connection, organization, batch, prepared.write(connection, now), now)
            row = row._replace(body_digest=body_digest)
            self._imports.add(connection, organization, system, row)
            return row, False

        row, repeated = self._environment.database.write(organization, step)
        if not repeated:
            self._note(row)
        return row, repeated

    def put(self, organization: str, system: str, batch: ReplicaBatch, *, mode: str = "") -> ImportRow:
        """Register a batch of one under an id of its own: whether it is a repetition, its record id says."""
        named = replace(batch, batch_id=self._environment.ids.next("replica.put"))
        return self.register(organization, system, named, hashlib.sha256(named.batch_id.encode()).digest(), mode=mode)[
            0
        ]

    def _gate(self, connection: Connection, organization: str, batch: ReplicaBatch) -> RowFailure | None:
        """Return why the lane takes no more; count the rows against the send cap."""
        lane = self._imports.lane(connection, organization, batch.information_code)
        if lane.state == LaneState.HELD:
            return RowFailure(WHOLE_BATCH, "LANE_HELD", "information_code")
        sent = batch.rows
        if batch.send_id:
            sent += self._imports.sent(connection, organization, batch.information_code, batch.send_id)
        cap = self._send_cap(organization, batch.information_code)
        if sent > cap:
            return RowFailure(WHOLE_BATCH, "SEND_CAP_EXCEEDED", "header.send_id", rule=f"rows<={cap}")
        if batch.send_id:
            self._imports.put_sent(connection, (organization, batch.information_code, batch.send_id), sent)
        return None

    def _written(
        self, connection: Connection, organization: str, batch: ReplicaBatch, effect: BatchEffect, now: int
    ) -> ImportRow:
        lane = self._imports.lane(connection, organization, batch.information_code)
        wrote = int(Outcome.COMMITTED) in effect.outcomes
        self._imports.put_lane(
            connection,
            organization,
            lane._replace(
                replica_count=lane.replica_count + effect.growth,
                last_success=now if wrote else lane.last_success,
                refused_count=lane.refused_count + len(effect.failures),
                stuck=0 if wrote else lane.stuck or (now if effect.failures else 0),
            ),
        )
        state = ImportState.COMPLETED_WITH_FAILURES if effect.failures else ImportState.COMPLETED
        failures = [effect.failures[row] for row in sorted(effect.failures)]
        return _report(batch, state, effect.outcomes, failures, now)._replace(change_seq=next_change_seq(connection))

    def _refused(
        self, connection: Connection, organization: str, batch: ReplicaBatch, failure: RowFailure | None, now: int
    ) -> ImportRow:
        """Report a batch refused as a whole; going over the send cap holds its lane, and no other."""
        failure = failure or RowFailure(WHOLE_BATCH, "INTERNAL_ERROR")
        if batch.information_code in information_codes():
            lane = self._imports.lane(connection, organization, batch.information_code)
            refused = lane.refused_count + batch.rows
            lane = lane._replace(last_refusal=now, refused_count=refused, stuck=lane.stuck or now)
            if failure.reason == "SEND_CAP_EXCEEDED":
                lane = lane._replace(state=int(LaneState.HELD), hold_reason=failure.reason, held=now)
            self._imports.put_lane(connection, organization, lane)
        return _report(batch, ImportState.REFUSED, [], [failure], now)

    def _note(self, row: ImportRow) -> None:
        metrics = self._environment.metrics
        metrics.note_replicas(row.information, sum(outcome == Outcome.COMMITTED for outcome in row.outcomes))
        for failure in row.failures:
            metrics.note_refused(str(failure[1]))

    def _check_mode(self, organization: str, mode: str) -> None:
        if mode and mode != self._environment.master.mode(organization).name.lower():
            raise ChukanError("MODE_MISMATCH", field="header.mode")

    def delete(self, organization: str, system: str, number: str, key: tuple[str, str, str], reason: str) -> ReplicaRow:
        """Delete one replica logically; one that is deleted already stays as it is."""
        current = self.versions(organization, number, key, before=0, most=1)[0]
        if current.state != ReplicaState.DELETED:
            record_id = self._environment.ids.next("replica.delete")
            batch = ReplicaBatch(
                batch_id=record_id,
                information_code=key[0],
                data_set=key[1],
                edition=current.edition,
                record_ids=[record_id],
                numbers=[number],
                record_keys=[key[2]],
                parent_keys=[],
                start_dates=[current.start_date],
                end_dates=[],
                operations=[int(Operation.DELETE)],
                delete_reasons=[reason],
                ward_codes=[],
                columns=[],
            )
            self.register(organization, system, batch, hashlib.sha256(record_id.encode()).digest())
        return self.versions(organization, number, key, before=0, most=1)[0]

    # --- reading ---

    def get(self, organization: str, number: str, key: tuple[str, str, str]) -> ReplicaRow:
        """Return the current version of one replica with its content."""
        rows = self.versions(organization, number, key, before=0, most=1)
        if not rows or rows[0].state != ReplicaState.ACTIVE:
            raise ChukanError("REPLICA_UNKNOWN", field="key")
        return rows[0]

    def versions(
        self, organization: str, number: str, key: tuple[str, str, str], *, before: int, most: int
    ) -> list[ReplicaRow]:
        """Return versions of one replica, newest first; `key` is information, data set and record key."""
        with self._environment.database.read() as connection:
            addressee = self._addressee(connection, organization, number)
            rows = self._replicas.versions(connection, organization, (addressee, *key), before=before, most=most)
        if not rows and not before:
            raise ChukanError("REPLICA_UNKNOWN", field="key")
        return rows

    def page(
        self,
        organization: str,
        number: str,
        *,
        information: str,
        deleted: bool,
        after: tuple[str, str, str],
        most: int,
    ) -> list[ReplicaRow]:
        """Return an addressee's replicas in order of information, data set and record key, without content."""
        wanted = [information] if information else list(information_codes())
        with self._environment.database.read() as connection:
            addressee = self._addressee(connection, organization, number)
            return self._replicas.page(
                connection, organization, addressee, informations=wanted, deleted=deleted, after=after, most=most
            )

    def export(self, organization: str, information: str) -> Iterator[list[tuple[str, ReplicaRow]]]:
        """Yield pages of (integrated address number, replica with content), in order of addressee."""
        if information not in information_codes():
            raise ChukanError("INFORMATION_UNKNOWN", field="information_code")
        after = (0, "", "")
        while True:
            with self._environment.database.read() as connection:
                rows = self._replicas.export(connection, organization, information, after=after, most=_PAGE)
                ids = list({row.addressee for row in rows})
                numbers = self._addressees.number(connection, organization, ids) if ids else {}
            if not rows:
                return
            yield [(numbers[row.addressee], row) for row in rows]
            last = rows[-1]
            after = (last.addressee, last.data_set, last.record_key)

    def _addressee(self, connection: Connection, organization: str, number: str) -> int:
        (digest,) = self._addressees.number_digests(organization, [number])
        found = self._addressees.ids(connection, organization, [digest]).get(digest)
        if found is None:
            raise ChukanError("ADDRESSEE_UNKNOWN", field="integrated_address_number")
        return found[0]

    # --- imports and lanes ---

    def get_import(self, organization: str, batch_id: str) -> ImportRow:
        """Return the report of a batch."""
        with self._environment.database.read() as connection:
            row = self._imports.by_batch(connection, organization, batch_id)
        if row is None:
            raise ChukanError("IMPORT_UNKNOWN", field="batch_id")
        return row

    def imports(self, organization: str, *, information: str, before: int, most: int) -> list[ImportRow]:
        """Return reports, newest first."""
        with self._environment.database.read() as connection:
            return self._imports.page(connection, organization, information=information, before=before, most=most)

    def lanes(self, organization: str) -> list[LaneRow]:
        """Return the lanes something went through."""
        with self._environment.database.read() as connection:
            return self._imports.lanes(connection, organization)

    def resume_lane(self, organization: str, information: str) -> LaneRow:
        """Open a held lane again."""
        if information not in information_codes():
            raise ChukanError("INFORMATION_UNKNOWN", field="information_code")

        def step(connection: Connection) -> LaneRow:
            lane = self._imports.lane(connection, organization, information)
            lane = lane._replace(state=int(LaneState.OPEN), hold_reason="", refused_count=0, held=0)
            self._imports.put_lane(connection, organization, lane)
            return lane

        return self._environment.database.write(organization, step)


def _report(
    batch: ReplicaBatch, state: ImportState, outcomes: list[int], failures: list[RowFailure], now: int
) -> ImportRow:
    return ImportRow(
        batch_id=batch.batch_id,
        information=batch.information_code,
        data_set=batch.data_set,
        edition=batch.edition,
        body_digest=b"",
        state=int(state),
        outcomes=outcomes,
        failures=[(one.row, one.reason, one.field, one.item_code, one.rule) for one in failures[:_KEPT_FAILURES]],
        created=now,
    )
