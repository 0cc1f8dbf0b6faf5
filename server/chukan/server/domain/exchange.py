# SPDX-License-Identifier: Apache-2.0
"""The values of an exchange as the statements of chukan.network.v1 carry them.

Signed and sealed things are bytes first: a leaf's bytes are hashed, signed, stored and
forwarded verbatim; these values are what the bytes say. One inquiry is a batch of one,
so there is one path for one and for a thousand. Instants are milliseconds since
1970-01-01 UTC, as signed. What every inquiry has one of is a named tuple: made in half the
time of a frozen dataclass. All own design [own] (docs/divergences, "The exchange").
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.server.domain.envelope import Envelope

__all__ = [
    "BATCH_LIMIT",
    "NETWORK",
    "NONCE_SIZE",
    "SKEW_MS",
    "STATEMENT_VERSION",
    "SUITE",
    "AnswerBatch",
    "AnswerContent",
    "AnswerKind",
    "AnswerLeaf",
    "AnswerReceipt",
    "AnswerSummary",
    "Delivery",
    "GroupSecret",
    "Header",
    "InquiryLeaf",
    "MemberKeys",
    "Mode",
    "NetworkRecord",
    "Outcome",
    "OutcomeCommitment",
    "PermitLeaf",
    "PermitRequest",
    "PermitResponse",
    "PermitSummary",
    "PublicKey",
    "ReceiptFailure",
    "ReceiptOutcome",
    "ResultRecord",
    "SealedGroup",
    "Statement",
    "check_header_times",
    "digest",
    "instant",
    "milliseconds",
]

NETWORK: Final = "network"
"""Issuer and recipient code of the information provision network in headers."""
STATEMENT_VERSION: Final = 1
NONCE_SIZE: Final = 16
BATCH_LIMIT: Final = 1000
"""Inquiries under one signature at most."""
SKEW_MS: Final = 60_000
"""How far two organizations' clocks may differ."""
SUITE: Final = "HPKE-BASE-X25519-HKDF_SHA256-AES_256_GCM+ROWS-AES_256_GCM"
"""The one suite of sealed answers; there is no negotiation."""


class Mode(IntEnum):
    """処理モード, as in the real header: production or test."""

    UNSPECIFIED = 0
    PRODUCTION = 1
    TEST = 2


class Outcome(IntEnum):
    """What took place in an exchange."""

    PROVIDED = 1
    NO_REPLICA = 2
    REFUSED = 3
    PENDING = 4
    TIMED_OUT = 5
    CANCELLED = 6


class AnswerKind(IntEnum):
    """How an inquiry was answered: zero and nil are both VALUES, no replica is neither."""

    NONE = 0
    VALUES = 1
    NO_REPLICA = 2


class ReceiptOutcome(IntEnum):
    """What the inquirer did with one delivered answer."""

    COMMITTED = 1
    UNCHANGED = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Header of every signed statement; its kind is the payload type of the envelope."""

    kind: str
    world_generation: str
    mode: Mode
    issuer: str
    recipient: str = ""
    permission_list_version: str = ""
    master_version: str = ""
    answers_digest: bytes = b""
    recipient_thumbprint: bytes = b""
    suite: str = ""
    issue_time_ms: int
    expire_time_ms: int
    nonce: bytes
    version: int = STATEMENT_VERSION


class Statement(NamedTuple):
    """What is signed about a batch: header, RFC 6962 root over the leaves, their number.

    Requests, permits, answers, contents and acknowledgements have this one form; the
    header's kind says which it is.
    """

    header: Header
    merkle_root: bytes
    leaf_count: int


class InquiryLeaf(NamedTuple):
    """One inquiry as the inquirer binds it; SHA-256 of its bytes names the exchange."""

    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    linkage_code: bytes
    inquiry_time_ms: int
    expire_time_ms: int
    nonce: bytes
    inquirer_delegator: str = ""
    provider_delegator: str = ""
    department: str = ""
    condition_kind: str = ""
    year_kind: str = ""
    period_start: str = ""
    period_end: str = ""
    item_codes: tuple[str, ...] = ()
    undisclosable: bool = False
    consent: bool = False


class PermitLeaf(NamedTuple):
    """One permit (提供許可証); bears the provider's code of the person, never the inquirer's."""

    exchange_digest: bytes
    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    linkage_code: bytes
    permission_row_id: str
    legal_basis: str
    route: str
    recipient_thumbprint: bytes
    inquiry_time_ms: int
    expire_time_ms: int
    nonce: bytes
    inquirer_delegator: str = ""
    provider_delegator: str = ""
    department: str = ""
    condition_kind: str = ""
    year_kind: str = ""
    period_start: str = ""
    period_end: str = ""
    item_codes: tuple[str, ...] = ()
    undisclosable: bool = False
    consent: bool = False


class PermitSummary(NamedTuple):
    """What the inquirer checks and records of a permit it was given."""

    exchange_digest: bytes
    inquirer: str
    recipient_thumbprint: bytes
    permission_row_id: str
    legal_basis: str


class AnswerLeaf(NamedTuple):
    """One answer as everybody on the way may see it; the provider's commitment of its record."""

    exchange_digest: bytes
    permit_digest: bytes
    outcome: Outcome
    provision_time_ms: int
    ciphertext_digest: bytes = b""
    reason: str = ""
    undisclosable: bool = False


