# SPDX-License-Identifier: Apache-2.0
"""Inquiries and their answers, shown to people, and the little that reading them takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import typer

from chukan.command.language import Text
from chukan.command.messages import item_names, item_text, named, period_text, reason_text, spoken, state, when
from chukan.command.session import plain
from chukan.standard.layouts import editions, layout
from chukan.standard.organizations import kind_names
from chukan.standard.permission_list import affairs, permission_list, procedures
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.client import Client
    from chukan.command.session import Session

__all__ = [
    "FINISHED",
    "find",
    "has_result",
    "read_results",
    "receipt_number",
    "refused",
    "show_changes",
    "show_inquiry",
    "show_list",
    "show_permission",
    "show_results",
    "show_what_is_permitted",
    "state_named",
    "wait_until_finished",
]

FINISHED: Final = frozenset(
    {
        common_pb2.INQUIRY_STATE_ANSWERED,
        common_pb2.INQUIRY_STATE_REFUSED,
        common_pb2.INQUIRY_STATE_TIMED_OUT,
        common_pb2.INQUIRY_STATE_CANCELLED,
    }
)
_STATE: Final = "INQUIRY_STATE_"
_ANSWER: Final = "ANSWER_KIND_"
_RECEIPT_DIGITS: Final = 20
_POLL_SECONDS: Final = 0.1


def state_named(text: str) -> common_pb2.InquiryState.ValueType:
    """Return the state with this name, prefix or not."""
    name = _STATE + text.upper().removeprefix(_STATE)
    known_names = common_pb2.InquiryState.keys()
    if name not in known_names:
        known = ", ".join(key.removeprefix(_STATE) for key in known_names[1:])
        message = f"got {text}, expected one of {known}"
        raise typer.BadParameter(message, param_hint="--state")
    return common_pb2.InquiryState.Value(name)


def find(client: Client, name: str) -> pb.Inquiry:
    """Read an inquiry by receipt number (20 digits) or record id."""
    by_receipt = len(name) == _RECEIPT_DIGITS and name.isdecimal()
    request = pb.GetInquiryRequest(receipt_number=name) if by_receipt else pb.GetInquiryRequest(record_id=name)
    return client.inquiries.GetInquiry(request).inquiry


def receipt_number(client: Client, name: str) -> str:
    """Return the receipt number of an inquiry named by it or by its record id."""
    return name if len(name) == _RECEIPT_DIGITS and name.isdecimal() else find(client, name).receipt_number


def wait_until_finished(client: Client, inquiry: pb.Inquiry, seconds: float) -> pb.Inquiry:
    """Return the inquiry as it ends, or as it stands when the time is over."""
    until = time.monotonic() + seconds
    while inquiry.state not in FINISHED and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        inquiry = find(client, inquiry.receipt_number)
    return inquiry


def has_result(inquiry: pb.Inquiry) -> bool:
    """Whether there is content to read."""
    return inquiry.state == common_pb2.INQUIRY_STATE_ANSWERED


def refused(inquiry: pb.Inquiry) -> int:
    """Return the exit code an inquiry stands for."""
    return 1 if inquiry.state in FINISHED and not has_result(inquiry) else 0


def read_results(client: Client, receipts: Sequence[str]) -> pb.GetInquiryResultsResponse:
    """Read contents, in as many calls as their size needs."""
    every = pb.GetInquiryResultsResponse()
    remaining = receipts
    while remaining:
        answer = client.inquiries.GetInquiryResults(pb.GetInquiryResultsRequest(receipt_numbers=remaining))
        remaining = list(answer.remaining_receipt_numbers)
        answer.ClearField("remaining_receipt_numbers")
        every.MergeFrom(answer)
    return every


def show_inquiry(session: Session, inquiry: pb.Inquiry, results: pb.GetInquiryResultsResponse | None = None) -> None:
    """Show one inquiry and, if given, its answer."""
    document = {"inquiry": plain(inquiry)} | ({"results": plain(results)["results"]} if results else {})
    if session.json(document):
        return
    spec, status = inquiry.spec, inquiry.status
    session.fields(
        [
            (Text("receipt number", "受付番号"), inquiry.receipt_number),
            (Text("record id", "レコード識別番号"), spec.record_id),
            (Text("state", "状態"), spoken(state(common_pb2.InquiryState, inquiry.state, _STATE), session.language)),
            (Text("status (row)", "照会ステータス(明細)"), f"{status.row_status} {status.row_message}".strip()),
            (
                Text("status (information)", "照会ステータス(特定個人情報名)"),
                f"{status.information_status} {status.information_message}".strip(),
            ),
            (
                Text("answer", "回答"),
                spoken(state(common_pb2.AnswerKind, inquiry.answer_kind, _ANSWER), session.language),
            ),
            (Text("reason", "理由"), reason_text(inquiry.reason, session.language)),
            (Text("addressee", "団体内統合宛名番号"), spec.integrated_address_number),
            (Text("provider", "情報提供者"), named(spec.provider_code)),
            (Text("information", "特定個人情報名"), spec.information_code),
            (Text("period", "期間"), period_text(spec.period)),
            (Text("legal basis", "根拠"), inquiry.legal_basis),
            (Text("permission row", "許可リストの行"), inquiry.permission_row_id),
            (Text("accepted", "受付日時"), when(inquiry.accept_time)),
            (Text("finished", "完了日時"), when(inquiry.finish_time)),
            (Text("content erased", "結果の消去期限"), when(inquiry.result_expire_time)),
        ]
    )
    if results:
        show_results(session, results)


def show_list(session: Session, inquiries: Iterable[pb.Inquiry]) -> None:
    """Show inquiries, a row each."""
    session.table(
        [
            Text("receipt number", "受付番号"),
            Text("record id", "レコード識別番号"),
            Text("state", "状態"),
            Text("status", "ステータス"),
            Text("answer", "回答"),
            Text("provider", "提供者"),
            Text("information", "特定個人情報名"),
            Text("reason", "理由"),
            Text("accepted", "受付日時"),
        ],
        (
            (
                each.receipt_number,
                each.spec.record_id,
                spoken(state(common_pb2.InquiryState, each.state, _STATE), session.language),
                f"{each.status.row_status} {each.status.information_status}",
                spoken(state(common_pb2.AnswerKind, each.answer_kind, _ANSWER), session.language),
                named(each.spec.provider_code),
                each.spec.information_code,
                each.reason,
                when(each.accept_time),
            )
            for each in inquiries
        ),
    )


def show_changes(session: Session, inquiries: Iterable[pb.Inquiry]) -> None:
    """Print a line per changed inquiry, as it comes."""
    del session  # the words are codes, the same in both languages
    for each in inquiries:
        answer = state(common_pb2.AnswerKind, each.answer_kind, _ANSWER)
        print(each.receipt_number, state(common_pb2.InquiryState, each.state, _STATE), answer, each.reason, flush=True)


def show_results(session: Session, response: pb.GetInquiryResultsResponse) -> None:
    """Show contents item by item, and what can't be had."""
    for result in response.results:
        session.say(
            f"{result.receipt_number}: {len(result.records)} record(s) from {named(result.provider_code)}",
            f"{result.receipt_number}: {named(result.provider_code)} から {len(result.records)} 件",
        )
        if result.answer_kind == common_pb2.ANSWER_KIND_NO_REPLICA:
            session.say("  no replica meets the conditions", "  該当する副本がありません")
        for record in result.records:
            _show_record(session, result.information_code, record)
    for missing in response.unavailable:
        session.remark(
            f"{missing.receipt_number}: {reason_text(missing.reason, session.language)}",
            f"{missing.receipt_number}: {reason_text(missing.reason, session.language)}",
        )


