# SPDX-License-Identifier: Apache-2.0
"""In which language the command speaks: `--lang`, or the language of the environment."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Language", "Text", "language_of"]


class Language(StrEnum):
    """What `--lang` takes."""

    JA = "ja"
    EN = "en"
    BOTH = "both"


class Text(NamedTuple):
    """One sentence or word in both languages."""

    en: str
    ja: str

    def lines(self, language: Language) -> list[str]:
        """Return it as one line, or two."""
        both = list(dict.fromkeys(self))
        return {Language.EN: [self.en], Language.JA: [self.ja], Language.BOTH: both}[language]

    def word(self, language: Language) -> str:
        """Return it on one line."""
        return " / ".join(self.lines(language))


def language_of(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the language of messages the environment asks for: Japanese where it says so, English otherwise."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return Language.JA if value.startswith("ja") else Language.EN
    return Language.EN
