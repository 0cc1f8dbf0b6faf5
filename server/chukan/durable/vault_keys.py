# SPDX-License-Identifier: Apache-2.0
"""The vault's keys: a master key in a file of its own, and the organizations' keys in the database, wrapped by it.

Data keys (AES-256-GCM) seal values; when one is rotated the older ones still open. Index keys (keyed BLAKE2b) make
digests to look values up by; while one is being replaced both digests are written.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, bindparam

from chukan.durable.instants import to_micros
from chukan.durable.statements import Statement
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy import Connection

    from chukan.durable.database import Database

__all__ = ["KEY_BYTES", "NONCE_BYTES", "KeyStore", "StoredKey", "load_master_key", "master_key_of", "vault_key_table"]

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
DATA: Final = "data"
INDEX: Final = "index"
ACTIVE: Final = "active"
NEXT: Final = "next"
RETIRED: Final = "retired"

_MASTER: Final = ("", "master", 0)
_CHECK: Final = b"chukan vault master key check..."
_MOST_KEYS: Final = 255

_TABLE: Final = Table(
    "vault_key",
    MetaData(),
    Column("organization", String(16), primary_key=True),
    Column("purpose", String(8), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seals", BigInteger, nullable=False),
)
_COLUMNS: Final = ("organization", "purpose", "number", "state", "wrapped", "created", "seals")
_READ: Final = Statement(sqlalchemy.select(*(_TABLE.c[name] for name in _COLUMNS[:5])))
_OF: Final = Statement(
    sqlalchemy.select(*(_TABLE.c[name] for name in _COLUMNS[:5])).where(
        _TABLE.c.organization == bindparam("organization"),
    ),
)
_ADD: Final = Statement(sqlalchemy.insert(_TABLE), _COLUMNS)
_SAME: Final = [_TABLE.c[name] == bindparam(f"{name}_") for name in ("organization", "purpose", "number")]
_SET_STATE: Final = Statement(sqlalchemy.update(_TABLE).where(*_SAME).values(state=bindparam("state_")))
_COUNT: Final = Statement(
    sqlalchemy.update(_TABLE).where(*_SAME).values(seals=_TABLE.c.seals + bindparam("more")),
)
_WORN: Final = Statement(
    sqlalchemy.select(_TABLE.c.organization)
    .where(
        _TABLE.c.purpose == DATA,
        _TABLE.c.state == ACTIVE,
        _TABLE.c.seals >= bindparam("most"),
    )
    .order_by(_TABLE.c.organization),
)


@dataclass(frozen=True, slots=True, repr=False)
class StoredKey:
    """One key of an organization, unwrapped."""

    purpose: str
    number: int
    state: str
    key: bytes


def vault_key_table(metadata: MetaData) -> Table:
    """Return the table of wrapped keys in the metadata, adding it when it is not there."""
    return metadata.tables[_TABLE.name] if _TABLE.name in metadata.tables else _TABLE.to_metadata(metadata)


def load_master_key(path: Path, *, create: bool = False) -> bytes:
    """Read the master key (64 hexadecimal digits) from a file of its owner alone; create makes one if there is none.

    Keep it away from the database and its backups: who has both reads everything.
    """
    if create and not path.exists():
        _write_key(path, secrets.token_bytes(KEY_BYTES))
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise ChukanError("KEY_FILE_REFUSED", params={"file": path.name, "rule": "missing"}) from None
    except (OSError, UnicodeDecodeError):
        raise ChukanError("KEY_FILE_REFUSED", params={"file": path.name, "rule": "readable"}) from None
    if mode & 0o077:
        raise ChukanError("KEY_FILE_REFUSED", params={"file": path.name, "rule": "mode 0600"})
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ChukanError("KEY_FILE_REFUSED", params={"file": path.name, "rule": "64 hexadecimal digits"})
    return key


def master_key_of(database: Database, file: Path | None) -> bytes:
    """Return the master key of a database's vault; in memory, without a file, a new one.

    Only a vault that is empty gets a new file: another key would open nothing of what the old one has closed.
    """
    if file is None:
        return secrets.token_bytes(KEY_BYTES)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.read() as connection:
        is_empty = not _READ.all(connection)
    return load_master_key(file, create=is_empty)


class KeyStore:
    """Wrapped keys in the database; opening it proves that the master key is the one that wrapped them."""

    def __init__(self, database: Database, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            message = f"got a master key of {len(master_key)} bytes, expected {KEY_BYTES}"
            raise ValueError(message)
        self._database = database
        self._master = AESGCM(master_key)
        vault_key_table(database.metadata)

    def open(self) -> dict[str, list[StoredKey]]:
        """Return the keys of every organization; refuse a master key that is not theirs."""
        with self._database.read() as connection:
            rows = _READ.all(connection)
        check = [row for row in rows if tuple(row[:3]) == _MASTER]
        if not check:
            self._database.write("", self._set_check)
            return self.open()
        if self._unwrap(check[0]).key != _CHECK:
            raise ChukanError("MASTER_KEY_WRONG")
        keys: dict[str, list[StoredKey]] = {}
        for row in rows:
            if row[0]:
                keys.setdefault(row[0], []).append(self._unwrap(row))
        return keys

    def ensure(self, organization: str) -> list[StoredKey]:
        """Return an organization's keys, making its first ones if there are none."""
        return self.ensure_all([organization])[organization]

    def ensure_all(self, organizations: Iterable[str]) -> dict[str, list[StoredKey]]:
        """Return the keys of each of these organizations, making the first ones where there are none; one write."""
        wrapped = {
            (organization, purpose): self._wrap((organization, purpose, 1), secrets.token_bytes(KEY_BYTES))
            for organization in organizations
            for purpose in (DATA, INDEX)
        }
        names = list(dict.fromkeys(organization for organization, _ in wrapped))

        def make(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
            found = {}
            for organization in names:
                rows = _OF.all(connection, organization=organization)
                for purpose in () if rows else (DATA, INDEX):
                    self._add(connection, (organization, purpose, 1), ACTIVE, wrapped[organization, purpose])
                found[organization] = rows or _OF.all(connection, organization=organization)
            return found

        rows = self._database.write(names[0] if len(names) == 1 else "", make)
        return {organization: [self._unwrap(row) for row in found] for organization, found in rows.items()}

    def add(self, organization: str, purpose: str, state: str) -> list[StoredKey]:
        """Make another key in this state (an active one takes the place of the active one); return all keys."""
        key = secrets.token_bytes(KEY_BYTES)
        numbers = [stored.number for stored in self.ensure(organization) if stored.purpose == purpose]
        number = max(numbers) + 1
        if number > _MOST_KEYS:
            raise ChukanError("KEY_INVALID", params={"rule": f"at most {_MOST_KEYS} keys of one kind"})
        name = (organization, purpose, number)
        wrapped = self._wrap(name, key)

        def make(connection: Connection) -> None:
            if state == ACTIVE:
                self._retire_active(connection, organization, purpose)
            self._add(connection, name, state, wrapped)

        self._database.write(organization, make)
        return self.ensure(organization)

    def promote(self, organization: str, purpose: str, number: int) -> list[StoredKey]:
        """Make a waiting key the active one; return all keys."""

        def make(connection: Connection) -> None:
            self._retire_active(connection, organization, purpose)
            _SET_STATE.run(
                connection,
                organization_=organization,
                purpose_=purpose,
                number_=number,
                state_=ACTIVE,
            )

        self._database.write(organization, make)
        return self.ensure(organization)

    def count(self, organization: str, number: int, more: int) -> None:
        """Note, without waiting, that a data key is about to seal so many values more."""
        self._database.write_later(
            organization,
            lambda connection: _COUNT.run(
                connection,
                organization_=organization,
                purpose_=DATA,
                number_=number,
                more=more,
            ),
        )

    def worn(self, seals: int) -> list[str]:
        """Return the organizations whose data key has sealed this often."""
        with self._database.read() as connection:
            return [row[0] for row in _WORN.all(connection, most=seals)]

    def _set_check(self, connection: Connection) -> None:
        if not _OF.all(connection, organization=_MASTER[0]):
            self._add(connection, _MASTER, ACTIVE, self._wrap(_MASTER, _CHECK))

    def _retire_active(self, connection: Connection, organization: str, purpose: str) -> None:
        for _, stored_purpose, number, state, _ in _OF.all(connection, organization=organization):
            if stored_purpose == purpose and state == ACTIVE:
                _SET_STATE.run(
                    connection,
                    organization_=organization,
                    purpose_=purpose,
                    number_=number,
                    state_=RETIRED,
                )

    def _add(self, connection: Connection, name: tuple[str, str, int], state: str, wrapped: bytes) -> None:
        organization, purpose, number = name
        _ADD.run(
            connection,
            organization=organization,
            purpose=purpose,
            number=number,
            state=state,
            wrapped=wrapped,
            created=to_micros(self._database.clock.now()),
            seals=0,
        )

    def _wrap(self, name: tuple[str, str, int], key: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, _name_bytes(*name))

    def _unwrap(self, row: tuple[object, ...]) -> StoredKey:
        organization, purpose, number, state, wrapped = row
        assert isinstance(wrapped, bytes)  # noqa: S101 narrows the types of a row
        assert isinstance(number, int)  # noqa: S101
        try:
            key = self._master.decrypt(
                wrapped[:NONCE_BYTES],
                wrapped[NONCE_BYTES:],
                _name_bytes(str(organization), str(purpose), number),
            )
        except InvalidTag:
            raise ChukanError("MASTER_KEY_WRONG") from None
        return StoredKey(str(purpose), number, str(state), key)


def _name_bytes(organization: str, purpose: str, number: int) -> bytes:
    return f"chukan vault key\0{organization}\0{purpose}\0{number}".encode()


def _write_key(path: Path, key: bytes) -> None:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError:
        raise ChukanError("KEY_FILE_REFUSED", params={"file": path.name, "rule": "writable"}) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
