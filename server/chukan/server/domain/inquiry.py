# SPDX-License-Identifier: Apache-2.0
"""Inquiries (情報照会): what is asked, the states of an inquiry, and the two status levels staff know.

Success is "09" on the row level and "01" on the information level [P, domain facts §3c];
what every other code means is not public: the one table below is our own [own]
(docs/divergences, "Inquiry statuses"). The Japanese messages keep the meaning of those
that staff really meet; the numbers in them are full-width.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import AnswerKind, Outcome, instant
from chukan.standard.dates import parse_date
from chukan.standard.layouts import editions, information_codes, layout
from chukan.standard.numbers import (
    is_integrated_address_number,
    looks_like_individual_number,
    rows_like_individual_numbers,
)
from chukan.standard.reasons import ChukanError, reason

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEFAULT_TIME_OUT_MS",
    "FINAL_STATES",
    "OPEN_STATES",
    "RESULT_LIFETIME_MS",
    "UNDISCLOSABLE",
    "AcceptedInquiry",
    "Inquiry",
    "InquiryEnd",
    "InquiryRow",
    "InquirySpec",
    "InquiryStanding",
    "InquiryState",
    "Status",
    "StoredResult",
    "check_spec",
    "end_state",
    "inquiry_of",
    "missing_field",
    "pack_sealed",
    "receipt_id",
    "receipt_number",
    "receipt_prefix",
    "status",
    "time_out_of",
    "unpack_sealed",
]

_DAY_MS: Final = 86_400_000
_JAPAN_MS: Final = 9 * 3_600_000
_RECEIPT_DIGITS: Final = 20
_SHORTEST_MS: Final = 1000
_LONGEST_MS: Final = 30 * _DAY_MS
_FIRST_INSTANT_MS: Final = -62_135_596_800_000
_LAST_INSTANT_MS: Final = 253_402_300_799_999
"""What a Timestamp may say: the years 0001 to 9999."""
_ID_FIELDS: Final = (
    "record_id",
    "department",
    "user_id",
    "affair_code",
    "procedure_code",
    "provider_code",
    "information_code",
    "inquirer_delegator_code",
    "provider_delegator_code",
    "item_codes",
)
"""Fields of an inquiry in which an individual number could be mistaken for something else; item_codes are the rest."""
_NAME_WIDTHS: Final = {"record_id": 64, "department": 20, "user_id": 20}
"""The first of them, which are no codes."""
_CODE_WIDTH: Final = 16
_NONDISCLOSURE_CODES: Final = frozenset({"", "1", "2"})
DEFAULT_TIME_OUT_MS: Final = _DAY_MS
"""How long an inquiry waits for its answer if the caller says nothing [own]."""
RESULT_LIFETIME_MS: Final = 14 * _DAY_MS
"""How long an opened answer is kept for reading [own]; that results are deleted after a set time is [B]."""
UNDISCLOSABLE: Final = "2"
"""照会側不開示コード that marks the exchange undisclosable [own]."""


class InquiryState(IntEnum):
    """Where an inquiry stands."""

    ACCEPTED = 1
    PERMITTED = 2
    WAITING_FOR_APPROVAL = 3
    ANSWERED = 4
    REFUSED = 5
    TIMED_OUT = 6
    CANCELLED = 7


OPEN_STATES: Final = (InquiryState.ACCEPTED, InquiryState.PERMITTED, InquiryState.WAITING_FOR_APPROVAL)
FINAL_STATES: Final = (
    InquiryState.ANSWERED,
    InquiryState.REFUSED,
    InquiryState.TIMED_OUT,
    InquiryState.CANCELLED,
)


class InquirySpec(NamedTuple):
    """What is asked, of whom, about whom, under which law. request_time_ms 0: now; time_out_ms 0: the default."""

    record_id: str
    number: str
    affair: str
    procedure: str
    provider: str
    information: str
    request_time_ms: int = 0
    department: str = ""
    user_id: str = ""
    nondisclosure_code: str = ""
    inquirer_delegator: str = ""
    provider_delegator: str = ""
    condition_kind: str = ""
    year_kind: str = ""
    period_start: str = ""
    period_end: str = ""
    consent: bool = False
    item_codes: tuple[str, ...] = ()
    time_out_ms: int = 0

    @property
    def undisclosable(self) -> bool:
        """Whether the inquirer marks the fact of the exchange undisclosable (不開示)."""
        return self.nondisclosure_code == UNDISCLOSABLE


class InquiryRow(NamedTuple):
    """An inquiry as stored. sealed: what is asked and the statement leaf. Instants in milliseconds, 0 = not yet."""

    organization: str
    id: int
    record_id: str
    spec_digest: bytes
    sealed: bytes
    addressee: int
    exchange: bytes
    state: int
    answer_kind: int = 0
    reason: str = ""
    permission_row: str = ""
    legal_basis: str = ""
    permit_digest: bytes = b""
    accepted: int = 0
    finished: int = 0
    expires: int = 0
    due: int = 0
    result_expires: int = 0
    acknowledged: int = 0
    change_seq: int = 0


class InquiryStanding(NamedTuple):
    """Where an inquiry stands."""

    state: int
    accepted: int
    acknowledged: int


class AcceptedInquiry(NamedTuple):
    """What a request for a permit needs of an inquiry."""

    id: int
    record_id: str
    sealed: bytes
    exchange: bytes


class InquiryEnd(NamedTuple):
    """Where an answer, a refusal, a time-out or a cancellation puts an open inquiry."""

    id: int
    state: int
    answer_kind: int
    reason: str
    finished: int
    result_expires: int
    change_seq: int


class StoredResult(NamedTuple):
    """An opened answer, sealed for rest."""

    id: int
    content: bytes
    provided: int
    expires: int


class Inquiry(NamedTuple):
    """An inquiry as it is read, without content.

    exchange: the digest that names it on all sides.
    asked: the InquirySpec as stored, encoded: most readers pass it on. A message of the status may hold the number.
    """

    receipt_number: str
    exchange: bytes
    asked: bytes
    status: Status
    state: InquiryState
    answer_kind: AnswerKind
    reason: str
    legal_basis: str
    permission_row_id: str
    accept_time_ms: int
    finish_time_ms: int
    result_expire_time_ms: int
    acknowledge_time_ms: int
    change_seq: int


class Status(NamedTuple):
    """照会ステータス on the row level (明細単位) and the information level (特定個人情報名単位)."""

    row: str
    row_message: str
    information: str = ""
    information_message: str = ""


_DONE: Final = "正常に終了しました。"
_STATES: Final = {
    InquiryState.ACCEPTED: Status("01", "照会を受け付けました。"),
    InquiryState.PERMITTED: Status("02", "情報提供者へ照会中です。"),
    InquiryState.WAITING_FOR_APPROVAL: Status("03", "情報提供者の職員の確認待ちです。"),
    InquiryState.REFUSED: Status("90", "", "90"),
    InquiryState.TIMED_OUT: Status("95", "期限までに回答がありませんでした。", "95"),
    InquiryState.CANCELLED: Status("96", "照会は取り消されました。", "96"),
}
_ANSWERED: Final = {
    AnswerKind.VALUES: Status("09", _DONE, "01", _DONE),
    AnswerKind.NO_REPLICA: Status("09", _DONE, "02", "該当する特定個人情報はありません。"),
}
_NOT_PERMITTED: Final = "指定された特定個人情報名「{information}」の照会は許可されていません。"
_BY_LIST: Final = frozenset(
    {
        "NOT_PERMITTED_PROCEDURE",
        "NOT_PERMITTED_INQUIRER",
        "NOT_PERMITTED_PROVIDER",
        "NOT_PERMITTED_ITEMS",
        "AFFAIR_MISMATCH",
        "NOT_YET_IN_FORCE",
        "NO_LONGER_IN_FORCE",
        "ORDINANCE_OF_ANOTHER_BODY",
        "IN_HOUSE_ONLY",
        "PROVIDER_LIST_REFUSES",
    }
)
"""Rules of the list: staff read the sentence they know, and after it which rule it was."""
_REFUSALS: Final = {
    "CODE_NOT_ACQUIRED": ("91", "指定された団体内統合宛名番号「{number}」は符号が未取得です。"),
    "ADDRESSEE_UNKNOWN": ("91", "指定された団体内統合宛名番号「{number}」は登録されていません。"),
    "RECORD_ID_EXISTS": ("92", "「レコード識別番号」が既に存在しています。"),
    "NOT_PERMITTED": ("93", _NOT_PERMITTED),
    "NOT_PERMITTED_INFORMATION": ("93", _NOT_PERMITTED),
    "PROVIDER_BLANK": ("94", "「情報提供者機関コード」が指定されていません。"),
    "PROVIDER_UNKNOWN": ("94", "指定された「情報提供者機関コード」は存在しません。"),
}
"""Refusals whose wording or code staff know; all others: row status 90 and the reason's own Japanese sentence [own]."""
_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def status(
    state: InquiryState, answer_kind: AnswerKind, refusal: str, *, number: str = "", information: str = ""
) -> Status:
    """Return both levels with their messages.

    Give the number only where the message goes to the inquirer's own staff beside the
    number itself, never to a log or an error; without it the brackets hold an asterisk.
    """
    if state is InquiryState.ANSWERED:
        return _ANSWERED[answer_kind]
    if state is not InquiryState.REFUSED:
        return _STATES[state]
    code, text = _REFUSALS.get(refusal, ("90", ""))
    if refusal in _BY_LIST:
        code, text = "93", f"{_NOT_PERMITTED}（{reason(refusal).japanese.rstrip('。')}）"
    shown = {"number": number.translate(_FULL_WIDTH) or "＊", "information": information.translate(_FULL_WIDTH) or "＊"}
    message = text.format(**shown) if text else reason(refusal).japanese
    return Status(code, message, code, message)


