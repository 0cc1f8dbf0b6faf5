# SPDX-License-Identifier: Apache-2.0
"""Identities as the simulated resident network keeps them: keyed digests, seals, and notices made ready for the write.

Cryptography holds up everybody who waits for the writer, so a notice is completed from what is known, digested and
sealed before the write, which asks whether what it was completed from still stands.
"""

from __future__ import annotations

from itertools import repeat
from operator import contains
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NETWORK
from chukan.server.domain.resident import BasicAttributes, Identity, ResidentRow
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.server.domain.resident import KnownResident
    from chukan.server.network.core import Core

__all__ = [
    "Notice",
    "ResidentColumns",
    "individual_number_digests",
    "name_key",
    "opened_identities",
    "place_key",
    "prepare",
]

_TABLE: Final = "network_resident"
_NUMBER: Final = "individual-number"
_CODE: Final = "resident-record-code"
_CONTENT: Final = "identity"
_NAME: Final = "name"
_PLACE: Final = "birth-date-and-address"
_KEY_BYTES: Final = 8
_NOBODY: Final = b""


class ResidentColumns(NamedTuple):
    """Identity data of residents (本人確認情報), by columns; a value or whole column left empty is not said."""

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


class Notice(NamedTuple):
    """Rows ready to be stored.

    bases: of those that left something empty, by number digest, the content they were completed from; _NOBODY where
    nobody was known.
    """

    rows: Sequence[ResidentRow]
    bases: Mapping[bytes, bytes]

    def still_fits(self, row: ResidentRow, person: KnownResident | None) -> bool:
        """Whether a row says nothing of the person that is not known now."""
        basis = self.bases.get(row.number_digest)
        return basis is None or basis == (_NOBODY if person is None else person.content_digest)


def individual_number_digests(core: Core, numbers: Sequence[str]) -> list[bytes]:
    """Return the digests individual numbers are looked up by."""
    return core.environment.vault.index_digest_many(NETWORK, _NUMBER, numbers)


def name_key(core: Core, attributes: BasicAttributes) -> int:
    """Return the key people of this name are proposed by."""
    return _keys(core, _NAME, [attributes.name])[0]


def place_key(core: Core, attributes: BasicAttributes) -> int:
    """Return the key people of this birth date and residential address are proposed by."""
    return _keys(core, _PLACE, [attributes.place])[0]


def opened_identities(core: Core, sealed: Sequence[tuple[bytes, bytes]]) -> list[Identity]:
    """Return identities of (number digest, sealed identity)."""
    digests, values = [digest for digest, _ in sealed], [value for _, value in sealed]
    return list(map(Identity.unpack, core.environment.vault.open_many(NETWORK, _TABLE, "identity", digests, values)))


def prepare(core: Core, columns: ResidentColumns, taken: Sequence[int]) -> Notice:
    """Complete, digest and seal the rows that are taken."""
    vault = core.environment.vault

    def of(column: Sequence[str]) -> list[str]:
        return [column[row] for row in taken]

    numbers, codes = of(columns.individual_numbers), of(columns.resident_record_codes)
    attributes = BasicAttributes.of_columns(
        of(columns.names), of(columns.birth_dates), of(columns.sexes), of(columns.residential_addresses)
    )
    digests = individual_number_digests(core, numbers)
    identities = list(map(Identity, numbers, codes, attributes))
    bases: dict[bytes, bytes] = {}
    if "" in codes or any(map(contains, attributes, repeat(""))):
        bases = _complete(core, identities, digests)
    packed = [identity.pack() for identity in identities]
    contents = vault.index_digest_many_bytes(NETWORK, _CONTENT, packed)
    names = _keys(core, _NAME, [identity.attributes.name for identity in identities])
    places = _keys(core, _PLACE, [identity.attributes.place for identity in identities])
    sealed = vault.seal_many(NETWORK, _TABLE, "identity", digests, packed)
    coded = _code_digests(core, [identity.resident_record_code for identity in identities])
    return Notice(list(map(ResidentRow, digests, contents, names, places, coded, sealed)), bases)


def _complete(core: Core, identities: list[Identity], digests: Sequence[bytes]) -> dict[bytes, bytes]:
    """Fill in place what identities leave empty from who is known; return the basis of each, by number digest."""
    lacking = [row for row, identity in enumerate(identities) if identity.lacks_something]
    codes = _code_digests(core, [identities[row].resident_record_code for row in lacking])
    with core.environment.database.read() as connection:
        known = core.residents.known(connection, [digests[row] for row in lacking])
        holders = core.residents.by_codes(connection, [code for code in codes if code])
        found = {
            row: person
            for row, code in zip(lacking, codes, strict=True)
            if (person := known.get(digests[row]) or holders.get(code or _NOBODY))
        }
        sealed = core.residents.identities(connection, [person.id for person in found.values()])
    held = opened_identities(core, [(person.number_digest, sealed[person.id]) for person in found.values()])
    for row, identity in zip(found, held, strict=True):
        identities[row] = identities[row].completed(identity)
    return {digests[row]: found[row].content_digest if row in found else _NOBODY for row in lacking}


def _code_digests(core: Core, codes: Sequence[str]) -> list[bytes | None]:
    digests = core.environment.vault.index_digest_many(NETWORK, _CODE, codes)
    return [digest if code else None for digest, code in zip(digests, codes, strict=True)]


def _keys(core: Core, kind: str, values: Sequence[str]) -> list[int]:
    """Return keyed digests of 64 bits: enough to propose candidates, small in an index."""
    digests = core.environment.vault.index_digest_many(NETWORK, kind, values)
    return [int.from_bytes(digest[:_KEY_BYTES], "big", signed=True) for digest in digests]
