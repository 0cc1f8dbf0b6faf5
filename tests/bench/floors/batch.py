# SPDX-License-Identifier: Apache-2.0
"""Floor of `exchange_batch`: rows of a file through bare gRPC, sealed, digested, kept, answered into a file.

The server: per row one SHA-256 and one AES-256-GCM, three durable rows in the product's tables and indexes (inquiry,
record, result), 1,000 rows a commit and a message. The client (`load`): reads lines, streams 1,000 a message over
mutual TLS, writes what comes back to a file and syncs it.
It leaves out everything else an exchange is: permits, signatures, a second body, states, checks, the ledger.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import grpc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import tables
from .group_commit import Store, next_seq
from .wire import serve

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_INQUIRER: Final = "0220113112101700"
_PROVIDER: Final = "0220113104101700"
_PURPOSE: Final = ("JM01000000121000", "JT01010000000214", "TM00000000000002")
_NOW: Final = 1_795_469_470_082
_ROWS: Final = 1_000
_SPEC: Final = 317
_CONTENT: Final = 336
_ANSWERED: Final = b",".join([b"0" * 15] * 20)


class Batches:
    """Keeps and answers."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path, tables.EXCHANGE)
        self._store.write(lambda connection: connection.execute("INSERT INTO change_sequence VALUES ('change', 0)"))
        self._cipher = AESGCM(os.urandom(32))

    def answer(self, requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
        """Answer each batch once it is durable."""
        for request in requests:
            rows = request.split(b"\r\n")
            digests = [sha256(row + os.urandom(16)).digest() for row in rows]
            sealed = [self._seal(row.ljust(_SPEC)) for row in rows]
            self._store.write(lambda connection, d=digests, s=sealed: _keep(connection, d, s))
            yield b"\r\n".join(row + b"," + _ANSWERED for row in rows) + b"\r\n"

    def _seal(self, value: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, value, _INQUIRER.encode())


def _keep(connection: sqlite3.Connection, digests: list[bytes], sealed: list[bytes]) -> None:
    first = next_seq(connection, "change", len(digests))
    rows = list(enumerate(zip(digests, sealed, strict=True), first))
    connection.executemany(
        "INSERT INTO inquiry VALUES (?,?,?,?,?,?,?,4,1,'','P-214','unverified',?,?,?,?,?,?,0,?)",
        [
            (_INQUIRER, at, digest.hex(), digest[:16], seal, at, digest, digest, _NOW, _NOW, _NOW, _NOW, _NOW, at)
            for at, (digest, seal) in rows
        ],
    )
    connection.executemany(
        "INSERT INTO exchange_record VALUES (?,?,1,?,?,?,?,?,?,?,'','',2,?,?,?,1,'',0,1,'unverified','P-214',?,?)",
        [
            (_INQUIRER, at, digest, digest, _INQUIRER, _PROVIDER, *_PURPOSE, at, _NOW, _NOW, f"{at:020d}", at)
            for at, (digest, _) in rows
        ],
    )
    connection.executemany(
        "INSERT INTO inquiry_result VALUES (?,?,?,?,?)",
        [(_INQUIRER, at, seal.ljust(_CONTENT + 29), _NOW, _NOW) for at, (_, seal) in rows],
    )


def _batches(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        lines = (line.rstrip(b"\r\n") for line in file)
        while batch := list(islice(lines, _ROWS)):
            yield b"\r\n".join(batch)


def load(target: str, tls: Path, source: Path, out: Path) -> None:
    """Send a file, write the answers."""
    names = ("ca.pem", f"{_INQUIRER}.key", f"{_INQUIRER}.pem")
    credentials = grpc.ssl_channel_credentials(*((tls / name).read_bytes() for name in names))
    with grpc.secure_channel(target, credentials) as channel, out.open("wb") as file:
        for answer in channel.stream_stream("/floor.Floor/Answer")(_batches(source)):
            file.write(answer)
        file.flush()
        os.fsync(file.fileno())


def main(arguments: list[str]) -> None:
    """`serve FOLDER TLS` or `load TARGET TLS FILE OUT`."""
    if arguments[0] == "load":
        load(arguments[1], *map(Path, arguments[2:5]))
        return
    folder = Path(arguments[1])
    handler = grpc.stream_stream_rpc_method_handler(Batches(folder / "floor.db").answer)
    serve({"Answer": handler}, tls=Path(arguments[2]), ready_file=folder / "ready.json", threads=8)


if __name__ == "__main__":
    main(sys.argv[1:])
