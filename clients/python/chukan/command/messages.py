# SPDX-License-Identifier: Apache-2.0
"""How the contract's values are shown to people: states without their prefix, instants in Japanese time, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chukan.standard.clock import JAPAN
from chukan.standard.organizations import organization
from chukan.standard.reasons import ChukanError, reason

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from chukan.command.language import Language
    from chukan.v1.common_pb2 import ItemValue, Period

__all__ = ["item_names", "item_text", "named", "period_text", "reason_text", "spoken", "state", "when", "when_written"]

_WHEN: Final = "%Y-%m-%d %H:%M:%S JST"
_WORDS: Final = {
    "ACCEPTED": "受付済み",
    "PERMITTED": "許可済み",
    "WAITING_FOR_APPROVAL": "承認待ち",
    "ANSWERED": "回答済み",
    "REFUSED": "拒否",
    "TIMED_OUT": "時間切れ",
    "CANCELLED": "取消",
    "VALUES": "値あり",
    "NO_REPLICA": "副本なし",
    "PROVIDED": "提供済み",
    "PENDING": "処理中",
    "AGREES": "一致",
    "DIFFERS": "相違",
    "UNKNOWN": "不明",
    "MISSING_AT_NETWORK": "ネットワークに記録なし",
    "MISSING_HERE": "自団体に記録なし",
    "MISSING_AT_INQUIRER": "照会者に記録なし",
    "MISSING_AT_PROVIDER": "提供者に記録なし",
    "ACTIVE": "有効",
    "DELETED": "削除済み",
    "OPEN": "稼働中",
    "HELD": "停止中",
    "COMPLETED": "完了",
    "COMPLETED_WITH_FAILURES": "完了(一部拒否)",
    "JAPANESE": "日本人住民",
    "FOREIGN": "外国人住民",
    "NON_RESIDENT": "住登外者",
    "CORPORATION": "法人",
    "RESIDENT": "住民",
    "MOVING_OUT": "転出予定",
    "MOVED_OUT": "転出",
    "DIED": "死亡",
    "REMOVED": "消除",
    "BIRTH_DATE_DIFFERS": "生年月日相違",
    "NAME_AND_BIRTH_DATE_DIFFER": "氏名・生年月日相違",
    "HOUSEHOLD_MEMBER_NUMBER": "世帯員の番号",
    "CANDIDATES_FOUND": "候補あり",
    "INDIVIDUAL_NUMBER_DIFFERS": "個人番号相違",
    "INDIVIDUAL_NUMBER_PROPOSED": "個人番号の候補",
    "UNEXPLAINED_DIFFERENCE": "説明のない相違",
    "complete": "完了",
    "failed": "失敗",
    "held": "停止中",
}
"""The contract's and the adapter's states, as they are called in Japanese."""


def state(enum: Any, value: int, prefix: str) -> str:  # noqa: ANN401  # generated enum wrappers have no common type
    """Return an enum value's name without its prefix; nothing for the unspecified one."""
    name = str(enum.Name(value)).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name


def spoken(name: str, language: Language) -> str:
    """Return a state's name in words: in Japanese what staff call it, in English the name itself."""
    from chukan.command.language import Text

    return Text(name, _WORDS.get(name, name)).word(language)


def when_written(text: str) -> str:
    """Return an instant written in ISO 8601 in Japanese time; what is none as it stands."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).astimezone(JAPAN).strftime(_WHEN)
    except ValueError:
        return text


def when(instant: Timestamp) -> str:
    """Return an instant in Japanese time, which it says; nothing if it is absent."""
    if not instant.seconds:
        return ""
    from datetime import UTC

    return instant.ToDatetime(tzinfo=UTC).astimezone(JAPAN).strftime(_WHEN)


def named(code: str) -> str:
    """Return an organization's code with its name."""
    try:
        return f"{code} {organization(code).name}" if code else ""
    except ChukanError:
        return code


def reason_text(code: str, language: Language) -> str:
    """Return a reason's code with its sentence."""
    from chukan.command.language import Text

    if not code:
        return ""
    try:
        found = reason(code)
    except LookupError:
        return code
    return f"{code}: {Text(found.english, found.japanese).word(language)}"


def period_text(period: Period) -> str:
    """Return a period, open ends left out."""
    return f"{period.start_date}-{period.end_date}" if period.start_date or period.end_date else ""


def item_text(item: ItemValue, language: Language) -> str:
    """Return an item's value, or nil with its reason: never the same as an empty value."""
    from chukan.command.language import Text

    if item.WhichOneof("content") == "nil_reason":
        from chukan.standard.layouts import NIL_REASONS

        known = NIL_REASONS.get(item.nil_reason)
        return f"{Text('nil', '値なし').word(language)}({item.nil_reason} {known.japanese if known else '?'})"
    return item.value


def item_names(information: str, edition: str, data_set: str) -> dict[str, str]:
    """Return the names of a data set's items by code; none if the layout is not known here."""
    from chukan.standard.layouts import layout

    try:
        return {item.code: item.name for item in layout(information, edition).data_set(data_set).items}
    except ChukanError:
        return {}
