# SPDX-License-Identifier: Apache-2.0
"""Individual numbers (個人番号) in fields that are meant for other ids.

A 12-digit field with a valid check digit is refused by its shape. A longer one is refused if it is a held number filled
with zeros on the left: shape alone would refuse every tenth good number (docs/divergences "Individual numbers").
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from chukan.standard.individual_numbers import has_check_digit
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.address_system.environment import Environment
    from chukan.durable import Connection

__all__ = ["disguised", "refuse_individual_number", "rows_with_individual_numbers"]

_DIGITS: Final = 12


def disguised(text: str) -> str:
    """Return the individual number a field may be, zero-filled or in full-width digits; empty if it can't be one."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if len(plain) < _DIGITS:
        return ""
    plain = plain.strip()
    number = plain[-_DIGITS:]
    if plain[:-_DIGITS].strip("0") or len(number) < _DIGITS or not (number.isascii() and number.isdigit()):
        return ""
    return number if has_check_digit(int(number)) else ""


def rows_with_individual_numbers(
    environment: Environment,
    connection: Connection,
    organization: str,
    texts: Sequence[str],
    also: Sequence[str] = (),
) -> list[int]:
    """Return the rows of an id column that hold an individual number; also: numbers of the same batch."""
    suspects = {row: number for row, text in enumerate(texts) if text and (number := disguised(text))}
    if not suspects:
        return []
    people = environment.stores.people
    digests = dict(zip(suspects, people.individual_digests(organization, suspects.values()), strict=True))
    held = people.by_individual(connection, organization, digests.values())
    given = set(also) - {""}
    return [
        row for row, number in suspects.items() if len(texts[row]) == _DIGITS or number in given or digests[row] in held
    ]


def refuse_individual_number(environment: Environment, organization: str, text: str, *, field: str) -> None:
    """Refuse an id that is an individual number."""
    with environment.database.read() as connection:
        if rows_with_individual_numbers(environment, connection, organization, [text]):
            raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field=field)
