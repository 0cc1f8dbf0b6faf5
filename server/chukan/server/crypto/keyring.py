# SPDX-License-Identifier: Apache-2.0
"""The key ring: own keys of the organizations served here, certified keys of all others.

One ring per world generation. In memory: everything is new and gone with the world. On
disk: `authority.pem`, `authority.cer`, and per organization `signing.pem`, `sealing.pem`
and `identity.cer`, made at the first start and read at every later one.

A ring without an authority (a separate network core) can neither make nor change an
organization's certificate: it only knows what it was shown and could verify. Nothing is
answered for an unknown organization: KEY_UNKNOWN.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from chukan.server.crypto.certificates import Authority, Identity, Purpose, TrustRoot
from chukan.server.crypto.keys import SealingKey, SigningKey, file_refused, write_secret
from chukan.server.crypto.sealing_keys import (
    CertifiedRecipient,
    certify_sealing_key,
    verify_sealing_key,
)
from chukan.server.domain.exchange import NETWORK, MemberKeys
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from chukan.server.crypto.keys import RecipientKey, VerifyKey
    from chukan.standard.clock import Clock

__all__ = ["KeyRing"]


class _Own(NamedTuple):
    signing: SigningKey
    sealing: SealingKey
    shown: MemberKeys


class _Known(NamedTuple):
    shown: MemberKeys
    identity: Identity
    recipient: CertifiedRecipient | None

    @property
    def since(self) -> datetime:
        """When the organization said so: an old statement shown late doesn't become the newest."""
        return self.recipient.valid_from if self.recipient else self.identity.not_before

    @property
    def keys(self) -> tuple[VerifyKey, RecipientKey | None]:
        """Which keys it is about: a newer statement about the same keys takes its place."""
        return self.identity.verify_key, self.recipient.key if self.recipient else None

    def check_times(self, clock: Clock) -> None:
        """Refuse outside its time: verified once is not verified for ever."""
        self.identity.check_times(clock)
        if self.recipient is not None:
            self.recipient.check_times(clock)


