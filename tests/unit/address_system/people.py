# SPDX-License-Identifier: Apache-2.0
"""Registrations for tests of matching: only what a test is about is given; digests are readable."""

from __future__ import annotations

from itertools import count
from typing import Any

from chukan.address_system.domain.attributes import WHOLE, PersonAttributes
from chukan.address_system.domain.birth_dates import birth_forms
from chukan.address_system.domain.matching import Registration
from chukan.address_system.domain.register import Register

TARO = PersonAttributes(
    name="見本　太郎",
    kana_name="ミホン　タロウ",
    birth_date="19800102",
    sex="1",
    residential_address="東京都新宿区見本町一丁目2番地3号",
    building="見本荘 1",
    household_number="000000000000001",
    resident_kind="1",
    resident_state="1",
    movement_reason="11",
    movement_date="20200401",
)


def registration(
    attributes: Any = TARO,
    *,
    local: Any = "L1",
    number: Any = "N1",
    former: Any = None,
    row: Any = 0,
    coverage: Any = WHOLE,
) -> Any:
    """Return a registration of one row."""
    packed = "|".join((local, number or "", former or "", *attributes))
    return Registration(
        row=row,
        local=local.encode(),
        former=former.encode() if former else None,
        individual=number.encode() if number else None,
        content=packed.encode(),
        births=tuple(int(form or "-1") for form in birth_forms(attributes.birth_date)),
        attributes=attributes,
        coverage=coverage,
    )


def batch_of(register: Any, *registrations: Any) -> Any:
    """Apply one batch to a register and return what it decided."""
    register.expect(registrations)
    register.dispute(registrations)
    return [register.apply(each) for each in registrations]


def register_of(*registrations: Any) -> Any:
    """Return a register that has taken these registrations one after another, and what it decided."""
    register = Register(count(1).__next__)
    register.expect(registrations)
    return register, [register.apply(each) for each in registrations]
