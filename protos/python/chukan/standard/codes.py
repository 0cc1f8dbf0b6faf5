# SPDX-License-Identifier: Apache-2.0
"""The shapes of the codes an exchange speaks of: 機関, 事務, 事務手続, 特定個人情報名, 項目, 版, データセット.

Source: codes seen in public documents and code [P] (domain facts §3c, §4); the shape of item codes is [?], see
docs/divergences "Codes". Items of the shipped layouts are synthetic: TK9 and 13 digits [own].
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "is_affair_code",
    "is_data_set",
    "is_edition",
    "is_information_code",
    "is_item_code",
    "is_organization_code",
    "is_procedure_code",
]

_ORGANIZATION: Final = re.compile(r"[0-9]{16}")
_AFFAIR: Final = re.compile(r"JM[0-9A-Z]{14}")
_PROCEDURE: Final = re.compile(r"JT[0-9A-Z]{14}")
_INFORMATION: Final = re.compile(r"TM[0-9A-Z]{14}")
_ITEM: Final = re.compile(r"TK[0-9A-Z]{14}")
_FOUR_DIGITS: Final = re.compile(r"[0-9]{4}")


def is_organization_code(text: str) -> bool:
    """機関コード: 16 digits."""
    return _ORGANIZATION.fullmatch(text) is not None


def is_affair_code(text: str) -> bool:
    """事務コード: JM and 14 digits or capital letters."""
    return _AFFAIR.fullmatch(text) is not None


def is_procedure_code(text: str) -> bool:
    """事務手続コード: JT and 14 digits or capital letters."""
    return _PROCEDURE.fullmatch(text) is not None


def is_information_code(text: str) -> bool:
    """特定個人情報名コード: TM and 14 digits or capital letters."""
    return _INFORMATION.fullmatch(text) is not None


def is_item_code(text: str) -> bool:
    """項目コード: TK and 14 digits or capital letters [?]."""
    return _ITEM.fullmatch(text) is not None


def is_edition(text: str) -> bool:
    """版番号: 4 digits."""
    return _FOUR_DIGITS.fullmatch(text) is not None


def is_data_set(text: str) -> bool:
    """データセット項目コード: 4 digits."""
    return _FOUR_DIGITS.fullmatch(text) is not None
