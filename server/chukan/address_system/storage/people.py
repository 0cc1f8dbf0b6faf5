# SPDX-License-Identifier: Apache-2.0
"""People: attributes and individual number sealed, found by keyed digests.

The surrogate is the organization's place among the tenants followed by the 15 digits of the integrated address number,
so converting needs no second look-up. The number lies there as it is: numbers are issued in order, a seal would hide
nothing. The individual number (個人番号) lies in a column of its own, so that who reads attributes never opens it. The
key of birth dates is 64 bits of a keyed digest: it finds the few people of one birth date, who are opened and compared.
Digests are keyed per organization, so their indexes begin with the digest: half the size, and random-order indexes
decide how fast people are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.address_system.domain.attributes import PersonAttributes
from chukan.address_system.domain.birth_dates import birth_forms, birth_key_text
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
    Column("individual_digest", LargeBinary),
    Column("individual_number", LargeBinary),  # sealed, row key = id
    Column("attributes", LargeBinary, nullable=False),  # sealed, row key = id
    Column("birth_key", BigInteger),
    Column("merged_into", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Index(
        "person_individual_number",
        "individual_digest",
        unique=True,
        sqlite_where=sqlalchemy.text("individual_digest IS NOT NULL"),
    ),
    Index("person_birth", "birth_key"),
    Index(
        "person_unnumbered",
        "id",
        sqlite_where=sqlalchemy.text("individual_digest IS NULL"),
    ),
    Index("person_unnumbered_birth", "birth_key", sqlite_where=sqlalchemy.text("individual_digest IS NULL")),
    Index("person_merged", "merged_into", sqlite_where=sqlalchemy.text("merged_into > 0")),
    Index("person_merged_list", "id", sqlite_where=sqlalchemy.text("merged_into > 0")),
)
_former: Final = Table(
    "former_individual_number",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("organization", String(16), nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("number", LargeBinary, nullable=False),  # sealed, row key = digest
    Column("ended", BigInteger, nullable=False),
    Index("former_individual_number_person", "person"),
    Index("former_individual_number_organization", "organization"),
)
_c: Final = _person.c
_COLUMNS: Final = tuple(column.name for column in _c)
_OF: Final = _c.organization == bindparam("organization")
_ORG: Final = _c.organization
_ACTIVE: Final = _c.merged_into == 0
_LACKING: Final = _c.individual_digest.is_(None)
_BY_IDS: Final = LookUp(_ORG, _c.id, _c.id, _c.individual_digest, _c.attributes, _c.merged_into, _c.updated, _c.created)
_EXIST: Final = LookUp(_ORG, _c.id, _c.id, _c.merged_into)
_BY_INDIVIDUAL: Final = LookUp(_ORG, _c.individual_digest, _c.individual_digest, _c.id)
_BY_FORMER: Final = LookUp(_former.c.organization, _former.c.digest, _former.c.digest, _former.c.person)
_BY_BIRTH: Final = LookUp(_ORG, _c.birth_key, _c.birth_key, _c.id, where=_ACTIVE)
_UNNUMBERED_BY_BIRTH: Final = LookUp(_ORG, _c.birth_key, _c.birth_key, _c.id, where=_LACKING & _ACTIVE)
_INDIVIDUAL: Final = LookUp(_ORG, _c.id, _c.id, _c.individual_number, where=_c.individual_number.is_not(None))
_ANY_FORMER: Final = Statement(
    sqlalchemy.select(_former.c.person).where(_former.c.organization == bindparam("organization")).limit(1)
)
_RANGE: Final = (_c.id > bindparam("after"), _c.id <= bindparam("last"))
_PAGE: Final = Statement(
    sqlalchemy.select(_c.id, _c.attributes)
    .where(*_RANGE, _ACTIVE)
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)
_UNNUMBERED_PAGE: Final = Statement(
    sqlalchemy.select(_c.id, _c.attributes)
    .where(*_RANGE, _LACKING, _ACTIVE)
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)
_MERGED_PAGE: Final = Statement(
    sqlalchemy.select(_c.id, _c.merged_into, _c.updated)
    .where(*_RANGE, _c.merged_into > sqlalchemy.literal_column("0"))
    .order_by(_c.id)
    .limit(bindparam("most", type_=Integer))
)
_UNNUMBERED: Final = Statement(
    sqlalchemy.select(_c.id).where(*_RANGE, _LACKING, _ACTIVE).order_by(_c.id).limit(bindparam("most", type_=Integer))
)
_UPDATE: Final = Statement(
    sqlalchemy.update(_person)
    .where(_c.id == bindparam("id_"))
    .values({name: bindparam(f"{name}_") for name in ("attributes", "birth_key", "updated")})
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
    sqlalchemy.update(_person)
    .where(_c.merged_into == bindparam("gone"), _c.merged_into > sqlalchemy.literal_column("0"))
    .values(merged_into=bindparam("into"))
)
_FORMER_FOLLOW: Final = Statement(
    sqlalchemy.update(_former).where(_former.c.person == bindparam("gone")).values(person=bindparam("into"))
)
_KEY_BYTES: Final = 8


class PersonRow(NamedTuple):
    """A person as stored; attributes stay sealed until opened, instants in microseconds."""

    id: int
    individual_digest: bytes | None
    attributes: bytes
    merged_into: int
    updated: int
    created: int


class NewPerson(NamedTuple):
    """A person to insert; what is sealed was sealed outside the write."""

    id: int
    individual_digest: bytes | None
    individual_number: bytes | None
    attributes: bytes
    birth_key: int | None


class PersonStore:
    """The table of people; digests, seals and opening happen outside a write."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    # --- digests and seals ---

    def individual_digests(self, organization: str, numbers: Iterable[str]) -> list[bytes]:
        """Return the look-up digests of individual numbers."""
        return self._vault.index_digest_many(organization, "person.individual_number", numbers)

    def birth_keys(self, organization: str, birth_dates: Sequence[str]) -> list[int]:
        """Return the keys under which people of these birth dates lie."""
        keys = self._keys(organization, set(map(birth_key_text, birth_dates)))
        return [keys[birth_key_text(text)] for text in birth_dates]

    def birth_look_ups(self, organization: str, birth_dates: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the keys under which people of the same birth date may lie, the date's own first."""
        forms = {text: birth_forms(text) for text in set(birth_dates)}
        keys = self._keys(organization, set().union(*forms.values()))
        found = {text: tuple([keys[form] for form in every]) for text, every in forms.items()}
        return [found[text] for text in birth_dates]

    def _keys(self, organization: str, texts: set[str]) -> dict[str, int]:
        distinct = list(texts)
        digests = self._vault.index_digest_many(organization, "person.birth_date", distinct)
        return {
            text: int.from_bytes(digest[:_KEY_BYTES], "big", signed=True)
            for text, digest in zip(distinct, digests, strict=True)
        }

    def seal(self, organization: str, column: str, ids: Sequence[int], plain: Sequence[bytes]) -> list[bytes]:
        """Seal a column ("individual_number" or "attributes") of these people."""
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

    # --- reading ---

    def by_ids(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, PersonRow]:
        """Return people by surrogate."""
        return {row[0]: PersonRow._make(row) for row in _BY_IDS.rows(connection, organization, ids)}

    def survivors(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, int]:
        """Return those of the surrogates that exist, each with the survivor it was merged into or itself."""
        return {row[0]: row[1] or row[0] for row in _EXIST.rows(connection, organization, ids)}

    def by_individual(self, connection: Connection, organization: str, digests: Iterable[bytes]) -> dict[bytes, int]:
        """Return surrogates by the digest of the individual number, former ones included."""
        wanted = list(digests)
        found: dict[bytes, int] = {}
        if _ANY_FORMER.first(connection, organization=organization) is not None:
            found.update(_tuples(_BY_FORMER.rows(connection, organization, wanted)))
        found.update(_tuples(_BY_INDIVIDUAL.rows(connection, organization, wanted)))
        return found

    def born(
        self, connection: Connection, organization: str, keys: Iterable[int], *, unnumbered: bool = False
    ) -> list[tuple[int, int]]:
        """Return (key, surrogate) of people with these keys of birth dates, or of those without individual number."""
        look_up = _UNNUMBERED_BY_BIRTH if unnumbered else _BY_BIRTH
        return _tuples(look_up.rows(connection, organization, keys))

    def individual_numbers(self, connection: Connection, organization: str, ids: Iterable[int]) -> dict[int, bytes]:
        """Return sealed individual numbers by surrogate, of those who have one."""
        return {row[0]: row[1] for row in _INDIVIDUAL.rows(connection, organization, ids)}

    def open_individual_numbers(self, organization: str, sealed: dict[int, bytes]) -> dict[int, str]:
        """Open individual numbers."""
        ids = list(sealed)
        opened = self._vault.open_many(organization, "person", "individual_number", ids, list(sealed.values()))
        return {key: number.decode() for key, number in zip(ids, opened, strict=True)}

    def page(
        self, connection: Connection, *, after: int, last: int, most: int, unnumbered: bool = False
    ) -> list[tuple[int, bytes]]:
        """Return (surrogate, sealed attributes) in order of registration, or of those without individual number."""
        return (_UNNUMBERED_PAGE if unnumbered else _PAGE).all(connection, after=after, last=last, most=most)

    def merged(self, connection: Connection, *, after: int, last: int, most: int) -> list[tuple[int, int, int]]:
        """Return (surrogate, survivor, instant) of people who were merged, by surrogate."""
        return _tuples(_MERGED_PAGE.all(connection, after=after, last=last, most=most))

    def unnumbered(self, connection: Connection, *, after: int, last: int, most: int) -> list[int]:
        """Return people without an individual number, in order of registration."""
        return [row[0] for row in _UNNUMBERED.all(connection, after=after, last=last, most=most)]

    # --- writing ---

    def insert(self, connection: Connection, organization: str, people: Sequence[NewPerson], *, now: int) -> None:
        """Insert people."""
        rows = [(id_, organization, *rest, 0, now, now) for id_, *rest in people]
        bulk_insert(connection, _person, _COLUMNS, rows)

    def update(self, connection: Connection, rows: Sequence[tuple[int, bytes, int | None]], *, now: int) -> None:
        """Set (id, sealed attributes, key of the birth date)."""
        names = ("attributes_", "birth_key_", "updated_", "id_")
        _UPDATE.many(connection, names, [(row[1], row[2], now, row[0]) for row in rows])

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
        values = [(row[0], organization, row[1], row[2], now) for row in rows]
        bulk_insert(connection, _former, columns, values, on_conflict="replace")

    def merge(self, connection: Connection, gone: int, into: int, *, now: int) -> None:
        """Mark a person as merged; who was merged into them follows, as do former individual numbers."""
        _FOLLOW.run(connection, gone=gone, into=into)
        _FORMER_FOLLOW.run(connection, gone=gone, into=into)
        _MERGE.run(connection, id_=gone, into=into, updated_=now)


def _tuples(rows: Iterable[Any]) -> list[Any]:
    return [tuple(row) for row in rows]
