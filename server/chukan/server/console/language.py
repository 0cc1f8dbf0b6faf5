# SPDX-License-Identifier: Apache-2.0
"""Japanese or English: the first part of every page's address; where it is missing, what the browser prefers."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Language", "Text", "preferred"]


class Language(StrEnum):
    """Languages of the pages, as they stand in addresses and in `lang`."""

    JA = "ja"
    EN = "en"


class Text(NamedTuple):
    """One sentence or word in both languages."""

    en: str
    ja: str

    def in_(self, language: Language) -> str:
        """Return it in one language."""
        return self.ja if language is Language.JA else self.en


def preferred(accepted: str) -> Language:
    """Return what an Accept-Language header prefers; Japanese where it names neither."""
    best, language = 0.0, Language.JA
    for part in accepted.split(","):
        name, _, quality = part.strip().partition(";")
        found = next((each for each in Language if name.strip().lower().split("-")[0] == each), None)
        weight = _weight(quality)
        if found is not None and weight > best:
            best, language = weight, found
    return language


def _weight(quality: str) -> float:
    """Return the weight `q=0.8`, 1 where none is given, 0 for what is none."""
    text = quality.strip().removeprefix("q=")
    if not text:
        return 1.0
    try:
        return max(0.0, min(float(text), 1.0))
    except ValueError:
        return 0.0
