# SPDX-License-Identifier: Apache-2.0
"""介護保険関係: insured people of 65 and more, and what hangs on them.

Data sets 0101 insured, 0102 住所地特例, 0201 certified need (parent 0101), 0202 copayment rate and 0300 benefits
(parent 0201), 0400 総合事業 (parent 0101). A parent's row stands before its children's.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from chukan.people import codes
from chukan.people.columns import LONG_TERM_CARE
from chukan.people.households import compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.people.draw import Draw
    from chukan.people.records import Household, Person

_INSURED_AGE: Final = 65
_NEED_SHARES: Final = ((75, 0.05), (85, 0.2), (200, 0.55))
_NEEDS: Final = (
    ("12", 5_032),
    ("13", 10_531),
    ("21", 16_765),
    ("22", 19_705),
    ("23", 27_048),
    ("24", 30_938),
    ("25", 36_217),
)
_RATES: Final = ("1",) * 8 + ("2", "3")
_SERVICES: Final = ("11", "15", "17", "21", "43", "51")
_PROGRAMMES: Final = ("A2", "A6")
_STAGES: Final = tuple(f"{stage:02d}" for stage in range(1, 14))
_LOST: Final = {codes.LEFT: "01", codes.DEAD: "02"}
_FACILITIES: Final = ("特別養護老人ホームあおぞら", "介護老人保健施設こもれび", "ケアハウスひなた")

Cells = dict[str, str]


class LongTermCare:
    """Writes the rows; in dense form everybody is insured and has no other row."""

    def __init__(self, draw: Draw, *, municipality: str, reference_date: date, dense: bool) -> None:
        self._draw = draw
        self._municipality = municipality
        self._reference_date = reference_date
        self._dense = dense
        self._serial = 0

    def rows(self, household: Household) -> Iterator[tuple[str, ...]]:
        """Return the rows of a household."""
        for person in household.members:
            if person.superseded:
                continue
            # who left or died before turning 65 was never insured here
            age = person.age_on(min(self._reference_date, person.closed_on or self._reference_date))
            if self._dense or age >= _INSURED_AGE:
                yield from (_row(person, cells) for cells in self._records(person, age))

    def _records(self, person: Person, age: int) -> Iterator[Cells]:
        draw = self._draw
        self._serial += 1
        insured = f"{self._serial:010d}"
        yield self._insured(person, insured)
        if self._dense:
            return
        share = next(share for limit, share in _NEED_SHARES if age < limit)
        if draw.chance(share):
            yield from self._certified(insured)
        elif draw.chance(0.03):
            day = draw.day(self._reference_date - timedelta(days=500), self._reference_date - timedelta(days=40))
            yield {
                "データセット": "0400",
                "レコードキー": f"4{self._serial:014d}",
                "親レコードキー": insured,
                "認定日": compact(day),
                "サービス提供年月": compact(day)[:6],
                "サービス種類コード": draw.pick(_PROGRAMMES),
                "保険給付額": str(draw.between(3, 30) * 1_000),
                "利用者負担額": str(draw.between(3, 30) * 100),
            }

    def _insured(self, person: Person, insured: str) -> Cells:
        draw = self._draw
        sixty_five = _birthday(person.born, _INSURED_AGE)
        by_move = person.resident_since > sixty_five or self._dense
        closed = person.closed_on
        return {
            "データセット": "0101",
            "レコードキー": insured,
            "被保険者番号": insured,
            "保険者番号": self._municipality,
            "被保険者区分": "1",
            "資格取得日": compact(person.resident_since if by_move else sixty_five - timedelta(days=1)),
            "資格取得事由": "02" if by_move else "01",
            "資格喪失日": compact(closed) if closed else "",
            "資格喪失事由": _LOST.get(person.state, "99") if closed else "",
            "保険料段階": "" if draw.chance(0.01) else draw.pick(_STAGES),
            "年間保険料額": str(draw.between(20, 160) * 1_000),
        }

    def _certified(self, insured: str) -> Iterator[Cells]:
        draw, today = self._draw, self._reference_date
        key = f"2{self._serial:014d}"
        asked = draw.day(today - timedelta(days=330), today - timedelta(days=60))
        need, limit = draw.early(_NEEDS)
        yield {
            "データセット": "0201",
            "レコードキー": key,
            "親レコードキー": insured,
            "申請日": compact(asked),
            "認定日": compact(asked + timedelta(days=draw.between(20, 40))),
            "要介護度": need,
            "有効期間開始日": compact(asked),
            "有効期間終了日": compact(asked + timedelta(days=730)),
            "支給限度基準額": str(limit),
            "給付制限区分": "1" if draw.chance(0.01) else "0",
        }
        year = today.year if today.month >= 8 else today.year - 1  # noqa: PLR2004 - rates run from August to July
        yield {
            "データセット": "0202",
            "レコードキー": f"3{self._serial:014d}",
            "親レコードキー": key,
            "有効期間開始日": f"{year}0801",
            "有効期間終了日": f"{year + 1}0731",
            "負担割合": draw.pick(_RATES),
        }
        if draw.chance(0.8):
            units = draw.between(limit // 4, limit)
            yield {
                "データセット": "0300",
                "レコードキー": f"5{self._serial:014d}",
                "親レコードキー": key,
                "サービス提供年月": compact(today.replace(day=1) - timedelta(days=40))[:6],
                "サービス種類コード": draw.pick(_SERVICES),
                "給付単位数": str(units),
                "保険給付額": str(units * 9),
                "利用者負担額": str(units),
            }
        if draw.chance(0.03):
            yield {
                "データセット": "0102",
                "レコードキー": insured,
                "親レコードキー": insured,
                "有効期間開始日": compact(asked),
                "施設名": draw.pick(_FACILITIES),
                "施設所在地市区町村コード": self._municipality,
            }


def _birthday(born: date, age: int) -> date:
    """Return the birthday of an age; 1 March for those born on 29 February."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def _row(person: Person, cells: Cells) -> tuple[str, ...]:
    named = {"業務ID": codes.CARE_AFFAIR, "宛名番号": person.local_address_number, **cells}
    return tuple([named.get(column, "") for column in LONG_TERM_CARE])
