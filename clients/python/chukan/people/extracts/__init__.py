# SPDX-License-Identifier: Apache-2.0
"""Rows of the business systems' extracts about a dummy population.

Values fit the shipped layouts of ``chukan.standard``: a code list's codes are written as they are, money in yen, and an
empty cell is "no value". In dense form every person has exactly one row of each kind, which only load tests need.
"""

from __future__ import annotations

from chukan.people.extracts.child_allowance import ChildAllowance
from chukan.people.extracts.local_tax import LocalTax
from chukan.people.extracts.long_term_care import LongTermCare
from chukan.people.extracts.resident_record import ResidentRecord

__all__ = ["ChildAllowance", "LocalTax", "LongTermCare", "ResidentRecord"]
