# SPDX-License-Identifier: Apache-2.0
"""Personal values at rest: sealed per organization, bound to the place they lie in, found by keyed digests.

A sealed value is one byte (number of the data key), twelve (nonce), then AES-256-GCM's ciphertext and tag. Associated
data are organization, table, column, key number and row, so a value moved to another place does not open. Nonces are
random: keys are rotated long before 2^30 seals. Row keys must not change while the row lives.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chukan.durable.vault_keys import ACTIVE, DATA, INDEX, KEY_BYTES, NEXT, NONCE_BYTES, RETIRED, KeyStore, StoredKey
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.durable.database import Database

__all__ = ["ROTATE_AFTER", "RowKey", "Vault"]

RowKey = bytes | int | str
ROTATE_AFTER: Final = 1 << 28
"""Seals after which a data key is due for rotation; counted in blocks ahead of use."""

_DIGEST_BYTES: Final = 16
_BLOCK: Final = 1 << 20
_HEADER: Final = 1 + NONCE_BYTES
_SHORTEST: Final = _HEADER + 16


class _Ring:
    """An organization's keys, ready to use."""

    __slots__ = ("active", "counted", "data", "indexes")

    def __init__(self, keys: Iterable[StoredKey]) -> None:
        self.data: dict[int, AESGCM] = {}
        self.indexes: list[bytes] = []
        self.active = 0
        self.counted = 0
        for stored in sorted(keys, key=lambda stored: (stored.state != ACTIVE, stored.number)):
            if stored.purpose == DATA:
                self.data[stored.number] = AESGCM(stored.key)
                self.active = stored.number if stored.state == ACTIVE else self.active
            elif stored.state != RETIRED:
                self.indexes.append(stored.key)


class _Place:
    """An organization's column and the key in use there."""

    __slots__ = ("associated", "decrypt", "encrypt", "head")

    def __init__(self, key: AESGCM, number: int, name: tuple[str, str, str]) -> None:
        self.encrypt = key.encrypt
        self.decrypt = key.decrypt
        self.head = bytes((number,))
        self.associated = "\0".join((*name, str(number), "")).encode()


