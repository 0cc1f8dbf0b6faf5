# SPDX-License-Identifier: Apache-2.0
"""Why the kit can't judge: a sentence in both languages and the exit code; never a verdict about the target."""

from __future__ import annotations

from typing import Final

__all__ = ["FAILED", "NOT_REACHABLE", "PASSED", "UNUSABLE", "KitError"]

PASSED: Final = 0
FAILED: Final = 1
UNUSABLE: Final = 2
NOT_REACHABLE: Final = 3


class KitError(Exception):
    """Something beside the target's behaviour is wrong: profile, cases, known failures, or nobody answers."""

    def __init__(self, english: str, japanese: str, *, code: int = UNUSABLE) -> None:
        super().__init__(english)
        self.english = english
        self.japanese = japanese
        self.code = code
