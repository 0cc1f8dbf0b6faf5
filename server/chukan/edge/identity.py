# SPDX-License-Identifier: Apache-2.0
"""From metadata and certificate to `Caller`.

On TLS the organization is the one the certificate names (URI SAN `urn:chukan:organization:<16 digits>`). A certificate
may name several: a server that holds many organizations says in the header for which one it calls. On plaintext
(loopback, emulator profile; `server.py` refuses anything else) the header is believed: that is convenient and proves
nothing.
"""

from __future__ import annotations

from functools import lru_cache
from hmac import compare_digest
from time import monotonic
from typing import TYPE_CHECKING, Any

from chukan.standard.codes import is_organization_code
from chukan.standard.numbers import looks_like_individual_number
from chukan.standard.reasons import ChukanError

from .caller import METADATA_KEYS, Caller
from .pki import ORGANIZATION_URN

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc

__all__ = ["Identity", "deadline_of"]

_MODES = frozenset({"test", "production"})
_LONGEST_VALUE = 128
#: gRPC reports a call without a deadline as one that is centuries away.
_NO_DEADLINE = 366 * 24 * 3600.0

_known_shape = lru_cache(maxsize=4096)(is_organization_code)


class Identity:
    """Reads the caller of each call of one server."""

    def __init__(self, *, tls: bool, worlds: bool = False, token: str = "") -> None:
        """Ask for `token`, if there is one, on every call (the control port), where nobody is an organization.

        `worlds`: the services behind serve more than the default world.
        """
        self._tls = tls
        self._worlds = worlds
        self._token = f"Bearer {token}".encode() if token else b""

    def of(self, context: grpc.ServicerContext) -> Caller:
        """Return the caller, or raise ChukanError."""
        metadata = context.invocation_metadata()
        if self._token:
            self._check_token(metadata)
        found = _read(metadata)
        if self._token:
            found.pop("organization", None)  # the control port serves no organization, so nobody is one there
        elif self._tls:
            found["organization"] = _certified(context, found)
        elif not found.get("organization"):
            raise ChukanError("CALLER_UNKNOWN", field="chukan-organization")
        self._check(found)
        return Caller(deadline=deadline_of(context), **found)

    def _check(self, found: dict[str, str]) -> None:
        organization = found.setdefault("organization", "")
        if organization and not _known_shape(organization):
            raise ChukanError("CALLER_METADATA_INVALID", field="chukan-organization")
        if found.get("mode", "test") not in _MODES:
            raise ChukanError("CALLER_METADATA_INVALID", field="chukan-mode")
        if found.get("world") and not self._worlds:
            # Answering from the default world would mix what the caller keeps apart.
            raise ChukanError("WORLDS_NOT_OFFERED", field="chukan-world")

    def _check_token(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        given = next((value for key, value in metadata if key == "authorization"), "")
        if not compare_digest(given.encode() if isinstance(given, str) else given, self._token):
            raise ChukanError("CONTROL_TOKEN_INVALID", field="authorization")


def deadline_of(context: grpc.ServicerContext) -> float | None:
    """Return when the call's time is over, on the monotonic clock; None without a deadline. Raise once it is over."""
    remaining = context.time_remaining()
    if remaining is None or remaining > _NO_DEADLINE:
        return None
    if remaining <= 0:
        raise ChukanError("DEADLINE_EXCEEDED")
    return monotonic() + remaining


def _read(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    """Refuse a key given twice: which one is meant must not depend on who reads it."""
    found: dict[str, str] = {}
    for key, value in metadata:
        field = METADATA_KEYS.get(key)
        if field is None:
            continue
        if field in found or not isinstance(value, str) or len(value) > _LONGEST_VALUE:
            raise ChukanError("CALLER_METADATA_INVALID", field=key)
        if looks_like_individual_number(value):
            raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field=key)  # it would be kept in every record of the call
        if value:
            found[field] = value
    return found


def _certified(context: grpc.ServicerContext, found: dict[str, str]) -> str:
    uris: Any = context.auth_context().get("peer_uri", ())
    prefix = ORGANIZATION_URN.encode()
    organizations: list[str] = [uri[len(prefix) :].decode("ascii", "replace") for uri in uris if uri.startswith(prefix)]
    if not organizations:
        raise ChukanError("CERTIFICATE_NOT_ACCEPTED")
    said = found.get("organization")
    if said:
        if said not in organizations:
            raise ChukanError("ORGANIZATION_MISMATCH", field="chukan-organization")
        return said
    if len(organizations) > 1:
        raise ChukanError("CALLER_UNKNOWN", field="chukan-organization")
    return organizations[0]
