# SPDX-License-Identifier: Apache-2.0
"""Names of the rules a value, a nil or a character can break, with their texts (``data/rules.toml``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from chukan.standard._data import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Rule", "all_rules", "rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its stable name, what it is about (value, nil, character) and its texts."""

    name: str
    group: str
    english: str
    japanese: str


def rule(name: str) -> Rule:
    """Return the rule with this name; a name outside the table is a mistake in the program."""
    try:
        return _table()[name]
    except KeyError:
        message = f"got rule {name}, expected one of data/rules.toml"
        raise LookupError(message) from None


def all_rules() -> tuple[Rule, ...]:
    """Return every rule in the order of the table."""
    return tuple(_table().values())


@cache
def _table() -> Mapping[str, Rule]:
    groups = read_toml("rules.toml").items()
    return MappingProxyType(
        {name: Rule(name, group, **texts) for group, rows in groups for name, texts in rows.items()}
    )
