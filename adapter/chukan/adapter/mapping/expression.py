# SPDX-License-Identifier: Apache-2.0
"""One value of a record as a mapping file says it: a column through transforms and a code table, or a constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.mapping.transforms import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.adapter.mapping.transforms import Transform

__all__ = ["Column", "Expression"]

_KNOWN_LIMIT: Final = 10_000
_ANY: Final = "*"


class Column(NamedTuple):
    """A whole column of values; refused rows are named with the rule and hold the empty string."""

    values: Sequence[str]
    refused: Sequence[tuple[int, str]] = ()


class Expression:
    """Makes a column of values from the columns of a file. A table's ``*`` takes what the table does not name."""

    def __init__(
        self,
        *,
        column: str = "",
        constant: str = "",
        transforms: Sequence[Transform] = (),
        table: Mapping[str, str] | None = None,
    ) -> None:
        self.column = column
        self.constant = constant
        self._transforms = tuple(transforms)
        self._table = table
        self._known = _Known(self)

    @property
    def results(self) -> frozenset[str] | None:
        """The values that can come out, None where that is not known beforehand."""
        if not self.column:
            return frozenset({self.constant})
        return None if self._table is None else frozenset(self._table.values())

    def apply(self, cells: Mapping[str, Sequence[str]], rows: int) -> Column:
        """Return the column; cells are the file's columns by name."""
        if not self.column:
            return Column((self.constant,) * rows)
        given = cells[self.column]
        if self._table is None and all(each.unchanged(given) for each in self._transforms):
            return Column(given)
        known = self._known
        if len(known) > _KNOWN_LIMIT:
            known.clear()
            known.refused.clear()
        values = list(map(known.__getitem__, given))
        if not known.refused:
            return Column(values)
        return Column(values, [(row, known.refused[cell]) for row, cell in enumerate(given) if cell in known.refused])

    def one(self, cell: str) -> str:
        """Return what becomes of one value; Refused names the rule."""
        for each in self._transforms:
            if not cell:
                return ""
            cell = each.one(cell)
        if self._table is None or not cell:
            return cell
        found = self._table.get(cell, self._table.get(_ANY))
        if found is None:
            raise Refused("values")
        return found


class _Known(dict[str, str]):
    """Values met before: a cache of a pure function."""

    def __init__(self, expression: Expression) -> None:
        super().__init__()
        self._expression = expression
        self.refused: dict[str, str] = {}

    def __missing__(self, cell: str) -> str:
        try:
            value = self._expression.one(cell)
        except Refused as refused:
            self.refused[cell] = refused.rule
            value = ""
        self[cell] = value
        return value