def inquiry_of(row: InquiryRow, asked: bytes, read: Callable[[bytes], InquirySpec]) -> Inquiry:
    """Return an inquiry as its own staff read it; only the sentence of a refusal needs what was asked read."""
    state, kind = InquiryState(row.state), AnswerKind(row.answer_kind)
    spec = read(asked) if state is InquiryState.REFUSED else None
    number, information = (spec.number, spec.information) if spec else ("", "")
    return Inquiry(
        receipt_number=receipt_number(receipt_prefix(row.accepted), row.id),
        exchange=row.exchange,
        asked=asked,
        status=status(state, kind, row.reason, number=number, information=information),
        state=state,
        answer_kind=kind,
        reason=row.reason,
        legal_basis=row.legal_basis,
        permission_row_id=row.permission_row,
        accept_time_ms=row.accepted,
        finish_time_ms=row.finished,
        result_expire_time_ms=row.result_expires,
        acknowledge_time_ms=row.acknowledged,
        change_seq=row.change_seq,
    )


def end_state(outcome: Outcome) -> InquiryState:
    """Return the state an answer of this outcome puts its inquiry in."""
    if outcome in (Outcome.PROVIDED, Outcome.NO_REPLICA):
        return InquiryState.ANSWERED
    if outcome is Outcome.PENDING:
        return InquiryState.WAITING_FOR_APPROVAL
    return InquiryState.REFUSED


