# SPDX-License-Identifier: Apache-2.0
"""Makes linkage codes (符号): 32 random bytes per resident and organization, the same for the pair ever after.

An organization's code says nothing about another's; only the core leads from one to the other. The bad cases of an
acquisition end here as a reason: unknown, expired or reused number, nobody with a resident record code.
"""

from __future__ import annotations

import hmac
import os
import struct
from typing import TYPE_CHECKING, Final

from chukan.server.domain.acquisition import (
    Acquisition,
    AcquisitionState,
    LinkageCodeRow,
    SubmissionOutcome,
    split_processing_number,
)
from chukan.server.domain.exchange import NETWORK
from chukan.server.domain.linkage import CODE_SIZE, BatchAnswer, CodeDelivery, Outcome, RowFailure
from chukan.server.network.resident_identities import individual_number_digests
from chukan.server.network.resident_network import refusals_of_numbers
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chukan.server.domain.resident import KnownResident
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = [
    "DELIVER_CODES",
    "deliveries",
    "linkage_code_digests",
    "opened_codes",
    "pack_rows",
    "submit",
    "unpack_rows",
]

DELIVER_CODES: Final = "deliver_codes"
"""Outbox kind: tell the middle server its codes, or why there are none."""
TABLE: Final = "network_linkage_code"
_DIGEST: Final = "linkage-code"
_TOLD: Final = frozenset({"NO_RESIDENT_RECORD_CODE", "PROCESSING_NUMBER_EXPIRED"})
"""Refusals that end an acquisition, which the middle server still waits for."""
_TAKEN: Final = SubmissionOutcome()
_SUBMITTED: Final = int(AcquisitionState.SUBMITTED)


def submit(
    core: Core, organization: str, processing_numbers: Sequence[str], individual_numbers: Sequence[str]
) -> BatchAnswer:
    """Take pairs of processing number and individual number; codes go to the middle server afterwards.

    The same pair again is UNCHANGED, so a batch may be sent again.
    """
    if len(processing_numbers) != len(individual_numbers):
        raise ChukanError("COLUMNS_UNEQUAL", field="individual_numbers")
    mode = core.environment.master.mode(organization)
    refused = {
        row: RowFailure(row, reason, field="individual_numbers")
        for row, reason in refusals_of_numbers(individual_numbers, mode).items()
    }
    split = [split_processing_number(number) for number in processing_numbers]
    for row, parts in enumerate(split):
        if parts is None and row not in refused:
            refused[row] = RowFailure(row, "PROCESSING_NUMBER_UNKNOWN", field="processing_numbers")
    pairs = [(row, parts) for row, parts in enumerate(split) if parts is not None and row not in refused]
    digests = individual_number_digests(core, [individual_numbers[row] for row, _ in pairs])
    submission = _Submission(core, organization, [parts for _, parts in pairs], digests)
    settled = core.environment.database.write(organization, submission.write) if pairs else []
    outcomes = [Outcome.REFUSED] * len(processing_numbers)
    for (row, _), outcome in zip(pairs, settled, strict=True):
        if outcome.reason:
            refused[row] = RowFailure(row, outcome.reason, field="processing_numbers")
        else:
            outcomes[row] = Outcome.COMMITTED if outcome.changed else Outcome.UNCHANGED
    return BatchAnswer(outcomes, [refused[row] for row in sorted(refused)])


def deliveries(core: Core, organization: str, rows: Sequence[int]) -> tuple[list[CodeDelivery], list[int]]:
    """Return what to tell the middle server about these acquisitions, and their rows; purged ones are left out."""
    with core.environment.database.read() as connection:
        found = core.processing_numbers.by_ids(connection, organization, rows)
        open_ones = [found[row] for row in rows if row in found and found[row].secret]
        residents = list({acquisition.resident for acquisition in open_ones if acquisition.resident})
        codes = core.linkage_codes.codes(connection, organization, residents) if residents else {}
    opened = opened_codes(core, codes.values())
    told = [
        CodeDelivery(acquisition.number, opened.get(acquisition.resident, b""), acquisition.reason)
        for acquisition in open_ones
    ]
    return told, [acquisition.id for acquisition in open_ones]


def linkage_code_digests(core: Core, codes: Iterable[bytes]) -> list[bytes]:
    """Return the digests codes are looked up by."""
    return core.environment.vault.index_digest_many(NETWORK, _DIGEST, [code.hex() for code in codes])


def opened_codes(core: Core, codes: Iterable[LinkageCodeRow]) -> dict[int, bytes]:
    """Return codes by resident."""
    rows = list(codes)
    opened = core.environment.vault.open_many(
        NETWORK, TABLE, "code", [row.digest for row in rows], [row.sealed for row in rows]
    )
    return {row.resident: code for row, code in zip(rows, opened, strict=True)}


