# SPDX-License-Identifier: Apache-2.0
"""Judges inquiries before they are taken in: what can't be taken in, what is refused, and the statement leaf of each.

Reads and cryptography only; what is durable happens in `inquiry_acceptance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.server.domain.exchange import NONCE_SIZE, InquiryLeaf, digest
from chukan.server.domain.inquiry import InquirySpec, check_spec, missing_field, pack_sealed, time_out_of
from chukan.server.domain.linkage import AddresseeState, LinkageState, RowFailure
from chukan.server.domain.permission import Decision, Purpose, decide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from chukan.server.domain.linkage import AddresseeRow
    from chukan.server.ports import Environment
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.exchange_stores import AddresseeFinder

__all__ = ["InquiryJudge", "Judged", "row_failures"]


class Judged(NamedTuple):
    """One row ready to be stored; everything secret in it is sealed."""

    spec: InquirySpec
    asked: bytes
    spec_digest: bytes
    sealed: bytes
    exchange: bytes
    addressee: int
    decision: Decision
    inquired: int
    expires: int
    undisclosable: bool


class InquiryJudge:
    """Judges inquiries, for every organization served here."""

    def __init__(
        self, environment: Environment, *, addressees: AddresseeFinder, codec: Codec, keys: ExchangeKeys
    ) -> None:
        self._environment = environment
        self._addressees = addressees
        self._codec = codec
        self._keys = keys

    def judge(
        self, organization: str, specs: Sequence[InquirySpec], failures: dict[int, RowFailure], now: int
    ) -> list[Judged | None]:
        """Return each row ready to be stored, None for those that failed already."""
        taken = [row for row in range(len(specs)) if row not in failures]
        found = self._find(organization, {specs[row].number for row in taken})
        today = self._environment.clock.today()
        entropy = self._keys.random(NONCE_SIZE * len(taken))
        plain: list[bytes] = []
        asked: list[bytes] = []
        drafts: list[tuple[InquirySpec, Decision, int, bytes, int, int, bool]] = []
        for place, row in enumerate(taken):
            spec = specs[row]
            person = found.get(spec.number)
            decision = self._decide(organization, spec, person, today)
            inquired, expires = spec.request_time_ms or now, now + time_out_of(spec)
            # who asks may not know of 支援措置: the flag of the own addressee marks the exchange too (番号法23条)
            undisclosable = spec.undisclosable or (person is not None and person.nondisclosure)
            leaf = self._codec.encode(
                _leaf(
                    organization,
                    spec,
                    code=person.linkage_code or b"" if person else b"",
                    times=(inquired, expires),
                    nonce=entropy[place * NONCE_SIZE : (place + 1) * NONCE_SIZE],
                    undisclosable=undisclosable,
                )
            )
            encoded = self._codec.encode(spec)
            asked.append(encoded)
            plain.append(pack_sealed(encoded, leaf))
            drafts.append((spec, decision, person.id if person else 0, digest(leaf), inquired, expires, undisclosable))
        vault = self._environment.vault
        sealed = vault.seal_many(organization, "inquiry", "sealed", [specs[row].record_id for row in taken], plain)
        digests = vault.index_digest_many(organization, "inquiry.spec", [digest(each).hex() for each in asked])
        judged: list[Judged | None] = [None] * len(specs)
        for row, draft, encoded, seal, keyed in zip(taken, drafts, asked, sealed, digests, strict=True):
            spec, decision, addressee, exchange, inquired, expires, mark = draft
            judged[row] = Judged(spec, encoded, keyed, seal, exchange, addressee, decision, inquired, expires, mark)
        return judged

    def _find(self, organization: str, numbers: set[str]) -> dict[str, AddresseeRow]:
        if not numbers:
            return {}
        with self._environment.database.read() as connection:
            return self._addressees.find(connection, organization, list(numbers))

    def _decide(self, organization: str, spec: InquirySpec, person: AddresseeRow | None, today: date) -> Decision:
        permissions = self._environment.master.permissions
        purpose = Purpose(
            inquirer=organization,
            provider=spec.provider,
            affair=spec.affair,
            procedure=spec.procedure,
            information=spec.information,
            item_codes=spec.item_codes,
            inquirer_delegator=spec.inquirer_delegator,
            provider_delegator=spec.provider_delegator,
        )
        decision = decide(permissions, purpose, today).with_consent(given=spec.consent)
        if not decision.permitted:
            return decision
        if person is None:
            return Decision("ADDRESSEE_UNKNOWN")
        if person.state is AddresseeState.MERGED:
            return Decision("ADDRESSEE_MERGED")
        if person.linkage_state is not LinkageState.LINKED or not person.linkage_code:
            return Decision("CODE_NOT_ACQUIRED")
        return decision


def row_failures(specs: Sequence[InquirySpec]) -> dict[int, RowFailure]:
    """Return the rows that can't be taken in at all, and why."""
    failures: dict[int, RowFailure] = {}
    seen: set[str] = set()
    for row, spec in enumerate(specs):
        fault = check_spec(spec)
        if fault is not None:
            failures[row] = RowFailure(row, fault[0], fault[1], rule=fault[2])
        elif missing := missing_field(spec):
            failures[row] = RowFailure(row, "FIELD_REQUIRED", missing)
        elif spec.record_id in seen:
            failures[row] = RowFailure(row, "RECORD_ID_EXISTS", "record_id")
        seen.add(spec.record_id)
    return failures


def _leaf(
    organization: str, spec: InquirySpec, *, code: bytes, times: tuple[int, int], nonce: bytes, undisclosable: bool
) -> InquiryLeaf:
    return InquiryLeaf(
        inquirer=organization,
        provider=spec.provider,
        inquirer_delegator=spec.inquirer_delegator,
        provider_delegator=spec.provider_delegator,
        department=spec.department,
        affair=spec.affair,
        procedure=spec.procedure,
        information=spec.information,
        condition_kind=spec.condition_kind,
        year_kind=spec.year_kind,
        period_start=spec.period_start,
        period_end=spec.period_end,
        item_codes=spec.item_codes,
        linkage_code=code,
        undisclosable=undisclosable,
        consent=spec.consent,
        inquiry_time_ms=times[0],
        expire_time_ms=times[1],
        nonce=nonce,
    )
