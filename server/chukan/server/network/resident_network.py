# SPDX-License-Identifier: Apache-2.0
"""The resident network (住基ネット), simulated: learns identity data, finds people by number or by 4 or 3 attributes.

The real one is no part of the information provision network and its feed is not public [own] (docs/divergences
"Resident network"). Identity data is sealed; numbers and attributes are looked up by keyed digests.

A notice (本人確認情報の通知), row by row: 1 under a number the person no longer has it changes nothing; 2 under a
known number it replaces what is known; 3 under a new number with a known 住民票コード the same person got another
number; 4 else the person is new. Two known people never share a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NETWORK, Mode
from chukan.server.domain.linkage import BatchAnswer, Outcome, RowFailure
from chukan.server.domain.resident import BasicAttributes, Identity, ResidentRow
from chukan.standard.individual_numbers import are_individual_numbers
from chukan.standard.numbers import (
    DUMMY_PREFIX,
    is_dummy_individual_number,
    is_individual_number,
    is_resident_record_code,
)
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.resident import KnownResident
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["ResidentColumns", "individual_number_digests", "notify", "refusals_of_numbers", "search"]

TABLE: Final = "network_resident"
_NUMBER: Final = "individual-number"
_CODE: Final = "resident-record-code"
_CONTENT: Final = "identity"
_NAME: Final = "name"
_PLACE: Final = "birth-date-and-address"
_KEY_BYTES: Final = 8
_MOST_MATCHES: Final = 20


class ResidentColumns(NamedTuple):
    """Identity data of residents (本人確認情報), by columns; a column left empty as a whole is not known."""

    individual_numbers: Sequence[str]
    resident_record_codes: Sequence[str]
    names: Sequence[str]
    birth_dates: Sequence[str]
    sexes: Sequence[str]
    residential_addresses: Sequence[str]

    def filled(self) -> ResidentColumns:
        """Return columns of equal length, or COLUMNS_UNEQUAL."""
        rows = len(self.individual_numbers)
        unequal = [name for name in self._fields if len(getattr(self, name)) not in {0, rows}]
        if unequal:
            raise ChukanError("COLUMNS_UNEQUAL", field=unequal[0])
        return ResidentColumns(*(column or [""] * rows for column in self))


def refusal_of_number(number: str, mode: Mode) -> str:
    """Return why an individual number is not taken, empty if it is: real people's stay out of a test."""
    if not is_individual_number(number):
        return "NUMBER_MALFORMED"
    if mode is Mode.TEST and not is_dummy_individual_number(number):
        return "INDIVIDUAL_NUMBER_NOT_DUMMY"
    return ""


def refusals_of_numbers(numbers: Sequence[str], mode: Mode) -> dict[int, str]:
    """Return the rows of individual numbers that are not taken, and why."""
    if "" not in numbers and are_individual_numbers(numbers):
        dummies = mode is not Mode.TEST or all(number.startswith(DUMMY_PREFIX) for number in numbers)
        if dummies:
            return {}
    return {row: reason for row, number in enumerate(numbers) if (reason := refusal_of_number(number, mode))}


def individual_number_digests(core: Core, numbers: Sequence[str]) -> list[bytes]:
    """Return the digests individual numbers are looked up by."""
    return core.environment.vault.index_digest_many(NETWORK, _NUMBER, numbers)


def notify(core: Core, organization: str, columns: ResidentColumns) -> BatchAnswer:
    """Take over identity data; the same data again changes nothing, so a batch may be sent again."""
    columns = columns.filled()
    failures = _failures(columns, core.environment.master.mode(organization))
    taken = [row for row in range(len(columns.individual_numbers)) if row not in failures]
    rows = _sealed(core, columns, taken)
    stored = _Stored(set(), set())
    if rows:
        stored = core.environment.database.write(organization, lambda connection: _store(core, connection, rows))
    outcomes = [Outcome.REFUSED] * len(columns.individual_numbers)
    for at, resident in zip(taken, rows, strict=True):
        if resident.number_digest in stored.refused:
            failures[at] = RowFailure(at, "RESIDENT_RECORD_CODE_TAKEN", field="resident_record_codes")
        else:
            written = resident.number_digest in stored.written
            outcomes[at] = Outcome.COMMITTED if written else Outcome.UNCHANGED
    return BatchAnswer(outcomes, [failures[row] for row in sorted(failures)])


