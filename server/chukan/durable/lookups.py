# SPDX-License-Identifier: Apache-2.0
"""Selects of many keys at once, close to the driver: `Statement` for IN lists.

Core expands an IN list anew at every execution (5 ms for 1,000 keys); here the list has one of a few fixed lengths,
each compiled once, filled up by repeating its last key, and longer ones are read in pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam

from chukan.durable.statements import KEYS, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import BindParameter, ColumnElement, Connection, Select

    from chukan.durable.statements import Row

__all__ = ["Lookup"]

_LENGTHS: Final = (1, 16, 128, 1_000)
_KEYS: Final[BindParameter[Any]] = bindparam(KEYS, expanding=True)


class Lookup:
    """A select restricted to keys of one column; its own parameters are bound by name as in `Statement`."""

    __slots__ = ("_column", "_select", "_statements")

    def __init__(self, select: Select[Any], column: ColumnElement[Any]) -> None:
        self._select = select
        self._column = column
        self._statements: dict[int, Statement] = {}

    def all(self, connection: Connection, keys: Sequence[Any], **values: Any) -> list[Row]:  # noqa: ANN401 as in Statement
        """Return the rows of these keys, in no order across pieces of 1,000."""
        rows: list[Row] = []
        if keys and isinstance(keys[0], bytes):
            keys = list(map(bytearray, keys))  # the driver asks three dictionaries about bytes, none about a bytearray
        for start in range(0, len(keys), _LENGTHS[-1]):
            piece = keys[start : start + _LENGTHS[-1]]
            length = next(length for length in _LENGTHS if length >= len(piece))
            filled = [*piece, *[piece[-1]] * (length - len(piece))]
            rows += self._statement(length).all(connection, keys=filled, **values)
        return rows

    def _statement(self, length: int) -> Statement:
        found = self._statements.get(length)
        if found is None:
            clause = self._select.where(self._column.in_(_KEYS))
            found = self._statements[length] = Statement(clause, keys=length)
        return found
