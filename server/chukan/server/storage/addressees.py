# SPDX-License-Identifier: Apache-2.0
"""Addressees: an integer surrogate each; numbers and codes sealed, found by keyed digests.

Table and statements are in `addressee_table`.
"""

from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy

from chukan.durable.statements import bulk_insert
from chukan.server.domain.linkage import (
    Acquiring,
    AddresseeRow,
    AddresseeState,
    LinkageState,
    LinkageUpdate,
    NewAddressee,
)
from chukan.server.storage import addressee_table as table
from chukan.server.storage.addressee_table import COLUMNS, TABLE, Raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from chukan.durable.vault import Vault

__all__ = ["AddresseeStore"]

_REQUESTED: Final = int(LinkageState.REQUESTED)
_NOT_REQUESTED: Final = int(LinkageState.NOT_REQUESTED)
_STATES: Final = {int(state): state for state in AddresseeState}
_LINKAGE_STATES: Final = {int(state): state for state in LinkageState}
_NO_CODES: Final[frozenset[str]] = frozenset()


class AddresseeStore:
    """The table of addressees; `vault` opens and digests."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    # --- digests and seals, made outside a write ---

    def number_digests(self, organization: str, numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of integrated address numbers."""
        return self._vault.index_digest_many(organization, "addressee.number", numbers)

    def code_digests(self, organization: str, codes: Iterable[bytes]) -> list[bytes]:
        """Return the look-up digests of linkage codes."""
        return self._vault.index_digest_many(organization, "addressee.code", [code.hex() for code in codes])

    def processing_digests(self, organization: str, processing_numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of processing numbers."""
        return self._vault.index_digest_many(organization, "addressee.processing", processing_numbers)

    def seal_numbers(self, organization: str, digests: Sequence[bytes], numbers: Sequence[str]) -> list[bytes]:
        """Seal integrated address numbers for their rows."""
        return self._seal(organization, "number", digests, [number.encode() for number in numbers])

    def seal_processing_numbers(
        self, organization: str, digests: Sequence[bytes], processing_numbers: Sequence[str]
    ) -> list[bytes]:
        """Seal processing numbers; `digests` are those of the addressees' numbers."""
        return self._seal(organization, "processing_number", digests, [text.encode() for text in processing_numbers])

    def seal_codes(self, organization: str, digests: Sequence[bytes], codes: Sequence[bytes]) -> list[bytes]:
        """Seal linkage codes; `digests` are those of the addressees' numbers."""
        return self._seal(organization, "code", digests, list(codes))

    # --- reading ---

    def find(self, connection: Connection, organization: str, numbers: Sequence[str]) -> dict[str, AddresseeRow]:
        """Return the addressees with these integrated address numbers, by number."""
        by_digest = dict(zip(self.number_digests(organization, numbers), numbers, strict=True))
        raw = [Raw._make(row) for row in table.BY_NUMBERS.all(connection, list(by_digest), organization=organization)]
        found = self._open(organization, raw, numbers={row.id: by_digest[row.number_digest] for row in raw})
        return {row.number: row for row in found}

    def unopened(
        self, connection: Connection, organization: str, digests: Sequence[bytes]
    ) -> dict[bytes, AddresseeRow]:
        """Return addressees by number digest without what is sealed, so this may be asked inside a write."""
        rows = map(Raw._make, table.BY_NUMBERS.all(connection, digests, organization=organization))
        return {row.number_digest: _addressee(row) for row in rows}

    def ids(self, connection: Connection, organization: str, digests: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return (id, state) by number digest, nothing opened: the look-up of bulk loading."""
        rows = table.STATES_OF.all(connection, digests, organization=organization)
        return {digest: (id_, state) for digest, id_, state in rows}

    def flags(
        self, connection: Connection, organization: str, digests: Sequence[bytes]
    ) -> dict[bytes, tuple[int, int, bool, bool, str, int, int]]:
        """Return what is not sealed, by number digest.

        Surrogate, state, nondisclosure, self-information disabled, information codes without automatic response,
        surrogate of the survivor, linkage state.
        """
        rows = table.FLAGS.all(connection, digests, organization=organization)
        return {row[0]: (row[1], row[2], bool(row[3]), bool(row[4]), row[5], row[6], row[7]) for row in rows}

    def find_by_codes(
        self, connection: Connection, organization: str, codes: Sequence[bytes]
    ) -> dict[bytes, AddresseeRow]:
        """Return the addressees linked with these codes, by code; numbers are not opened."""
        by_digest = dict(zip(self.code_digests(organization, codes), codes, strict=True))
        found: dict[bytes, AddresseeRow] = {}
        for row in map(Raw._make, table.BY_CODES.all(connection, list(by_digest), organization=organization)):
            code = by_digest[row.code_digest or b""]
            found[code] = _addressee(row, code=code)
        return found

    def waiting(
        self, connection: Connection, organization: str, processing_digests: Sequence[bytes]
    ) -> dict[bytes, Acquiring]:
        """Return who waits with a processing number, by its digest; nothing is opened."""
        rows = table.BY_PROCESSING.all(connection, processing_digests, organization=organization)
        return {row[0]: Acquiring._make(row[1:]) for row in rows}

    def acquiring(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, Acquiring]:
        """Return where acquisitions stand, by surrogate; nothing is opened, so this may be asked inside a write."""
        rows = table.BY_IDS.all(connection, ids, organization=organization)
        return {row[0]: Acquiring._make(row) for row in rows}

    def holders(self, connection: Connection, organization: str, code_digests: Sequence[bytes]) -> dict[bytes, int]:
        """Return the surrogates of those who hold these codes."""
        rows = table.HOLDERS.all(connection, code_digests, organization=organization)
        return {row[0]: row[1] for row in rows}

    def number(self, connection: Connection, organization: str, ids: Sequence[int]) -> dict[int, str]:
        """Return integrated address numbers by surrogate."""
        rows = table.NUMBERS.all(connection, ids, organization=organization)
        digests, sealed = [row[1] for row in rows], [row[2] for row in rows]
        opened = self._vault.open_many(organization, "addressee", "number", digests, sealed)
        return {row[0]: number.decode() for row, number in zip(rows, opened, strict=True)}

    def run_out(self, connection: Connection, *, before: int, most: int) -> list[tuple[str, int]]:
        """Return (organization, surrogate) of who waits with a processing number expired before an instant."""
        return [(row[0], row[1]) for row in table.RUN_OUT.all(connection, before=before, most=most)]

    def pending(self, connection: Connection) -> int:
        """Return how many processing numbers wait for their codes, of all organizations together."""
        row = table.PENDING.first(connection)
        return int(row[0]) if row else 0

    def oldest_pending(self, connection: Connection) -> int:
        """Return when the code was asked for whose processing number runs out first; 0 = none waits."""
        row = table.OLDEST_PENDING.first(connection)
        return int(row[0]) if row else 0

    def page(
        self, connection: Connection, organization: str, *, after_id: int, states: Sequence[int], most: int
    ) -> list[AddresseeRow]:
        """Return addressees in order of registration, after an id; their codes are not opened."""
        query = sqlalchemy.select(TABLE).where(COLUMNS.organization == organization, COLUMNS.id > after_id)
        if states:
            query = query.where(COLUMNS.linkage_state.in_(states))
        found = connection.execute(query.order_by(COLUMNS.id).limit(most)).fetchall()
        return self._open(organization, [Raw._make(row) for row in found], codes=False)

    def changed(
        self, connection: Connection, organization: str, *, after_seq: int, states: Sequence[int], most: int
    ) -> list[AddresseeRow]:
        """Return addressees whose last change came after a position, in commit order; codes are not opened."""
        query = sqlalchemy.select(TABLE).where(COLUMNS.organization == organization, COLUMNS.change_seq > after_seq)
        if states:
            query = query.where(COLUMNS.linkage_state.in_(states))
        found = connection.execute(query.order_by(COLUMNS.change_seq).limit(most)).fetchall()
        return self._open(organization, [Raw._make(row) for row in found], codes=False)

    # --- writing ---

    def insert(
        self, connection: Connection, organization: str, rows: Sequence[NewAddressee], *, now: int, first_seq: int
    ) -> list[int]:
        """Insert addressees that are not there yet, in order; return who of them asks for a code."""
        values = [
            (
                organization,
                row.number_digest,
                row.number,
                row.state,
                int(row.nondisclosure),
                int(row.self_information_disabled),
                row.auto_response_disabled,
                0,
                _REQUESTED if row.asked else _NOT_REQUESTED,
                0,
                "",
                now if row.asked else 0,
                0,
                now,
                now,
                first_seq + place,
            )
            for place, row in enumerate(rows)
        ]
        bulk_insert(connection, TABLE, table.INSERT, values)
        if not any(row.asked for row in rows):
            return []
        found = table.ADDED.all(connection, organization=organization, first=first_seq)
        return [id_ for id_, state in found if state == _REQUESTED]

    def set_flags(
        self, connection: Connection, rows: Sequence[tuple[int, int, bool, bool, str, int]], *, now: int, first_seq: int
    ) -> None:
        """Update (id, state, nondisclosure, self-information disabled, information codes, merged_into)."""
        names = (
            "id_",
            "state_",
            "nondisclosure_",
            "self_information_disabled_",
            "auto_response_disabled_",
            "merged_into_",
            "updated_",
            "change_seq_",
        )
        values = [
            (row[0], row[1], int(row[2]), int(row[3]), row[4], row[5], now, first_seq + place)
            for place, row in enumerate(rows)
        ]
        table.SET_FLAGS.many(connection, names, values)

    def request(self, connection: Connection, ids: Sequence[int], *, now: int, first_seq: int) -> None:
        """Note that codes were asked for; none of these is under way or linked."""
        rows = list(zip(ids, repeat(now), count(first_seq), strict=False))
        table.REQUEST.many(connection, ("id_", "now", "change_seq_"), rows)

    def issue(
        self,
        connection: Connection,
        rows: Sequence[tuple[int, bytes, bytes]],
        *,
        expires: int,
        now: int,
        first_seq: int,
    ) -> None:
        """Note (surrogate, digest, sealed processing number) of those who wait for one still."""
        names = ("id_", "processing_digest_", "processing_number_", "processing_expires_", "now", "change_seq_")
        ids, digests, sealed = zip(*rows, strict=True)
        columns = (ids, map(bytearray, digests), map(bytearray, sealed), repeat(expires), repeat(now), count(first_seq))
        table.ISSUE.many(connection, names, list(zip(*columns, strict=False)))

    def link(
        self, connection: Connection, rows: Sequence[tuple[int, bytes, bytes]], *, now: int, first_seq: int
    ) -> None:
        """Link (surrogate, digest, sealed code) and purge the processing numbers."""
        names = ("id_", "code_digest_", "code_", "now", "change_seq_")
        if rows:
            ids, digests, sealed = zip(*rows, strict=True)
            columns = (ids, map(bytearray, digests), map(bytearray, sealed), repeat(now), count(first_seq))
            table.LINK.many(connection, names, list(zip(*columns, strict=False)))

    def set_linkage(self, connection: Connection, rows: Sequence[LinkageUpdate], *, now: int, first_seq: int) -> None:
        """Write the linkage columns of addressees."""
        names = ("id_", *(f"{name}_" for name in table.LINKAGE))
        table.SET_LINKAGE.many(connection, names, [(*row, now, first_seq + place) for place, row in enumerate(rows)])

    def drop_code(self, connection: Connection, id_: int, *, now: int) -> None:
        """Forget the code of an addressee that gave it up."""
        table.DROP_CODE.run(connection, id_=id_, updated_=now)

    # --- inside ---

    def _seal(self, organization: str, column: str, digests: Sequence[bytes], plain: Sequence[bytes]) -> list[bytes]:
        return self._vault.seal_many(organization, "addressee", column, digests, plain)

    def _open(
        self,
        organization: str,
        raw: Sequence[Raw],
        *,
        numbers: Mapping[int, str] | None = None,
        codes: bool = True,
    ) -> list[AddresseeRow]:
        """Open rows; their numbers only where the caller does not know them, their codes only if asked for."""
        if numbers is None:
            found = self._column(organization, "number", raw)
            numbers = {key: number.decode() for key, number in found.items()}
        processing = self._column(organization, "processing_number", raw)
        opened = self._column(organization, "code", raw) if codes else {}
        return [
            _addressee(
                row,
                number=numbers[row.id],
                code=opened.get(row.id),
                processing_number=processing.get(row.id, b"").decode(),
            )
            for row in raw
        ]

    def _column(self, organization: str, name: str, rows: Sequence[Any]) -> dict[int, bytes]:
        """Open one sealed column where it is filled, by surrogate."""
        held = [(row.id, row.number_digest, sealed) for row in rows if (sealed := getattr(row, name)) is not None]
        if not held:
            return {}
        ids, digests, values = zip(*held, strict=True)
        return dict(zip(ids, self._vault.open_many(organization, "addressee", name, digests, values), strict=True))


def _addressee(row: Raw, *, number: str = "", code: bytes | None = None, processing_number: str = "") -> AddresseeRow:
    """Return a row with what was opened of it."""
    return AddresseeRow(
        id=row.id,
        number=number,
        state=_STATES[row.state],
        linkage_state=_LINKAGE_STATES[row.linkage_state],
        linkage_code=code,
        nondisclosure=bool(row.nondisclosure),
        self_information_disabled=bool(row.self_information_disabled),
        auto_response_disabled=frozenset(row.auto_response_disabled.split()) or _NO_CODES,
        merged_into=row.merged_into,
        processing_number=processing_number,
        processing_number_expires=row.processing_expires,
        failure_reason=row.failure_reason,
        requested=row.requested,
        linked=row.linked,
        created=row.created,
        updated=row.updated,
        change_seq=row.change_seq,
    )
