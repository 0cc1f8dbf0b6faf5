# SPDX-License-Identifier: Apache-2.0
"""Floor of `exchange`: a server that does an exchange's physical work and nothing else.

It does: one bare gRPC call over mutual TLS that accepts, one watched message, one call that reads the answer, of the
real sizes; the signatures, seals and openings counted in the real flow, shared by all inquiries that wait at the same
time; the same rows in the same tables and indexes in the same six commits (accepted; permit and network record; permit
at the inquirer; provision with nonce, batch and record; result and record; the network's commitments), group-committed;
the look-ups of person, code, nonce and replica.
It leaves out: every message type, check, list match, Merkle tree, savepoint and state; reading back of queue and states
(work is handed on in memory, so it would not survive a crash); metrics, identity, deadlines, idempotency, errors.
Two workers as the real pipeline has two lanes: permits, and everything after. Under load the first rests as long as a
batch took, so that more share the next one's signatures: twice as fast as taking what is there at once.
"""

from __future__ import annotations

import os
import queue
import struct
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc

from . import tables
from .group_commit import Store, next_seq
from .statements import ACKNOWLEDGEMENT, INSIDE, OUTSIDE, PERMIT, REQUEST, Keys
from .wire import serve

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

CREATE_REQUEST: Final = 128
CREATE_RESPONSE: Final = 232
WATCHED: Final = 317
RESULT: Final = 470
PEOPLE: Final = 200
_INQUIRER: Final = "0220113112101700"
_PROVIDER: Final = "0220113104101700"
_PURPOSE: Final = ("JM01000000121000", "JT01010000000214", "TM00000000000002")
_SPEC: Final = 317
_LEAF: Final = 311
_CONTENT: Final = 336
_NOW: Final = 1_795_469_470_082
_MOST: Final = 1_000
_LONGEST_REST: Final = 0.05
_SHARED: Final = 1_500
"""Bytes of a stored answer batch whatever its size; each answer adds `_ANSWER`."""
_ANSWER: Final = 1_300


class Item(NamedTuple):
    """One accepted inquiry on its way."""

    id: int
    outbox: int
    person: int
    exchange: bytes


class Issued(NamedTuple):
    """Permits of one signed batch."""

    items: list[Item]
    outbox: int