class Vault:
    """Seals and opens values; a write prepares what it stores outside its function, where cryptography belongs.

    An organization's first keys are made on first use, which is a write: ``prepare`` makes them beforehand.
    """

    def __init__(self, master_key: bytes, database: Database) -> None:
        self._store = KeyStore(database, master_key)
        self._rings = {organization: _Ring(keys) for organization, keys in self._store.open().items()}
        self._places: dict[tuple[str, str, str], _Place] = {}
        self._old_places: dict[tuple[str, str, str, int], _Place] = {}
        self._digesters: dict[tuple[str, str], tuple[Any, ...]] = {}

    def prepare(self, organizations: Iterable[str]) -> None:
        """Make the first keys of organizations that have none, all in one write; inside a read it is too late."""
        missing = [organization for organization in organizations if organization not in self._rings]
        if missing:
            self._rings.update({name: _Ring(keys) for name, keys in self._store.ensure_all(missing).items()})

    def seal(self, organization: str, table: str, column: str, row_key: RowKey, plaintext: bytes) -> bytes:
        """Seal one value for its place."""
        place = self._place(organization, table, column, 1)
        nonce = os.urandom(NONCE_BYTES)
        return place.head + nonce + place.encrypt(nonce, plaintext, place.associated + _row(row_key))

    def seal_many(
        self,
        organization: str,
        table: str,
        column: str,
        row_keys: Sequence[RowKey],
        plaintexts: Sequence[bytes],
    ) -> list[bytes]:
        """Seal a column's values, one per row key."""
        place = self._place(organization, table, column, len(row_keys))
        head, encrypt, associated = place.head, place.encrypt, place.associated
        random = os.urandom(NONCE_BYTES * len(row_keys))
        nonces = [random[start : start + NONCE_BYTES] for start in range(0, len(random), NONCE_BYTES)]
        return [
            head + nonce + encrypt(nonce, plaintext, associated + row)
            for nonce, plaintext, row in zip(nonces, plaintexts, _rows(row_keys), strict=True)
        ]

    def open(self, organization: str, table: str, column: str, row_key: RowKey, sealed: bytes) -> bytes:
        """Open a value that was sealed for this place."""
        if len(sealed) < _SHORTEST:
            raise _unreadable(table, column)
        place = self._old_place(organization, table, column, sealed[0])
        try:
            return place.decrypt(sealed[1:_HEADER], sealed[_HEADER:], place.associated + _row(row_key))
        except InvalidTag:
            raise _unreadable(table, column) from None

    def open_many(
        self,
        organization: str,
        table: str,
        column: str,
        row_keys: Sequence[RowKey],
        sealed: Sequence[bytes],
    ) -> list[bytes]:
        """Open a column's values, one per row key; one that does not open refuses all."""
        numbers = {value[0] if value else 0 for value in sealed}
        places = {number: self._old_place(organization, table, column, number) for number in numbers}
        plaintexts = []
        try:
            for value, row in zip(sealed, _rows(row_keys), strict=True):
                place = places[value[0]]
                plaintexts.append(place.decrypt(value[1:_HEADER], value[_HEADER:], place.associated + row))
        except (InvalidTag, ValueError):
            raise _unreadable(table, column) from None
        return plaintexts

    def index_digest(self, organization: str, kind: str, value: str) -> bytes:
        """Return the keyed digest a value is looked up by: the same for the same organization, kind and value."""
        return self.index_digests(organization, kind, value)[0]

    def index_digests(self, organization: str, kind: str, value: str) -> tuple[bytes, ...]:
        """Return the digest in use, then (while the index key is being replaced) the coming one."""
        encoded = value.encode()
        digests = []
        for digester in self._digester(organization, kind):
            digest = digester.copy()
            digest.update(encoded)
            digests.append(digest.digest())
        return tuple(digests)

    def index_digest_many(self, organization: str, kind: str, values: Iterable[str]) -> list[bytes]:
        """Return the digest in use of every value."""
        return self.index_digest_many_bytes(organization, kind, map(str.encode, values))

    def index_digest_many_bytes(self, organization: str, kind: str, values: Iterable[bytes]) -> list[bytes]:
        """Return the digest in use of every value that is bytes already: the same as of its text."""
        copy = self._digester(organization, kind)[0].copy
        digests = []
        for value in values:
            digest = copy()
            digest.update(value)
            digests.append(digest.digest())
        return digests

    def rotate_data_key(self, organization: str) -> int:
        """Seal with a new data key from now on and return its number; older ones still open."""
        return self._renew(organization, self._store.add(organization, DATA, ACTIVE)).active

    def due_for_rotation(self, seals: int = ROTATE_AFTER) -> list[str]:
        """Return the organizations whose data key has sealed this often."""
        return self._store.worn(seals)

    def begin_index_rotation(self, organization: str) -> None:
        """Make the coming index key: ``index_digests`` now returns both digests, to be written and filled in."""
        if len(self._ring(organization).indexes) > 1:
            raise ChukanError("STATE_NOT_ALLOWED", params={"expected": "no rotation of the index key under way"})
        self._renew(organization, self._store.add(organization, INDEX, NEXT))

    def finish_index_rotation(self, organization: str) -> None:
        """Use the coming index key alone: every row has its digest."""
        keys = [stored for stored in self._store.ensure(organization) if stored.state == NEXT]
        if not keys:
            raise ChukanError("STATE_NOT_ALLOWED", params={"expected": "a rotation of the index key under way"})
        self._renew(organization, self._store.promote(organization, INDEX, keys[0].number))

    def _ring(self, organization: str) -> _Ring:
        ring = self._rings.get(organization)
        if ring is None:
            ring = self._rings[organization] = _Ring(self._store.ensure(organization))
        return ring

    def _renew(self, organization: str, keys: list[StoredKey]) -> _Ring:
        ring = self._rings[organization] = _Ring(keys)
        for name in [name for name in self._places if name[0] == organization]:
            del self._places[name]
        for kind in [kind for kind in self._digesters if kind[0] == organization]:
            del self._digesters[kind]
        return ring

    def _place(self, organization: str, table: str, column: str, seals: int) -> _Place:
        """Return where to seal, counting the seals in blocks ahead of use."""
        ring = self._ring(organization)
        ring.counted -= seals
        if ring.counted < 0:
            self._store.count(organization, ring.active, _BLOCK)
            ring.counted += _BLOCK
        name = (organization, table, column)
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = _Place(ring.data[ring.active], ring.active, name)
        return place

    def _old_place(self, organization: str, table: str, column: str, number: int) -> _Place:
        """Return where a value sealed with this data key opens."""
        name = (organization, table, column, number)
        place = self._old_places.get(name)
        if place is None:
            key = self._ring(organization).data.get(number)
            if key is None:
                raise _unreadable(table, column)
            place = self._old_places[name] = _Place(key, number, name[:3])
        return place

    def _digester(self, organization: str, kind: str) -> tuple[Any, ...]:
        digesters = self._digesters.get((organization, kind))
        if digesters is None:
            keys = self._ring(organization).indexes
            digesters = tuple(
                blake2b(f"{kind}\0".encode(), digest_size=_DIGEST_BYTES, key=key[:KEY_BYTES]) for key in keys
            )
            self._digesters[organization, kind] = digesters
        return digesters


def _row(row_key: RowKey) -> bytes:
    """Return a row key as bytes that no key of another type shares."""
    if isinstance(row_key, int):
        return b"i%d" % row_key
    return b"s" + row_key.encode() if isinstance(row_key, str) else b"b" + row_key


def _rows(row_keys: Sequence[RowKey]) -> list[bytes]:
    kinds = set(map(type, row_keys))
    if kinds == {int}:
        return [b"i%d" % row_key for row_key in row_keys]  # type: ignore[str-format]
    if kinds == {bytes}:
        return [b"b" + row_key for row_key in row_keys]  # type: ignore[operator]
    return [_row(row_key) for row_key in row_keys]


def _unreadable(table: str, column: str) -> ChukanError:
    return ChukanError("VAULT_UNREADABLE", params={"table": table, "column": column})
