# SPDX-License-Identifier: Apache-2.0
"""What an exchange needs: bytes for statements, keys and seals, and the two ends of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.envelope import Envelope, PayloadType
    from chukan.server.domain.exchange import (
        AnswerBatch,
        AnswerReceipt,
        Delivery,
        MemberKeys,
        NetworkRecord,
        OutcomeCommitment,
        PermitRequest,
        PermitResponse,
        PublicKey,
    )

__all__ = ["Codec", "ExchangeKeys", "ExchangeMember", "ExchangeNetwork", "KeyListing"]

T = TypeVar("T")


class Codec(Protocol):
    """Signed, sealed and stored bytes ↔ values of domain.exchange (and domain.inquiry.InquirySpec).

    Encoding is deterministic within one process; nobody relies on encoding the same
    value twice to the same bytes: bytes are kept verbatim.
    """

    def encode(self, value: object) -> bytes:
        """Return the bytes of a value of domain.exchange."""

    def decode(self, kind: type[T], data: bytes) -> T:
        """Return the value, or PEER_ANSWER_INVALID for bytes that are no such message."""


class ExchangeKeys(Protocol):
    """Keys of the organizations served here and certified keys of all others.

    Organization codes have 16 digits; domain.exchange.NETWORK names the network.
    """

    def sign(self, organization: str, kind: PayloadType, payload: bytes) -> Envelope:
        """Sign as an organization served here."""

    def verify(self, organization: str, kind: PayloadType, envelope: Envelope) -> bytes:
        """Return the payload if the organization signed it as this kind, else SIGNATURE_INVALID."""

    def member_keys(self, organization: str) -> MemberKeys:
        """Return what an organization served here shows to others."""

    def learn(self, keys: MemberKeys) -> None:
        """Verify another's keys up to the organizations' authority and know them from now on."""

    def recipient_thumbprint(self, organization: str) -> bytes:
        """Return the thumbprint of the key that answers for the organization are sealed to now."""

    def seal_secret(self, recipient: str, thumbprint: bytes, *, context: bytes, secret: bytes) -> bytes:
        """Seal a group secret with HPKE to the recipient's key of this thumbprint, else KEY_UNKNOWN."""

    def open_secret(self, organization: str, thumbprint: bytes, *, context: bytes, sealed: bytes) -> bytes:
        """Open a group secret sealed to an organization served here, else SEAL_NOT_OPENABLE."""

    def seal_rows(self, key: bytes, plaintexts: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
        """Seal rows under a group's key, each bound to the digest (32 bytes) of its permit."""

    def open_rows(self, key: bytes, sealed: Sequence[bytes], bound_to: Sequence[bytes]) -> list[bytes]:
        """Open rows, else SEAL_NOT_OPENABLE."""

    def random(self, size: int) -> bytes:
        """Return bytes from the operating system, for nonces and keys; never from a seed."""


class KeyListing(Protocol):
    """Public keys, for those who want to look."""

    def public_keys(self, organization: str) -> list[PublicKey]:
        """Return an organization's certified public keys, newest first."""


class ExchangeNetwork(Protocol):
    """The information provision network as a middle server calls it; organization = the caller."""

    def request_permits(self, organization: str, request: PermitRequest) -> PermitResponse:
        """Ask for permits. Idempotent per leaf: the same leaf brings back the same PermitLeaf bytes."""

    def forward(self, organization: str, exchange_digests: Sequence[bytes]) -> int:
        """Ask to deliver permits again whose answers did not come."""

    def return_answers(self, organization: str, answers: AnswerBatch) -> None:
        """Return answers that waited for a person."""

    def commit_records(self, organization: str, commitments: Sequence[OutcomeCommitment]) -> int:
        """Tell outcomes the network could not see."""

    def network_records(self, organization: str, exchange_ids: Sequence[str]) -> list[NetworkRecord]:
        """Read the network's records of exchanges (hexadecimal ids, at most 1,000)."""

    def list_network_records(self, organization: str, page_token: str) -> tuple[list[NetworkRecord], str]:
        """Read a page of the network's records of the organization, in order of its own numbers; token empty = last."""


class ExchangeMember(Protocol):
    """A member's middle server as the network calls it; organization = the member called."""

    def deliver_inquiries(self, organization: str, delivery: Delivery) -> tuple[AnswerBatch, ...]:
        """Deliver permits; match answers to permits by exchange digest, never by position."""

    def deliver_answers(self, organization: str, answers: AnswerBatch) -> AnswerReceipt:
        """Deliver answers; the receipt means: verified, opened, durable."""

    def acknowledge_answers(
        self, organization: str, exchange_digests: Sequence[bytes], acknowledgement: Envelope | None
    ) -> None:
        """Tell the provider that its answers were received."""