def _show_record(session: Session, information: str, record: common_pb2.ResultRecord) -> None:
    names = item_names(information, record.edition, record.data_set)
    session.table(
        [Text("item", "項目"), Text("name", "名称"), Text("value", "値")],
        ((item.item_code, names.get(item.item_code, ""), item_text(item, session.language)) for item in record.items),
        title=Text(
            f"data set {record.data_set}, edition {record.edition}, {period_text(record.period)}",
            f"データセット {record.data_set} 版 {record.edition} {period_text(record.period)}",
        ),
    )


def show_permission(session: Session, request: pb.CheckPermissionRequest, response: pb.CheckPermissionResponse) -> None:
    """Teach whether and why an inquiry is lawful."""
    if session.json(response):
        return
    affair, procedure = affairs().get(request.affair_code), procedures().get(request.procedure_code)
    session.say("permitted" if response.permitted else "not permitted", "許可" if response.permitted else "不許可")
    session.fields(
        [
            (Text("inquirer", "情報照会者"), named(request.inquirer_code or session.called.organization_code)),
            (Text("affair", "事務"), f"{request.affair_code} {affair.name if affair else ''}"),
            (Text("procedure", "事務手続"), f"{request.procedure_code} {procedure.name if procedure else ''}"),
            (Text("provider", "情報提供者"), named(request.provider_code)),
            (Text("information", "特定個人情報名"), request.information_code),
            (Text("row of the list", "許可リストの行"), response.permission_row_id),
            (Text("legal basis", "根拠"), response.legal_basis),
            (Text("basis until 2024-05-26", "根拠(2024-05-26まで)"), response.legal_basis_old),
            (Text("consent needed", "本人同意"), "yes / 要" if response.consent_required else ""),
            (Text("version of the list", "リストの版"), response.permission_list_version),
            (Text("rule that fails", "満たさない規則"), response.reason),
            (Text("which says", "内容"), Text(response.message, response.message_ja).word(session.language)),
        ]
    )
    if not response.permitted:
        show_what_is_permitted(session, request.procedure_code)


def show_what_is_permitted(session: Session, procedure_code: str) -> None:
    """Show what the list lets a procedure ask: 番号法19条8号 permits that and nothing else."""
    rows = [row for row in permission_list().rows if row.procedure_code == procedure_code]
    if not rows:
        session.say("the list has no row for this procedure", "この事務手続は許可リストにありません")
        return
    session.table(
        [
            Text("row", "行"),
            Text("may ask for", "照会できる情報"),
            Text("of", "提供者"),
            Text("asked by", "照会者"),
            Text("legal basis", "根拠"),
            Text("in force", "有効期間"),
        ],
        (
            (
                row.row_id,
                f"{row.information_code} {_information_name(row.information_code)}",
                _kinds(session, row.provider_kinds),
                _kinds(session, row.inquirer_kinds),
                row.legal_basis_new if row.legal_basis_new != "unverified" else row.legal_basis_old,
                f"{row.valid_from}–{row.valid_to or ''}",
            )
            for row in rows
        ),
        title=Text("What this procedure may ask (permission list):", "この事務手続で照会できるもの(許可リスト):"),
    )


def _kinds(session: Session, kinds: Iterable[str]) -> str:
    names = kind_names()
    return ", ".join(
        Text(names[kind].english, names[kind].japanese).word(session.language) if kind in names else kind
        for kind in kinds
    )


def _information_name(code: str) -> str:
    try:
        return layout(code, editions(code)[-1]).name
    except ChukanError:
        return ""