class ResultRecord(NamedTuple):
    """One record of an answer. items: (item code, value, nil reason); a nil has no value."""

    data_set: str
    edition: str
    record_key: str
    parent_record_key: str = ""
    period_start: str = ""
    period_end: str = ""
    items: tuple[tuple[str, str | None, str | None], ...] = ()


class AnswerContent(NamedTuple):
    """The plaintext of one answer."""

    permit_digest: bytes
    recipient: str
    kind: AnswerKind
    records: tuple[ResultRecord, ...] = ()


class AnswerSummary(NamedTuple):
    """What the inquirer checks and records of an opened answer; its bytes are kept as they are.

    item_codes: each once, in order, space between.
    """

    permit_digest: bytes
    recipient: str
    kind: AnswerKind
    item_codes: str


class GroupSecret(NamedTuple):
    """What HPKE seals once per group: the key of its rows and the inside signature."""

    key: bytes
    content_statement: Envelope


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """A member's keys as it shows them: identity certificate (DER) and sealing-key statement."""

    organization: str
    certificate: bytes
    sealing_key_statement: Envelope | None


class PublicKey(NamedTuple):
    """A certified public key. purpose: "signing" or "sealing"; public_key: SubjectPublicKeyInfo, DER."""

    purpose: str
    thumbprint: bytes
    public_key: bytes
    valid_from_ms: int
    valid_to_ms: int


@dataclass(frozen=True, slots=True)
class SealedGroup:
    """A sealed group secret and the encoded header it is bound to."""

    sealed_secret: bytes
    context: bytes


@dataclass(frozen=True, slots=True)
class AnswerBatch:
    """Answers of one provider to one inquirer under one outside signature, by columns.

    leaves: bytes as signed; group_indexes: which group each belongs to; ciphertexts: empty where nothing is provided.
    """

    provider: str
    inquirer: str
    statement: Envelope
    groups: tuple[SealedGroup, ...]
    leaves: tuple[bytes, ...]
    group_indexes: tuple[int, ...]
    ciphertexts: tuple[bytes, ...]
    provider_keys: MemberKeys


class PermitRequest(NamedTuple):
    """What an inquirer asks the network: one signed statement and its leaves."""

    statement: Envelope
    leaves: tuple[bytes, ...]


class PermitResponse(NamedTuple):
    """Permits of the leaves that were not refused, in their order; no statement if all were.

    refusals: reason by the row of the leaf.
    """

    statement: Envelope | None
    permits: tuple[bytes, ...]
    refusals: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Permits of one signed statement and one inquirer, for one provider."""

    statement: Envelope
    permits: tuple[bytes, ...]
    inquirer_keys: MemberKeys


class ReceiptFailure(NamedTuple):
    """Why an answer was not accepted."""

    row: int
    reason: str


class AnswerReceipt(NamedTuple):
    """The inquirer's receipt: durable at its side. No acknowledgement if none was accepted."""

    acknowledgement: Envelope | None
    outcomes: tuple[ReceiptOutcome, ...]
    failures: tuple[ReceiptFailure, ...] = ()


class OutcomeCommitment(NamedTuple):
    """An outcome the network could not see: timed out, cancelled."""

    exchange_digest: bytes
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRecord:
    """The network's record of an exchange and what each side committed."""

    exchange_id: str
    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    inquiry_time_ms: int
    provision_time_ms: int
    outcome: Outcome
    reason: str = ""
    undisclosable: bool = False
    legal_basis: str = ""
    permission_row_id: str = ""
    permit_digest: str = ""
    provider_committed: bool = False
    inquirer_acknowledged: bool = False
    change_seq: int = 0


def digest(content: bytes) -> bytes:
    """SHA-256: names an exchange (of its InquiryLeaf), a permit (of its PermitLeaf), a ciphertext."""
    return hashlib.sha256(content).digest()


def milliseconds(moment: datetime) -> int:
    """Return the instant as statements and tables carry it."""
    return (moment - _EPOCH) // _MILLISECOND


def instant(value: int) -> datetime:
    """Return the aware instant of milliseconds since 1970-01-01 UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def check_header_times(header: Header, now_ms: int, *, skew_ms: int = SKEW_MS) -> None:
    """Return if the statement counts now, else MESSAGE_TOO_OLD with the rule that failed."""
    # 1. It expires after it was issued.
    if header.expire_time_ms <= header.issue_time_ms:
        raise ChukanError("MESSAGE_TOO_OLD", params={"rule": "never_valid"})
    # 2. It was not issued later than a fast clock could say.
    if header.issue_time_ms > now_ms + skew_ms:
        raise ChukanError("MESSAGE_TOO_OLD", params={"rule": "not_yet_valid"})
    # 3. It has not expired, even by a slow clock.
    if header.expire_time_ms <= now_ms - skew_ms:
        raise ChukanError("MESSAGE_TOO_OLD", params={"rule": "expired"})


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
