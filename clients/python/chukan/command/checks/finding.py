# SPDX-License-Identifier: Apache-2.0
"""One thing looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chukan.command.language import Text

__all__ = ["Finding", "Level", "ok", "problem", "skipped", "warning"]


class Level(StrEnum):
    """How bad it is. Only a problem makes the exit code 1."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """check: what was looked at. todo: what to do; None where nothing is."""

    check: str
    level: Level
    says: Text
    todo: Text | None = None

    def document(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "check": self.check,
            "level": self.level.value,
            "message": self.says.en,
            "message_ja": self.says.ja,
            "action": self.todo.en if self.todo else "",
            "action_ja": self.todo.ja if self.todo else "",
        }


def ok(check: str, en: str, ja: str) -> Finding:
    """As it should be."""
    return Finding(check, Level.OK, Text(en, ja))


def skipped(check: str, en: str, ja: str) -> Finding:
    """Not looked at, and why."""
    return Finding(check, Level.SKIPPED, Text(en, ja))


def warning(check: str, says: Text, todo: Text) -> Finding:
    """Works now, and may not later."""
    return Finding(check, Level.WARNING, says, todo)


def problem(check: str, says: Text, todo: Text) -> Finding:
    """Doesn't work."""
    return Finding(check, Level.PROBLEM, says, todo)
