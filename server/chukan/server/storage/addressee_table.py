# SPDX-License-Identifier: Apache-2.0
"""The table of addressees and the statements on it.

The digest indexes lie in this table only; replicas, inquiries and records carry the surrogate, because random-order
indexes on bulk tables halve the speed of loading. Digests are keyed per organization, so their indexes begin with the
digest and need no other column. The steps of an acquisition each set their own columns only: what a statement does not
set, its indexes need not be looked at for.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, bindparam

from chukan.durable.lookups import Lookup
from chukan.durable.statements import Statement
from chukan.server.domain.linkage import LinkageState
from chukan.server.storage.schema import metadata

__all__ = [
    "ADDED",
    "BY_CODES",
    "BY_IDS",
    "BY_NUMBERS",
    "BY_PROCESSING",
    "COLUMNS",
    "DROP_CODE",
    "FLAGS",
    "HOLDERS",
    "INSERT",
    "ISSUE",
    "LINK",
    "LINKAGE",
    "NUMBERS",
    "OLDEST_PENDING",
    "PENDING",
    "REQUEST",
    "RUN_OUT",
    "SET_FLAGS",
    "SET_LINKAGE",
    "STATES_OF",
    "TABLE",
    "Raw",
]

TABLE: Final = Table(
    "addressee",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("organization", String(16), nullable=False),
    Column("number_digest", LargeBinary, nullable=False),
    Column("number", LargeBinary, nullable=False),  # sealed, row key = number_digest
    Column("state", Integer, nullable=False),
    Column("nondisclosure", Integer, nullable=False),
    Column("self_information_disabled", Integer, nullable=False),
    Column("auto_response_disabled", String, nullable=False),  # information codes, space between
    Column("merged_into", BigInteger, nullable=False),
    Column("linkage_state", Integer, nullable=False),
    Column("processing_digest", LargeBinary),
    Column("processing_number", LargeBinary),  # sealed, row key = number_digest
    Column("processing_expires", BigInteger, nullable=False),
    Column("failure_reason", String(64), nullable=False),
    Column("code_digest", LargeBinary),
    Column("code", LargeBinary),  # sealed, row key = number_digest
    Column("requested", BigInteger, nullable=False),
    Column("linked", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("change_seq", BigInteger, nullable=False),
    Index("addressee_number", "number_digest", unique=True),
    Index("addressee_change", "organization", "change_seq"),
    Index(
        "addressee_code",
        "code_digest",
        unique=True,
        sqlite_where=sqlalchemy.text("code_digest IS NOT NULL"),
    ),
    Index(
        "addressee_processing",
        "processing_digest",
        unique=True,
        sqlite_where=sqlalchemy.text("processing_digest IS NOT NULL"),
    ),
    Index(
        "addressee_processing_expiry",
        "processing_expires",
        sqlite_where=sqlalchemy.text("processing_digest IS NOT NULL"),
    ),
)
COLUMNS = TABLE.c
_c = COLUMNS
_ALL: Final = tuple(column.name for column in TABLE.c)
_NOT_YET: Final = frozenset({"processing_digest", "processing_number", "code_digest", "code"})
INSERT: Final = tuple(name for name in _ALL[1:] if name not in _NOT_YET)
_ORGANIZATION = _c.organization == bindparam("organization")
_OWN: Final = sqlalchemy.select(TABLE).where(_ORGANIZATION)
BY_NUMBERS: Final = Lookup(_OWN, _c.number_digest)
BY_CODES: Final = Lookup(_OWN, _c.code_digest)
_ACQUIRING: Final = (
    _c.id,
    _c.number_digest,
    _c.state,
    _c.linkage_state,
    _c.processing_expires,
    _c.requested,
)
BY_PROCESSING: Final = Lookup(
    sqlalchemy.select(_c.processing_digest, *_ACQUIRING).where(_ORGANIZATION), _c.processing_digest
)
BY_IDS: Final = Lookup(sqlalchemy.select(*_ACQUIRING).where(_ORGANIZATION), _c.id)
NUMBERS: Final = Lookup(sqlalchemy.select(_c.id, _c.number_digest, _c.number).where(_ORGANIZATION), _c.id)
STATES_OF: Final = Lookup(sqlalchemy.select(_c.number_digest, _c.id, _c.state).where(_ORGANIZATION), _c.number_digest)
HOLDERS: Final = Lookup(sqlalchemy.select(_c.code_digest, _c.id).where(_ORGANIZATION), _c.code_digest)
FLAGS: Final = Lookup(
    sqlalchemy.select(
        _c.number_digest,
        _c.id,
        _c.state,
        _c.nondisclosure,
        _c.self_information_disabled,
        _c.auto_response_disabled,
        _c.merged_into,
        _c.linkage_state,
    ).where(_ORGANIZATION),
    _c.number_digest,
)
RUN_OUT: Final = Statement(
    sqlalchemy.select(_c.organization, _c.id)
    .where(_c.processing_digest.is_not(None), _c.processing_expires < bindparam("before"))
    .order_by(_c.processing_expires)
    .limit(bindparam("most", type_=Integer))
)
_IS_PENDING: Final = _c.processing_digest.is_not(None)
PENDING: Final = Statement(sqlalchemy.select(sqlalchemy.func.count()).where(_IS_PENDING))
OLDEST_PENDING: Final = Statement(
    sqlalchemy.select(_c.requested).where(_IS_PENDING).order_by(_c.processing_expires).limit(1)
)
DROP_CODE: Final = Statement(
    sqlalchemy.update(TABLE)
    .where(_c.id == bindparam("id_"))
    .values(code=None, code_digest=None, linkage_state=int(LinkageState.NOT_REQUESTED), updated=bindparam("updated_"))
)

SET_FLAGS: Final = Statement(
    sqlalchemy.update(TABLE)
    .where(_c.id == bindparam("id_"))
    .values(
        {
            name: bindparam(f"{name}_")
            for name in (
                "state",
                "nondisclosure",
                "self_information_disabled",
                "auto_response_disabled",
                "merged_into",
                "updated",
                "change_seq",
            )
        }
    )
)
LINKAGE: Final = (
    "linkage_state",
    "processing_digest",
    "processing_number",
    "processing_expires",
    "failure_reason",
    "code_digest",
    "code",
    "requested",
    "linked",
    "updated",
    "change_seq",
)
SET_LINKAGE: Final = Statement(
    sqlalchemy.update(TABLE).where(_c.id == bindparam("id_")).values({name: bindparam(f"{name}_") for name in LINKAGE})
)
REQUEST: Final = Statement(
    sqlalchemy.update(TABLE)
    .where(_c.id == bindparam("id_"))
    .values(
        linkage_state=int(LinkageState.REQUESTED),
        failure_reason="",
        requested=bindparam("now"),
        updated=bindparam("now"),
        change_seq=bindparam("change_seq_"),
    )
)
ISSUE: Final = Statement(
    sqlalchemy.update(TABLE)
    .where(_c.id == bindparam("id_"), _c.linkage_state == int(LinkageState.REQUESTED))
    .values(
        linkage_state=int(LinkageState.PROCESSING_NUMBER_ISSUED),
        processing_digest=bindparam("processing_digest_"),
        processing_number=bindparam("processing_number_"),
        processing_expires=bindparam("processing_expires_"),
        updated=bindparam("now"),
        change_seq=bindparam("change_seq_"),
    )
)
LINK: Final = Statement(
    sqlalchemy.update(TABLE)
    .where(_c.id == bindparam("id_"))
    .values(
        linkage_state=int(LinkageState.LINKED),
        processing_digest=sqlalchemy.null(),
        processing_number=sqlalchemy.null(),
        processing_expires=0,
        failure_reason="",
        code_digest=bindparam("code_digest_"),
        code=bindparam("code_"),
        linked=bindparam("now"),
        updated=bindparam("now"),
        change_seq=bindparam("change_seq_"),
    )
)
ADDED: Final = Statement(
    sqlalchemy.select(_c.id, _c.linkage_state)
    .where(_ORGANIZATION, _c.change_seq >= bindparam("first"))
    .order_by(_c.change_seq)
)


class Raw(NamedTuple):
    """A row as it lies in the table, column by column."""

    id: int
    organization: str
    number_digest: bytes
    number: bytes
    state: int
    nondisclosure: int
    self_information_disabled: int
    auto_response_disabled: str
    merged_into: int
    linkage_state: int
    processing_digest: bytes | None
    processing_number: bytes | None
    processing_expires: int
    failure_reason: str
    code_digest: bytes | None
    code: bytes | None
    requested: int
    linked: int
    created: int
    updated: int
    change_seq: int
