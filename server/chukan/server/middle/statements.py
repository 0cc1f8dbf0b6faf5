# SPDX-License-Identifier: Apache-2.0
"""Signs and verifies statements for one organization's middle server, the same way for every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.domain.exchange import NONCE_SIZE, SUITE, Header, Statement, milliseconds
from chukan.server.domain.merkle import leaf_hashes, root
from chukan.server.domain.permits import check_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.envelope import Envelope, PayloadType
    from chukan.server.ports import Environment
    from chukan.server.ports.exchange import Codec, ExchangeKeys

__all__ = ["Statements"]


class Statements:
    """The signing and verifying of a middle server."""

    def __init__(self, environment: Environment, codec: Codec, keys: ExchangeKeys) -> None:
        self._environment = environment
        self._codec = codec
        self._keys = keys

    def header(
        self,
        organization: str,
        kind: PayloadType,
        *,
        recipient: str,
        lifetime_ms: int,
        answers_digest: bytes = b"",
        sealed_to: bytes = b"",
    ) -> Header:
        """Return a fresh header; sealed_to: thumbprint of the key something is sealed to, or nothing is sealed."""
        master = self._environment.master
        now = milliseconds(self._environment.clock.now())
        return Header(
            kind=str(kind),
            world_generation=master.world_generation,
            mode=master.mode(organization),
            issuer=organization,
            recipient=recipient,
            permission_list_version=master.permissions.version,
            master_version=master.version,
            answers_digest=answers_digest,
            recipient_thumbprint=sealed_to,
            suite=SUITE if sealed_to else "",
            issue_time_ms=now,
            expire_time_ms=now + lifetime_ms,
            nonce=self._keys.random(NONCE_SIZE),
        )

    def sign(self, organization: str, kind: PayloadType, header: Header, leaves: Sequence[bytes]) -> Envelope:
        """Sign a header over the root of leaves: one signature, however many."""
        payload = self._codec.encode(Statement(header, root(leaf_hashes(leaves)), len(leaves)))
        return self._keys.sign(organization, kind, payload)

    def verify(
        self,
        envelope: Envelope,
        kind: PayloadType,
        *,
        signer: str,
        organization: str,
        recipients: Sequence[str],
    ) -> Statement:
        """Return what the signer signed for the organization, or refuse with the reason of the failing step."""
        # 1. The signer signed these bytes as this kind.
        payload = self._keys.verify(signer, kind, envelope)
        # 2. Only now they are worth reading.
        statement = self._codec.decode(Statement, payload)
        # 3. The header says the same, to us, here and now.
        master = self._environment.master
        check_header(
            statement.header,
            kind=kind,
            issuer=signer,
            recipients=recipients,
            world_generation=master.world_generation,
            mode=master.mode(organization),
            now_ms=milliseconds(self._environment.clock.now()),
        )
        return statement