class KeyRing:
    """The keys of one process. Safe for threads; look-ups take no lock."""

    def __init__(
        self,
        trust: TrustRoot,
        clock: Clock,
        *,
        authority: Authority | None = None,
        directory: Path | None = None,
        serves: frozenset[str] = frozenset(),
    ) -> None:
        # serves: organizations whose private keys are made or read here when they are first needed.
        self.trust = trust
        self._serves = serves
        self._clock = clock
        self._authority = authority
        self._directory = directory
        self._own: dict[str, _Own] = {}
        self._known: dict[str, tuple[_Known, ...]] = {}
        self._lock = threading.Lock()

    @classmethod
    def in_memory(cls, clock: Clock, *, serves: frozenset[str] = frozenset()) -> Self:
        """Make a ring with an authority of its own that ends with the process."""
        authority = Authority.create(clock)
        return cls(authority.trust, clock, authority=authority, serves=serves)

    def core_in_memory(self) -> Self:
        """Make a network core's ring that this ring's authority certifies and that ends with the process."""
        made = type(self)(self.trust, self._clock, authority=self._authority)
        made.serve(NETWORK)
        made._authority = None  # noqa: SLF001 the core keeps no authority's key
        return made

    @classmethod
    def open_core(cls, directory: Path, clock: Clock, *, certified_by: Path | None = None) -> Self:
        """Open the network core's ring, which never holds the authority's key.

        The first time, the authority in the directory certified_by certifies the core's own new key.
        """
        certificate_file = directory / "authority.cer"
        if not certificate_file.exists():
            if certified_by is None:
                raise file_refused(certificate_file, "missing")
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            members = cls.open(certified_by, clock)
            cls(members.trust, clock, authority=members._authority, directory=directory).serve(NETWORK)  # noqa: SLF001
            write_secret(certificate_file, members.trust.der)
        trust = TrustRoot(certificate_file.read_bytes())
        return cls(trust, clock, directory=directory, serves=frozenset({NETWORK}))

    @classmethod
    def open(cls, directory: Path, clock: Clock, *, serves: frozenset[str] = frozenset()) -> Self:
        """Open the ring of a data directory; the first time, make its authority."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        key_file, certificate_file = directory / "authority.pem", directory / "authority.cer"
        if not certificate_file.exists():
            if any(directory.glob("*/identity.cer")):
                raise file_refused(certificate_file, "missing")
            # Key first: a crash in between leaves a key without certificate, which is given one.
            waiting = SigningKey.load(key_file) if key_file.exists() else None
            authority = Authority.create(clock, key=waiting)
            if waiting is None:
                authority.key.save(key_file)
            write_secret(certificate_file, authority.trust.der)
        authority = Authority(SigningKey.load(key_file), certificate_file.read_bytes())
        if not authority.holds_its_key:
            raise file_refused(key_file, f"key of {certificate_file.name}")
        return cls(authority.trust, clock, authority=authority, directory=directory, serves=serves)

    def serve(self, organization: str) -> MemberKeys:
        """Hold the organization's private keys here, making what is missing."""
        with self._lock:
            if organization not in self._own:
                self._own[organization] = self._make(organization)
        shown = self._own[organization].shown
        self.learn(shown)
        return shown

    def learn(self, shown: MemberKeys) -> None:
        """Verify an organization's keys up to the authority and know them from now on."""
        name = shown.organization
        for each in self._known.get(name, ()):
            if each.shown == shown:
                each.check_times(self._clock)
                return
        known = self._verified(shown)
        with self._lock:
            others = [each for each in self._known.get(name, ()) if each.keys != known.keys]
            newest_first = sorted((known, *others), key=lambda each: each.since, reverse=True)
            self._known[name] = tuple(newest_first)

    def shown(self, organization: str) -> MemberKeys:
        """Return what an organization served here shows to others."""
        return self._served(organization).shown

    def signing_key(self, organization: str) -> SigningKey:
        """Return the current signing key of an organization served here."""
        return self._served(organization).signing

    def sealing_key(self, organization: str, thumbprint: bytes) -> SealingKey:
        """Return the key served here whose recipient key has this thumbprint."""
        key = self._served(organization).sealing
        if key.recipient.thumbprint != thumbprint:
            raise ChukanError("KEY_UNKNOWN")
        return key

    def verify_keys(self, organization: str) -> Sequence[VerifyKey]:
        """Return the keys, newest first, whose signatures count as the organization's."""
        known = self._peers(organization)
        for each in known:
            each.identity.check_times(self._clock)
        return [each.identity.verify_key for each in known]

    def recipient_key(self, organization: str, thumbprint: bytes | None = None) -> RecipientKey:
        """Return the key to which answers are sealed now, or the certified one of a thumbprint."""
        for each in self._peers(organization):
            if each.recipient and thumbprint in (None, each.recipient.key.thumbprint):
                each.check_times(self._clock)
                return each.recipient.key
        raise ChukanError("KEY_UNKNOWN")

    def certified(self, organization: str) -> list[tuple[Identity, CertifiedRecipient | None]]:
        """Return what is certified about an organization's keys, newest first."""
        return [(each.identity, each.recipient) for each in self._peers(organization)]

    def _served(self, organization: str) -> _Own:
        if organization not in self._own and organization in self._serves:
            self.serve(organization)
        try:
            return self._own[organization]
        except KeyError:
            raise ChukanError("KEY_UNKNOWN") from None

    def _peers(self, organization: str) -> tuple[_Known, ...]:
        if organization not in self._known and organization in self._serves:
            self.serve(organization)
        try:
            return self._known[organization]
        except KeyError:
            raise ChukanError("KEY_UNKNOWN") from None

    def _verified(self, shown: MemberKeys) -> _Known:
        name = shown.organization
        identity = self.trust.verify(shown.certificate, organization=name, purpose=_purpose(name), clock=self._clock)
        if shown.sealing_key_statement is None:
            return _Known(shown, identity, None)
        recipient = verify_sealing_key(shown.sealing_key_statement, identity=identity, clock=self._clock)
        return _Known(shown, identity, recipient)

    def _make(self, organization: str) -> _Own:
        if self._directory is None:
            signing, sealing = SigningKey.generate(), SealingKey.generate()
            certificate = self._issue(organization, signing)
        else:
            folder = self._directory / organization
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / "identity.cer"
            if path.exists():
                _expect_certified_keys(folder)
            signing, sealing = _signing(folder), _sealing(folder)
            if not path.exists():
                write_secret(path, self._issue(organization, signing))
            certificate = path.read_bytes()
        statement = (
            certify_sealing_key(organization, sealing.recipient, identity=signing, clock=self._clock)
            if organization != NETWORK  # nothing is ever sealed to the network
            else None
        )
        return _Own(signing, sealing, MemberKeys(organization, certificate, statement))

    def _issue(self, organization: str, signing: SigningKey) -> bytes:
        if self._authority is None:
            raise ChukanError("KEY_UNKNOWN")
        return self._authority.issue(
            organization, signing.verify_key, purpose=_purpose(organization), clock=self._clock
        )


def _purpose(organization: str) -> Purpose:
    return Purpose.NETWORK if organization == NETWORK else Purpose.MEMBER


def _expect_certified_keys(folder: Path) -> None:
    """Refuse to make a key anew that is certified already: nobody would believe what it signs or could read with it."""
    for name in ("signing.pem", "sealing.pem"):
        if not (folder / name).exists():
            raise file_refused(folder / name, "missing")


def _signing(folder: Path) -> SigningKey:
    path = folder / "signing.pem"
    if not path.exists():
        SigningKey.generate().save(path)
    return SigningKey.load(path)


def _sealing(folder: Path) -> SealingKey:
    path = folder / "sealing.pem"
    if not path.exists():
        SealingKey.generate().save(path)
    return SealingKey.load(path)