class Exchanges:
    """Accepts, carries on, and shows."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path, tables.EXCHANGE + tables.CODES + tables.ADDRESSEE + tables.REPLICA)
        self._keys = Keys()
        self._accepted: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._permitted: queue.SimpleQueue[Issued] = queue.SimpleQueue()
        self._finished: list[int] = []
        self._news = threading.Condition()
        self.store.write(self._populate)
        for worker in (self._permit, self._provide):
            threading.Thread(target=worker, daemon=True).start()

    def _populate(self, connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO change_sequence VALUES ('change', 0), ('network', 0)")
        for person in range(PEOPLE):
            for organization in (_INQUIRER, _PROVIDER):
                number, code = (self._keys.digest(f"{organization}{kind}{person}".encode()) for kind in "nc")
                row = (organization, number, self._keys.rest(bytes(15)), code, self._keys.rest(bytes(32)))
                connection.execute(
                    "INSERT INTO addressee (organization, number_digest, number, code_digest, code) VALUES (?,?,?,?,?)",
                    row,
                )
                connection.execute(
                    "INSERT INTO network_linkage_code VALUES (?,?,?,?)", (organization, person, code, row[4])
                )
            connection.execute(
                "INSERT INTO replica (organization, information, addressee, data_set, record_key, content)"
                " VALUES (?,?,?,'0100','2026',?)",
                (_PROVIDER, _PURPOSE[2], person * 2 + 2, self._keys.rest(bytes(22))),
            )

    # --- the calls ---

    def create(self, request: bytes, _: grpc.ServicerContext) -> bytes:
        """Step 1: accept durably."""
        (serial,) = struct.unpack_from(">Q", request)
        person = serial % PEOPLE
        digest = self._keys.digest(f"{_INQUIRER}n{person}".encode())
        found = self.store.reader.execute(
            "SELECT id, number, code FROM addressee WHERE organization = ? AND number_digest = ?", (_INQUIRER, digest)
        ).fetchone()
        self._keys.opened(found[1])
        self._keys.opened(found[2])
        exchange = sha256(request).digest()
        sealed = self._keys.rest(request + bytes(_SPEC - CREATE_REQUEST))
        spec_digest = self._keys.digest(exchange)

        def step(connection: sqlite3.Connection) -> Item:
            id_ = next_seq(connection, "change", 1)
            connection.execute(
                "INSERT INTO inquiry VALUES (?,?,?,?,?,?,?,1,0,'','','',x'',?,0,?,?,0,0,?)",
                (_INQUIRER, id_, f"r-{serial}", spec_digest, sealed, found[0], exchange, _NOW, _NOW, _NOW, id_),
            )
            connection.execute(_RECORD, _record(_INQUIRER, id_, 1, exchange, found[0]))
            row = (_INQUIRER, "request_permits", struct.pack(">Q", id_), _NOW, _NOW)
            return Item(id_, connection.execute(_OUTBOX, row).lastrowid or 0, person, exchange)

        item: Item = self.store.write(step)
        self._accepted.put(item)
        return struct.pack(">Q", item.id) + bytes(CREATE_RESPONSE - 8)

    def watch(self, _: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Say which are finished from now on."""
        seen = len(self._finished)
        while context.is_active():
            with self._news:
                self._news.wait_for(lambda seen=seen: len(self._finished) > seen, 1.0)
                new = self._finished[seen:]
            seen += len(new)
            if new:
                yield struct.pack(f">{len(new)}Q", *new) + bytes((WATCHED - 8) * len(new))

    def results(self, request: bytes, _: grpc.ServicerContext) -> bytes:
        """Read and open answers."""
        execute = self.store.reader.execute
        padding = bytes(RESULT - 8 - _CONTENT)
        answers = []
        for (id_,) in struct.iter_unpack(">Q14x", request):
            (sealed,) = execute(
                "SELECT sealed FROM inquiry WHERE organization = ? AND id = ?", (_INQUIRER, id_)
            ).fetchone()
            (content,) = execute(_RESULT_OF, (_INQUIRER, id_)).fetchone()
            self._keys.opened(sealed)
            answers.append(struct.pack(">Q", id_) + self._keys.opened(content) + padding)
        return b"".join(answers)

    # --- the steps ---

    def _permit(self) -> None:
        """Step 2: request signed and verified, codes translated, permits recorded, signed and verified."""
        took = 0.0
        while True:
            if not self._accepted.empty():
                time.sleep(min(_LONGEST_REST, took))
            batch = _all_waiting(self._accepted)
            begun = time.monotonic()
            self._keys.sign_and_verify(REQUEST)
            leaves = [self._translated(item.person) for item in batch]
            outbox = self.store.write(lambda connection, batch=batch, leaves=leaves: _issue(connection, batch, leaves))
            self._permitted.put(Issued(batch, outbox))
            self._keys.sign_and_verify(PERMIT)
            self.store.write(lambda connection, batch=batch: _note_permits(connection, batch))
            took = time.monotonic() - begun

    def _translated(self, person: int) -> bytes:
        reader = self.store.reader
        digest = self._keys.digest(f"{_INQUIRER}c{person}".encode())
        (resident,) = reader.execute(
            "SELECT resident FROM network_linkage_code WHERE organization = ? AND code_digest = ?", (_INQUIRER, digest)
        ).fetchone()
        (code,) = reader.execute(
            "SELECT code FROM network_linkage_code WHERE organization = ? AND resident = ?", (_PROVIDER, resident)
        ).fetchone()
        return self._keys.rest(self._keys.opened(code) + bytes(_LEAF - 32))

    def _provide(self) -> None:
        """Do steps 3 and 4: permit verified, answer signed, sealed, kept; then verified, opened, kept, acknowledged."""
        while True:
            batch, outbox = self._permitted.get()
            self._keys.sign_and_verify(PERMIT)
            contents = [self._content(item.person) for item in batch]
            self._keys.sign_and_verify(INSIDE)
            secret = self._keys.seal_secret()
            cipher, rows = self._keys.seal_rows(contents)
            group_keys = self._keys.rest(bytes(32))
            self.store.write(lambda connection, batch=batch, keys=group_keys: _keep_provisions(connection, batch, keys))
            self._keys.sign_and_verify(OUTSIDE, verified=2)
            self._keys.open_secret(secret)
            sealed = [self._keys.rest(content) for content in self._keys.open_rows(cipher, rows, contents)]
            self.store.write(lambda connection, batch=batch, sealed=sealed: _keep_results(connection, batch, sealed))
            with self._news:
                self._finished += [item.id for item in batch]
                self._news.notify_all()
            self._keys.sign_and_verify(ACKNOWLEDGEMENT)
            self.store.write(lambda connection, batch=batch, outbox=outbox: _commit_network(connection, batch, outbox))

    def _content(self, person: int) -> bytes:
        reader = self.store.reader
        reader.execute(
            "SELECT permit_digest FROM permit_nonce WHERE organization = ? AND nonce = ?", (_PROVIDER, os.urandom(16))
        ).fetchone()
        digest = self._keys.digest(f"{_PROVIDER}c{person}".encode())
        found = reader.execute(
            "SELECT id, number, code FROM addressee WHERE organization = ? AND code_digest = ?", (_PROVIDER, digest)
        ).fetchone()
        (content,) = reader.execute(
            "SELECT content FROM replica WHERE organization = ? AND information = ? AND addressee = ?",
            (_PROVIDER, _PURPOSE[2], found[0]),
        ).fetchone()
        return self._keys.opened(content) + struct.pack(">Q", person) + bytes(_CONTENT - 22 - 8)