def pack_rows(rows: Sequence[int]) -> bytes:
    """Return rows as an outbox payload: references only."""
    return struct.pack(f">{len(rows)}Q", *rows)


def unpack_rows(payload: bytes) -> list[int]:
    """Return the rows of an outbox payload."""
    return list(struct.unpack(f">{len(payload) // 8}Q", payload))


class _Submission:
    """One batch of pairs; codes are drawn and sealed before the write, which takes those it needs."""

    def __init__(
        self, core: Core, organization: str, numbers: Sequence[tuple[int, str]], digests: Sequence[bytes]
    ) -> None:
        self._core = core
        self._organization = organization
        self._numbers = numbers
        self._digests = digests
        self._now_ms = core.now_ms
        random = os.urandom(CODE_SIZE * len(numbers))
        codes = [random[at : at + CODE_SIZE] for at in range(0, len(random), CODE_SIZE)]
        self._code_digests = linkage_code_digests(core, codes)
        self._sealed = core.environment.vault.seal_many(NETWORK, TABLE, "code", self._code_digests, codes)

    def write(self, connection: Connection) -> list[SubmissionOutcome]:
        """Settle every pair, give new residents their codes, promise the delivery."""
        core, organization = self._core, self._organization
        found = core.processing_numbers.by_ids(connection, organization, [row for row, _ in self._numbers])
        known = core.residents.known(connection, self._digests)
        outcomes: list[SubmissionOutcome] = []
        for (row, secret), digest in zip(self._numbers, self._digests, strict=True):
            resident = known.get(digest)
            outcome, settled = self._judge(found.get(row), secret, resident)
            outcomes.append(outcome)
            if settled is not None:
                found[row] = settled
        ended = [
            found[row]
            for (row, _), outcome in zip(self._numbers, outcomes, strict=True)
            if outcome.changed and (not outcome.reason or outcome.reason in _TOLD)
        ]
        if ended:
            self._settle(connection, ended)
        return outcomes

    def _judge(
        self, acquisition: Acquisition | None, secret: str, resident: KnownResident | None
    ) -> tuple[SubmissionOutcome, Acquisition | None]:
        """Return what becomes of one pair, and the acquisition as settled if it changes."""
        # 1. The number was issued to this organization.
        if acquisition is None or (
            acquisition.secret and not hmac.compare_digest(acquisition.secret.encode(), secret.encode())
        ):
            return SubmissionOutcome("PROCESSING_NUMBER_UNKNOWN", changed=False), None
        # 2. It was not used: the same person again is a repetition, anybody else a reuse.
        if acquisition.state == AcquisitionState.REFUSED:
            return SubmissionOutcome(acquisition.reason, changed=False), None
        if acquisition.state != AcquisitionState.ISSUED:
            same = resident is not None and resident.id == acquisition.resident
            return SubmissionOutcome("" if same else "PROCESSING_NUMBER_REUSED", changed=False), None
        # 3. It has not expired.
        if acquisition.expire <= self._now_ms:
            return _refusal(acquisition, "PROCESSING_NUMBER_EXPIRED")
        # 4. The resident network knows a resident record code for the person.
        if resident is None or not resident.has_record_code:
            return _refusal(acquisition, "NO_RESIDENT_RECORD_CODE")
        id_, organization, token, kept, _, _, reason, expire = acquisition
        return _TAKEN, Acquisition(id_, organization, token, kept, _SUBMITTED, resident.id, reason, expire)

    def _settle(self, connection: Connection, ended: Sequence[Acquisition]) -> None:
        core, organization = self._core, self._organization
        core.processing_numbers.settle(
            connection,
            [(each.state, each.resident, each.reason, each.id) for each in ended],
        )
        residents = list({each.resident for each in ended if each.resident})
        coded: Mapping[int, LinkageCodeRow] = (
            core.linkage_codes.codes(connection, organization, residents) if residents else {}
        )
        fresh = [resident for resident in residents if resident not in coded]
        drawn = zip(fresh, self._code_digests, self._sealed, strict=False)
        if fresh:
            core.linkage_codes.add(connection, organization, [LinkageCodeRow(*code) for code in drawn])
        core.outbox.add(
            connection,
            kind=DELIVER_CODES,
            organization=organization,
            payload=pack_rows([each.id for each in ended]),
        )


def _refusal(acquisition: Acquisition, reason: str) -> tuple[SubmissionOutcome, Acquisition]:
    settled = acquisition._replace(state=AcquisitionState.REFUSED, reason=reason)
    return SubmissionOutcome(reason), settled