def _failures(columns: ResidentColumns, mode: Mode) -> dict[int, RowFailure]:
    """Return the rows that can't be taken as they stand in the batch."""
    failures: dict[int, RowFailure] = {}
    numbers: set[str] = set()
    codes: set[str] = set()
    refused = refusals_of_numbers(columns.individual_numbers, mode)
    pairs = zip(columns.individual_numbers, columns.resident_record_codes, strict=True)
    for row, (number, code) in enumerate(pairs):
        reason = refused.get(row) or ("DUPLICATE_IN_BATCH" if number in numbers else "")
        if reason:
            failures[row] = RowFailure(row, reason, field="individual_numbers")
        elif code and not is_resident_record_code(code):
            failures[row] = RowFailure(row, "NUMBER_MALFORMED", field="resident_record_codes", rule="digits=11")
        elif code in codes:
            failures[row] = RowFailure(row, "DUPLICATE_IN_BATCH", field="resident_record_codes")
        else:
            numbers.add(number)
            codes |= {code} - {""}
    return failures


def search(core: Core, queries: Sequence[BasicAttributes]) -> list[tuple[int, str]]:
    """Return (query, individual number) of everybody who matches all attributes given."""
    for query in queries:
        query.check_searchable()
    vault = core.environment.vault
    matches: list[tuple[int, str]] = []
    for at, query in enumerate(queries):
        with core.environment.database.read() as connection:
            if query.name:
                (key,) = _keys(core, _NAME, [query.name])
                found = core.residents.candidates(connection, name_key=key)
            else:
                (key,) = _keys(core, _PLACE, [query.place])
                found = core.residents.candidates(connection, place_key=key)
        opened = vault.open_many(
            NETWORK, TABLE, "identity", [digest for digest, _ in found], [sealed for _, sealed in found]
        )
        people = [identity for identity in map(Identity.unpack, opened) if query.accepts(identity.attributes)]
        matches += [(at, identity.individual_number) for identity in people[:_MOST_MATCHES]]
    return matches


def _sealed(core: Core, columns: ResidentColumns, taken: Sequence[int]) -> list[ResidentRow]:
    vault = core.environment.vault

    def of(column: Sequence[str]) -> list[str]:
        return [column[row] for row in taken]

    numbers, codes = of(columns.individual_numbers), of(columns.resident_record_codes)
    attributes = BasicAttributes.of_columns(
        of(columns.names), of(columns.birth_dates), of(columns.sexes), of(columns.residential_addresses)
    )
    identities = list(map(Identity, numbers, codes, attributes))
    packed = [identity.pack() for identity in identities]
    digests = individual_number_digests(core, numbers)
    contents = vault.index_digest_many_bytes(NETWORK, _CONTENT, packed)
    names = _keys(core, _NAME, [identity.attributes.name for identity in identities])
    places = _keys(core, _PLACE, [identity.attributes.place for identity in identities])
    sealed = vault.seal_many(NETWORK, TABLE, "identity", digests, packed)
    coded = vault.index_digest_many(NETWORK, _CODE, codes)
    found = [digest if code else None for digest, code in zip(coded, codes, strict=True)]
    return list(map(ResidentRow, digests, contents, names, places, found, sealed))


class _Stored(NamedTuple):
    """Digests of the numbers whose rows were written, and of those refused for their code."""

    written: set[bytes]
    refused: set[bytes]


def _store(core: Core, connection: Connection, rows: Sequence[ResidentRow]) -> _Stored:
    """Write what is new or differs."""
    known = core.residents.known(connection, [row.number_digest for row in rows])
    # 1. A number the person no longer has, and what is known already, change nothing.
    open_ones = [row for row in rows if not _stands(known.get(row.number_digest), row)]
    holders = core.residents.by_codes(connection, [row.code_digest for row in open_ones if row.code_digest])
    new: list[ResidentRow] = []
    changed: dict[int, ResidentRow] = {}
    former: list[tuple[bytes, int]] = []
    refused: set[bytes] = set()
    for row in open_ones:
        own, holder = known.get(row.number_digest), holders.get(row.code_digest or b"")
        person = own or holder
        # 4. Nobody known.
        if person is None:
            new.append(row)
        # Somebody else's code, or somebody told of twice.
        elif person.id in changed or (holder is not None and holder.id != person.id):
            refused.add(row.number_digest)
        # 2. and 3. The person is known, by this number or by the code under another one.
        else:
            changed[person.id] = row
            if own is None:
                former.append((person.number_digest, person.id))
    if new:
        core.residents.add(connection, new)
    if changed:
        core.residents.change(connection, changed.items())
    if former:
        core.residents.note_former(connection, former)
    return _Stored({row.number_digest for row in (*new, *changed.values())}, refused)


def _stands(known: KnownResident | None, row: ResidentRow) -> bool:
    return known is not None and (known.former or known.content_digest == row.content_digest)


def _keys(core: Core, kind: str, values: Sequence[str]) -> list[int]:
    """Return keyed digests of 64 bits: enough to propose candidates, small in an index."""
    digests = core.environment.vault.index_digest_many(NETWORK, kind, values)
    return [int.from_bytes(digest[:_KEY_BYTES], "big", signed=True) for digest in digests]
