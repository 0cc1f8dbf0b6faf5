# SPDX-License-Identifier: Apache-2.0
"""People: an integer surrogate each; numbers and attributes sealed, found by keyed digests.

The individual number (個人番号) lies in a column of its own, so that who reads attributes never opens it. Candidate keys
are 64 bits of a keyed digest: enough to propose, small in an index; what they find is opened and compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.address_system.domain.attributes import PersonAttributes, name_key, residential_address_key
from chukan.address_system.storage.look_up import LookUp
from chukan.address_system.storage.schema import metadata
from chukan.durable.statements import Statement, bulk_insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from chukan.durable.vault import Vault

__all__ = ["NewPerson", "PersonRow", "PersonStore"]

_person: Final = Table(
    "person",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("organization", String(16), nullable=False),
    Column("number_digest", LargeBinary, nullable=False),
    Column("number", LargeBinary, nullable=False),  # sealed, row key = id
    Column("individual_digest", LargeBinary),
    Column("individual_number", LargeBinary),  # sealed, row key = id
    Column("attributes", LargeBinary, nullable=False),  # sealed, row key = id
    Column("name_key", BigInteger),  # name and birth date
    Column("place_key", BigInteger),  # birth date and residential address
    Column("merged_into", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Index("person_number", "organization", "number_digest", unique=True),
    Index(
        "person_individual_number",
        "organization",
        "individual_digest",
        unique=True,
        sqlite_where=sqlalchemy.text("individual_digest IS NOT NULL"),
    ),
    Index("person_name", "organization", "name_key"),
    Index("person_place", "organization", "place_key"),
    Index(
        "person_unnumbered",
        "organization",
        "name_key",
        "id",
        sqlite_where=sqlalchemy.text("individual_digest IS NULL"),
    ),
    Index("person_merged", "merged_into", sqlite_where=sqlalchemy.text("merged_into > 0")),
)
_former: Final = Table(
    "former_individual_number",
    metadata,
    Column("organization", String(16), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("person", BigInteger, nullable=False),
    Column("number", LargeBinary, nullable=False),  # sealed, row key = digest
    Column("ended", BigInteger, nullable=False),
    Index("former_individual_number_person", "person"),
)
_c: Final = _person.c
_COLUMNS: Final = tuple(column.name for column in _c)
_OF: Final = _c.organization == bindparam("organization")
_ROW: Final = sqlalchemy.select(
    _c.id, _c.individual_digest, _c.attributes, _c.merged_into, _c.updated, _c.number, _c.created
).where(_OF)
_KEYS: Final = sqlalchemy.select(_c.number_digest, _c.id, _c.merged_into).where(_OF)
_BY_IDS: Final = LookUp(_ROW, _c.id)
_BY_NUMBERS: Final = LookUp(_KEYS, _c.number_digest)
_NUMBERS: Final = LookUp(sqlalchemy.select(_c.id, _c.number, _c.merged_into).where(_OF), _c.id)
_BY_INDIVIDUAL: Final = LookUp(sqlalchemy.select(_c.individual_digest, _c.id).where(_OF), _c.individual_digest)
_BY_FORMER: Final = LookUp(
    sqlalchemy.select(_former.c.digest, _former.c.person).where(_former.c.organization == bindparam("organization")),
    _former.c.digest,
)
_ACTIVE: Final = _c.merged_into == 0
_BY_NAME: Final = LookUp(sqlalchemy.select(_c.name_key, _c.id).where(_OF, _ACTIVE), _c.name_key)
_BY_PLACE: Final = LookUp(sqlalchemy.select(_c.place_key, _c.id).where(_OF, _ACTIVE), _c.place_key)
_UNNUMBERED_BY_NAME: Final = LookUp(
    sqlalchemy.select(_c.name_key, _c.id).where(_OF, _c.individual_digest.is_(None), _ACTIVE), _c.name_key
)
_INDIVIDUAL: Final = LookUp(
    sqlalchemy.select(_c.id, _c.individual_number).where(_OF, _c.individual_number.is_not(None)), _c.id
)
_PAGE: Final = Statement(
    sqlalchemy.select(_c.id, _c.attributes)
    .where(_OF, _ACTIVE, _c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)
_UNNUMBERED: Final = Statement(
    sqlalchemy.select(_c.id)
    .where(_OF, _c.individual_digest.is_(None), _ACTIVE, _c.id > bindparam("after"))
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)
_LAST: Final = Statement(sqlalchemy.select(sqlalchemy.func.coalesce(sqlalchemy.func.max(_c.id), 0)))
_UPDATE: Final = Statement(
    sqlalchemy.update(_person)
    .where(_c.id == bindparam("id_"))
    .values({name: bindparam(f"{name}_") for name in ("attributes", "name_key", "place_key", "updated")})
)
_SET_INDIVIDUAL: Final = Statement(
    sqlalchemy.update(_person)
    .where(_c.id == bindparam("id_"))
    .values({name: bindparam(f"{name}_") for name in ("individual_digest", "individual_number", "updated")})
)
_MERGE: Final = Statement(
    sqlalchemy.update(_person)
    .where(_c.id == bindparam("id_"))
    .values(
        merged_into=bindparam("into"), individual_digest=None, individual_number=None, updated=bindparam("updated_")
    )
)
_FOLLOW: Final = Statement(
    sqlalchemy.update(_person).where(_c.merged_into == bindparam("gone")).values(merged_into=bindparam("into"))
)
_FORMER_FOLLOW: Final = Statement(
    sqlalchemy.update(_former).where(_former.c.person == bindparam("gone")).values(person=bindparam("into"))
)
_PLACE_BYTES: Final = 8


class PersonRow(NamedTuple):
    """A person as stored; attributes and number stay sealed until `PersonStore.opened`, instants in microseconds."""

    id: int
    individual_digest: bytes | None
    attributes: bytes
    merged_into: int
    updated: int
    number: bytes
    created: int


class NewPerson(NamedTuple):
    """A person to insert; what is sealed was sealed outside the write."""

    id: int
    number_digest: bytes
    number: bytes
    individual_digest: bytes | None
    individual_number: bytes | None
    attributes: bytes
    name_key: int | None
    place_key: int | None


class PersonStore:
    """The table of people; digests, seals and opening happen outside a write."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    # --- digests and seals ---

    def number_digests(self, organization: str, numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of integrated address numbers."""
        return self._vault.index_digest_many(organization, "person.number", numbers)

    def individual_digests(self, organization: str, numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of individual numbers."""
        return self._vault.index_digest_many(organization, "person.individual_number", numbers)

    def name_keys(self, organization: str, attributes: Sequence[PersonAttributes]) -> list[int | None]:
        """Return the candidate keys of name and birth date; None where the birth year is not known."""
        texts = [f"{each.birth_date}\x1f{name_key(each.name)}" for each in attributes]
        return self._candidate_keys(organization, "person.name", texts)

    def place_keys(self, organization: str, attributes: Sequence[PersonAttributes]) -> list[int | None]:
        """Return the candidate keys of birth date and residential address; None where one of them is not known."""
        homes = [residential_address_key(each.residential_address) for each in attributes]
        texts = [f"{each.birth_date}\x1f{home}" if home else "" for each, home in zip(attributes, homes, strict=True)]
        return self._candidate_keys(organization, "person.place", texts)

    def seal(self, organization: str, column: str, ids: Sequence[int], plain: Sequence[bytes]) -> list[bytes]:
        """Seal a column ("number", "individual_number", "attributes") of these people."""
        return self._vault.seal_many(organization, "person", column, ids, plain)

    def seal_former(self, organization: str, digests: Sequence[bytes], numbers: Sequence[str]) -> list[bytes]:
        """Seal former individual numbers."""
        plain = [number.encode() for number in numbers]
        return self._vault.seal_many(organization, "former_individual_number", "number", digests, plain)

    def open_attributes(self, organization: str, rows: Sequence[tuple[int, bytes]]) -> list[PersonAttributes]:
        """Open (id, sealed attributes)."""
        sealed = [row[1] for row in rows]
        opened = self._vault.open_many(organization, "person", "attributes", [row[0] for row in rows], sealed)
        return list(map(PersonAttributes.unpack, opened))

    def open_numbers(self, organization: str, rows: Sequence[tuple[int, bytes]]) -> list[str]:
        """Open (id, sealed integrated address number)."""
        sealed = [row[1] for row in rows]
        opened = self._vault.open_many(organization, "person", "number", [row[0] for row in rows], sealed)
        return [number.decode() for number in opened]

    # --- reading ---

    def last_id(self, connection: Connection) -> int:
        """Return the greatest surrogate of all organizations."""
        row = _LAST.first(connection)
        return 0 if row is None else int(row[0])

    def by_ids(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, PersonRow]:
        """Return people by surrogate."""
        return {row[0]: PersonRow._make(row) for row in _BY_IDS.rows(connection, ids, organization=organization)}

    def by_numbers(
        self, connection: Connection, organization: str, digests: Iterable[bytes]
    ) -> dict[bytes, tuple[int, int]]:
        """Return (surrogate, survivor or 0) by the digest of the integrated address number."""
        return {row[0]: (row[1], row[2]) for row in _BY_NUMBERS.rows(connection, digests, organization=organization)}

    def numbers(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, bytes]:
        """Return sealed integrated address numbers by surrogate."""
        return {row[0]: row[1] for row in _NUMBERS.rows(connection, ids, organization=organization)}

    def by_individual(self, connection: Connection, organization: str, digests: Iterable[bytes]) -> dict[bytes, int]:
        """Return surrogates by the digest of the individual number, former ones included."""
        wanted = list(digests)
        found: dict[bytes, int] = dict(_two(_BY_FORMER.rows(connection, wanted, organization=organization)))
        found.update(_two(_BY_INDIVIDUAL.rows(connection, wanted, organization=organization)))
        return found

    def candidates(
        self,
        connection: Connection,
        organization: str,
        *,
        names: Iterable[int] = (),
        unnumbered_names: Iterable[int] = (),
        places: Iterable[int] = (),
    ) -> list[tuple[str, int, int]]:
        """Return ("name" or "place", key, surrogate) of people with these candidate keys."""
        found = [("name", *row) for row in _two(_BY_NAME.rows(connection, names, organization=organization))]
        lacking = _UNNUMBERED_BY_NAME.rows(connection, unnumbered_names, organization=organization)
        found += [("name", *row) for row in _two(lacking)]
        found += [("place", *row) for row in _two(_BY_PLACE.rows(connection, places, organization=organization))]
        return found

    def individual_numbers(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, bytes]:
        """Return sealed individual numbers by surrogate, of those who have one."""
        return {row[0]: row[1] for row in _INDIVIDUAL.rows(connection, ids, organization=organization)}

    def open_individual_numbers(self, organization: str, sealed: dict[int, bytes]) -> dict[int, str]:
        """Open individual numbers."""
        ids = list(sealed)
        opened = self._vault.open_many(organization, "person", "individual_number", ids, list(sealed.values()))
        return {key: number.decode() for key, number in zip(ids, opened, strict=True)}

    def page(self, connection: Connection, organization: str, *, after: int, most: int) -> list[tuple[int, bytes]]:
        """Return (surrogate, sealed attributes) in order of registration."""
        return _two(_PAGE.all(connection, organization=organization, after=after, most=most))

    def unnumbered(self, connection: Connection, organization: str, *, after: int, most: int) -> list[int]:
        """Return people without an individual number, in order of registration."""
        return [row[0] for row in _UNNUMBERED.all(connection, organization=organization, after=after, most=most)]

    # --- writing ---

    def insert(self, connection: Connection, organization: str, people: Sequence[NewPerson], *, now: int) -> None:
        """Insert people."""
        rows = [(person[0], organization, *person[1:], 0, now, now) for person in people]
        bulk_insert(connection, _person, _COLUMNS, rows)

    def update(
        self, connection: Connection, rows: Sequence[tuple[int, bytes, int | None, int | None]], *, now: int
    ) -> None:
        """Set (id, sealed attributes, name key, place key)."""
        names = ("attributes_", "name_key_", "place_key_", "updated_", "id_")
        _UPDATE.many(connection, names, [(row[1], row[2], row[3], now, row[0]) for row in rows])

    def set_individual(
        self, connection: Connection, rows: Sequence[tuple[int, bytes | None, bytes | None]], *, now: int
    ) -> None:
        """Set (id, digest of the individual number, sealed individual number)."""
        names = ("individual_digest_", "individual_number_", "updated_", "id_")
        _SET_INDIVIDUAL.many(connection, names, [(row[1], row[2], now, row[0]) for row in rows])

    def add_former(
        self, connection: Connection, organization: str, rows: Sequence[tuple[bytes, int, bytes]], *, now: int
    ) -> None:
        """Keep (digest, person, sealed number) of individual numbers that were changed."""
        columns = tuple(column.name for column in _former.c)
        values = [(organization, *row, now) for row in rows]
        bulk_insert(connection, _former, columns, values, on_conflict="replace")

    def merge(self, connection: Connection, gone: int, into: int, *, now: int) -> None:
        """Mark a person as merged; who was merged into them follows, as do former individual numbers."""
        _FOLLOW.run(connection, gone=gone, into=into)
        _FORMER_FOLLOW.run(connection, gone=gone, into=into)
        _MERGE.run(connection, id_=gone, into=into, updated_=now)

    def _candidate_keys(self, organization: str, kind: str, texts: Sequence[str]) -> list[int | None]:
        digests = self._vault.index_digest_many(organization, kind, texts)
        return [
            None if not text or text.startswith("0000") else int.from_bytes(digest[:_PLACE_BYTES], "big", signed=True)
            for text, digest in zip(texts, digests, strict=True)
        ]


def _two(rows: Iterable[Any]) -> list[Any]:
    return [tuple(row) for row in rows]
