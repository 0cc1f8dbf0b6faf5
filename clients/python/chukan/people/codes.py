# SPDX-License-Identifier: Apache-2.0
"""The words and codes the dummy extracts use.

Kinds and states of residents are written as the words of 共通機能標準仕様書. Movement reasons (異動事由コード),
relationship codes (続柄コード) and 業務ID are this project's own short codes [own] (docs/divergences, "Extracts"):
real extracts of different makers use different ones, which is why an adapter maps them by a table.
"""

from __future__ import annotations

from typing import Final

JAPANESE: Final = "日本人"
FOREIGN: Final = "外国人"
NON_RESIDENT: Final = "住登外"

RESIDENT: Final = "住民"
LEAVING: Final = "転出予定"
LEFT: Final = "転出"
DEAD: Final = "死亡"
STRUCK: Final = "職権消除"

ABROAD: Final = "99999"
"""転入元市区町村コード of somebody who came from abroad."""

BORN_HERE: Final = "10"
MOVED_IN: Final = "11"
MOVED_IN_FROM_ABROAD: Final = "12"
RETURNED: Final = "13"
NATURALISED: Final = "14"
MOVED_WITHIN: Final = "20"
RENAMED: Final = "22"
MOVED_OUT: Final = "30"
MOVED_ABROAD: Final = "31"
DIED: Final = "32"
CLOSED_BY_NATURALISATION: Final = "33"
STRUCK_EX_OFFICIO: Final = "34"
MOVING_OUT_SOON: Final = "39"

REASON_NAMES: Final = {
    BORN_HERE: "出生",
    MOVED_IN: "転入",
    MOVED_IN_FROM_ABROAD: "国外転入",
    RETURNED: "再転入",
    NATURALISED: "帰化",
    MOVED_WITHIN: "転居",
    RENAMED: "氏名変更",
    MOVED_OUT: "転出",
    MOVED_ABROAD: "国外転出",
    DIED: "死亡",
    CLOSED_BY_NATURALISATION: "帰化による消除",
    STRUCK_EX_OFFICIO: "職権消除",
    MOVING_OUT_SOON: "転出予定",
}

Relationship = tuple[str, ...]
HEAD: Final[Relationship] = ("02",)
HUSBAND: Final[Relationship] = ("11",)
WIFE: Final[Relationship] = ("12",)
CHILD: Final[Relationship] = ("20",)
CHILDS_WIFE: Final[Relationship] = ("20", "12")
GRANDCHILD: Final[Relationship] = ("20", "20")
FATHER: Final[Relationship] = ("51",)
MOTHER: Final[Relationship] = ("52",)
LODGER: Final[Relationship] = ("99",)

RELATIONSHIP_NAMES: Final = {
    "02": "世帯主",
    "11": "夫",
    "12": "妻",
    "20": "子",
    "51": "父",
    "52": "母",
    "99": "同居人",
}

MALE: Final = "1"
FEMALE: Final = "2"

RESIDENT_SYSTEM: Final = "01"
NON_RESIDENT_SYSTEM: Final = "02"

REGISTER_AFFAIR: Final = "001"
TAX_AFFAIR: Final = "010"
ALLOWANCE_AFFAIR: Final = "020"
CARE_AFFAIR: Final = "030"

CASES: Final = (
    "birth",
    "death",
    "move_in",
    "move_in_from_abroad",
    "move_out",
    "move_out_planned",
    "move_abroad",
    "move_within",
    "return_same_number",
    "return_second_number",
    "naturalisation",
    "ex_officio_removal",
    "marriage_former_surname",
    "foreign_resident",
    "foreign_long_name",
    "foreign_common_name",
    "external_character",
    "variation_sequence",
    "birth_date_part_unknown",
    "same_name_same_birth_date",
    "protective_measures",
    "nondisclosure_only",
    "self_information_blocked_only",
    "without_individual_number",
    "non_resident",
    "non_resident_without_individual_number",
    "non_resident_now_resident",
    "non_resident_two_affairs",
    "non_resident_abroad",
    "non_resident_same_digits_as_resident",
)
"""Every kind of case that 3,000 people already contain; the manifest counts them under these names."""
COHORT_CASES: Final = ("moved_from_linked", "moved_to_linked")
"""Further cases of a population generated with linked municipalities."""
