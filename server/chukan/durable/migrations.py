# SPDX-License-Identifier: Apache-2.0
"""A database's schema version: made at once when fresh, upgraded by Alembic when old, refused when newer.

The version is the row of Alembic's own table, read without importing Alembic, which costs a third of a second that only
an upgrade is worth.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy
from sqlalchemy import Column, MetaData, String, Table

from chukan.durable.planner import teach_planner
from chukan.durable.statements import Statement
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from chukan.durable.sqlite import Link

__all__ = ["Schema", "bring_up_to_date"]

_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
_READ: Final = Statement(sqlalchemy.select(_VERSION.c.version_num))
_STAMP: Final = Statement(sqlalchemy.insert(_VERSION), ("version_num",))


class Schema(NamedTuple):
    """The version the tables of this program have, and the folder with Alembic's ``versions`` that leads to it."""

    version: str = "0001"
    migrations: Path | None = None


def bring_up_to_date(link: Link, metadata: MetaData, schema: Schema) -> None:
    """Create the tables of a fresh database or upgrade an older one, in one transaction.

    Foreign keys rest meanwhile, because SQLite alters a table by making it anew, and are checked before the COMMIT.
    """
    if _version_of(link.connection) == schema.version:
        _refuse_other_tables(link, metadata, schema)
        return
    link.raw.execute("PRAGMA foreign_keys = OFF")
    try:
        link.raw.execute("BEGIN IMMEDIATE")
        version = _version_of(link.connection)
        if version is None:
            _create(link.connection, metadata, schema)
            teach_planner(link.raw)
        elif version != schema.version:
            _upgrade(link.connection, metadata, schema, version)
        link.raw.execute(f"PRAGMA user_version = {_mark_of(metadata)}")
        broken = link.raw.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            message = f"got a row of table {broken[0]} without its {broken[2]} after the upgrade, expected none"
            raise RuntimeError(message)
        link.raw.execute("COMMIT")
        link.raw.execute("ANALYZE sqlite_schema")  # reads the planner's figures; a connection opened later has them
    finally:
        if link.raw.in_transaction:
            link.raw.execute("ROLLBACK")
        link.raw.execute("PRAGMA foreign_keys = ON")


def _refuse_other_tables(link: Link, metadata: MetaData, schema: Schema) -> None:
    """Refuse a database whose tables have this version's number and other columns: one of an unreleased program."""
    if link.raw.execute("PRAGMA user_version").fetchone()[0] != _mark_of(metadata):
        raise ChukanError("DATABASE_VERSION", params={"found": f"another {schema.version}", "expected": schema.version})


def _mark_of(metadata: MetaData) -> int:
    """Return a mark of all tables and columns, as SQLite keeps one beside the tables: 31 bits."""
    names = sorted(f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns)
    return zlib.crc32("\n".join(names).encode()) & 0x7FFFFFFF


def _version_of(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, _VERSION.name):
        return None
    row = _READ.first(connection)
    return None if row is None else str(row[0])


def _create(connection: Connection, metadata: MetaData, schema: Schema) -> None:
    present = set(connection.dialect.get_table_names(connection))
    if present:
        raise ChukanError("DATABASE_VERSION", params={"found": "none", "expected": schema.version})
    metadata.create_all(connection, checkfirst=False)
    _VERSION.create(connection, checkfirst=False)
    _STAMP.run(connection, version_num=schema.version)


def _upgrade(connection: Connection, metadata: MetaData, schema: Schema, found: str) -> None:
    refusal = ChukanError("DATABASE_VERSION", params={"found": found, "expected": schema.version})
    if schema.migrations is None:
        raise refusal
    from alembic.config import Config  # noqa: PLC0415 slow to import, rarely needed
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    script = ScriptDirectory(str(schema.migrations))
    environment = EnvironmentContext(
        Config(),
        script,
        fn=lambda revision, _context: script._upgrade_revs(schema.version, revision),  # noqa: SLF001 as its commands do
        destination_rev=schema.version,
    )
    connection.exec_driver_sql("SELECT 1")  # Core now knows of the transaction, so Alembic begins none
    environment.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    try:
        environment.run_migrations()
    except CommandError as error:
        raise refusal from error
