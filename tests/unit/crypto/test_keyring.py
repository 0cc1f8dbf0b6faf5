# SPDX-License-Identifier: Apache-2.0
"""The key ring gives out only keys it holds or could verify."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.server.crypto.exchange_keys import RingKeys
from chukan.server.crypto.keyring import KeyRing
from chukan.server.crypto.keys import SealingKey, SigningKey
from chukan.server.crypto.sealing_keys import certify_sealing_key
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import NETWORK
from chukan.standard.clock import FixedClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.server.ports.exchange import ExchangeKeys

SHINJUKU, SETAGAYA = "0220113104101700", "0220113112101700"
START = datetime(2026, 6, 1, tzinfo=UTC)


def test_two_organizations_served_here_can_sign_and_seal_to_each_other() -> None:
    """The ring supplies both sides of an exchange through the use cases' port."""
    ring = KeyRing.in_memory(FixedClock(START))
    ring.serve(SHINJUKU)
    ring.serve(SETAGAYA)
    keys: ExchangeKeys = RingKeys(ring)
    key, permit = keys.random(32), keys.random(32)

    envelope = keys.sign(SETAGAYA, PayloadType.ANSWER_BATCH, b"content")
    thumbprint = keys.recipient_thumbprint(SHINJUKU)
    sealed = keys.seal_secret(SHINJUKU, thumbprint, context=b"header", secret=key)
    rows = keys.seal_rows(key, [b"answer"], [permit])

    assert keys.verify(SETAGAYA, PayloadType.ANSWER_BATCH, envelope) == b"content"
    opened = keys.open_secret(SHINJUKU, thumbprint, context=b"header", sealed=sealed)
    assert keys.open_rows(opened, rows, [permit]) == [b"answer"]
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        keys.verify(SHINJUKU, PayloadType.ANSWER_BATCH, envelope)
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        keys.seal_secret(SETAGAYA, thumbprint, context=b"header", secret=key)
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        keys.open_secret(SETAGAYA, thumbprint, context=b"header", sealed=sealed)


def test_an_unknown_organization_has_no_keys() -> None:
    """Nothing is made up for whoever asks."""
    ring = KeyRing.in_memory(FixedClock(START))
    ring.serve(NETWORK)

    for ask in (ring.signing_key, ring.verify_keys, ring.recipient_key, ring.shown):
        with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
            ask(SHINJUKU)
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        ring.sealing_key(SHINJUKU, b"")


@pytest.mark.parametrize("kind", list(PayloadType))
def test_permits_count_from_the_network_only_and_nothing_else_does(kind: PayloadType) -> None:
    """No member can permit itself anything, and the network can answer for nobody."""
    ring = KeyRing.in_memory(FixedClock(START))
    keys = RingKeys(ring)
    for each in (NETWORK, SHINJUKU):
        ring.serve(each)
    permit = kind in (PayloadType.PERMIT, PayloadType.PERMIT_BATCH)
    may = {
        NETWORK: permit or kind is PayloadType.RECORD_COMMITMENT,
        SHINJUKU: not permit,
    }

    for organization, allowed in may.items():
        envelope = keys.sign(organization, kind, b"payload")
        if allowed:
            assert keys.verify(organization, kind, envelope) == b"payload"
        else:
            with pytest.raises(ChukanError, match="rule=kind"):
                keys.verify(organization, kind, envelope)


def test_nothing_is_ever_sealed_to_the_network() -> None:
    """It shows an identity and no sealing key."""
    ring = KeyRing.in_memory(FixedClock(START))

    assert ring.serve(NETWORK).sealing_key_statement is None
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        ring.recipient_key(NETWORK)


def test_a_member_is_never_taken_for_the_network() -> None:
    """Neither's certificate serves for the other."""
    clock = FixedClock(START)
    ring = KeyRing.in_memory(clock)
    member, network = ring.serve(SHINJUKU), ring.serve(NETWORK)

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_PURPOSE"):
        ring.learn(replace(member, organization=NETWORK))
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_PURPOSE"):
        ring.learn(replace(network, organization=SHINJUKU))


def test_a_separate_core_knows_members_by_their_shown_and_holds_no_key_of_theirs() -> None:
    """It verifies up to the authority it was given, and can't make an identity."""
    clock = FixedClock(START)
    members = KeyRing.in_memory(clock)
    shown = members.serve(SHINJUKU)
    core = KeyRing(members.trust, clock)

    core.learn(shown)

    assert list(core.verify_keys(SHINJUKU)) == [members.signing_key(SHINJUKU).verify_key]
    assert core.recipient_key(SHINJUKU) == members.recipient_key(SHINJUKU)
    for ask in (core.serve, core.signing_key):
        with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
            ask(SHINJUKU)


def test_shown_of_another_authority_or_of_a_swapped_key_are_refused() -> None:
    """A refused enrolment leaves the ring as it was."""
    clock = FixedClock(START)
    ring, stranger = KeyRing.in_memory(clock), KeyRing.in_memory(clock)
    own, other = ring.serve(SHINJUKU), stranger.serve(SHINJUKU)
    before = ring.recipient_key(SHINJUKU)
    swapped = certify_sealing_key(
        SHINJUKU, SealingKey.generate().recipient, identity=SigningKey.generate(), clock=clock
    )

    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_UNTRUSTED"):
        ring.learn(other)
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        ring.learn(replace(own, sealing_key_statement=swapped))
    with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_WRONG_ORGANIZATION"):
        ring.learn(replace(own, organization=SETAGAYA))

    assert ring.recipient_key(SHINJUKU) == before