_RECORD: Final = (
    "INSERT INTO exchange_record VALUES (?,?,?,?,?,?,?,?,?,?,'','',2,?,?,0,0,'',0,0,'unverified','P-214',?,?)"
)
_RESULT_OF: Final = "SELECT content FROM inquiry_result WHERE organization = ? AND id = ?"
_OUTBOX: Final = (
    "INSERT INTO outbox (organization, kind, key, payload, attempts, created, due, last_reason)"
    " VALUES (?,?,'',?,0,?,?,'')"
)


def _record(organization: str, id_: int, side: int, exchange: bytes, addressee: int) -> tuple[Any, ...]:
    receipt = f"{id_:020d}" if side == 1 else ""
    between = (_INQUIRER, _PROVIDER, *_PURPOSE)
    return (organization, id_, side, exchange, exchange, *between, addressee, _NOW, receipt, id_)


def _issue(connection: sqlite3.Connection, batch: Sequence[Item], leaves: Sequence[bytes]) -> int:
    first = next_seq(connection, "network", 1 + len(batch))
    statement = os.urandom(399)
    connection.execute("INSERT INTO network_request VALUES (?,?,?,?)", (first, _INQUIRER, statement[:32], statement))
    for at, (item, leaf) in enumerate(zip(batch, leaves, strict=True), first + 1):
        connection.execute(
            "INSERT INTO network_exchange VALUES (?,?,?,?,?,?,?,?,?,?,0,0,'',0,'P-214','unverified',?,0,0)",
            (at, item.exchange, first, _INQUIRER, _PROVIDER, *_PURPOSE, _NOW, _NOW, item.exchange),
        )
        connection.execute("INSERT INTO network_permit VALUES (?,?,?)", (at, _NOW, leaf))
    payload = statement[:32] + struct.pack(f">{len(batch)}Q", *range(first + 1, first + 1 + len(batch)))
    return connection.execute(_OUTBOX, (_PROVIDER, "deliver_inquiries", payload, _NOW, _NOW)).lastrowid or 0


