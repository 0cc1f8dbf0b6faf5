# SPDX-License-Identifier: Apache-2.0
"""What the demo checks, and what is off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["Verdict"]


@dataclass(slots=True)
class Verdict:
    """Every check made; `off` are those that failed."""

    session: Session
    checks: list[tuple[bool, str, str]] = field(default_factory=list)

    def check(self, holds: bool, en: str, ja: str) -> bool:  # it is what is checked
        """Note a check and show it."""
        self.checks.append((holds, en, ja))
        mark = "✓" if holds else "✗"
        self.session.say(f"   {mark} {en}", f"   {mark} {ja}")
        return holds

    def equal(self, got: object, expected: object, en: str, ja: str) -> bool:
        """Note that two figures are the same."""
        if got == expected:
            return self.check(True, f"{en}: {_shown(got)}", f"{ja}: {_shown(got)}")
        return self.check(
            False,
            f"{en}: got {_shown(got)}, expected {_shown(expected)}",
            f"{ja}: 結果 {_shown(got)}、期待 {_shown(expected)}",
        )

    @property
    def off(self) -> list[tuple[str, str]]:
        """What failed."""
        return [(en, ja) for holds, en, ja in self.checks if not holds]

    def document(self) -> list[dict[str, Any]]:
        """Return the checks for machines."""
        return [{"holds": holds, "check": en, "check_ja": ja} for holds, en, ja in self.checks]


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
