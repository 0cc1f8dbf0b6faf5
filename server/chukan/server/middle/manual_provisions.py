# SPDX-License-Identifier: Apache-2.0
"""情報提供 (TKY) by people: what is under 自動応答不可 waits for one person to approve and a second to confirm.

Also how provisions are read: without content by lists, with content one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from chukan.durable.changes import next_change_seq
from chukan.server.domain.correction import check_correction
from chukan.server.domain.exchange import AnswerBatch, AnswerKind, Outcome, PermitLeaf, digest, milliseconds
from chukan.server.domain.exchange_record import RecordEnd
from chukan.server.domain.provision import AnswerBatchRow, ProvisionState, item_codes_of
from chukan.server.middle.inquiry_acceptance import pack_ids, unpack_ids
from chukan.server.middle.repeats import Repeat
from chukan.server.middle.sealed_answers import DraftAnswer
from chukan.server.middle.waiting import Waiting, pack_waiting, unpack_waiting
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import ResultRecord
    from chukan.server.domain.exchange_record import RecordRow
    from chukan.server.domain.provision import ProvisionRow, WaitingRow
    from chukan.server.middle.sealed_answers import AnswerSealer
    from chukan.server.ports import Connection, Environment, Outbox, OutboxItem
    from chukan.server.ports.exchange import Codec, ExchangeNetwork
    from chukan.server.ports.exchange_stores import AddresseeFinder, ExchangeRecords, Provisions

__all__ = ["RETURN_ANSWERS", "ProvisionDesk", "ShownProvision"]

RETURN_ANSWERS: Final = "return_answers"
"""Outbox kind: return answers that waited for a person. Payload: numbers of sealed batches."""
_NEW: Final = Repeat()
_NUMBER_DIGITS: Final = 18
"""More digits than the numbers of rows ever have, fewer than a database number can't hold."""


@dataclass(frozen=True, slots=True)
class ShownProvision:
    """A provision as the provider's own staff read it, without content."""

    row: ProvisionRow
    record: RecordRow
    number: str

    @property
    def change_seq(self) -> int:
        """Position of its last change."""
        return self.row.change_seq


