# SPDX-License-Identifier: Apache-2.0
"""Core statements compiled once and run close to the driver.

Building and executing a Core statement costs 30 to 120 µs, the driver alone 4 µs; a durable step runs several, so the
steps every exchange takes are written as module constants of this kind. What it gives up: no lists in ``IN`` but one of
keys, of a length fixed beforehand, no column defaults made in Python, and parameters are passed by name with the
statement's own types only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast

import sqlalchemy
from sqlalchemy import LargeBinary
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Dialect, Table
    from sqlalchemy.sql.base import Executable
    from sqlalchemy.types import TypeEngine

__all__ = ["KEYS", "OnConflict", "Row", "Statement", "bulk_insert", "translated"]

KEYS: Final = "keys"
"""Name of a statement's list of keys."""

Row = tuple[Any, ...]
OnConflict = Literal["fail", "ignore", "replace"]
_Processor = Callable[[Any], Any]
_TOGETHER: Final = (100, 10)
"""How many rows are inserted with one step of SQLite: each step gives way to other threads, and costs half a row."""

_as_bytearray: Final = bytearray().__add__
"""Of bytes: as fast as the type itself, which would take a number for so many NULs."""


class _Plan(NamedTuple):
    """A statement compiled for one dialect."""

    sql: str
    names: tuple[str, ...]
    positional: bool
    constants: Mapping[str, Any]
    required: int
    binders: Mapping[str, _Processor]
    readers: tuple[_Processor | None, ...] | None
    pick: Callable[[Mapping[str, Any]], Any]
    spread: int
    """Place of the list of keys, whose values each take a place of their own; -1 = there is none."""

    def parameters(self, values: dict[str, Any]) -> Any:  # noqa: ANN401 a tuple or a dict, as the driver wants
        """Return what the driver takes for these named values."""
        if len(values) != self.required:
            message = f"got values {sorted(values)}, expected {sorted(set(self.names) - set(self.constants))}"
            raise TypeError(message)
        for name, binder in self.binders.items():
            if name in values:
                values[name] = binder(values[name])
        if self.constants:
            values = {**self.constants, **values}
        if not self.positional:
            return values
        picked = self.pick(values)
        if self.spread < 0:
            return picked
        return (*picked[: self.spread], *picked[self.spread], *picked[self.spread + 1 :])

    def rows(self, fetched: list[Row]) -> list[Row]:
        """Return the driver's rows in the types of the statement's columns."""
        if self.readers is None:
            return fetched
        return [
            tuple(value if read is None else read(value) for read, value in zip(self.readers, row, strict=True))
            for row in fetched
        ]