def test_the_newest_statement_counts_and_an_old_one_shown_late_does_not() -> None:
    """After a rotation nothing is sealed to the former key again."""
    clock = FixedClock(START)
    ring = KeyRing.in_memory(clock)
    old = ring.serve(SHINJUKU)
    clock.advance(timedelta(days=1))
    new = SealingKey.generate().recipient
    identity = ring.signing_key(SHINJUKU)
    statement = certify_sealing_key(SHINJUKU, new, identity=identity, clock=clock)

    ring.learn(replace(old, sealing_key_statement=statement))
    ring.learn(old)

    assert ring.recipient_key(SHINJUKU) == new
    with pytest.raises(ChukanError, match="KEY_UNKNOWN"):
        ring.sealing_key(SHINJUKU, new.thumbprint)


def test_known_keys_stop_counting_when_their_certificate_ends() -> None:
    """Verified once is not verified for ever."""
    clock = FixedClock(START)
    ring = KeyRing.in_memory(clock)
    ring.serve(SHINJUKU)

    clock.advance(timedelta(days=365 * 20, minutes=2))

    for ask in (ring.verify_keys, ring.recipient_key):
        with pytest.raises(ChukanError, match="SIGNER_CERTIFICATE_EXPIRED"):
            ask(SHINJUKU)


def test_keys_of_a_data_directory_stay_the_same(tmp_path: Path) -> None:
    """A restart finds the same keys, in files of their owner alone."""
    clock = FixedClock(START)
    directory = tmp_path / "keys"
    first = KeyRing.open(directory, clock)
    first.serve(SHINJUKU)
    clock.advance(timedelta(days=1))

    second = KeyRing.open(directory, clock)
    second.serve(SHINJUKU)

    assert second.trust.der == first.trust.der
    assert second.signing_key(SHINJUKU).verify_key == first.signing_key(SHINJUKU).verify_key
    assert second.recipient_key(SHINJUKU) == first.recipient_key(SHINJUKU)
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "authority.pem",
        "authority.cer",
        "signing.pem",
        "sealing.pem",
        "identity.cer",
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.parametrize("name", ["signing.pem", "sealing.pem"])
def test_a_certified_key_that_is_missing_is_not_made_anew(tmp_path: Path, name: str) -> None:
    clock = FixedClock(START)
    KeyRing.open(tmp_path, clock).serve(SHINJUKU)
    (tmp_path / SHINJUKU / name).unlink()

    with pytest.raises(ChukanError) as caught:
        KeyRing.open(tmp_path, clock).serve(SHINJUKU)

    assert (caught.value.code, caught.value.params["rule"]) == ("KEY_FILE_REFUSED", "missing")
    assert not (tmp_path / SHINJUKU / name).exists()


def test_an_authority_that_has_certified_somebody_is_never_made_anew(tmp_path: Path) -> None:
    """Its certificate is missing: its key stays as it is, for the day the certificate is found."""
    clock = FixedClock(START)
    KeyRing.open(tmp_path, clock).serve(SHINJUKU)
    (tmp_path / "authority.cer").unlink()
    key = (tmp_path / "authority.pem").read_bytes()

    with pytest.raises(ChukanError, match=r"KEY_FILE_REFUSED.*authority\.cer.*missing"):
        KeyRing.open(tmp_path, clock)

    assert (tmp_path / "authority.pem").read_bytes() == key
    assert not (tmp_path / "authority.cer").exists()


def test_an_authoritys_key_that_is_not_its_certificates_is_refused(tmp_path: Path) -> None:
    """It would certify what nobody believes."""
    KeyRing.open(tmp_path, FixedClock(START))
    (tmp_path / "authority.pem").unlink()
    SigningKey.generate().save(tmp_path / "authority.pem")

    with pytest.raises(ChukanError, match=r"KEY_FILE_REFUSED.*authority\.pem.*key of authority\.cer"):
        KeyRing.open(tmp_path, FixedClock(START))


def test_a_folder_where_a_key_file_should_be_is_refused_by_name(tmp_path: Path) -> None:
    KeyRing.open(tmp_path, FixedClock(START)).serve(SHINJUKU)
    (tmp_path / SHINJUKU / "signing.pem").unlink()
    (tmp_path / SHINJUKU / "signing.pem").mkdir()

    with pytest.raises(ChukanError, match=rf"KEY_FILE_REFUSED.*{SHINJUKU}/signing\.pem.*readable"):
        KeyRing.open(tmp_path, FixedClock(START)).serve(SHINJUKU)


def test_a_start_that_broke_off_is_finished_by_the_next(tmp_path: Path) -> None:
    """Keys without their certificate get one, the authority's as well."""
    clock = FixedClock(START)
    SigningKey.generate().save(tmp_path / "authority.pem")
    waiting = (tmp_path / "authority.pem").read_bytes()
    (tmp_path / SHINJUKU).mkdir()
    kept = SigningKey.generate()
    kept.save(tmp_path / SHINJUKU / "signing.pem")

    ring = KeyRing.open(tmp_path, clock)
    ring.serve(SHINJUKU)

    assert list(ring.verify_keys(SHINJUKU)) == [kept.verify_key]
    assert (tmp_path / "authority.pem").read_bytes() == waiting


def test_worlds_share_no_keys() -> None:
    """Keys come from the operating system, never from a seed or a clock."""
    clock = FixedClock(START)
    first, second = (KeyRing.in_memory(clock) for _ in range(2))
    for ring in (first, second):
        ring.serve(SHINJUKU)

    assert first.trust.der != second.trust.der
    assert first.signing_key(SHINJUKU).verify_key != second.signing_key(SHINJUKU).verify_key
    assert first.recipient_key(SHINJUKU) != second.recipient_key(SHINJUKU)
