# SPDX-License-Identifier: Apache-2.0
"""A database is made, upgraded or refused by its version, and Alembic is imported only to upgrade."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from chukan.durable import Database, Schema
from chukan.standard.reasons import ChukanError

from .conftest import BODY

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.standard.clock import FixedClock

FIRST = """
revision = "0001"
down_revision = None
def upgrade(): raise AssertionError("a fresh database is made from the tables")
def downgrade(): pass
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    with op.batch_alter_table("parent") as batch:
        batch.add_column(sa.Column("name", sa.String, nullable=False, server_default="unnamed"))
        batch.drop_column("old")
def downgrade(): pass
"""
BROKEN = """
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.execute("DELETE FROM parent")
def downgrade(): pass
"""


def first_tables() -> MetaData:
    metadata = MetaData()
    Table("parent", metadata, Column("id", Integer, primary_key=True), Column("old", String))
    Table("child", metadata, Column("id", Integer, primary_key=True), Column("parent", ForeignKey("parent.id")))
    return metadata


def second_tables() -> MetaData:
    metadata = MetaData()
    Table("parent", metadata, Column("id", Integer, primary_key=True), Column("name", String, nullable=False))
    Table("child", metadata, Column("id", Integer, primary_key=True), Column("parent", ForeignKey("parent.id")))
    return metadata


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for number, text in enumerate([FIRST, SECOND, BROKEN], 1):
        (versions / f"000{number}.py").write_text(text)
    return versions.parent


@pytest.fixture
def old_url(file_url: str, clock: FixedClock) -> str:
    """Make a database of the first version with a row and one that points to it."""
    with Database(file_url, metadata=first_tables(), clock=clock) as database:
        database.create_or_upgrade()

        def fill(connection: sqlalchemy.Connection) -> None:
            connection.exec_driver_sql("INSERT INTO parent (id, old) VALUES (1, 'x')")
            connection.exec_driver_sql("INSERT INTO child (id, parent) VALUES (1, 1)")

        database.write(BODY, fill)
    return file_url


def test_an_older_database_is_upgraded_with_its_rows(old_url: str, migrations: Path, clock: FixedClock) -> None:
    with Database(old_url, metadata=second_tables(), clock=clock, schema=Schema("0002", migrations)) as database:
        database.create_or_upgrade()
        database.create_or_upgrade()

        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT * FROM parent").all() == [(1, "unnamed")]
            assert connection.exec_driver_sql("SELECT * FROM child").all() == [(1, 1)]
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").all() == [("0002",)]
        with pytest.raises(sqlalchemy.exc.IntegrityError):
            database.write(BODY, lambda connection: connection.exec_driver_sql("INSERT INTO child VALUES (2, 9)"))


def test_an_upgrade_that_breaks_a_reference_changes_nothing(
    old_url: str,
    migrations: Path,
    clock: FixedClock,
) -> None:
    with (
        Database(old_url, metadata=second_tables(), clock=clock, schema=Schema("0003", migrations)) as database,
        pytest.raises(RuntimeError, match="without its parent"),
    ):
        database.create_or_upgrade()

    with Database(old_url, metadata=first_tables(), clock=clock) as database:
        database.create_or_upgrade()
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT * FROM parent").all() == [(1, "x")]


def test_a_newer_database_is_refused(file_url: str, migrations: Path, clock: FixedClock) -> None:
    with Database(file_url, metadata=second_tables(), clock=clock, schema=Schema("0009")) as database:
        database.create_or_upgrade()

    for schema in (Schema("0002", migrations), Schema("0002")):
        with (
            Database(file_url, metadata=second_tables(), clock=clock, schema=schema) as database,
            pytest.raises(ChukanError, match="DATABASE_VERSION"),
        ):
            database.create_or_upgrade()


def test_a_database_of_something_else_is_refused(file_url: str, clock: FixedClock) -> None:
    with Database(file_url, metadata=second_tables(), clock=clock) as database:
        database.write(BODY, lambda connection: connection.exec_driver_sql("CREATE TABLE foreign_table (id)"))
        with pytest.raises(ChukanError, match="DATABASE_VERSION"):
            database.create_or_upgrade()


def test_other_databases_than_sqlite_are_refused(clock: FixedClock) -> None:
    with pytest.raises(ChukanError, match="SETTING_INVALID"):
        Database("postgresql+psycopg://localhost/chukan", metadata=MetaData(), clock=clock)


def test_opening_a_current_database_does_not_import_alembic(old_url: str) -> None:
    program = f"""
import sys
from chukan.durable import Database
from chukan.standard.clock import SystemClock
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table
metadata = MetaData()
Table("parent", metadata, Column("id", Integer, primary_key=True), Column("old", String))
Table("child", metadata, Column("id", Integer, primary_key=True), Column("parent", ForeignKey("parent.id")))
with Database({old_url!r}, metadata=metadata, clock=SystemClock()) as database:
    database.create_or_upgrade()
assert not [name for name in sys.modules if name.split(".")[0] in ("alembic", "grpc", "mako")]
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_tables_of_the_same_version_number_with_other_columns_are_refused(old_url: str, clock: FixedClock) -> None:
    with (
        Database(old_url, metadata=second_tables(), clock=clock) as database,
        pytest.raises(ChukanError) as raised,
    ):
        database.create_or_upgrade()

    assert raised.value.code == "DATABASE_VERSION"
