# SPDX-License-Identifier: Apache-2.0
"""The resident network (住基ネット), simulated: learns identity data, finds people by number or by 4 or 3 attributes.

The real one is no part of the information provision network and its feed is not public [own] (docs/divergences
"Resident network"). Identity data is sealed; numbers and attributes are looked up by keyed digests.

A notice (本人確認情報の通知), row by row: 1 under a number the person no longer has it changes nothing; 2 under a
known number it replaces what is known; 3 under a new number with a known 住民票コード the same person got another
number; 4 else the person is new. Two known people never share a code. What a notice leaves empty it says nothing of:
the code or attribute that is known stays.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import Mode
from chukan.server.domain.linkage import BatchAnswer, Outcome, RowFailure
from chukan.server.network.resident_identities import ResidentColumns, name_key, opened_identities, place_key, prepare
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

    from chukan.server.domain.resident import BasicAttributes, KnownResident, ResidentRow
    from chukan.server.network.core import Core
    from chukan.server.network.resident_identities import Notice
    from chukan.server.ports import Connection

__all__ = ["ResidentColumns", "notify", "refusals_of_numbers", "search"]

_MOST_MATCHES: Final = 20
_ATTEMPTS: Final = 5
"""Two notices about one person at once are rare; each attempt needs another one in between."""


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


def notify(core: Core, organization: str, columns: ResidentColumns) -> BatchAnswer:
    """Take over identity data; the same data again changes nothing, so a batch may be sent again."""
    columns = columns.filled()
    failures = _failures(columns, core.environment.master.mode(organization))
    taken = [row for row in range(len(columns.individual_numbers)) if row not in failures]
    rows, stored = _stored(core, organization, columns, taken)
    outcomes = [Outcome.REFUSED] * len(columns.individual_numbers)
    for at, resident in zip(taken, rows, strict=True):
        if resident.number_digest in stored.refused:
            failures[at] = RowFailure(at, "RESIDENT_RECORD_CODE_TAKEN", field="resident_record_codes")
        else:
            written = resident.number_digest in stored.written
            outcomes[at] = Outcome.COMMITTED if written else Outcome.UNCHANGED
    return BatchAnswer(outcomes, [failures[row] for row in sorted(failures)])


def _stored(
    core: Core, organization: str, columns: ResidentColumns, taken: Sequence[int]
) -> tuple[Sequence[ResidentRow], _Stored]:
    """Seal rows outside the write and store them."""
    for _ in range(_ATTEMPTS):
        notice = prepare(core, columns, taken)
        stored = core.environment.database.write(organization, partial(_store, core, notice)) if taken else _NOTHING
        if stored is not None:
            return notice.rows, stored
    raise ChukanError("CONCURRENT_CHANGE")


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
    matches: list[tuple[int, str]] = []
    for at, query in enumerate(queries):
        with core.environment.database.read() as connection:
            if query.name:
                found = core.residents.candidates(connection, name_key=name_key(core, query))
            else:
                found = core.residents.candidates(connection, place_key=place_key(core, query))
        people = [identity for identity in opened_identities(core, found) if query.accepts(identity.attributes)]
        matches += [(at, identity.individual_number) for identity in people[:_MOST_MATCHES]]
    return matches


class _Stored(NamedTuple):
    """Digests of the numbers whose rows were written, and of those refused for their code."""

    written: set[bytes]
    refused: set[bytes]


_NOTHING: Final = _Stored(set(), set())


def _store(core: Core, notice: Notice, connection: Connection) -> _Stored | None:
    """Write what is new or differs; None if somebody a row was completed from changed since."""
    rows = notice.rows
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
        if not notice.still_fits(row, person):
            return None
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
