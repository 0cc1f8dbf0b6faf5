# SPDX-License-Identifier: Apache-2.0
"""Decides about each inquiry of a request and turns the inquirer's code of the person into the provider's.

The steps, the numbers stand in the code: 1 the leaf is the caller's own  2 it has not expired  3 the permission list on
the date in force, delegations, consent  4 the provider takes part  5 inquirer's code → resident → provider's code: a
provider that has none gets a permit without, and answers that it does not know the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NONCE_SIZE, InquiryLeaf, PermitLeaf, milliseconds
from chukan.server.domain.permission import Decision, Purpose, decide
from chukan.server.network.linkage_codes import linkage_code_digests, opened_codes
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.server.network.core import Core

__all__ = ["JudgedItem", "judge"]

_MOMENT_SIZE: Final = 6
"""Bytes a permit's nonce begins with, its moment in milliseconds: providers keep used nonces in order of time, where
random ones would touch a page of the index each. The rest is random."""


class JudgedItem(NamedTuple):
    """One new leaf and what was decided: a reason refuses it, a decision permits it."""

    digest: bytes
    inquiry: InquiryLeaf
    reason: str = ""
    decision: Decision | None = None
    permit: bytes = b""


def judge(core: Core, caller: str, leaves: Mapping[bytes, bytes]) -> list[JudgedItem]:
    """Decide about the leaves of a caller, named by their digests, in order."""
    if not leaves:
        return []
    judge = _Judge(core, caller)
    decoded = {name: core.codec.decode(InquiryLeaf, leaf) for name, leaf in leaves.items()}
    return judge.translate([judge.decide(name, inquiry) for name, inquiry in decoded.items()])


class _Judge:
    """One batch: what is the same for all its leaves is read once."""

    def __init__(self, core: Core, caller: str) -> None:
        self._core = core
        self._caller = caller
        self._today = core.environment.today()
        self._permissions = core.environment.master.permissions
        now = core.environment.clock.now()
        self._now_ms = milliseconds(now)
        self._limit_ms = milliseconds(now + core.settings.permit_lifetime)
        self._thumbprint = core.keys.recipient_thumbprint(caller)

    def decide(self, digest: bytes, inquiry: InquiryLeaf) -> JudgedItem:
        """Decide all that needs no look-up of the person."""
        # 1. The caller asks in its own name.
        if inquiry.inquirer != self._caller or len(inquiry.nonce) != NONCE_SIZE:
            raise ChukanError("SIGNATURE_INVALID", params={"rule": "leaf"})
        # 2. It still wants to know. When the business system asked (照会依頼日時) is recorded as it says, not judged.
        if inquiry.expire_time_ms <= self._now_ms:
            return JudgedItem(digest, inquiry, "STATEMENT_EXPIRED")
        # 3. A row of the list permits it today.
        decision = decide(self._permissions, _purpose(inquiry), self._today).with_consent(given=inquiry.consent)
        if not decision.permitted:
            return JudgedItem(digest, inquiry, decision.reason)
        # 4. There is somebody to deliver it to.
        if not self._core.directory.is_connected(inquiry.provider):
            return JudgedItem(digest, inquiry, "ORGANIZATION_NOT_CONNECTED")
        return JudgedItem(digest, inquiry, "", decision)

    def translate(self, items: Sequence[JudgedItem]) -> list[JudgedItem]:
        """Make (5.) a permit of each item that is permitted."""
        open_ones = [item for item in items if item.decision is not None]
        if not open_ones:
            return list(items)
        names = linkage_code_digests(self._core, [item.inquiry.linkage_code for item in open_ones])
        residents, codes = self._people(open_ones, names)
        random = self._core.keys.random(2 * NONCE_SIZE * len(open_ones))
        moment = self._now_ms.to_bytes(_MOMENT_SIZE, "big")
        made: dict[bytes, JudgedItem] = {}
        for at, (item, name) in enumerate(zip(open_ones, names, strict=True)):
            resident = residents.get(name)
            if resident is None or item.decision is None:
                made[item.digest] = item._replace(decision=None, reason="LINKAGE_CODE_UNKNOWN")
                continue
            code = codes[item.inquiry.provider].get(resident, b"")
            fresh = moment + random[2 * NONCE_SIZE * at : 2 * NONCE_SIZE * (at + 1)]
            permit = self._core.codec.encode(self._permit(item, item.decision, code, fresh))
            made[item.digest] = item._replace(permit=permit)
        return [made.get(item.digest, item) for item in items]

    def _people(
        self, items: Sequence[JudgedItem], names: Sequence[bytes]
    ) -> tuple[Mapping[bytes, int], Mapping[str, Mapping[int, bytes]]]:
        """Return residents by code digest, and each provider's codes by resident."""
        core = self._core
        with core.environment.database.read() as connection:
            residents = core.linkage_codes.residents(connection, self._caller, names)
            wanted: dict[str, dict[int, None]] = {}
            for item, name in zip(items, names, strict=True):
                if name in residents:
                    wanted.setdefault(item.inquiry.provider, {})[residents[name]] = None
            rows = {
                provider: core.linkage_codes.codes(connection, provider, list(people))
                for provider, people in wanted.items()
            }
        return residents, {provider: opened_codes(core, found.values()) for provider, found in rows.items()}

    def _permit(self, item: JudgedItem, decision: Decision, code: bytes, fresh: bytes) -> PermitLeaf:
        inquiry = item.inquiry
        return PermitLeaf(
            exchange_digest=item.digest,
            inquirer=inquiry.inquirer,
            provider=inquiry.provider,
            inquirer_delegator=inquiry.inquirer_delegator,
            provider_delegator=inquiry.provider_delegator,
            department=inquiry.department,
            affair=inquiry.affair,
            procedure=inquiry.procedure,
            information=inquiry.information,
            condition_kind=inquiry.condition_kind,
            year_kind=inquiry.year_kind,
            period_start=inquiry.period_start,
            period_end=inquiry.period_end,
            item_codes=inquiry.item_codes or (decision.row.items if decision.row else ()),
            linkage_code=code,
            permission_row_id=decision.row_id,
            legal_basis=decision.legal_basis,
            route=fresh[NONCE_SIZE : 2 * NONCE_SIZE].hex(),
            recipient_thumbprint=self._thumbprint,
            undisclosable=inquiry.undisclosable,
            consent=inquiry.consent,
            inquiry_time_ms=inquiry.inquiry_time_ms,
            expire_time_ms=min(inquiry.expire_time_ms, self._limit_ms),
            nonce=fresh[:NONCE_SIZE],
        )


def _purpose(inquiry: InquiryLeaf) -> Purpose:
    return Purpose(
        inquirer=inquiry.inquirer,
        provider=inquiry.provider,
        affair=inquiry.affair,
        procedure=inquiry.procedure,
        information=inquiry.information,
        item_codes=inquiry.item_codes,
        inquirer_delegator=inquiry.inquirer_delegator,
        provider_delegator=inquiry.provider_delegator,
    )