class Statement:
    """One select, insert, update or delete; columns name what an insert or update without ``values()`` sets.

    keys: how many values the list named KEYS has, where the clause has one. The list is spelt out as text, because Core
    takes 10 ms to compile a thousand parameters. It needs a driver that takes parameters by position: SQLite's does,
    PostgreSQL's takes them by name, so there a list has to become one array first.
    """

    __slots__ = ("_clause", "_columns", "_keys", "_plans")

    def __init__(self, clause: Executable, columns: Sequence[str] = (), *, keys: int = 0) -> None:
        self._clause = clause
        self._columns = tuple(columns)
        self._keys = keys
        self._plans: dict[str, _Plan] = {}

    def run(self, connection: Connection, **values: Any) -> int:  # noqa: ANN401 of the columns' types
        """Execute and return the number of rows it touched."""
        plan = self._plan(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, plan.parameters(values))
        except Exception as error:
            raise translated(error, connection.dialect, plan.sql) from error
        return cursor.rowcount

    def first(self, connection: Connection, **values: Any) -> Row | None:  # noqa: ANN401 of the columns' types
        """Execute and return the first row, or None."""
        plan = self._plan(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, plan.parameters(values))
            row = cast("Row | None", cursor.fetchone())
            cursor.close()
        except Exception as error:
            raise translated(error, connection.dialect, plan.sql) from error
        return row if row is None or plan.readers is None else plan.rows([row])[0]

    def all(self, connection: Connection, **values: Any) -> list[Row]:  # noqa: ANN401 of the columns' types
        """Execute and return every row."""
        plan = self._plan(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(plan.sql, plan.parameters(values))
            return plan.rows(cast("list[Row]", cursor.fetchall()))
        except Exception as error:
            raise translated(error, connection.dialect, plan.sql) from error

    def many(self, connection: Connection, names: Sequence[str], rows: Sequence[Row]) -> int:
        """Execute once per row of values given in the order of names; return the number of rows touched."""
        plan = self._plan(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(plan.sql, _arranged(plan, tuple(names), rows))
        except Exception as error:
            raise translated(error, connection.dialect, plan.sql) from error
        return cursor.rowcount

    def together(self, connection: Connection, names: Sequence[str], rows: Sequence[Row], blobs: Sequence[int]) -> int:
        """Insert rows of values given in the order of names, many with each step; return the number of rows.

        blobs: places of values that are bytes in every row; the driver takes a bytearray at once and asks three
        dictionaries about bytes. A row that fails leaves those before it, until its write is undone.
        """
        plan = self._plan(connection.dialect)
        if plan.binders or plan.constants or tuple(names) != plan.names:
            return self.many(connection, names, rows)
        cursor = connection.connection.cursor()
        width, done, start = len(plan.names), 0, 0
        try:
            for size in _TOGETHER:
                sql = plan.sql + f", ({', '.join('?' * width)})" * (size - 1)
                while len(rows) - start >= size:
                    flat = list(chain.from_iterable(rows[start : start + size]))
                    for place in blobs:
                        flat[place::width] = map(_as_bytearray, flat[place::width])
                    cursor.execute(sql, flat)
                    done += cursor.rowcount
                    start += size
        except Exception as error:
            raise translated(error, connection.dialect, plan.sql) from error
        return done + (self.many(connection, names, rows[start:]) if start < len(rows) else 0)

    def _plan(self, dialect: Dialect) -> _Plan:
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = _compiled(self._clause, self._columns, dialect, self._keys)
        return plan


def bulk_insert(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    on_conflict: OnConflict = "fail",
) -> int:
    """Insert rows of values given in the order of columns, inside a write.

    on_conflict: "ignore" keeps a row whose primary key is there, "replace" sets the other named columns of it.
    """
    names = tuple(columns)
    statement = _insertion(table, names, on_conflict, connection.dialect.name)
    if on_conflict != "fail" or connection.dialect.name != "sqlite" or len(rows) < _TOGETHER[-1]:
        return statement.many(connection, names, rows)
    blobs = [place for place, name in enumerate(names) if _is_filled_blob(table.c[name])]
    return statement.together(connection, names, rows, blobs)


def _is_filled_blob(column: Column[Any]) -> bool:
    return isinstance(column.type, LargeBinary) and not column.nullable


def translated(error: Exception, dialect: Dialect, sql: str = "") -> Exception:
    """Return SQLAlchemy's exception for a driver's one (without parameters), any other as it is."""
    driver = dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        return error
    return cast(
        "Exception",
        DBAPIError.instance(
            sql,
            None,
            error,
            cast("type[Exception]", driver.Error),
            hide_parameters=True,
            dialect=dialect,
        ),
    )


@lru_cache(maxsize=512)
def _insertion(table: Table, columns: tuple[str, ...], on_conflict: OnConflict, dialect_name: str) -> Statement:
    if on_conflict == "fail":
        # OR FAIL: without it SQLite keeps a copy of every page a statement of several rows touches.
        return Statement(sqlalchemy.insert(table).prefix_with("OR FAIL", dialect="sqlite"), columns)
    insert = _upsert(dialect_name)(table)
    keys = [column.name for column in table.primary_key]
    rest = {name: insert.excluded[name] for name in columns if name not in keys}
    if on_conflict == "ignore" or not rest:
        return Statement(insert.on_conflict_do_nothing(index_elements=keys), columns)
    return Statement(insert.on_conflict_do_update(index_elements=keys, set_=rest), columns)


def _upsert(dialect_name: str) -> Callable[[Table], Any]:
    if dialect_name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite  # noqa: PLC0415 only the dialect in use

        return insert_sqlite
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql  # noqa: PLC0415 only the dialect in use

    return insert_postgresql


def _compiled(clause: Executable, columns: tuple[str, ...], dialect: Dialect, keys: int) -> _Plan:
    compiled = clause.compile(dialect=dialect, column_keys=list(columns) or None)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 narrows the type: every Core statement compiles to this
    lists = {bind.key for bind in compiled.post_compile_params}
    if lists != ({KEYS} if keys else set()) or compiled.insert_prefetch or compiled.update_prefetch:
        message = "got a list in IN or a column default made in Python, expected a statement without them"
        raise TypeError(message)
    names = tuple(compiled.positiontup or compiled.bind_names.values())
    binds = {name: compiled.binds[name] for name in names}
    constants = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    binders = {name: binder for name, bind in binds.items() if (binder := _binder(bind.type, dialect)) is not None}
    for name, binder in binders.items():
        if name in constants:
            constants[name] = binder(constants[name])
    sql = str(compiled)
    if keys:
        assert compiled.positional  # noqa: S101 SQLite's parameters are
        sql = sql.replace(f"(__[POSTCOMPILE_{KEYS}])", f"({', '.join('?' * keys)})")
    return _Plan(
        sql=sql,
        names=names,
        positional=compiled.positional,
        constants=constants,
        required=len(binds) - len(constants),
        binders=binders,
        readers=_readers(clause, dialect),
        pick=_picker(names),
        spread=names.index(KEYS) if keys else -1,
    )


def _readers(clause: Executable, dialect: Dialect) -> tuple[_Processor | None, ...] | None:
    columns = getattr(clause, "exported_columns", None)
    if columns is None:
        return None
    readers = tuple(_reader(column.type, dialect) for column in columns)
    return readers if any(readers) else None


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    """Return how values of a type are given to the driver; bytes go as they are (Core wraps each in a view)."""
    return None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    return None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple(values[name] for name in names)


def _arranged(plan: _Plan, names: tuple[str, ...], rows: Sequence[Row]) -> Sequence[Any]:
    if plan.positional and not plan.binders:
        if names == plan.names:
            return rows
        given, constants = (*names, *plan.constants), tuple(plan.constants.values())
        if len(plan.names) > 1 and set(given) == set(plan.names) and len(set(given)) == len(given):
            arrange = itemgetter(*map(given.index, plan.names))
            return [arrange(row + constants) for row in rows]
    return [plan.parameters(dict(zip(names, row, strict=True))) for row in rows]
