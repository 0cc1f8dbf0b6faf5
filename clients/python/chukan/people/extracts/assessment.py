# SPDX-License-Identifier: Apache-2.0
"""How much tax a made-up income comes to.

Deductions and rates follow the national scheme roughly [own]
(docs/divergences "Dummy people"), enough for plausible totals: 6 % for the municipality and
4 % for the prefecture everywhere, of all deductions only those that have a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_PENSION_AGE: Final = 65
_NEW_SALARY_DEDUCTION_FROM: Final = 2026
_SALARY_STEPS: Final = (
    (1_800_000, 40, -100_000),
    (3_600_000, 30, 80_000),
    (6_600_000, 20, 440_000),
    (8_500_000, 10, 1_100_000),
)
_LARGEST_SALARY_DEDUCTION: Final = 1_950_000
_BASIC: Final = 430_000
_SPOUSE: Final = 330_000
_GENERAL: Final = 330_000
_LARGER: Final = 450_000
_ELDER: Final = 380_000
_ADJUSTMENT: Final = 1_500


@dataclass(frozen=True, slots=True)
class Incomes:
    """What somebody earned in the year before the tax year, in yen."""

    salary: int = 0
    pension: int = 0
    business: int = 0


@dataclass(frozen=True, slots=True)
class Dependants:
    """Whom somebody supports: 控除対象配偶者, 一般, 特定 (19 to 22), 老人 and 年少 (under 16, no deduction)."""

    spouse: bool = False
    general: int = 0
    larger: int = 0
    elder: int = 0
    young: int = 0

    @property
    def number(self) -> int:
        """Return how many people are supported."""
        return self.spouse + self.general + self.larger + self.elder + self.young


def amounts(year: int, age: int, incomes: Incomes, dependants: Dependants) -> tuple[tuple[int, ...], str]:
    """Return the amounts from 所得割額 to 調整控除 in the extract's order, and the 非課税区分."""
    salary = incomes.salary - _salary_deduction(year, incomes.salary)
    pension = max(
        0, incomes.pension - max(1_100_000 if age >= _PENSION_AGE else 600_000, incomes.pension // 4 + 275_000)
    )
    total = salary + pension + incomes.business
    insurance = incomes.salary * 14 // 100 + (60_000 if total else 0)
    spouse = _SPOUSE if dependants.spouse else 0
    support = dependants.general * _GENERAL + dependants.larger * _LARGER + dependants.elder * _ELDER
    taxable = max(0, total - insurance - spouse - support - _BASIC) // 1_000 * 1_000
    free = total <= _tax_free_limit(dependants.number)
    adjustment = _ADJUSTMENT if taxable and not free else 0
    by_income = 0 if free else max(0, taxable * 6 // 100 - adjustment) // 100 * 100
    by_income_prefecture = 0 if free else max(0, taxable * 4 // 100 - 1_000) // 100 * 100
    flat, flat_prefecture, forest = (0, 0, 0) if free else (3_000, 1_000, 1_000)
    values = (
        by_income,
        flat,
        by_income_prefecture,
        flat_prefecture,
        forest,
        total,
        total,
        incomes.salary,
        salary,
        incomes.pension,
        pension,
        incomes.business,
        insurance,
        spouse,
        support,
        _BASIC,
        taxable,
        adjustment,
    )
    return values, "2" if free else "0" if by_income else "1"


def _tax_free_limit(dependants: int) -> int:
    """Income up to which no tax is due (非課税限度額) in a big city."""
    return 350_000 * (dependants + 1) + 100_000 + (210_000 if dependants else 0)


def _salary_deduction(year: int, salary: int) -> int:
    least = 650_000 if year >= _NEW_SALARY_DEDUCTION_FROM else 550_000
    step = next((salary * rate // 100 + add for limit, rate, add in _SALARY_STEPS if salary <= limit), None)
    return min(salary, max(least, _LARGEST_SALARY_DEDUCTION if step is None else step))
