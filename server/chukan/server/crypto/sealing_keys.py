# SPDX-License-Identifier: Apache-2.0
"""Sealing-key certificates: an organization's signed word that a sealing key is its own.

A DSSE envelope over the ProtoJSON form of `chukan.network.v1.SealingKeyStatement`, signed
by the organization's identity key, which the organizations' authority certified. Whoever
seals verifies it up to the authority, so a network core that swaps the key is found out
before anything is sealed.

[own] An X.509 certificate for it would make each organization an authority; a statement
needs none (docs/divergences, "Signatures and seals").
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.crypto.certificates import Purpose, check_validity
from chukan.server.crypto.envelope import sign, verify
from chukan.server.crypto.keys import RecipientKey
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import instant, milliseconds
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import datetime

    from chukan.server.crypto.certificates import Identity
    from chukan.server.crypto.keys import SigningKey
    from chukan.server.domain.envelope import Envelope
    from chukan.standard.clock import Clock

__all__ = ["CertifiedRecipient", "certify_sealing_key", "verify_sealing_key"]

_FIELDS: Final = {"organizationCode", "publicKey", "validFromMs", "validToMs"}
_LIFETIME: Final = timedelta(days=365 * 20)


class CertifiedRecipient(NamedTuple):
    """A verified statement: answers for this organization are sealed to this key."""

    organization: str
    key: RecipientKey
    valid_from: datetime
    valid_to: datetime

    def check_times(self, clock: Clock) -> None:
        """Refuse before and after the statement's time; for use after caching."""
        check_validity(clock, self.valid_from, self.valid_to)


def certify_sealing_key(
    organization: str,
    recipient: RecipientKey,
    *,
    identity: SigningKey,
    clock: Clock,
    lifetime: timedelta = _LIFETIME,
) -> Envelope:
    """Sign, with the organization's identity key, that the sealing key is its own."""
    now = clock.now()
    statement = {
        "organizationCode": organization,
        "publicKey": base64.b64encode(recipient.spki).decode("ascii"),
        "validFromMs": str(milliseconds(now)),
        "validToMs": str(milliseconds(now + lifetime)),
    }
    payload = json.dumps(statement, separators=(",", ":")).encode("ascii")
    return sign(PayloadType.SEALING_KEY, payload, identity)


def verify_sealing_key(envelope: Envelope, *, identity: Identity, clock: Clock) -> CertifiedRecipient:
    """Return the organization's sealing key, or refuse with the reason of the failing step.

    An Identity comes from `TrustRoot.verify` only: it leads up to the authority.
    """
    # 1. The signer is a member, and its certificate is in its time.
    if identity.purpose is not Purpose.MEMBER:
        raise ChukanError("SIGNER_CERTIFICATE_WRONG_PURPOSE")
    identity.check_times(clock)
    # 2. It signed the statement.
    payload = verify(envelope, PayloadType.SEALING_KEY, identity.verify_key)
    # 3. The statement has exactly the fields we know, in their form.
    certified = _read(payload)
    # 4. It speaks of the signer's own organization.
    if certified.organization != identity.organization:
        raise ChukanError("SIGNER_CERTIFICATE_WRONG_ORGANIZATION")
    # 5. It is in its time.
    certified.check_times(clock)
    return certified


def _read(payload: bytes) -> CertifiedRecipient:
    try:
        return _parse(json.loads(payload))
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ChukanError("SIGNER_CERTIFICATE_INVALID", params={"rule": "statement"}) from None


def _parse(statement: dict[str, str]) -> CertifiedRecipient:
    if not isinstance(statement, dict) or set(statement) != _FIELDS:
        raise ValueError("got other fields, expected those of a sealing-key statement")
    if not all(isinstance(each, str) for each in statement.values()):
        raise ValueError("got another type, expected texts")
    return CertifiedRecipient(
        organization=statement["organizationCode"],
        key=RecipientKey(base64.b64decode(statement["publicKey"], validate=True)),
        valid_from=instant(int(statement["validFromMs"])),
        valid_to=instant(int(statement["validToMs"])),
    )
