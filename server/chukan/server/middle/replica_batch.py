# SPDX-License-Identifier: Apache-2.0
"""One batch of replicas: everything that needs no look into the database first, then the write that needs one."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from itertools import repeat
from operator import add
from typing import TYPE_CHECKING, Any, Final

from chukan.server.domain.content import pack_rows, without_rows
from chukan.server.domain.linkage import AddresseeState, Outcome, RowFailure
from chukan.server.domain.replica import ReplicaState
from chukan.server.domain.replica_checks import check_batch, check_edition, check_rows
from chukan.server.domain.replica_rows import HeldReplica, NewReplica
from chukan.server.middle.batches import check_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from chukan.server.domain.replica import ReplicaBatch
    from chukan.server.ports import Connection
    from chukan.server.ports.linkage import AddresseeStore
    from chukan.server.ports.replicas import ReplicaStore

__all__ = ["BatchEffect", "PreparedBatch"]

_NUMBERS: Final = "integrated_address_numbers"
_UNIT: Final = "\x1d"
_FIRST_VERSION: Final = 1


@dataclass(slots=True)
class BatchEffect:
    """What a batch does to the replicas: rows by kind of effect, and what became of each row."""

    outcomes: list[int]
    failures: dict[int, RowFailure]
    fresh: list[NewReplica] = field(default_factory=list)
    replaced: list[NewReplica] = field(default_factory=list)
    deleted: list[tuple[Any, ...]] = field(default_factory=list)
    revived: int = 0

    def refuse(self, row: int, reason: str, column: str, rule: str = "") -> None:
        """Refuse a row, unless it is refused already."""
        self.failures.setdefault(row, RowFailure(row, reason, column, rule=rule))

    @property
    def growth(self) -> int:
        """By how many current replicas the information grows."""
        return len(self.fresh) + self.revived - len(self.deleted)


class PreparedBatch:
    """A batch that is well-formed as a whole; raises what `check_batch` raises."""

    def __init__(
        self,
        organization: str,
        batch: ReplicaBatch,
        *,
        addressees: AddresseeStore,
        replicas: ReplicaStore,
        today: date,
    ) -> None:
        self._organization = organization
        self._batch = batch
        self._addressees = addressees
        self._replicas = replicas
        self._layout, self._data_set = check_batch(batch)
        self._exclusive = self._layout.period == "date" and self._data_set.parent is None
        self._failures = check_rows(batch, self._data_set)
        for row, failure in check_edition(batch, self._layout, today).items():
            self._failures.setdefault(row, failure)
        for row, failure in check_format(batch.numbers, field=_NUMBERS).items():
            self._failures.setdefault(row, failure)
        packed = pack_rows(without_rows(batch.columns, {*self._failures, *batch.deleted_rows}), batch.rows)
        self._digests = replicas.digests(organization, _said(batch, packed))
        self._sealed = replicas.seal(organization, batch.record_ids, packed)
        self._numbers = addressees.number_digests(organization, batch.numbers)

    def write(self, connection: Connection, now: int) -> BatchEffect:
        """Check against what is held and write the good rows; may run more than once."""
        effect = BatchEffect([int(Outcome.COMMITTED)] * self._batch.rows, dict(self._failures))
        ids = self._resolve(connection, effect)
        self._recognise(connection, effect)
        self._check_parents(connection, ids, effect)
        self._sort(connection, ids, effect, now)
        for row in effect.failures:
            effect.outcomes[row] = int(Outcome.REFUSED)
        self._store(connection, effect)
        return effect

    def _resolve(self, connection: Connection, effect: BatchEffect) -> dict[int, int]:
        """Return the addressee of each row; rows of unknown and merged ones are refused."""
        found = self._addressees.ids(connection, self._organization, list(dict.fromkeys(self._numbers)))
        if len(found) == len(set(self._numbers)) and all(held[1] != AddresseeState.MERGED for held in found.values()):
            return {row: found[digest][0] for row, digest in enumerate(self._numbers)}
        ids: dict[int, int] = {}
        for row, digest in enumerate(self._numbers):
            held = found.get(digest)
            if held is None:
                effect.refuse(row, "ADDRESSEE_UNKNOWN", _NUMBERS)
            elif held[1] == AddresseeState.MERGED:
                effect.refuse(row, "ADDRESSEE_MERGED", _NUMBERS)
            else:
                ids[row] = held[0]
        return ids

    def _recognise(self, connection: Connection, effect: BatchEffect) -> None:
        """Record ids used before: the same content is a repetition, other content is refused."""
        known = self._replicas.known_records(connection, self._organization, self._batch.record_ids)
        if not known:
            return
        for row, record_id in enumerate(self._batch.record_ids):
            digest = known.get(record_id)
            if digest is None or row in effect.failures:
                continue
            if hmac.compare_digest(digest, self._digests[row]):
                effect.outcomes[row] = int(Outcome.UNCHANGED)
            else:
                effect.refuse(row, "RECORD_ID_EXISTS", "record_ids")

    def _check_parents(self, connection: Connection, ids: dict[int, int], effect: BatchEffect) -> None:
        if self._data_set.parent is None:
            return
        held = self._held(connection, self._data_set.parent, ids)
        for row, addressee in ids.items():
            if row in effect.failures or self._batch.deletes(row):
                continue
            parent = held.get(addressee, {}).get(self._batch.parent_keys[row])
            if parent is None or parent.state != ReplicaState.ACTIVE:
                effect.refuse(row, "PARENT_UNKNOWN", "parent_record_keys")

    def _sort(self, connection: Connection, ids: dict[int, int], effect: BatchEffect, now: int) -> None:
        """Sort good rows into first versions, new versions and deletions, in the order of the batch."""
        batch = self._batch
        held = self._held(connection, batch.data_set, ids)
        shape = self._replicas.shape(connection, batch.edition, [column.item_code for column in batch.columns])
        rows = [row for row in ids if row not in effect.failures and effect.outcomes[row] != int(Outcome.UNCHANGED)]
        alone = not batch.operations and len(set(ids.values())) == len(ids)
        if alone:
            effect.fresh = self._first_versions([row for row in rows if ids[row] not in held], ids, shape, now)
            rows = [row for row in rows if ids[row] in held]
        later = self._later_shapes(connection, shape, held)
        for row in rows:
            self._sort_one(row, ids[row], held.setdefault(ids[row], {}), effect, (shape, now), later=later)

    def _later_shapes(
        self, connection: Connection, shape: int, held: dict[int, dict[str, HeldReplica]]
    ) -> frozenset[int]:
        """Return the shapes of a later edition among what is held."""
        others = {each.shape for own in held.values() for each in own.values()} - {shape}
        edition = self._batch.edition
        return frozenset(each for each in others if self._replicas.edition(connection, each) > edition)

    def _first_versions(self, rows: Sequence[int], ids: dict[int, int], shape: int, now: int) -> list[NewReplica]:
        """Return rows of people who have nothing of this data set yet and stand in the batch once, as columns."""
        batch = self._batch

        def taken(column: Sequence[Any]) -> Iterable[Any]:
            return column if len(rows) == batch.rows else [column[row] for row in rows]

        columns = (
            repeat(self._organization),
            repeat(batch.information_code),
            [ids[row] for row in rows],
            repeat(batch.data_set),
            taken(batch.record_keys),
            repeat(_FIRST_VERSION),
            taken(batch.parent_keys) if batch.parent_keys else repeat(""),
            repeat(shape),
            taken(batch.record_ids),
            taken(batch.start_dates),
            taken(batch.end_dates) if batch.end_dates else repeat(""),
            repeat(int(ReplicaState.ACTIVE)),
            repeat(""),
            taken(batch.ward_codes) if batch.ward_codes else repeat(""),
            repeat(now),
            taken(self._sealed),
        )
        return list(map(NewReplica._make, zip(*columns, strict=False)))

    def _sort_one(
        self,
        row: int,
        addressee: int,
        own: dict[str, HeldReplica],
        effect: BatchEffect,
        written: tuple[int, int],
        *,
        later: frozenset[int],
    ) -> None:
        """Sort one row beside what its person has; written: shape and instant of new versions.

        later: shapes of a later edition. What stands in one is not displaced from answering by an earlier one, as a
        resend that comes late would do it; who means it deletes the record first.
        """
        batch = self._batch
        key = batch.record_keys[row]
        current = own.get(key)
        if batch.deletes(row):
            self._delete(row, addressee, own, effect, written[1])
            return
        if current is not None and current.shape in later and current.state == ReplicaState.ACTIVE:
            effect.refuse(row, "EDITION_SUPERSEDED", "edition")
            return
        start, end = batch.start_dates[row], batch.end_dates[row] if batch.end_dates else ""
        if self._exclusive and _overlaps(own, key, start, end):
            effect.refuse(row, "PERIODS_OVERLAP", "start_dates", rule="one record at a time")
            return
        (new,) = self._first_versions([row], {row: addressee}, *written)
        if current is None:
            effect.fresh.append(new)
        else:
            new = new._replace(version=current.version + 1)
            effect.replaced.append(new)
            effect.revived += current.state == ReplicaState.DELETED
        own[key] = HeldReplica(new.version, start, end, new.state, new.record_id, new.shape)

    def _delete(self, row: int, addressee: int, own: dict[str, HeldReplica], effect: BatchEffect, now: int) -> None:
        batch = self._batch
        key = batch.record_keys[row]
        current = own.get(key)
        if current is None or current.state != ReplicaState.ACTIVE:
            effect.refuse(row, "REPLICA_UNKNOWN", "record_keys")
            return
        named = (self._organization, batch.information_code, addressee, batch.data_set, key)
        version = current.version + 1
        effect.deleted.append((*named, version, batch.record_ids[row], batch.delete_reasons[row], now))
        own[key] = current._replace(state=int(ReplicaState.DELETED), version=version)

    def _store(self, connection: Connection, effect: BatchEffect) -> None:
        self._replicas.insert(connection, effect.fresh)
        if effect.replaced:
            self._replicas.replace(connection, effect.replaced)
        if effect.deleted:
            self._replicas.delete(connection, effect.deleted)
        written = [row for row, outcome in enumerate(effect.outcomes) if outcome == Outcome.COMMITTED]
        self._replicas.add_records(
            connection,
            self._organization,
            [self._batch.record_ids[row] for row in written],
            [self._digests[row] for row in written],
        )

    def _held(self, connection: Connection, data_set: str, ids: dict[int, int]) -> dict[int, dict[str, HeldReplica]]:
        addressees = list(dict.fromkeys(ids.values()))
        return self._replicas.held(connection, self._organization, self._batch.information_code, data_set, addressees)


def _overlaps(own: dict[str, HeldReplica], key: str, start: str, end: str) -> bool:
    """Whether another current record of the person covers a day of start..end (both inclusive, "" = open)."""
    return any(
        other != key
        and held.state == ReplicaState.ACTIVE
        and (not end or held.start_date <= end)
        and (not held.end_date or held.end_date >= start)
        for other, held in own.items()
    )


def _said(batch: ReplicaBatch, packed: Sequence[bytes]) -> Iterable[bytes]:
    """Return, per row, everything it says: what a record id stands for."""
    blank = ("",) * batch.rows
    common = (batch.information_code, batch.data_set, batch.edition, *(column.item_code for column in batch.columns))
    heads = zip(
        repeat(_UNIT.join(common)),
        batch.numbers,
        batch.record_keys,
        batch.parent_keys or blank,
        batch.start_dates,
        batch.end_dates or blank,
        batch.delete_reasons or blank,
        batch.ward_codes or blank,
        blank,
        strict=False,
    )
    return map(add, map(str.encode, map(_UNIT.join, heads)), packed)
