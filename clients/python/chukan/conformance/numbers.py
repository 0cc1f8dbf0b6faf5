# SPDX-License-Identifier: Apache-2.0
"""Dummy individual numbers (個人番号), made here on purpose: sharing the server's arithmetic would hide its mistakes.

Check digit by the order under 番号法 (total order of the Ministry no. 85 of 2014, art. 5): digits from the right times
2..7, 2..6, the remainder by 11.
"""

from __future__ import annotations

from operator import mul
from typing import Final

__all__ = ["dummy_individual_number"]

_PREFIX: Final = "999"
_WEIGHTS: Final = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ELEVEN: Final = 11


def dummy_individual_number(serial: int) -> str:
    """Return the dummy number of a serial of at most eight digits."""
    eleven = f"{_PREFIX}{serial:08d}"
    remainder = sum(map(mul, map(int, eleven), _WEIGHTS)) % _ELEVEN
    return eleven + ("0" if remainder <= 1 else str(_ELEVEN - remainder))
