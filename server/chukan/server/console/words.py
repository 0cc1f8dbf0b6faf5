# SPDX-License-Identifier: Apache-2.0
"""How the contract's values are shown: states in words with a mark of their own, instants, ages, what is shortened."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.console.language import Text
from chukan.standard.clock import JAPAN
from chukan.standard.layouts import editions, layout
from chukan.standard.organizations import organization
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2, operation_service_pb2, replica_service_pb2

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

__all__ = [
    "HEALTH",
    "INQUIRY_STATES",
    "LANE_STATES",
    "OUTCOMES",
    "UNKNOWN",
    "Badge",
    "age_text",
    "information_name",
    "instant",
    "instant_text",
    "organization_name",
    "short_id",
    "short_number",
    "span_text",
    "without_numbers",
]


class Badge(NamedTuple):
    """A state: its mark and word say it, the tone (a colour) only repeats it."""

    mark: str
    text: Text
    tone: str


UNKNOWN: Final = Badge("?", Text("unknown", "不明"), "warn")

_status = operation_service_pb2
HEALTH: Final = {
    _status.HEALTH_STATE_OK: Badge("✓", Text("works", "正常"), "good"),
    _status.HEALTH_STATE_DEGRADED: Badge("▲", Text("works with loss", "一部支障"), "warn"),
    _status.HEALTH_STATE_DOWN: Badge("✕", Text("does not work", "停止"), "bad"),
    _status.HEALTH_STATE_CLOSED: Badge("–", Text("closed", "運用時間外"), "plain"),
    _status.HEALTH_STATE_UNKNOWN: UNKNOWN,
}
INQUIRY_STATES: Final = {
    common_pb2.INQUIRY_STATE_ACCEPTED: Badge("○", Text("accepted", "受付済み"), "plain"),
    common_pb2.INQUIRY_STATE_PERMITTED: Badge("◐", Text("permitted", "許可済み"), "plain"),
    common_pb2.INQUIRY_STATE_WAITING_FOR_APPROVAL: Badge("◑", Text("waits for approval", "承認待ち"), "warn"),
    common_pb2.INQUIRY_STATE_ANSWERED: Badge("✓", Text("answered", "回答済み"), "good"),
    common_pb2.INQUIRY_STATE_REFUSED: Badge("✕", Text("refused", "拒否"), "bad"),
    common_pb2.INQUIRY_STATE_TIMED_OUT: Badge("▲", Text("timed out", "時間切れ"), "warn"),
    common_pb2.INQUIRY_STATE_CANCELLED: Badge("–", Text("cancelled", "取消"), "plain"),
}
LANE_STATES: Final = {
    replica_service_pb2.LANE_STATE_OPEN: Badge("✓", Text("open", "稼働中"), "good"),
    replica_service_pb2.LANE_STATE_HELD: Badge("■", Text("held", "停止中"), "bad"),
}
OUTCOMES: Final = {
    common_pb2.EXCHANGE_OUTCOME_PROVIDED: Text("provided", "提供済み"),
    common_pb2.EXCHANGE_OUTCOME_NO_REPLICA: Text("no replica", "副本なし"),
    common_pb2.EXCHANGE_OUTCOME_REFUSED: Text("refused", "拒否"),
    common_pb2.EXCHANGE_OUTCOME_PENDING: Text("not finished", "処理中"),
    common_pb2.EXCHANGE_OUTCOME_TIMED_OUT: Text("timed out", "時間切れ"),
    common_pb2.EXCHANGE_OUTCOME_CANCELLED: Text("cancelled", "取消"),
}

_SHOWN_DIGITS: Final = 3
_SHOWN_ID: Final = 12
_SECOND: Final = 1000
_LONG_NUMBER: Final = re.compile(r"[0-9]{11,}|[0-9](?:[ ._/-]?[0-9]){10,}")
_UNITS: Final = (
    (86_400, Text("{} d", "{}日")),
    (3_600, Text("{} h", "{}時間")),
    (60, Text("{} min", "{}分")),
    (1, Text("{} s", "{}秒")),
)


def instant(timestamp: Timestamp) -> datetime | None:
    """Return an instant; None if it is absent, which is not 1970."""
    return timestamp.ToDatetime(tzinfo=UTC) if timestamp.seconds else None


def instant_text(moment: datetime | None) -> str:
    """Return an instant in Japanese time; nothing if it is absent."""
    return moment.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def age_text(moment: datetime, now: datetime) -> Text:
    """Return how long ago it was, in one unit: 3 min."""
    seconds = max(int((now - moment).total_seconds()), 0)
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return Text(unit.en.format(seconds // size), unit.ja.format(seconds // size))


def span_text(begin: datetime, end: datetime) -> Text:
    """Return how long it took; below a second in milliseconds."""
    milliseconds = int((end - begin).total_seconds() * 1000)
    return Text(f"{milliseconds} ms", f"{milliseconds} ms") if 0 <= milliseconds < _SECOND else age_text(begin, end)


def organization_name(code: str) -> str:
    """Return an organization's name, or its code where the list has none."""
    try:
        return organization(code).full_name if code else ""
    except ChukanError:
        return code


def information_name(code: str) -> Text:
    """Return what an information is called, or its code where there is no layout."""
    try:
        found = layout(code, editions(code)[-1])
    except ChukanError:
        return Text(code, code)
    return Text(found.english, found.name)


def short_number(number: str) -> str:
    """Return the last digits of a number that names a person."""
    return f"…{number[-_SHOWN_DIGITS:]}" if number else ""


def short_id(text: str) -> str:
    """Return the beginning of a digest."""
    return f"{text[:_SHOWN_ID]}…" if len(text) > _SHOWN_ID else text


def without_numbers(text: str) -> str:
    """Return a text its sender chose with every long number in it shortened: it might name a person."""
    return _LONG_NUMBER.sub(lambda found: short_number(found[0]), unicodedata.normalize("NFKC", text))