def _note_permits(connection: sqlite3.Connection, batch: Sequence[Item]) -> None:
    first = next_seq(connection, "change", len(batch))
    for at, (id_, outbox, _, exchange) in enumerate(batch, first):
        connection.execute(
            "UPDATE inquiry SET state = max(state, 2), permission_row = 'P-214', legal_basis = 'unverified',"
            " permit_digest = ?, change_seq = ? WHERE organization = ? AND id = ?",
            (exchange, at, _INQUIRER, id_),
        )
        connection.execute(
            "UPDATE exchange_record SET permit_digest = ?, legal_basis = 'unverified', permission_row = 'P-214',"
            " change_seq = ? WHERE organization = ? AND id = ?",
            (exchange, at, _INQUIRER, id_),
        )
        connection.execute("DELETE FROM outbox WHERE id = ?", (outbox,))


def _keep_provisions(connection: sqlite3.Connection, batch: Sequence[Item], keys: bytes) -> None:
    first = next_seq(connection, "change", len(batch))
    blob = os.urandom(_SHARED + _ANSWER * len(batch))
    connection.execute(
        "INSERT INTO answer_batch VALUES (?,?,?,?,?,?,?)", (_PROVIDER, first, blob[:32], _INQUIRER, blob, keys, _NOW)
    )
    for at, (_, _, person, exchange) in enumerate(batch, first):
        connection.execute("INSERT INTO permit_nonce VALUES (?,?,?,?)", (_PROVIDER, os.urandom(16), exchange, _NOW))
        connection.execute(
            "INSERT INTO provision VALUES (?,?,?,3,1,'',?,?,?,?,?,x'')",
            (_PROVIDER, at, exchange, _NOW, _NOW, first, at - first, at),
        )
        connection.execute(_RECORD, _record(_PROVIDER, at, 2, exchange, person * 2 + 2))


def _keep_results(connection: sqlite3.Connection, batch: Sequence[Item], sealed: Sequence[bytes]) -> None:
    first = next_seq(connection, "change", len(batch))
    for at, ((id_, _, _, _), content) in enumerate(zip(batch, sealed, strict=True), first):
        connection.execute(
            "UPDATE inquiry SET state = 4, answer_kind = 1, reason = '', finished = ?, result_expires = ?,"
            " change_seq = ? WHERE organization = ? AND id = ?",
            (_NOW, _NOW, at, _INQUIRER, id_),
        )
        connection.execute("INSERT INTO inquiry_result VALUES (?,?,?,?,?)", (_INQUIRER, id_, content, _NOW, _NOW))
        connection.execute(
            "UPDATE exchange_record SET provided = ?, outcome = 1, items = 1, change_seq = ?"
            " WHERE organization = ? AND id = ?",
            (_NOW, at, _INQUIRER, id_),
        )


def _commit_network(connection: sqlite3.Connection, batch: Sequence[Item], outbox: int) -> None:
    first = next_seq(connection, "network", 2)
    for at, organization in enumerate((_PROVIDER, _INQUIRER), first):
        connection.execute("INSERT INTO network_commitment VALUES (?,?,?,x'')", (at, organization, os.urandom(480)))
    for item in batch:
        connection.execute(
            "UPDATE network_exchange SET provision_time = ?, outcome = 1, provider_commitment = ?,"
            " inquirer_commitment = ? WHERE digest = ?",
            (_NOW, first, first + 1, item.exchange),
        )
    connection.execute("DELETE FROM outbox WHERE id = ?", (outbox,))


def _all_waiting(waiting: queue.SimpleQueue[Item]) -> list[Item]:
    batch = [waiting.get()]
    try:
        while len(batch) < _MOST:
            batch.append(waiting.get_nowait())
    except queue.Empty:
        return batch
    return batch


def main(folder: Path, tls: Path | None) -> None:
    """Serve until told to stop."""
    exchanges = Exchanges(folder / f"floor-{time.monotonic_ns()}.db")
    serve(
        {
            "Create": grpc.unary_unary_rpc_method_handler(exchanges.create),
            "Watch": grpc.unary_stream_rpc_method_handler(exchanges.watch),
            "Results": grpc.unary_unary_rpc_method_handler(exchanges.results),
        },
        tls=tls,
        ready_file=folder / "ready.json",
        threads=17,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
