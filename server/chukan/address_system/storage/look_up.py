# SPDX-License-Identifier: Apache-2.0
"""Many keys in one look-up, compiled once: ``IN`` lists of a few sizes, the last filled up with its last key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam

from chukan.durable.statements import Row, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection, Select

__all__ = ["LookUp"]

_SIZES: Final = (1, 16, 128, 1_024)


class LookUp:
    """The rows of a select whose key is one of many; further parameters are passed by name."""

    def __init__(self, select: Select[Any], key: ColumnElement[Any]) -> None:
        self._statements = {
            size: Statement(select.where(key.in_([bindparam(name) for name in _names(size)]))) for size in _SIZES
        }

    def rows(self, connection: Connection, keys: Iterable[Any], **values: Any) -> Iterator[Row]:  # noqa: ANN401
        """Yield the rows of these keys, in no order."""
        wanted = list(dict.fromkeys(keys))
        start = 0
        while start < len(wanted):
            left = len(wanted) - start
            size = next((size for size in _SIZES if size >= left), _SIZES[-1])
            part = wanted[start : start + size]
            start += size
            filled = part + part[-1:] * (size - len(part))
            yield from self._statements[size].all(connection, **values, **dict(zip(_names(size), filled, strict=True)))


def _names(size: int) -> list[str]:
    return _NAMES[:size]


_NAMES: Final = [f"key_{place}" for place in range(_SIZES[-1])]
