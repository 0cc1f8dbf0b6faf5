# SPDX-License-Identifier: Apache-2.0
"""A seal opens for its recipient, in its context and under its permit, and for nothing else."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.crypto.keys import RecipientKey, SealingKey
from chukan.server.crypto.sealing import open_rows, open_secret, seal_rows, seal_secret
from chukan.server.domain.exchange import digest
from chukan.standard.reasons import ChukanError

KEY = SealingKey.generate()
CONTEXT = b"signed header"
SEALED = seal_secret(b"a secret", recipient=KEY.recipient, context=CONTEXT)
ROW_KEY = os.urandom(32)
PERMITS = [digest(b"permit %d" % number) for number in range(20)]
PLAINTEXTS = [b"row %d" % number for number in range(20)]
ROWS = seal_rows(ROW_KEY, PLAINTEXTS, PERMITS)


def flip(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(secret=st.binary(max_size=2000), context=st.binary(max_size=100))
def test_a_secret_opens_for_its_recipient_in_its_context(secret: bytes, context: bytes) -> None:
    """Any content, also none, and each seal is another."""
    sealed = seal_secret(secret, recipient=KEY.recipient, context=context)

    assert open_secret(sealed, key=KEY, context=context) == secret
    assert sealed != seal_secret(secret, recipient=KEY.recipient, context=context)


def test_a_seal_with_any_bit_flipped_is_refused() -> None:
    """Encapsulated key, ciphertext and tag alike.

    The exchange itself ignores the top bit of an X25519 key (RFC 7748 §5), but the
    encapsulated bytes enter the key derivation, so it can't be flipped either.
    """
    for bit in range(8 * len(SEALED)):
        with pytest.raises(ChukanError, match="SEAL_NOT_OPENABLE"):
            open_secret(flip(SEALED, bit), key=KEY, context=CONTEXT)


@pytest.mark.parametrize(
    "sealed",
    [b"", SEALED[:32], SEALED[:-1], SEALED + b"\x00", bytes(60)],
    ids=["empty", "half", "shorter", "longer", "zeros"],
)
def test_pieces_of_a_seal_are_refused(sealed: bytes) -> None:
    """Too short, too long and all zero are refused alike."""
    with pytest.raises(ChukanError, match="SEAL_NOT_OPENABLE"):
        open_secret(sealed, key=KEY, context=CONTEXT)


def test_a_secret_opens_for_nobody_else_and_in_no_other_context() -> None:
    """The recipient's key and the signed header are both bound."""
    with pytest.raises(ChukanError, match="SEAL_NOT_OPENABLE"):
        open_secret(SEALED, key=SealingKey.generate(), context=CONTEXT)
    with pytest.raises(ChukanError, match="SEAL_NOT_OPENABLE"):
        open_secret(SEALED, key=KEY, context=CONTEXT + b"\x00")


@given(rows=st.lists(st.binary(max_size=500), max_size=30))
def test_rows_open_under_their_permits(rows: list[bytes]) -> None:
    """Any number of any content, also none."""
    permits = [digest(b"%d" % number) for number in range(len(rows))]

    assert open_rows(ROW_KEY, seal_rows(ROW_KEY, rows, permits), permits) == rows


@given(row=st.integers(0, 19), other=st.integers(0, 19))
def test_a_row_opens_under_its_own_permit_only(row: int, other: int) -> None:
    """A row moved to another permit is refused, and the refusal names it."""
    moved = list(ROWS)
    moved[other] = ROWS[row]

    if row == other:
        assert open_rows(ROW_KEY, moved, PERMITS) == PLAINTEXTS
    else:
        with pytest.raises(ChukanError, match=f"row={other}"):
            open_rows(ROW_KEY, moved, PERMITS)


def test_rows_in_another_order_are_refused() -> None:
    """An answer can't be given for another person's by reordering."""
    with pytest.raises(ChukanError, match="row=0"):
        open_rows(ROW_KEY, ROWS[::-1], PERMITS)


@given(row=st.integers(0, 19), data=st.data())
def test_a_row_with_any_bit_flipped_is_refused(row: int, data: st.DataObject) -> None:
    """Nonce, ciphertext and tag alike; the other rows still open by themselves."""
    changed = list(ROWS)
    changed[row] = flip(ROWS[row], data.draw(st.integers(0, 8 * len(ROWS[row]) - 1)))

    with pytest.raises(ChukanError, match=f"row={row}"):
        open_rows(ROW_KEY, changed, PERMITS)
    neighbour = [changed[row - 1]]
    assert open_rows(ROW_KEY, neighbour, [PERMITS[row - 1]]) == [PLAINTEXTS[row - 1]]


def test_rows_open_under_their_own_key_only() -> None:
    """Another group has another key, and a piece of a key is none."""
    with pytest.raises(ChukanError, match="row=0"):
        open_rows(os.urandom(32), ROWS, PERMITS)
    for piece in (b"", ROW_KEY[:16], ROW_KEY + b"\x00"):
        with pytest.raises(ChukanError, match="rule=row_key_size"):
            open_rows(piece, ROWS, PERMITS)
    with pytest.raises(ChukanError, match="row=0"):
        open_rows(ROW_KEY, [b""], PERMITS[:1])


def test_no_nonce_is_used_twice() -> None:
    """Every row of every call has its own."""
    sealed = ROWS + seal_rows(ROW_KEY, PLAINTEXTS, PERMITS)

    assert len({row[:12] for row in sealed}) == len(sealed)


def test_rows_and_permits_come_in_pairs() -> None:
    """A missing digest, or something that is none, is a mistake of the program."""
    with pytest.raises(ValueError, match="digests"):
        seal_rows(ROW_KEY, PLAINTEXTS, PERMITS[1:])
    with pytest.raises(ValueError, match="32 bytes"):
        seal_rows(ROW_KEY, [b""], [b"no digest"])


def test_nothing_is_sealed_to_a_key_that_hides_nothing() -> None:
    """A public key of small order gives a shared secret that everybody knows."""
    small = RecipientKey(KEY.recipient.spki[:-32] + bytes(32))

    with pytest.raises(ChukanError, match="KEY_INVALID"):
        seal_secret(b"a secret", recipient=small, context=CONTEXT)
