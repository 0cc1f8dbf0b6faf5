# SPDX-License-Identifier: Apache-2.0
"""符号管理 (FGU): registering addressees and asking for their linkage codes.

Acquisition, in numbered steps (docs/divergences "Code acquisition"; law: 番号法21条の2):
1 the address system registers 団体内統合宛名番号 and asks for a code, at once or later: committed with an outbox row;
2 the dispatcher asks the network for a 処理通番, known to the network by a token only;
3 the number is readable until it is linked or expires; the address system submits it with the individual number;
4 the network delivers the code or the reason why there is none;
5 the code is stored, the processing number purged.
Steps 2, 4 and 5 are in `code_acquisition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from chukan.durable.changes import next_change_seq
from chukan.durable.idempotency import once
from chukan.durable.instants import to_micros
from chukan.server.domain.linkage import (
    AddresseeRow,
    AddresseeState,
    LinkageState,
    LinkageUpdate,
    NewAddressee,
    Outcome,
    RowFailure,
)
from chukan.server.middle.batches import answer_of, check_numbers, decode_answer, encode_answer
from chukan.server.middle.merging import CodesBefore, acquires_anew, flags_of, joined_flags, move_replicas
from chukan.server.middle.number_requests import add_requests
from chukan.server.middle.repeats import Repeat
from chukan.standard.layouts import information_codes
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.server.domain.linkage import AddresseeBatch, BatchAnswer
    from chukan.server.ports import Connection, Environment, Outbox
    from chukan.server.ports.linkage import AddresseeStore, ReplicaMover

__all__ = ["LinkageCodes"]

T = TypeVar("T")

_NUMBERS: Final = "integrated_address_numbers"
_NEW: Final = Repeat()
_MERGE_ATTEMPTS: Final = 5
"""A code comes or goes between reading and writing once, if ever."""

_Flags = tuple[int, bool, bool, str]
"""State, 不開示該当, 自己情報提供不可, informations under 自動応答不可."""
_ACTIVE: Final = int(AddresseeState.ACTIVE)
_OFF: Final[_Flags] = (_ACTIVE, False, False, "")
_UNDER_WAY: Final = frozenset(
    {
        LinkageState.REQUESTED,
        LinkageState.PROCESSING_NUMBER_ISSUED,
        LinkageState.LINKED,
    }
)


class LinkageCodes:
    """Addressees of every organization served here."""

    def __init__(
        self, environment: Environment, addressees: AddresseeStore, replicas: ReplicaMover, outbox: Outbox
    ) -> None:
        self._environment = environment
        self._addressees = addressees
        self._replicas = replicas
        self._outbox = outbox

    def register(
        self, organization: str, system: str, batch_id: str, body_digest: bytes, batch: AddresseeBatch
    ) -> BatchAnswer:
        """Register or update a batch of addressees and ask for the codes of those named.

        The same batch id and content answers as before.
        Errors: INFORMATION_UNKNOWN for the whole batch, where automatic answers are switched off for no information.
        """
        disabled = batch.auto_response_disabled or {}
        if not set().union(*disabled.values()).issubset(information_codes()):
            raise ChukanError("INFORMATION_UNKNOWN", field="auto_response_disabled.entries.information_code")
        failures = check_numbers(batch.numbers, field=_NUMBERS)
        digests = self._addressees.number_digests(organization, batch.numbers)
        sealed = self._addressees.seal_numbers(organization, digests, batch.numbers)
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> bytes:
            sorted_ = _Sorted({}, dict(failures), [], [], [])
            sorted_.sort(batch, digests, sealed, self._addressees.flags(connection, organization, digests))
            fresh, changed = sorted_.fresh, sorted_.changed
            if fresh or changed:
                first = next_change_seq(connection, count=len(fresh) + len(changed))
                asked = self._addressees.insert(connection, organization, fresh, now=now, first_seq=first)
                add_requests(connection, self._outbox, organization, asked)
                self._addressees.set_flags(connection, changed, now=now, first_seq=first + len(fresh))
            self._ask(connection, organization, sorted_.wanting, now)
            return encode_answer(sorted_.answer(len(digests)))

        return self._once(organization, system, "RegisterAddressees", (batch_id, body_digest), step)

    def request_codes(
        self, organization: str, system: str, batch_id: str, body_digest: bytes, numbers: Sequence[str]
    ) -> BatchAnswer:
        """Ask for the codes of a batch of addressees; those under way or linked stay as they are."""
        failures = check_numbers(numbers, field=_NUMBERS)
        digests = self._addressees.number_digests(organization, numbers)
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> bytes:
            outcomes, refused, asked = self._sort_requests(connection, organization, digests, failures)
            self._ask(connection, organization, asked, now)
            return encode_answer(answer_of(len(digests), outcomes, refused))

        return self._once(organization, system, "BatchRequestCodes", (batch_id, body_digest), step)

    def request_code(self, organization: str, number: str) -> AddresseeRow:
        """Ask for one code and return where it stands; a repetition while under way changes nothing."""
        (digest,) = self._addressees.number_digests(organization, [_checked(number)])
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> None:
            row = _present(self._addressees.flags(connection, organization, [digest]).get(digest))
            state, linkage = row[1], row[6]
            if linkage == LinkageState.LINKED:
                raise ChukanError("CODE_ALREADY_LINKED")
            if state != AddresseeState.ACTIVE:
                raise ChukanError("ADDRESSEE_CLOSED" if state == AddresseeState.CLOSED else "ADDRESSEE_MERGED")
            if linkage not in _UNDER_WAY:
                self._ask(connection, organization, [row[0]], now)

        self._environment.database.write(organization, step)
        return self.get(organization, number)

    def get(self, organization: str, number: str) -> AddresseeRow:
        """Return one addressee."""
        with self._environment.database.read() as connection:
            row = self._addressees.find(connection, organization, [_checked(number)]).get(number)
        return _present(row)

    def survivor(self, organization: str, row: AddresseeRow) -> str:
        """Return the number an addressee was merged into, or the empty string."""
        if not row.merged_into:
            return ""
        with self._environment.database.read() as connection:
            return self._addressees.number(connection, organization, [row.merged_into]).get(row.merged_into, "")

    def close(self, organization: str, number: str) -> AddresseeRow:
        """Close an addressee: still answerable, no new codes."""
        (digest,) = self._addressees.number_digests(organization, [_checked(number)])
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> None:
            row = _present(self._addressees.flags(connection, organization, [digest]).get(digest))
            if row[1] == AddresseeState.MERGED:
                raise ChukanError("ADDRESSEE_MERGED")
            if row[1] != AddresseeState.CLOSED:
                first = next_change_seq(connection)
                changed = (row[0], int(AddresseeState.CLOSED), *row[2:6])
                self._addressees.set_flags(connection, [changed], now=now, first_seq=first)

        self._environment.database.write(organization, step)
        return self.get(organization, number)

    def merge(self, organization: str, merged: str, surviving: str) -> AddresseeRow:
        """Merge two numbers of one person, as the steps in `merging` say.

        Errors: CODES_DIFFER, REPLICAS_COLLIDE; CONCURRENT_CHANGE, where their codes never rest.
        """
        if merged == surviving:
            raise ChukanError("ADDRESSEE_MERGE_REFUSED", field="surviving_integrated_address_number")
        numbers = (_checked(merged), _checked(surviving))
        for _ in range(_MERGE_ATTEMPTS):
            if self._merge(organization, numbers, self._codes_of(organization, numbers)):
                return self.get(organization, surviving)
        raise ChukanError("CONCURRENT_CHANGE")

    def _codes_of(self, organization: str, numbers: tuple[str, str]) -> CodesBefore:
        """Return the codes of the merged and the surviving number, the former sealed for the latter."""
        digests = self._addressees.number_digests(organization, numbers)
        with self._environment.database.read() as connection:
            found = self._addressees.find(connection, organization, numbers)
        held = [_present(found.get(number)).linkage_code or b"" for number in numbers]
        coded = zip(held, self._addressees.code_digests(organization, held), strict=True)
        gone, stays = (digest if code else b"" for code, digest in coded)
        (sealed,) = self._addressees.seal_codes(organization, digests[1:], held[:1])
        return CodesBefore(gone, stays, sealed)

    def _merge(self, organization: str, numbers: tuple[str, str], codes: CodesBefore) -> bool:
        """Merge, unless a code came or went since they were read; return whether."""
        digests = self._addressees.number_digests(organization, numbers)
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> bool:
            found = self._addressees.unopened(connection, organization, digests)
            gone, stays = (_present(found.get(digest)) for digest in digests)
            if stays.state == AddresseeState.MERGED:
                raise ChukanError("ADDRESSEE_MERGED", field="surviving_integrated_address_number")
            if gone.state == AddresseeState.MERGED:
                if gone.merged_into == stays.id:
                    return True
                raise ChukanError("ADDRESSEE_MERGED", field="merged_integrated_address_number")
            if not codes.hold(gone, stays, self._addressees.holders(connection, organization, codes.known)):
                return False
            if len(codes.known) > 1:
                raise ChukanError("CODES_DIFFER")
            move_replicas(connection, organization, self._replicas, source=gone.id, target=stays.id)
            first = next_change_seq(connection, count=3)
            merged_away = (gone.id, int(AddresseeState.MERGED), *flags_of(gone), stays.id)
            kept = (stays.id, int(stays.state), *joined_flags(gone, stays), stays.merged_into)
            self._addressees.set_flags(connection, [merged_away, kept], now=now, first_seq=first)
            if codes.gone:
                self._addressees.drop_code(connection, gone.id, now=now)
                self._addressees.set_linkage(connection, [codes.taken(stays, now)], now=now, first_seq=first + 2)
            elif acquires_anew(gone):
                ended = LinkageUpdate(gone.id, int(LinkageState.NOT_REQUESTED))
                self._addressees.set_linkage(connection, [ended], now=now, first_seq=first + 2)
                if stays.state is AddresseeState.ACTIVE and stays.linkage_state not in _UNDER_WAY:
                    self._ask(connection, organization, [stays.id], now)
            return True

        return self._environment.database.write(organization, step)

    def split(
        self,
        organization: str,
        number: str,
        new_number: str,
        moved: Sequence[tuple[str, str, str]],
        *,
        repeat: Repeat = _NEW,
    ) -> tuple[AddresseeRow, AddresseeRow]:
        """Split an addressee two people shared: the code is unlinked, the named replicas move to the new number."""
        if repeat.was_made(self._environment):
            return self.get(organization, number), self.get(organization, new_number)
        digests = self._addressees.number_digests(organization, [_checked(number), _checked(new_number)])
        sealed = self._addressees.seal_numbers(organization, digests, [number, new_number])
        now = to_micros(self._environment.clock.now())

        def step(connection: Connection) -> None:
            repeat.keep(connection, self._environment)
            found = self._addressees.flags(connection, organization, digests)
            row = _present(found.get(digests[0]))
            if digests[1] in found:
                raise ChukanError("ADDRESSEE_EXISTS", field="new_integrated_address_number")
            if row[1] == AddresseeState.MERGED:
                raise ChukanError("ADDRESSEE_MERGED", field="integrated_address_number")
            first = next_change_seq(connection, count=2)
            new = NewAddressee(digests[1], sealed[1], int(AddresseeState.ACTIVE), *row[2:5])
            self._addressees.insert(connection, organization, [new], now=now, first_seq=first)
            unlinked = LinkageUpdate(row[0], int(LinkageState.NOT_REQUESTED))
            self._addressees.set_linkage(connection, [unlinked], now=now, first_seq=first + 1)
            target = self._addressees.ids(connection, organization, [digests[1]])[digests[1]][0]
            for key in moved:
                if not self._replicas.move(connection, organization, key, row[0], target):
                    raise ChukanError("REPLICA_UNKNOWN", field="moved_replicas")

        self._environment.database.write(organization, step)
        return self.get(organization, number), self.get(organization, new_number)

    def page(self, organization: str, *, after_id: int, states: Sequence[int], most: int) -> list[AddresseeRow]:
        """Return addressees in order of registration."""
        with self._environment.database.read() as connection:
            return self._addressees.page(connection, organization, after_id=after_id, states=states, most=most)

    def changed(self, organization: str, *, after_seq: int, states: Sequence[int], most: int) -> list[AddresseeRow]:
        """Return addressees changed after a position, in commit order, each in its latest state."""
        with self._environment.database.read() as connection:
            return self._addressees.changed(connection, organization, after_seq=after_seq, states=states, most=most)

    def _once(
        self,
        organization: str,
        system: str,
        method: str,
        request: tuple[str, bytes],
        step: Callable[[Connection], bytes],
    ) -> BatchAnswer:
        fresh: list[bool] = []

        def whole(connection: Connection) -> bytes:
            fresh.clear()

            def noted(inner: Connection) -> bytes:
                fresh.append(True)
                return step(inner)

            return once(
                connection,
                organization=organization,
                system=system,
                method=method,
                request_id=request[0],
                body_digest=request[1],
                clock=self._environment.clock,
                fn=noted,
            )

        kept = self._environment.database.write(organization, whole)
        return decode_answer(kept, repeated=not fresh)

    def _sort_requests(
        self, connection: Connection, organization: str, digests: Sequence[bytes], failures: dict[int, RowFailure]
    ) -> tuple[dict[int, int], dict[int, RowFailure], list[int]]:
        found = self._addressees.flags(connection, organization, digests)
        outcomes: dict[int, int] = {}
        refused = dict(failures)
        asked: list[int] = []
        for row, digest in enumerate(digests):
            if row in refused:
                continue
            held = found.get(digest)
            if held is None:
                refused[row] = RowFailure(row, "ADDRESSEE_UNKNOWN", _NUMBERS)
            elif held[6] in _UNDER_WAY:
                outcomes[row] = Outcome.UNCHANGED
            elif held[1] != AddresseeState.ACTIVE:
                reason = "ADDRESSEE_CLOSED" if held[1] == AddresseeState.CLOSED else "ADDRESSEE_MERGED"
                refused[row] = RowFailure(row, reason, _NUMBERS)
            else:
                asked.append(held[0])
        return outcomes, refused, asked

    def _ask(self, connection: Connection, organization: str, ids: Sequence[int], now: int) -> None:
        if not ids:
            return
        first = next_change_seq(connection, count=len(ids))
        self._addressees.request(connection, ids, now=now, first_seq=first)
        add_requests(connection, self._outbox, organization, ids)


@dataclass(slots=True)
class _Sorted:
    """What a batch of addressees does: rows that stay or are refused, new ones, changed ones, codes to be asked for."""

    outcomes: dict[int, int]
    refused: dict[int, RowFailure]
    fresh: list[NewAddressee]
    changed: list[tuple[int, int, bool, bool, str, int]]
    wanting: list[int]

    def sort(
        self,
        batch: AddresseeBatch,
        digests: Sequence[bytes],
        sealed: Sequence[bytes],
        found: Mapping[bytes, tuple[int, int, bool, bool, str, int, int]],
    ) -> None:
        """Sort every row beside what is held of it, by number digest."""
        for row, digest in enumerate(digests):
            if row in self.refused:
                continue
            held = found.get(digest)
            flags = _flags(batch, row, _OFF if held is None else held[1:5])
            asks = row in batch.code_rows and flags[0] == _ACTIVE
            if held is None:
                self.fresh.append(NewAddressee(digest, sealed[row], *flags, asks))
                continue
            if held[1] == AddresseeState.MERGED:
                self.refused[row] = RowFailure(row, "ADDRESSEE_MERGED", _NUMBERS)
                continue
            if held[1:5] == flags:
                self.outcomes[row] = Outcome.UNCHANGED
            else:
                self.changed.append((held[0], *flags, held[5]))
            if asks and held[6] not in _UNDER_WAY:
                self.wanting.append(held[0])

    def answer(self, rows: int) -> BatchAnswer:
        """Return the answer of the batch."""
        asked = len(self.wanting) + sum(each.asked for each in self.fresh)
        return answer_of(rows, self.outcomes, self.refused, asked=asked)


def _flags(batch: AddresseeBatch, row: int, held: _Flags) -> _Flags:
    """Return state and flags of an addressee after the batch: what it says nothing of stays as held."""
    state, nondisclosure, stopped, codes = held
    if batch.closed is not None:
        state = int(AddresseeState.CLOSED if row in batch.closed else AddresseeState.ACTIVE)
    if batch.nondisclosure is not None:
        nondisclosure = row in batch.nondisclosure
    if batch.self_information_disabled is not None:
        stopped = row in batch.self_information_disabled
    if batch.auto_response_disabled is not None:
        codes = " ".join(sorted(batch.auto_response_disabled.get(row, ())))
    return state, nondisclosure, stopped, codes


def _checked(number: str) -> str:
    failures = check_numbers([number], field="integrated_address_number")
    if failures:
        raise ChukanError(failures[0].reason, field="integrated_address_number")
    return number


def _present(row: T | None) -> T:
    if row is None:
        raise ChukanError("ADDRESSEE_UNKNOWN", field="integrated_address_number")
    return row
