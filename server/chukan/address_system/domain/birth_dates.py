# SPDX-License-Identifier: Apache-2.0
"""Birth dates that can be the same day, as they are looked up: unknown parts are 00 (docs/divergences "Dates").

Every date lies under its own key, all dates without a year under one, and all that are blank (法人) under another. A
date whose month or day is not known is looked up under every day it can be: few rows have one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from chukan.address_system.domain.attributes import is_year_known

__all__ = ["YEAR_UNKNOWN", "birth_forms", "birth_key_text"]

YEAR_UNKNOWN: Final = "00000000"
_UNKNOWN: Final = "00"
_MONTHS: Final = tuple(f"{month:02d}" for month in range(1, 13))
_DAYS: Final = tuple(f"{day:02d}" for day in range(1, 32))


def birth_key_text(birth_date: str) -> str:
    """Return what the key of a birth date is made of."""
    return birth_date if is_year_known(birth_date) or not birth_date else YEAR_UNKNOWN


@lru_cache(maxsize=1 << 16)
def birth_forms(birth_date: str) -> tuple[str, ...]:
    """Return the texts of keys under which the same day may lie, its own first."""
    own = birth_key_text(birth_date)
    if own in {"", YEAR_UNKNOWN}:
        return (own,)
    year, month, day = own[:4], own[4:6], own[6:]
    months = _MONTHS if month == _UNKNOWN else (month,)
    days = _DAYS if _UNKNOWN in {day, month} else (day,)
    forms = {own: None, f"{year}{_UNKNOWN}{_UNKNOWN}": None, YEAR_UNKNOWN: None}
    for each in months:
        forms |= dict.fromkeys((f"{year}{each}{_UNKNOWN}", *(f"{year}{each}{one}" for one in days)))
    return tuple(forms)
