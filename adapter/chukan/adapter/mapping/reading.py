# SPDX-License-Identifier: Apache-2.0
"""Reads a mapping file: every fault is a sentence that names file and key."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.mapping.expression import Expression
from chukan.adapter.mapping.transforms import transform
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["EXPRESSION_KEYS", "Source", "shipped_and_own"]

EXPRESSION_KEYS: Final = frozenset({"column", "constant", "transforms", "table", "empty"})


class Source:
    """A table of a mapping file, which knows where it stands."""

    def __init__(self, file: str, path: str, table: Mapping[str, Any], fingerprint: bytes) -> None:
        self.file = file
        self.fingerprint = fingerprint
        self._path = path
        self._table = table

    def fault(self, key: str, sentence: str) -> ChukanError:
        """Return the error to raise about a key."""
        where = f"{self._path}.{key}" if self._path and key else key or self._path
        return ChukanError("MAPPING_INVALID", params={"file": self.file, "key": where, "rule": sentence})

    def keys(self) -> tuple[str, ...]:
        """Return the keys that are there."""
        return tuple(self._table)

    def only(self, *allowed: str) -> None:
        """Refuse keys that mean nothing here."""
        for key in self._table:
            if key not in allowed:
                raise self.fault(key, f"got an unknown key, expected one of {', '.join(allowed)}")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without default it must be there."""
        value = self._table.get(key, default)
        if not isinstance(value, str):
            raise self.fault(key, "got nothing, expected a text" if value is None else "expected a text")
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or (required and not value):
            raise self.fault(key, "expected a list of texts")
        return tuple(value)

    def table(self, key: str) -> Source:
        """Return a table below this one; an absent one is empty."""
        value = self._table.get(key, {})
        if not isinstance(value, dict):
            raise self.fault(key, "expected a table")
        return self._below(key, value)

    def tables(self, key: str) -> list[Source]:
        """Return a list of tables below this one."""
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.fault(key, "expected a list of tables")
        return [self._below(f"{key}[{index}]", each) for index, each in enumerate(value)]

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._table

    def expression(self, key: str) -> Expression:
        """Return an expression: a column's name, or a table of column or constant, transforms and code table."""
        value = self._table.get(key)
        if isinstance(value, str) and value:
            return Expression(column=value)
        if not isinstance(value, dict):
            raise self.fault(key, "expected a column name or a table with column or constant")
        below = self._below(key, value)
        below.only(*sorted(EXPRESSION_KEYS))
        column, constant = below.text("column", ""), below.text("constant", "")
        if bool(column) == bool(constant):
            raise self.fault(key, "expected either column or constant")
        if constant and (below.has("transforms") or below.has("table")):
            raise self.fault(key, "a constant takes neither transforms nor table")
        steps = []
        for written in below.texts("transforms"):
            try:
                steps.append(transform(written))
            except ValueError as error:
                raise below.fault("transforms", str(error)) from None
        codes = {code: below.table("table").text(code) for code in below.table("table").keys()} or None  # noqa: SIM118
        return Expression(column=column, constant=constant, transforms=steps, table=codes)

    def empty_of(self, key: str) -> str:
        """Return what an expression says of an empty value: "" (absent) or a nil reason's code."""
        value = self._table.get(key)
        return self._below(key, value).text("empty", "") if isinstance(value, dict) else ""

    def _below(self, key: str, table: Mapping[str, Any]) -> Source:
        return Source(self.file, f"{self._path}.{key}" if self._path else key, table, self.fingerprint)


def shipped_and_own(folder: Path | None) -> Iterator[Source]:
    """Yield the shipped mapping files and those of a folder; of two with one name the folder's is taken.

    Errors: MAPPING_INVALID for a file that is no TOML, FILE_NOT_FOUND for a folder that is not there.
    """
    found = {
        each.name: each.read_bytes()
        for each in files("chukan.adapter.mapping").joinpath("data").iterdir()
        if each.name.endswith(".toml")
    }
    if folder is not None:
        if not folder.is_dir():
            raise ChukanError("FILE_NOT_FOUND", params={"file": folder.name})
        found |= {each.name: each.read_bytes() for each in folder.glob("*.toml")}
    for name in sorted(found):
        data = found[name]
        try:
            table = tomllib.loads(data.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            sentence = f"expected TOML in UTF-8: {error}"
            raise ChukanError("MAPPING_INVALID", params={"file": name, "key": "", "rule": sentence}) from None
        yield Source(name, "", table, hashlib.blake2b(data, digest_size=16).digest())
