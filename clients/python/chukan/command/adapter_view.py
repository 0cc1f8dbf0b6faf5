# SPDX-License-Identifier: Apache-2.0
"""What a load and an inquiry file came to, shown to people, and their progress bars."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from chukan.command.language import Text
from chukan.command.messages import named, reason_text, spoken, when_written
from chukan.command.progress import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chukan.adapter import exchange, sync
    from chukan.command.session import Session

__all__ = ["inquire_progress", "load_progress", "show_inquire", "show_load", "show_status"]

_STAGES: Final = {
    "send": Text("sent", "送信"),
    "wait": Text("answered", "回答"),
    "write": Text("written", "出力"),
}


@contextmanager
def load_progress(session: Session) -> Iterator[Callable[[sync.ProgressEvent], None]]:
    """Yield what a load tells its progress: a bar per lane."""
    with steps(session) as tell:
        yield lambda event: tell(f"{event.lane} ({event.sent:,})", event.done, event.total)


@contextmanager
def inquire_progress(session: Session) -> Iterator[exchange.Progress]:
    """Yield what a run tells its progress: a bar per stage."""
    with steps(session) as tell:

        def translated(stage: str, done: int, total: int) -> None:
            label = _STAGES.get(stage)
            tell(label.word(session.language) if label else stage, done, total)

        yield translated


def show_load(session: Session, report: sync.Report) -> None:
    """Show what a load came to, lane by lane."""
    if session.json(json.loads(report.to_json())):
        return
    session.table(
        [
            Text("lane", "種別"),
            Text("state", "状態"),
            Text("rows", "行数"),
            Text("unchanged", "変更なし"),
            Text("written", "登録"),
            Text("stood already", "登録済み"),
            Text("no 個人番号", "個人番号未設定"),
            Text("held", "保留"),
            Text("refused", "拒否"),
            Text("s", "秒"),
        ],
        (
            (
                each.name,
                spoken(each.state, session.language),
                f"{each.rows:,}",
                f"{each.not_changed:,}",
                f"{each.written:,}",
                f"{each.standing:,}",
                each.not_provided_no_individual_number or "",
                each.held_for_a_person or "",
                each.refused or "",
                f"{each.seconds:.1f}",
            )
            for each in report.lanes
        ),
    )
    codes = report.codes
    session.say(
        f"linkage codes: {codes.asked:,} asked, {codes.linked:,} linked, {sum(codes.failed.values()):,} failed, "
        f"{codes.open:,} open",
        f"符号取得: 要求 {codes.asked:,}、取得 {codes.linked:,}、失敗 {sum(codes.failed.values()):,}、"
        f"処理中 {codes.open:,}",
    )
    _show_reasons(session, report)
    if report.dead_letters:
        session.say(
            f"{report.dead_letters:,} rows were not taken, each with its reason: {report.dead_letter_file}",
            f"{report.dead_letters:,}行は登録されませんでした(理由は次のファイル): {report.dead_letter_file}",
        )
    dry = Text(" (dry run: nothing was sent)", "(試行: 送信していません)").word(session.language)
    session.say(
        f"{report.seconds:.1f} s{dry if report.dry_run else ''}",
        f"{report.seconds:.1f} 秒{dry if report.dry_run else ''}",
    )


def _show_reasons(session: Session, report: sync.Report) -> None:
    for lane in report.lanes:
        for code, count in lane.reasons.most_common():
            print(f"  {lane.name}: {count:,} × {reason_text(code, session.language)}")
        if lane.problem:
            print(f"  {lane.name}: {reason_text(lane.problem, session.language)}")
    for code, count in report.codes.failed.most_common():
        print(f"  {count:,} × {reason_text(code, session.language)}")
    for note in [*report.notes, *(note for lane in report.lanes for note in lane.notes)]:
        print(f"  {note}")


def show_inquire(session: Session, report: exchange.Report) -> None:
    """Show what became of each row of an inquiry file, and where it is written."""
    if session.json(report.to_data()):
        return
    pairs: list[tuple[Text, Any]] = [
        (Text("rows", "行数"), f"{report.rows:,}"),
        (Text("answered with values", "回答あり"), f"{report.values:,}"),
        (Text("answered: no replica", "副本なし"), f"{report.no_replica:,}"),
        (Text("refused", "拒否"), f"{report.refused:,}"),
        (Text("could not be asked", "照会不可"), report.failed or ""),
        (Text("still open", "未回答"), report.remainder or ""),
        (Text("not a row", "形式不正"), report.rejected or ""),
        (Text("result file", "結果ファイル"), report.result_file or ""),
        (Text("remainder", "未回答ファイル"), ", ".join(map(str, report.remainder_files))),
        (Text("rejected rows", "形式不正ファイル"), ", ".join(map(str, report.reject_files))),
        (
            Text("problems", "問題一覧"),
            f"{report.problem_count} ({report.problem_file})" if report.problem_count else "",
        ),
        (Text("time", "時間"), f"{report.seconds:.1f} s, {report.rows_per_second:,.0f}/s"),
    ]
    session.fields(pairs)
    _show_refusals(session, report.refusals)
    for each in report.warnings:
        session.remark(each.english, each.japanese)


def _show_refusals(session: Session, refusals: Mapping[str, int]) -> None:
    for code, count in sorted(refusals.items(), key=lambda item: -item[1]):
        print(f"  {count:,} × {reason_text(code, session.language)}")


def show_status(
    session: Session, *, loads: list[dict[str, Any]], ledgers: list[tuple[str, exchange.InquiryStatusReport]]
) -> None:
    """Show what the last loads came to, and how the rows of each inquiry file stand."""
    document = {"loads": loads, "ledgers": [{"organization": code, **each.to_data()} for code, each in ledgers]}
    if session.json(document):
        return
    if loads:
        _show_loads(session, loads)
    for code, report in ledgers:
        _show_ledger(session, code, report)
    if not loads and not ledgers:
        session.say("nothing was loaded or asked from here yet", "まだ登録も照会もしていません")


def _show_loads(session: Session, loads: list[dict[str, Any]]) -> None:
    session.table(
        [
            Text("loaded by", "機関"),
            Text("into", "接続先"),
            Text("started", "開始"),
            Text("lane", "種別"),
            Text("state", "状態"),
            Text("rows", "行数"),
            Text("written", "登録"),
            Text("refused", "拒否"),
        ],
        (
            (
                named(load["organization"]),
                load["target"],
                when_written(load["started"]),
                lane["name"],
                spoken(lane["state"], session.language),
                f"{lane['rows']:,}",
                f"{lane['written']:,}",
                f"{lane['refused']:,}",
            )
            for load in loads
            for lane in load["lanes"]
        ),
        title=Text("Last loads", "直近の登録"),
    )


def _show_ledger(session: Session, code: str, report: exchange.InquiryStatusReport) -> None:
    session.table(
        [
            Text("file", "ファイル"),
            Text("first seen", "初回"),
            Text("open", "未回答"),
            Text("ready", "出力待ち"),
            Text("delivered", "出力済み"),
            Text("failed", "照会不可"),
            Text("asked again", "再照会"),
            Text("expires", "保存期限"),
        ],
        (
            (
                each.name,
                f"{each.first_seen:%Y-%m-%d %H:%M}",
                each.open,
                each.ready,
                each.delivered,
                each.failed,
                f"{each.times_asked_again} ({each.reason})" if each.times_asked_again else "",
                f"{each.expires:%Y-%m-%d %H:%M}" if each.expires else "",
            )
            for each in report.files
        ),
        title=Text(f"Inquiry files of {named(code)}", f"照会ファイル: {named(code)}"),
    )
    for each in report.warnings:
        session.remark(each.english, each.japanese)
