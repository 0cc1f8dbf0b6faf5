# SPDX-License-Identifier: Apache-2.0
"""What the inquiry file must be answered, worked out from the extracts alone.

Not through the product: the rows of the files are joined by individual number, which only a demo on dummy people may.
The result file is read by the columns of its profile, as a business system would.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.people.columns import LOCAL_TAX, RESIDENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["NIL", "NONE", "VALUES", "ZERO", "Answer", "answers_in", "counted", "expected_answers"]

VALUES: Final = "values"
ZERO: Final = "zero"
NIL: Final = "nil"
NONE: Final = "no replica"
_UNDECLARED: Final = "01"

_LOCAL_NUMBER_FIELD: Final = 1
_PERIOD_FIELD: Final = 16

_FLAT_ITEM: Final = "TK90002010000004"
_INCOME_ITEM: Final = "TK90002010000003"
_INFORMATION: Final = "TM00000000000002"
_VALUES_ANSWER: Final = "1"
_NO_REPLICA_ANSWER: Final = "2"


class Answer(NamedTuple):
    """One person's answer: its kind (one of four that staff tell apart) and two amounts, 均等割額 and 所得割額."""

    kind: str
    flat: str = ""
    by_income: str = ""


def counted(answers: Mapping[str, Answer]) -> dict[str, int]:
    """Return how many there are of each kind."""
    found = Counter(answer.kind for answer in answers.values())
    return {kind: found[kind] for kind in (VALUES, ZERO, NIL, NONE)}


def expected_answers(*, inquiries: Iterable[Path], inquirer: Path, provider: Path) -> dict[str, Answer]:
    """Return the answer to each row, by the inquirer's local address number. Folders of generated people."""
    asked = {row[_LOCAL_NUMBER_FIELD]: row[_PERIOD_FIELD][:4] for path in inquiries for row in _rows(path, "ascii")}
    numbers = _joined(inquirer, key="宛名番号", wanted=asked.keys(), value="個人番号")
    there = _joined(provider, key="個人番号", wanted=set(numbers.values()), value="宛名番号")
    taxes = _taxes(provider, wanted=set(there.values()))
    return {
        local: taxes.get((there.get(numbers.get(local, ""), ""), year), Answer(NONE)) for local, year in asked.items()
    }


def _taxes(folder: Path, *, wanted: set[str]) -> dict[tuple[str, str], Answer]:
    columns = {name: LOCAL_TAX.index(name) for name in ("宛名番号", "年度", "均等割額", "所得割額", "未申告区分")}
    found: dict[tuple[str, str], Answer] = {}
    for row in _extract(folder, "extracts/local_tax.csv"):
        number, year, flat, by_income, undeclared = (row[place] for place in columns.values())
        if number in wanted:
            zero = flat == "0" and by_income == "0"
            answer = Answer(ZERO if zero else VALUES, flat, by_income)
            found[number, year] = Answer(NIL) if undeclared == "1" else answer
    return found


def _joined(folder: Path, *, key: str, wanted: Iterable[str], value: str) -> dict[str, str]:
    keys, key_column, value_column = set(wanted), RESIDENTS.index(key), RESIDENTS.index(value)
    rows = _extract(folder, "residents.csv")
    return {row[key_column]: row[value_column] for row in rows if row[key_column] in keys}


def _extract(folder: Path, name: str) -> Iterator[list[str]]:
    """Yield the rows of an extract without its header."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    rows = _rows(folder / name, manifest["files"][name]["encoding"])
    next(rows)
    return rows


def _rows(path: Path, encoding: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.reader(file)


def answers_in(result: Path) -> dict[str, Answer]:
    """Read a result file: its answers by local address number."""
    from chukan.adapter.exchange.result_profile import result_profile

    profile = result_profile("2024")
    places, columns = profile.item_places(_INFORMATION), profile.columns
    flat, by_income = places[_FLAT_ITEM], places[_INCOME_ITEM]
    answers = {}
    for row in _rows(result, profile.encoding):
        kind = row[columns["answer_kind"]]
        answer = Answer(f"refused: {row[columns['reason']]}")
        if kind == _NO_REPLICA_ANSWER:
            answer = Answer(NONE)
        elif kind == _VALUES_ANSWER:
            undeclared = row[flat + 1] == _UNDECLARED and row[by_income + 1] == _UNDECLARED
            zero = row[flat] == "0" and row[by_income] == "0"
            answer = Answer(NIL) if undeclared else Answer(ZERO if zero else VALUES, row[flat], row[by_income])
        answers[row[columns["request"] + _LOCAL_NUMBER_FIELD]] = answer
    return answers
