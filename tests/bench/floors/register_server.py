# SPDX-License-Identifier: Apache-2.0
"""Floor of `register`, the server: batches of 1,000 rows over gRPC become sealed rows of the product's tables.

It does: cut a message into rows; per value that the product seals one AES-256-GCM (8 for a person with its code, 1 for
a replica), per value it looks up one keyed digest; `sqlite3.executemany` into the same tables with the same indexes,
one commit per 1,000 rows; acknowledge after the commit. Acquiring a code is three such batches, as in the product:
number issued, number submitted, code kept.
It leaves out: message types, validation of any item, matching of people, look-ups of addressees (the row number is the
surrogate; a second row of one person is dropped), versions and periods, idempotency, lanes, change numbers, the outbox.
"""

from __future__ import annotations

import os
import sys
from hashlib import blake2b, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import tables
from .group_commit import Store
from .wire import serve

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

_ORGANIZATION: Final = "0220113104101700"
_NOW: Final = 1_795_469_470_082
_AT_REST: Final = b"0220113104101700\0table\0column\0001\0"


class Register:
    """Keeps people, their codes and their replicas."""

    def __init__(self, folder: Path) -> None:
        self._middle = Store(folder / "middle.db", tables.ADDRESSEE + tables.RESIDENT + tables.CODES + tables.REPLICA)
        self._address = Store(folder / "address.db", tables.PEOPLE)
        self._cipher = AESGCM(os.urandom(32))
        self._index = os.urandom(32)

    def streamed(
        self, keep: Callable[[list[str]], None]
    ) -> Callable[[Iterator[bytes], grpc.ServicerContext], Iterator[bytes]]:
        """Return the handler of a stream of batches, acknowledged one by one."""

        def handler(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
            for request in requests:
                rows = request.decode().split("\n")
                keep(rows)
                yield str(len(rows)).encode()

        return handler

    def people(self, rows: list[str]) -> None:
        """Keep people: person, local number, resident, addressee."""
        people, locals_, residents, addressees = [], [], [], []
        for row in rows:
            cells = row.split("\x1f")
            id_, number, local = int(cells[0]), f"{700_000_000_000_000 + int(cells[0]):015d}", cells[1]
            digest = self._digest(cells[3]) if cells[3] else None
            attributes = self._seal(row)
            people.append((id_, _ORGANIZATION, digest, self._seal(cells[3]), attributes, id_ * 7919))
            locals_.append((id_, _ORGANIZATION, self._digest(local), id_, self._seal(local), self._digest(row)))
            residents.append(
                (
                    id_,
                    digest or self._digest(row),
                    self._digest(row),
                    hash(cells[6]),
                    hash(cells[15]),
                    self._digest(cells[1]),
                    self._seal(row[:120]),
                )
            )
            addressees.append((id_, _ORGANIZATION, self._digest(number), self._seal(number), id_))
        self._address.write(lambda connection: _insert(connection, ((_PERSON, people), (_LOCAL, locals_))))
        self._middle.write(lambda connection: _insert(connection, ((_RESIDENT, residents), (_ADDRESSEE, addressees))))

    def codes(self, rows: list[str]) -> None:
        """Issue a processing number to each."""
        issued, noted = [], []
        for row in rows:
            id_ = int(row)
            token = f"{id_:012x}{os.urandom(16).hex()}"
            issued.append((id_, _ORGANIZATION, token, token[:12], _NOW))
            noted.append((self._digest(token), self._seal(token), _NOW, id_))
        self._middle.write(lambda connection: _insert(connection, ((_ISSUED, issued), (_NOTED, noted))))

    def submit(self, rows: list[str]) -> None:
        """Make each a code and keep it on both sides."""
        made, linked, purged = [], [], []
        for row in rows:
            id_, code = int(row), os.urandom(16).hex()
            made.append((_ORGANIZATION, id_, self._digest(code), self._seal(code)))
            linked.append((self._digest(code + "n"), self._seal(code), _NOW, id_))
            purged.append((id_,))
        self._middle.write(lambda connection: _insert(connection, ((_MADE, made),)))
        self._middle.write(lambda connection: _insert(connection, ((_LINKED, linked), (_PURGED, purged))))

    def replicas(self, rows: list[str]) -> None:
        """Keep replicas of one information."""
        information = rows[0].partition("\x1f")[0]
        kept, records = [], []
        for row in rows:
            _, record_id, number, start, content = row.split("\x1f", 4)
            sealed = self._seal(content)
            kept.append((_ORGANIZATION, information, int(number), record_id, record_id, start, _NOW, sealed))
            records.append((_ORGANIZATION, record_id, self._digest(row)))
        body = sha256("\n".join(rows).encode()).digest()
        summary = (_ORGANIZATION, rows[0], information, body, bytes(len(rows)), _NOW)
        self._middle.write(
            lambda connection: _insert(connection, ((_REPLICA, kept), (_RECORD, records), (_IMPORT, [summary])))
        )

    def _seal(self, value: str) -> bytes:
        nonce = os.urandom(12)
        return b"\1" + nonce + self._cipher.encrypt(nonce, value.encode(), _AT_REST)

    def _digest(self, value: str) -> bytes:
        return blake2b(value.encode(), key=self._index, digest_size=16).digest()


_PERSON: Final = "INSERT OR IGNORE INTO person VALUES (?,?,?,?,?,?,0,0,0)"
_LOCAL: Final = "INSERT INTO local_number VALUES (?,?,?,?,?,?,0)"
_RESIDENT: Final = "INSERT OR IGNORE INTO network_resident VALUES (?,?,?,?,?,?,?)"
_ADDRESSEE: Final = "INSERT INTO addressee VALUES (?,?,?,?,1,0,0,'',0,1,NULL,NULL,0,'',NULL,NULL,0,0,0,0,?)"
_ISSUED: Final = "INSERT INTO network_processing_number VALUES (?,?,?,?,1,0,'',?)"
_NOTED: Final = (
    "UPDATE addressee SET linkage_state = 3, processing_digest = ?, processing_number = ?, processing_expires = ?,"
    " change_seq = change_seq + 1000000 WHERE id = ?"
)
_MADE: Final = "INSERT INTO network_linkage_code VALUES (?,?,?,?)"
_LINKED: Final = (
    "UPDATE addressee SET linkage_state = 4, processing_digest = NULL, processing_number = NULL, code_digest = ?,"
    " code = ?, linked = ?, change_seq = change_seq + 1000000 WHERE id = ?"
)
_PURGED: Final = "UPDATE network_processing_number SET state = 3, secret = '', token = id WHERE id = ?"
_REPLICA: Final = "INSERT INTO replica VALUES (?,?,?,'0100',?,1,'',1,?,?,'99991231',1,'','',?,?)"
_RECORD: Final = "INSERT INTO replica_record VALUES (?,?,?)"
_IMPORT: Final = (
    "INSERT INTO replica_import (organization, system, batch_id, information, data_set, edition, body_digest, state,"
    " outcomes, failures, created, change_seq) VALUES (?,'adapter',?,?,'0100','0801',?,1,?,'[]',?,0)"
)


def _insert(connection: sqlite3.Connection, batches: tuple[tuple[str, list[tuple[Any, ...]]], ...]) -> None:
    for statement, rows in batches:
        connection.executemany(statement, rows)


def main(folder: Path, tls: Path | None) -> None:
    """Serve until told to stop."""
    register = Register(folder)
    keepers = {
        "People": register.people,
        "Codes": register.codes,
        "Submit": register.submit,
        "Replicas": register.replicas,
    }
    serve(
        {name: grpc.stream_stream_rpc_method_handler(register.streamed(keeper)) for name, keeper in keepers.items()},
        tls=tls,
        ready_file=folder / "ready.json",
        threads=8,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