def check_spec(spec: InquirySpec) -> tuple[str, str, str] | None:
    """Return (reason, field, rule) of an inquiry that can't be taken in, or None.

    An individual number (個人番号) in the place of a number or of a record id is told
    apart, so the sender learns at once; it is refused, not echoed and not logged.
    """
    if not is_integrated_address_number(spec.number):
        wrong = "INDIVIDUAL_NUMBER_REFUSED" if looks_like_individual_number(spec.number) else "NUMBER_MALFORMED"
        return wrong, "integrated_address_number", "digits=15"
    kept = _kept_texts(spec)
    suspect = _field_like_individual_number(kept)
    if suspect:
        return "INDIVIDUAL_NUMBER_REFUSED", suspect, "no_individual_number"
    if not (spec.record_id.isascii() and spec.record_id.isprintable()):
        return "INVALID_FIELD", "record_id", "printable_ascii"
    if spec.nondisclosure_code not in _NONDISCLOSURE_CODES:  # what is not understood must not count as disclosable
        return "INVALID_FIELD", "nondisclosure_code", "1|2"
    for field, kind in (("condition_kind", spec.condition_kind), ("year_kind", spec.year_kind)):
        if kind not in ("", "0", "1"):
            return "INQUIRY_CONDITION_INVALID", field, "0|1"
    return _check_kept(kept) or _check_items(spec) or _check_times(spec) or _check_period(spec)


