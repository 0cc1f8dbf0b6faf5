# SPDX-License-Identifier: Apache-2.0
"""One answer on its way through the inquirer's procedure, and where it puts inquiry and record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import AnswerKind, AnswerLeaf, Outcome
from chukan.server.domain.exchange_record import RecordEnd
from chukan.server.domain.inquiry import RESULT_LIFETIME_MS, InquiryEnd, InquiryState, end_state

if TYPE_CHECKING:
    from chukan.server.domain.exchange_record import RecordMark, RecordRow

__all__ = ["GIVEN_UP", "Received", "inquiry_end", "is_same", "record_end"]

GIVEN_UP: Final = (InquiryState.TIMED_OUT, InquiryState.CANCELLED)
"""States in which a late answer is recorded, but never shown."""


@dataclass(slots=True)
class Received:
    """One answer on its way through the procedure."""

    row: int
    encoded: bytes
    leaf: AnswerLeaf
    record: RecordMark | None = None
    state: int = 0
    failure: str = ""
    content: bytes = b""
    sealed: bytes = b""
    item_codes: str = ""


def inquiry_end(id_: int, each: Received, now: int, seq: int) -> InquiryEnd:
    """Return where an answer puts its open inquiry."""
    state = end_state(each.leaf.outcome)
    waiting = state is InquiryState.WAITING_FOR_APPROVAL
    kind = AnswerKind.NONE
    if state is InquiryState.ANSWERED:
        kind = AnswerKind.VALUES if each.leaf.outcome is Outcome.PROVIDED else AnswerKind.NO_REPLICA
    return InquiryEnd(
        id=id_,
        state=int(state),
        answer_kind=int(kind),
        reason=each.leaf.reason if state is InquiryState.REFUSED else "",
        finished=0 if waiting else now,
        result_expires=now + RESULT_LIFETIME_MS if each.sealed else 0,
        change_seq=seq,
    )


def record_end(id_: int, each: Received, items: int, seq: int, given_up: RecordRow | None) -> RecordEnd:
    """Return what is recorded: a late answer is added to a record that stays timed out or cancelled."""
    provided = each.leaf.outcome is Outcome.PROVIDED
    return RecordEnd(
        id=id_,
        outcome=given_up.outcome if given_up else int(each.leaf.outcome),
        reason=given_up.reason if given_up else each.leaf.reason,
        provided=each.leaf.provision_time_ms if provided else 0,
        undisclosable=each.leaf.undisclosable,
        items=items,
        change_seq=seq,
    )


def is_same(each: Received, record: RecordRow) -> bool:
    """Whether a finished inquiry's record says what this answer says: a provider may not say two things."""
    leaf = each.leaf
    if leaf.outcome is Outcome.PENDING:
        return True
    provided = leaf.provision_time_ms if leaf.outcome is Outcome.PROVIDED else 0
    if record.outcome in (Outcome.TIMED_OUT, Outcome.CANCELLED):
        return record.provided in (0, provided)
    return (record.outcome, record.reason, record.provided) == (leaf.outcome, leaf.reason, provided)
