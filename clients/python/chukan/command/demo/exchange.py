# SPDX-License-Identifier: Apache-2.0
"""Steps 4 and 6: an inquiry file answered, row by row as the extracts say; and an inquiry the law doesn't permit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.command import inquiry_view
from chukan.command.adapter_view import inquire_progress
from chukan.command.demo.expected import NIL, NONE, VALUES, ZERO, answers_in, counted, expected_answers
from chukan.command.language import Text
from chukan.command.messages import reason_text

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.exchange import Report
    from chukan.command.demo.body import Body
    from chukan.command.demo.stage import Stage
    from chukan.command.demo.verdict import Verdict
    from chukan.command.session import Session

__all__ = ["ask", "ask_unlawfully"]

_NAMES: Final = {
    VALUES: Text("taxed", "課税あり"),
    ZERO: Text("zero", "0円"),
    NIL: Text("nil: undeclared", "値なし(未申告)"),
    NONE: Text("no replica", "副本なし"),
}
_SHOWN_ROWS: Final = 5
_SHOWN_COLUMNS: Final = (1, 23, 24, 25, 230, 254)
_AFFAIR: Final = "JM01000000121000"
_ACCOUNT_PROCEDURE: Final = "JT01010000000001"
_TAX: Final = "TM00000000000002"
_ANSWER_SECONDS: Final = 20.0


def ask(session: Session, verdict: Verdict, stage: Stage, inquirer: Body, provider: Body) -> Report:
    """Send the inquiry file, show the head of the result file, check every answer."""
    from chukan.adapter.exchange import InquireOptions, inquire

    server = stage.server
    assert server is not None  # noqa: S101  # step 2 started it
    out = stage.folder / "result.csv"
    options = InquireOptions(
        inputs=tuple(inquirer.inquiry_files),
        out=out,
        target=server.target,
        organization=inquirer.code,
        state=inquirer.folder / "chukan-inquiries",
        wait=True,
    )
    for path in inquirer.inquiry_files:
        print_unless_machine(
            session, f"   {path.name}: {path.read_text('ascii').splitlines()[0].replace(' ', '')[:110]}…"
        )
    with inquire_progress(session) as progress:
        report = inquire(options, progress)
    session.say(
        f"   {report.rows:,} inquiries answered in {report.seconds:.1f} s; {out.name}, columns from 0\n"
        "   ([23] status of the row, [25] status of the information):",
        f"   {report.rows:,}件を{report.seconds:.1f}秒で照会。結果ファイル {out.name}(列は0から。\n"
        "   [23]は明細、[25]は特定個人情報名の照会ステータス):",
    )
    _show_head(session, out)
    _check(session, verdict, report, inquirer=inquirer, provider=provider, out=out)
    return report


def print_unless_machine(session: Session, line: str) -> None:
    """Print a line that is the same in both languages."""
    if not session.machine:
        print(line)


def _show_head(session: Session, out: Path) -> None:
    import csv

    if session.machine:
        return
    with out.open(encoding="utf-8", newline="") as file:
        rows = [row for row, _ in zip(csv.reader(file), range(_SHOWN_ROWS), strict=False)]
    names = ["宛名番号", "明細", "結果", "情報名", "均等割額", "所得割額"]
    session.table(
        [Text(f"[{place}] {name}", f"[{place}] {name}") for place, name in zip(_SHOWN_COLUMNS, names, strict=True)],
        ([row[place].strip() for place in _SHOWN_COLUMNS] for row in rows),
    )


def _check(session: Session, verdict: Verdict, report: Report, *, inquirer: Body, provider: Body, out: Path) -> None:
    expected = expected_answers(inquiries=inquirer.inquiry_files, inquirer=inquirer.folder, provider=provider.folder)
    got = answers_in(out)
    verdict.equal(report.rows, inquirer.rows("inquiries/"), "rows of the inquiry file", "照会ファイルの行数")
    for kind, count in counted(expected).items():
        name = _NAMES[kind]
        verdict.equal(counted(got)[kind], count, f"answers, {name.en}", f"回答: {name.ja}")
    wrong = [number for number, answer in expected.items() if got.get(number) != answer]
    verdict.check(
        not wrong and got.keys() == expected.keys(),
        f"every answer is what {provider.name}'s tax extract says ({len(wrong)} of {len(expected)} differ)",
        f"すべての回答が{provider.name}の税データと一致({len(expected)}件中 相違 {len(wrong)}件)",
    )
    if report.refused or report.failed:
        for code, count in report.refusals.items():
            text = f"     {count} × {reason_text(code, session.language)}"
            session.say(text, text)


def ask_unlawfully(session: Session, verdict: Verdict, target: str, *, inquirer: Body, provider: Body) -> None:
    """Ask for tax information under the procedure for bank accounts: the list has no such row."""
    from chukan.client import Client
    from chukan.v1 import common_pb2
    from chukan.v1 import exchange_record_service_pb2 as records
    from chukan.v1 import inquiry_service_pb2 as pb

    with Client(target, organization=inquirer.code) as client:
        known = client.inquiries.ListInquiries(pb.ListInquiriesRequest(page_size=1)).inquiries[0].spec
        spec = pb.InquirySpec(
            record_id="demo-not-permitted",
            integrated_address_number=known.integrated_address_number,
            nondisclosure_code="1",
            affair_code=_AFFAIR,
            procedure_code=_ACCOUNT_PROCEDURE,
            provider_code=provider.code,
            information_code=_TAX,
            condition_kind="0",
            year_kind="0",
        )
        inquiry = client.inquiries.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec)).inquiry
        inquiry = inquiry_view.wait_until_finished(client, inquiry, _ANSWER_SECONDS)
        check = client.inquiries.CheckPermission(
            pb.CheckPermissionRequest(
                affair_code=_AFFAIR,
                procedure_code=_ACCOUNT_PROCEDURE,
                provider_code=provider.code,
                information_code=_TAX,
            )
        )
        recorded = client.exchange_records.ListExchangeRecords(
            records.ListExchangeRecordsRequest(outcomes=[common_pb2.EXCHANGE_OUTCOME_REFUSED])
        ).records
    session.say(
        f"   {inquirer.name} asks for local tax under the procedure 公金受取口座の確認 ({_ACCOUNT_PROCEDURE}):",
        f"   {inquirer.name}が「公金受取口座の確認」({_ACCOUNT_PROCEDURE})の手続で地方税関係情報を照会:",
    )
    text = f"   {inquiry.status.row_status} {inquiry.status.row_message}"
    session.say(f"{text}\n   {inquiry.reason}: {check.message}", f"{text}\n   {inquiry.reason}: {check.message_ja}")
    if not session.machine:
        inquiry_view.show_what_is_permitted(session, _ACCOUNT_PROCEDURE)
    verdict.check(inquiry.state == common_pb2.INQUIRY_STATE_REFUSED, "the inquiry is refused", "照会は拒否されます")
    verdict.check(
        not check.permitted and check.reason.startswith("NOT_PERMITTED"),
        f"the list says why beforehand: {check.reason}",
        f"事前の確認でも理由が示されます: {check.reason}",
    )
    verdict.check(
        [each.receipt_number for each in recorded] == [inquiry.receipt_number],
        f"the refusal is recorded too, receipt number {inquiry.receipt_number}",
        f"拒否も記録されます(受付番号 {inquiry.receipt_number})",
    )