def _check_kept(kept: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Return the fault of a text that would stand in records as it came, whether the inquiry is refused or not."""
    if max(map(len, kept[len(_NAME_WIDTHS) :])) <= _CODE_WIDTH and "".join(kept).isprintable():
        return None
    for place, text in enumerate(kept):
        field = _ID_FIELDS[min(place, len(_ID_FIELDS) - 1)]
        longest = _NAME_WIDTHS.get(field, _CODE_WIDTH)
        if len(text) > longest:
            return "FIELD_TOO_LONG", field, f"max_length={longest}"
        if not text.isprintable():
            return "CHARACTER_REFUSED", field, "printable"
    return None


def _check_times(spec: InquirySpec) -> tuple[str, str, str] | None:
    if not _FIRST_INSTANT_MS <= spec.request_time_ms <= _LAST_INSTANT_MS:
        return "INVALID_FIELD", "request_time", "0001..9999"
    if spec.time_out_ms and not _SHORTEST_MS <= spec.time_out_ms <= _LONGEST_MS:
        return "INVALID_FIELD", "time_out", "1s..30d"
    return None


def _check_items(spec: InquirySpec) -> tuple[str, str, str] | None:
    """Refuse items no edition has: an answer would be empty of them, and look like one about the person."""
    if not spec.item_codes:
        return None
    known = _items_of(spec.information)  # of an unknown information nothing is permitted anyway
    return ("ITEM_UNKNOWN", "item_codes", "") if known and not known.issuperset(spec.item_codes) else None


@lru_cache(maxsize=256)
def _items_of(information: str) -> frozenset[str]:
    if information not in information_codes():
        return frozenset()
    found = [layout(information, edition) for edition in editions(information)]
    return frozenset(item.code for each in found for data_set in each.data_sets for item in data_set.items)


def _kept_texts(spec: InquirySpec) -> tuple[str, ...]:
    """Return the texts of `_ID_FIELDS`, in that order."""
    return (
        spec.record_id,
        spec.department,
        spec.user_id,
        spec.affair,
        spec.procedure,
        spec.provider,
        spec.information,
        spec.inquirer_delegator,
        spec.provider_delegator,
        *spec.item_codes,
    )


def _field_like_individual_number(kept: tuple[str, ...]) -> str:
    rows = rows_like_individual_numbers(kept)
    return _ID_FIELDS[min(rows[0], len(_ID_FIELDS) - 1)] if rows else ""


def _check_period(spec: InquirySpec) -> tuple[str, str, str] | None:
    try:
        for text in (spec.period_start, spec.period_end):
            if text:
                parse_date(text)
    except ChukanError:
        return "DATE_INVALID", "period", "yyyyMMdd"
    if spec.period_start and spec.period_end and spec.period_start > spec.period_end:
        return "PERIOD_INVALID", "period", "start<=end"
    if spec.year_kind == "1" and not spec.period_start:
        return "INQUIRY_CONDITION_INVALID", "year_kind", "start_date_given"
    return None


def missing_field(spec: InquirySpec) -> str:
    """Return the field that names what is asked under which law and is empty, or the empty string.

    A blank provider is none of them: it is refused at once and recorded, as staff know it.
    """
    needed = {
        "affair_code": spec.affair,
        "procedure_code": spec.procedure,
        "information_code": spec.information,
    }
    return next((field for field, value in needed.items() if not value.strip()), "")


def time_out_of(spec: InquirySpec) -> int:
    """Return after how many milliseconds the inquirer gives up."""
    return spec.time_out_ms or DEFAULT_TIME_OUT_MS


def pack_sealed(spec: bytes, leaf: bytes) -> bytes:
    """Return the one value that holds what is asked and the statement leaf, to be sealed."""
    return len(spec).to_bytes(4, "big") + spec + leaf


def unpack_sealed(packed: bytes) -> tuple[bytes, bytes]:
    """Return what is asked and the statement leaf, encoded."""
    end = 4 + int.from_bytes(packed[:4], "big")
    return packed[4:end], packed[end:]


def receipt_prefix(accepted_ms: int) -> str:
    """Return the beginning of the receipt numbers of a day: the date of acceptance in Japan."""
    return _day_text((accepted_ms + _JAPAN_MS) // _DAY_MS)


@lru_cache(maxsize=64)
def _day_text(day: int) -> str:
    return f"{instant(day * _DAY_MS):%Y%m%d}"


def receipt_number(prefix: str, sequence: int) -> str:
    """受付番号: date of acceptance and twelve digits of sequence; 20 digits [own]."""
    return f"{prefix}{sequence:012d}"


def receipt_id(receipt: str) -> int | None:
    """Return the sequence in a receipt number, or None for a text that is none."""
    return int(receipt[8:]) if len(receipt) == _RECEIPT_DIGITS and receipt.isascii() and receipt.isdigit() else None
