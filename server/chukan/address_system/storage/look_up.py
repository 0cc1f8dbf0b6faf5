# SPDX-License-Identifier: Apache-2.0
"""Many keys in one look-up, compiled once: ``IN`` lists of a few sizes, the last filled up with its last key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam

from chukan.durable.statements import KEYS, Row, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import BindParameter, ColumnElement, Connection

__all__ = ["LookUp"]

_SIZES: Final = (1, 16, 128, 1_024)
_KEYS: Final[BindParameter[Any]] = bindparam(KEYS, expanding=True)


class LookUp:
    """The rows of an organization whose key is one of many.

    The organization is compared here and not in SQL: SQLite would rather go through all rows of an organization than
    look a thousand keys up.
    """

    def __init__(
        self,
        organization: ColumnElement[str],
        key: ColumnElement[Any],
        *columns: ColumnElement[Any],
        where: ColumnElement[bool] | None = None,
    ) -> None:
        """Select the columns by the key, of rows that meet a condition."""
        self._key = key
        self._select = sqlalchemy.select(organization, *columns)
        self._where = where
        self._statements: dict[int, Statement] = {}

    def statement(self, size: int) -> Statement:
        """Return the look-up of so many keys; made when it is first needed."""
        found = self._statements.get(size)
        if found is None:
            select = self._select.where(self._key.in_(_KEYS))
            found = Statement(select if self._where is None else select.where(self._where), keys=size)
            self._statements[size] = found
        return found

    def rows(self, connection: Connection, organization: str, keys: Iterable[Any]) -> Iterator[Row]:
        """Yield the rows of these keys, in no order."""
        wanted = list(dict.fromkeys(keys))
        if wanted and isinstance(wanted[0], bytes):
            wanted = list(map(bytearray, wanted))  # which the driver takes at once
        start = 0
        while start < len(wanted):
            left = len(wanted) - start
            size = next((size for size in _SIZES if size >= left), _SIZES[-1])
            part = wanted[start : start + size]
            start += size
            filled = part + part[-1:] * (size - len(part))
            for row in self.statement(size).all(connection, keys=filled):
                if row[0] == organization:
                    yield row[1:]