class ProvisionDesk:
    """Provisions of every organization served here."""

    def __init__(
        self,
        environment: Environment,
        *,
        provisions: Provisions,
        records: ExchangeRecords,
        addressees: AddresseeFinder,
        outbox: Outbox,
        codec: Codec,
        sealer: AnswerSealer,
        network: ExchangeNetwork,
    ) -> None:
        self._environment = environment
        self._provisions = provisions
        self._records = records
        self._addressees = addressees
        self._outbox = outbox
        self._codec = codec
        self._sealer = sealer
        self._network = network

    # --- reading ---

    def get(self, organization: str, provision_id: str) -> ShownProvision:
        """Return one provision. Errors: PROVISION_UNKNOWN."""
        number = _number(provision_id)
        with self._environment.database.read() as connection:
            found = self._provisions.by_ids(connection, organization, [number])
            shown = self._shown(connection, organization, list(found.values()))
        if not shown:
            raise ChukanError("PROVISION_UNKNOWN")
        return shown[0]

    def page(self, organization: str, *, after: int, states: Sequence[int], most: int) -> list[ShownProvision]:
        """Return provisions in order of arrival."""
        with self._environment.database.read() as connection:
            rows = self._provisions.page(connection, organization, after=after, states=states, most=most)
            return self._shown(connection, organization, rows)

    def changed(self, organization: str, *, after: int, states: Sequence[int], most: int) -> list[ShownProvision]:
        """Return provisions changed after a position, in commit order."""
        with self._environment.database.read() as connection:
            rows = self._provisions.changed(connection, organization, after=after, states=states, most=most)
            return self._shown(connection, organization, rows)

    def content(self, organization: str, provision_id: str) -> tuple[ResultRecord, ...]:
        """Return the records that were or would be provided."""
        shown = self.get(organization, provision_id)
        with self._environment.database.read() as connection:
            waiting = self._provisions.waiting(connection, organization, shown.row.id)
            batches = self._provisions.batches(connection, organization, [shown.row.batch])
        if waiting is not None:
            return self._unsealed(organization, shown.row, waiting).records
        kept = batches.get(shown.row.batch)
        if kept is None:
            return ()
        group_keys = self._environment.vault.open(
            organization, "answer_batch", "group_keys", kept.root, kept.group_keys
        )
        batch = self._codec.decode(AnswerBatch, kept.batch)
        content = self._sealer.open_own(batch, shown.row.position, group_keys)
        return content.records if content else ()

    # --- deciding ---

    def correct(
        self,
        organization: str,
        provision_id: str,
        records: tuple[ResultRecord, ...],
        reason: str,
        *,
        repeat: Repeat = _NEW,
    ) -> ShownProvision:
        """Replace the content of a waiting provision; an approval before the correction falls."""
        if repeat.was_made(self._environment):
            return self.get(organization, provision_id)
        row, waiting = self._waiting(organization, provision_id)
        plain = replace(self._unsealed(organization, row, waiting), records=records)
        check_correction(records, self._codec.decode(PermitLeaf, plain.permit))
        sealed = self._environment.vault.seal(
            organization, "provision_waiting", "sealed", row.permit_digest, pack_waiting(self._codec, plain)
        )
        note = self._note(organization, row, reason)

        def step(connection: Connection) -> None:
            repeat.keep(connection, self._environment)
            current = self._still(connection, row)
            self._provisions.replace_waiting(connection, waiting._replace(sealed=sealed, approver=""))
            self._move(connection, current._replace(note=note), ProvisionState.WAITING)

        self._environment.database.write(organization, step)
        return self.get(organization, provision_id)

    def approve(
        self, organization: str, provision_id: str, user: str, *, expected: int = 0, repeat: Repeat = _NEW
    ) -> ShownProvision:
        """First person: approve a waiting provision; expected: the change it was decided on, 0 = whichever."""
        if repeat.was_made(self._environment):
            return self.get(organization, provision_id)
        row, waiting = self._waiting(organization, provision_id, expected)
        if not user:
            raise ChukanError("FIELD_REQUIRED", field="chukan-user")

        def step(connection: Connection) -> None:
            repeat.keep(connection, self._environment)
            current = self._still(connection, row)
            if current.state != ProvisionState.WAITING:
                raise ChukanError("PROVISION_NOT_WAITING")
            self._provisions.replace_waiting(connection, waiting._replace(approver=user))
            self._move(connection, current, ProvisionState.APPROVED)

        self._environment.database.write(organization, step)
        return self.get(organization, provision_id)

    def confirm(
        self, organization: str, provision_id: str, user: str, *, expected: int = 0, repeat: Repeat = _NEW
    ) -> ShownProvision:
        """Second person: confirm; the answer is sealed, kept and returned, under a permit that counts."""
        if repeat.was_made(self._environment):
            return self.get(organization, provision_id)
        row, waiting = self._waiting(organization, provision_id, expected)
        if row.state != ProvisionState.APPROVED:
            raise ChukanError("PROVISION_NOT_WAITING")
        if not user or user == waiting.approver:
            raise ChukanError("SECOND_PERSON_REQUIRED")
        plain = self._unsealed(organization, row, waiting)
        if self._codec.decode(PermitLeaf, plain.permit).expire_time_ms <= milliseconds(self._environment.clock.now()):
            raise ChukanError("PERMIT_EXPIRED", field="provision_id")
        outcome = Outcome.PROVIDED if plain.records else Outcome.NO_REPLICA
        self._answer(row, waiting, (outcome, ""), ProvisionState.PROVIDED, repeat)
        return self.get(organization, provision_id)

    def refuse(
        self, organization: str, provision_id: str, refusal: str, *, expected: int = 0, repeat: Repeat = _NEW
    ) -> ShownProvision:
        """Refuse a waiting provision; why is kept here and never sent."""
        if repeat.was_made(self._environment):
            return self.get(organization, provision_id)
        row, waiting = self._waiting(organization, provision_id, expected)
        noted = row._replace(note=self._note(organization, row, refusal))
        refused = (Outcome.REFUSED, "REFUSED_BY_PROVIDER")
        self._answer(noted, waiting, refused, ProvisionState.REFUSED, repeat)
        return self.get(organization, provision_id)

    def return_answers(self, items: Sequence[OutboxItem]) -> None:
        """Return kept batches to the network; called by the dispatcher."""
        organization = items[0].organization
        for item in items:
            with self._environment.database.read() as connection:
                batches = self._provisions.batches(connection, organization, unpack_ids(item.payload))
            for kept in batches.values():
                self._network.return_answers(organization, self._codec.decode(AnswerBatch, kept.batch))
            self._done(organization, item.id)

    # --- pieces ---

    def _done(self, organization: str, item: int) -> None:
        self._environment.database.write(organization, lambda connection: self._outbox.done(connection, [item]))

    def _waiting(self, organization: str, provision_id: str, expected: int = 0) -> tuple[ProvisionRow, WaitingRow]:
        shown = self.get(organization, provision_id)
        with self._environment.database.read() as connection:
            waiting = self._provisions.waiting(connection, organization, shown.row.id)
        if waiting is None or shown.row.state not in (ProvisionState.WAITING, ProvisionState.APPROVED):
            raise ChukanError("PROVISION_NOT_WAITING")
        if expected not in (0, shown.row.change_seq):
            raise ChukanError("CONCURRENT_CHANGE", field="expected_change_seq")
        return shown.row, waiting

    def _unsealed(self, organization: str, row: ProvisionRow, waiting: WaitingRow) -> Waiting:
        opened = self._environment.vault.open(
            organization, "provision_waiting", "sealed", row.permit_digest, waiting.sealed
        )
        return unpack_waiting(self._codec, opened)

    def _note(self, organization: str, row: ProvisionRow, text: str) -> bytes:
        return self._environment.vault.seal(organization, "provision", "note", row.permit_digest, text.encode())

    def _still(self, connection: Connection, row: ProvisionRow) -> ProvisionRow:
        """Inside a write: return the provision if nobody changed what was decided about meanwhile."""
        current = self._provisions.by_ids(connection, row.organization, [row.id])[row.id]
        if current.change_seq != row.change_seq:
            raise ChukanError("CONCURRENT_CHANGE")
        return current

    def _move(self, connection: Connection, row: ProvisionRow, state: ProvisionState) -> None:
        self._provisions.settle(connection, row._replace(state=int(state), change_seq=next_change_seq(connection)))

    def _answer(
        self,
        row: ProvisionRow,
        waiting: WaitingRow,
        said: tuple[Outcome, str],
        state: ProvisionState,
        repeat: Repeat,
    ) -> None:
        organization = row.organization
        now = milliseconds(self._environment.clock.now())
        plain = self._unsealed(organization, row, waiting)
        outcome, reason = said
        draft = DraftAnswer(
            permit=self._codec.decode(PermitLeaf, plain.permit),
            permit_digest=digest(plain.permit),
            outcome=outcome,
            reason=reason,
            records=plain.records if outcome is Outcome.PROVIDED else (),
            undisclosable=self._record(organization, row).undisclosable,
        )
        sealed = self._sealer.seal(organization, draft.permit.inquirer, plain.statement_digest, [draft], now)
        keys = self._environment.vault.seal(organization, "answer_batch", "group_keys", sealed.root, sealed.group_keys)
        codes = item_codes_of(draft.records)

        def step(connection: Connection) -> None:
            repeat.keep(connection, self._environment)
            self._still(connection, row)
            seq = next_change_seq(connection)
            kept = AnswerBatchRow(organization, seq, sealed.root, draft.permit.inquirer, sealed.encoded, keys, now)
            self._provisions.add_batch(connection, kept)
            self._provisions.drop_waiting(connection, organization, row.id)
            self._provisions.settle(connection, _settled(row, draft, state, (now, seq)))
            items = self._records.item_sets(connection, [codes])[codes]
            self._records.end(connection, organization, [_recorded(row.id, draft, items, (now, seq))])
            self._outbox.add(connection, kind=RETURN_ANSWERS, organization=organization, payload=pack_ids([seq]))

        self._environment.database.write(organization, step)

    def _record(self, organization: str, row: ProvisionRow) -> RecordRow:
        with self._environment.database.read() as connection:
            return self._records.by_ids(connection, organization, [row.id])[row.id]

    def _shown(self, connection: Connection, organization: str, rows: Sequence[ProvisionRow]) -> list[ShownProvision]:
        if not rows:
            return []
        records = self._records.by_ids(connection, organization, [row.id for row in rows])
        people = sorted({record.addressee for record in records.values() if record.addressee})
        numbers = self._addressees.number(connection, organization, people) if people else {}
        return [ShownProvision(row, records[row.id], numbers.get(records[row.id].addressee, "")) for row in rows]


def _settled(row: ProvisionRow, draft: DraftAnswer, state: ProvisionState, when: tuple[int, int]) -> ProvisionRow:
    kinds = {Outcome.PROVIDED: AnswerKind.VALUES, Outcome.NO_REPLICA: AnswerKind.NO_REPLICA}
    return row._replace(
        state=int(state),
        answer_kind=int(kinds.get(draft.outcome, AnswerKind.NONE)),
        reason=draft.reason or row.reason,
        provided=when[0],
        batch=when[1],
        position=0,
        change_seq=when[1],
    )


def _recorded(id_: int, draft: DraftAnswer, items: int, when: tuple[int, int]) -> RecordEnd:
    return RecordEnd(
        id=id_,
        outcome=int(draft.outcome),
        reason=draft.reason,
        provided=when[0] if draft.outcome is Outcome.PROVIDED else 0,
        undisclosable=draft.undisclosable,
        items=items,
        change_seq=when[1],
    )


def _number(provision_id: str) -> int:
    if not (provision_id.isascii() and provision_id.isdigit() and len(provision_id) <= _NUMBER_DIGITS):
        raise ChukanError("PROVISION_UNKNOWN")
    return int(provision_id)
