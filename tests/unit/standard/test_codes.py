# SPDX-License-Identifier: Apache-2.0
"""Shapes of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chukan.standard import codes

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (codes.is_organization_code, "0220113112101700"),
        (codes.is_organization_code, "1419900000002200"),
        (codes.is_affair_code, "JM01000000121000"),
        (codes.is_procedure_code, "JT01010000000214"),
        (codes.is_information_code, "TM00000000000002"),
        (codes.is_item_code, "TK90002010000001"),
        (codes.is_edition, "0801"),
        (codes.is_data_set, "0101"),
    ],
)
def test_a_code_has_its_exact_shape(check: Callable[[str], bool], good: str) -> None:
    assert check(good)
    for bad in ("", good[:-1], good + "0", good[:-1] + "-", good[:-1] + "１", good.lower() + " ", good + "\n"):
        assert not check(bad)


def test_a_prefix_of_another_kind_is_refused() -> None:
    assert not codes.is_affair_code("JT01000000121000")
    assert not codes.is_information_code("TK00000000000002")
