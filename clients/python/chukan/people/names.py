# SPDX-License-Identifier: Apache-2.0
"""Name tables: kanji and kana that belong together, read once.

Sources: Faker's ja_JP pairs (its raw tables; Faker itself is never called) and the CSV files beside this module.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chukan.people import codes

if TYPE_CHECKING:
    from chukan.people.draw import Draw

_DATA: Final = Path(__file__).parent / "data"
_ELDER_UNTIL: Final = 1961
_MIDDLE_UNTIL: Final = 1995
_SPACE: Final = "\u3000"

Pair = tuple[str, str]
"""(kanji, kana)."""


@dataclass(frozen=True, slots=True)
class ForeignName:
    """A part of a foreign resident's name; kanji is empty where the name has none."""

    name: str
    kana: str
    kanji: str


@dataclass(frozen=True, slots=True)
class ForeignNames:
    """The parts of one country's names."""

    families: tuple[ForeignName, ...]
    given: dict[str, tuple[ForeignName, ...]]


@dataclass(frozen=True, slots=True)
class NameTables:
    """All names people are drawn from."""

    surnames: tuple[Pair, ...]
    external: tuple[Pair, ...]
    """Surnames with 外字: characters outside JIS X 0208."""
    variation: tuple[Pair, ...]
    """Surnames with an ideographic variation sequence (異体字)."""
    given: dict[tuple[str, str], tuple[Pair, ...]]
    foreign: tuple[ForeignNames, ...]
    long: ForeignNames

    def given_name(self, draw: Draw, *, sex: str, birth_year: int) -> Pair:
        """Return a given name of the sex and, roughly, of the generation."""
        return draw.pick(self.given[sex, _generation(birth_year)])


def full_name(surname: Pair, given: Pair) -> Pair:
    """Kanji and kana of the whole name, parts joined by a full-width space."""
    return surname[0] + _SPACE + given[0], surname[1] + _SPACE + given[1]


def foreign_full_name(family: ForeignName, given: ForeignName, *, kanji: bool) -> Pair:
    """Return a foreign resident's name as the register writes it: in kanji where there are some, else in capitals."""
    kana = f"{family.kana} {given.kana}".replace(" ", _SPACE)
    if kanji and family.kanji and given.kanji:
        return family.kanji + _SPACE + given.kanji, kana
    return f"{family.name} {given.name}", kana


@cache
def name_tables() -> NameTables:
    """Read the tables; Faker is imported only here."""
    from faker.providers.person.ja_JP import Provider  # noqa: PLC0415 - a heavy import only generation needs

    own = _read("surnames.csv")
    plain = [(kanji, kana) for kanji, kana, _ in Provider.last_name_pairs]
    plain += [(row["kanji"], row["kana"]) for row in own if row["kind"] == "plain"]
    odd = [(row["kanji"], row["kana"]) for row in own if row["kind"] == "gaiji"]
    given: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    for sex, pairs in ((codes.MALE, Provider.first_name_male_pairs), (codes.FEMALE, Provider.first_name_female_pairs)):
        given[sex, "middle"] += [(kanji, kana) for kanji, kana, _ in pairs]
    for row in _read("given_names.csv"):
        given[row["sex"], row["generation"]].append((row["kanji"], row["kana"]))
    foreign = _foreign_names()
    return NameTables(
        surnames=tuple(dict.fromkeys(plain)),
        external=tuple(pair for pair in odd if not has_variation(pair[0])),
        variation=tuple(pair for pair in odd if has_variation(pair[0])),
        given={key: tuple(dict.fromkeys(pairs)) for key, pairs in given.items()},
        foreign=tuple(names for country, names in foreign.items() if country != "long"),
        long=foreign["long"],
    )


def has_variation(text: str) -> bool:
    """Whether text holds a variation selector (IVS)."""
    return any("\U000e0100" <= character <= "\U000e01ef" for character in text)


def _generation(birth_year: int) -> str:
    if birth_year <= _ELDER_UNTIL:
        return "elder"
    return "middle" if birth_year <= _MIDDLE_UNTIL else "younger"


def _foreign_names() -> dict[str, ForeignNames]:
    families: defaultdict[str, list[ForeignName]] = defaultdict(list)
    given: defaultdict[str, dict[str, list[ForeignName]]] = defaultdict(lambda: {codes.MALE: [], codes.FEMALE: []})
    for row in _read("foreign_names.csv"):
        part = ForeignName(row["name"], row["kana"], row["kanji"])
        if row["part"] == "family":
            families[row["nationality"]].append(part)
        else:
            given[row["nationality"]][row["sex"]].append(part)
    return {
        country: ForeignNames(tuple(parts), {sex: tuple(names) for sex, names in given[country].items()})
        for country, parts in families.items()
    }


def _read(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
