# SPDX-License-Identifier: Apache-2.0
"""Statuses and messages of result rows, on the two levels and in the wording staff know.

The middle server's own statuses are taken over as they are; its messages hold no personal number (it never sends one
without content), so where staff expect the number, the profile's wording is filled in here. Rows that never reached
the middle server get the same columns in the same style. Codes other than 09 and 01 are [own] (docs/divergences
"Inquiry statuses").
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.exchange.profile_files import read_profile, wrong
from chukan.adapter.refusals import sentences_of
from chukan.standard.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Messages", "RowStatus", "full_width", "messages"]

_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_OTHER_STATUS: Final = "90"
_HIDDEN: Final = "＊"
_PLACEHOLDERS: Final = ("number", "local", "information", "column", "position", "rule")


class RowStatus(NamedTuple):
    """Status (照会ステータス) and message of both levels: the row (明細) and the information (特定個人情報名)."""

    row: str
    row_message: str
    information: str = ""
    information_message: str = ""


@dataclass(frozen=True, slots=True)
class Messages:
    """Status and wording by reason."""

    by_reason: Mapping[str, tuple[str, str]]

    def local(self, code: str, **known: str) -> RowStatus:
        """Return the status of a row that ended here; both levels say the same."""
        status, text = self.by_reason.get(code, (_OTHER_STATUS, ""))
        message = _filled(text, known) if text else sentences_of(code).japanese
        return RowStatus(status, message, status, message)

    def refused(self, status: RowStatus, code: str, **known: str) -> RowStatus:
        """Return a refusal of the middle server: its status, in the profile's wording if there is one."""
        _, text = self.by_reason.get(code, ("", ""))
        if not text:
            return status
        message = _filled(text, known)
        return RowStatus(status.row, message, status.information, message if status.information else "")


def messages(name: str) -> Messages:
    """Read a table of messages. Errors: PROFILE_UNKNOWN, SETTING_INVALID."""
    data, _ = read_profile("messages", name)
    table: dict[str, tuple[str, str]] = {}
    for code, row in data["messages"].items():
        try:
            reason(code)
            row["text"].format(**dict.fromkeys(_PLACEHOLDERS, ""))
        except (LookupError, ValueError):
            raise wrong(name, f"messages.{code}", "a known reason and known placeholders") from None
        table[code] = row["status"], row["text"]
    return Messages(MappingProxyType(table))


def full_width(text: str) -> str:
    """Return ASCII characters in their full-width forms: TM1 → ＴＭ１."""
    return text.translate(_FULL_WIDTH)


def _filled(text: str, known: Mapping[str, str]) -> str:
    values = dict.fromkeys(_PLACEHOLDERS, _HIDDEN) | {key: value for key, value in known.items() if value}
    for key in ("number", "local", "information"):
        values[key] = full_width(values[key])
    return text.format(**values)
