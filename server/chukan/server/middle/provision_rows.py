# SPDX-License-Identifier: Apache-2.0
"""One permit on its way through a provision, and what is drafted, stored and recorded about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import SKEW_MS, AnswerKind, Outcome, PermitLeaf
from chukan.server.domain.exchange_record import RecordRow, RecordSide
from chukan.server.domain.permission import Purpose
from chukan.server.domain.provision import ProvisionRow, ProvisionState, UsedNonce
from chukan.server.middle.sealed_answers import DraftAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chukan.server.domain.exchange import Mode
    from chukan.server.middle.provision_content import Found

__all__ = [
    "Asked",
    "by_size",
    "draft_of",
    "provision_row",
    "purpose_of",
    "record_row",
    "used_nonces",
]

MOST_ITEMS: Final = 80_000
"""Items in one sealed batch: about 4 MB."""


@dataclass(slots=True)
class Asked:
    """One permit on its way through the procedure."""

    encoded: bytes
    name: bytes
    leaf: PermitLeaf
    refusal: str = ""
    detail: str = ""
    used_before: bool = False
    permitted_items: tuple[str, ...] = ()
    """The only items the own list permits, empty for all."""
    found: Found | None = None

    @property
    def question(self) -> PermitLeaf:
        """What may be looked up: a permit for everything is one for what the own list permits."""
        if self.leaf.item_codes or not self.permitted_items:
            return self.leaf
        return self.leaf._replace(item_codes=self.permitted_items)

    @property
    def waits(self) -> bool:
        """Whether a person must decide."""
        return not self.refusal and self.found is not None and self.found.waits


def by_size(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """Cut answers into batches that fit into a message whatever they hold."""
    part: list[Asked] = []
    items = 0
    for each in asked:
        more = sum(len(record.items) for record in each.found.records) if each.found else 0
        if part and items + more > MOST_ITEMS:
            yield part
            part, items = [], 0
        part.append(each)
        items += more
    if part:
        yield part


def purpose_of(leaf: PermitLeaf) -> Purpose:
    """Return what the own list is asked about."""
    return Purpose(
        inquirer=leaf.inquirer,
        provider=leaf.provider,
        affair=leaf.affair,
        procedure=leaf.procedure,
        information=leaf.information,
        item_codes=leaf.item_codes,
        inquirer_delegator=leaf.inquirer_delegator,
        provider_delegator=leaf.provider_delegator,
    )


def outcome_of(each: Asked) -> Outcome:
    """Return what took place."""
    if each.refusal or each.found is None:
        return Outcome.REFUSED
    if each.found.waits:
        return Outcome.PENDING
    return Outcome.PROVIDED if each.found.records else Outcome.NO_REPLICA


def draft_of(each: Asked) -> DraftAnswer:
    """Return what is said to the inquirer."""
    outcome = outcome_of(each)
    found = each.found
    return DraftAnswer(
        permit=each.leaf,
        permit_digest=each.name,
        outcome=outcome,
        reason=each.refusal,
        records=found.records if found and outcome is Outcome.PROVIDED else (),
        undisclosable=found.undisclosable if found else False,
    )


def used_nonces(asked: Sequence[Asked]) -> list[UsedNonce]:
    """Return what is to be noted: a replay is not, its nonce stands already or its first use notes it."""
    return [
        UsedNonce(each.leaf.nonce, each.name, each.leaf.expire_time_ms + 2 * SKEW_MS)
        for each in asked
        if each.refusal != "PERMIT_REPLAYED"
    ]


def provision_row(organization: str, id_: int, each: Asked, place: tuple[int, int], now: int) -> ProvisionRow:
    """Return the provision to be stored; place: its batch and the position in it."""
    outcome = outcome_of(each)
    kinds = {Outcome.PROVIDED: AnswerKind.VALUES, Outcome.NO_REPLICA: AnswerKind.NO_REPLICA}
    states = {Outcome.REFUSED: ProvisionState.REFUSED, Outcome.PENDING: ProvisionState.WAITING}
    cause = each.found.cause if each.found else ""
    return ProvisionRow(
        organization=organization,
        id=id_,
        permit_digest=each.name,
        state=int(states.get(outcome, ProvisionState.PROVIDED)),
        answer_kind=int(kinds.get(outcome, AnswerKind.NONE)),
        reason=each.detail or each.refusal or cause,
        received=now,
        provided=0 if outcome is Outcome.PENDING else now,
        batch=place[0],
        position=place[1],
        change_seq=id_,
    )


def record_row(organization: str, id_: int, each: Asked, *, items: int, mode: Mode, now: int) -> RecordRow:
    """Return the provider's record; items: the number of the set of item codes provided."""
    leaf, outcome = each.leaf, outcome_of(each)
    found = each.found
    return RecordRow(
        organization=organization,
        id=id_,
        side=int(RecordSide.PROVIDER),
        exchange=leaf.exchange_digest,
        permit_digest=each.name,
        inquirer=leaf.inquirer,
        provider=leaf.provider,
        affair=leaf.affair,
        procedure=leaf.procedure,
        information=leaf.information,
        inquirer_delegator=leaf.inquirer_delegator,
        provider_delegator=leaf.provider_delegator,
        mode=int(mode),
        addressee=found.addressee if found else 0,
        inquired=leaf.inquiry_time_ms,
        provided=now if outcome is Outcome.PROVIDED else 0,
        outcome=int(outcome),
        reason=each.refusal,
        undisclosable=leaf.undisclosable or (found.undisclosable if found else False),
        items=items,
        legal_basis=leaf.legal_basis,
        permission_row=leaf.permission_row_id,
        receipt="",
        change_seq=id_,
    )
