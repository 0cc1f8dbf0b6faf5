# SPDX-License-Identifier: Apache-2.0
"""What a load and an inquiry file came to, shown to people, and their progress bars."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from chukan.command.language import Text
from chukan.command.messages import named, reason_text, spoken, when_written
from chukan.command.progress import steps
from chukan.standard.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chukan.adapter import exchange, sync
    from chukan.command.session import Session

__all__ = ["inquire_progress", "load_progress", "show_inquire", "show_load", "show_status"]

_STAGES: Final = {
    "send": Text("sent", "送信"),
    "wait": Text("answered", "回答"),
    "write": Text("written", "出力"),
    "pause": Text("server busy, seconds to wait", "接続先混雑 待機秒数"),
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
            Text("already there", "登録済み"),
            Text("no individual number", "個人番号未設定"),
            Text("held", "保留"),
            Text("refused", "拒否"),
            Text("seconds", "秒"),
        ],
        (
            (
                _lane_name(session, each),
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
        f"linkage codes: {codes.asked:,} newly asked for, {codes.linked:,} acquired in this load, {codes.open:,} open",
        f"符号取得: 今回の要求 {codes.asked:,}、今回の取得 {codes.linked:,}、処理中 {codes.open:,}",
    )
    _show_reasons(session, report)
    if report.dead_letters:
        session.say(
            f"{report.dead_letters:,} faults in rows that were not taken, with reasons: {report.dead_letter_file}",
            f"登録されなかった行の問題 {report.dead_letters:,}件(理由は次のファイル): {report.dead_letter_file}",
        )
    session.say(
        f"what was sent is remembered in {report.state_folder}",
        f"送信済みの記録: {report.state_folder}",
    )
    dry = Text(" (dry run: nothing was sent)", "(試行: 送信していません)").word(session.language)
    session.say(
        f"{report.seconds:.1f} s{dry if report.dry_run else ''}",
        f"{report.seconds:.1f} 秒{dry if report.dry_run else ''}",
    )


def _show_reasons(session: Session, report: sync.Report) -> None:
    for lane in report.lanes:
        for code, count in lane.reasons.most_common():
            print(f"  {_lane_name(session, lane)}: {count:,} × {reason_text(code, session.language)}")
        if lane.took_nothing:
            session.remark(
                f"{lane.name_english}: EVERY row was refused: is it the right file?",
                f"{lane.name}: 全ての行が拒否されました。ファイルが正しいか確認してください。",
            )
    if report.codes.problem:
        print(f"  {reason_text(report.codes.problem, session.language)}")
    if report.codes.failed:
        session.say("without a code, of this load and earlier ones:", "符号を取得できていない人（以前の分を含む）:")
    for code, count in report.codes.failed.most_common():
        print(f"  {count:,} × {reason_text(code, session.language)}")
    for note in report.notes:
        session.remark(note.english, note.japanese)
    for lane in report.lanes:
        for note in lane.notes:
            session.remark(f"{lane.name_english}: {note.english}", f"{lane.name}: {note.japanese}")


def _lane_name(session: Session, lane: sync.LaneReport) -> str:
    return Text(lane.name_english, lane.name).word(session.language)


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
        (Text("remembered in", "送信済みの記録"), report.state_folder or ""),
        (Text("time", "時間"), f"{report.seconds:.1f} s, {report.rows_per_second:,.0f}/s"),
    ]
    session.fields(pairs)
    _show_refusals(session, report.refusals)
    _show_problems(session, report.problem_reasons)
    for each in report.warnings:
        session.remark(each.english, each.japanese)


def _show_refusals(session: Session, refusals: Mapping[str, int]) -> None:
    for code, count in sorted(refusals.items(), key=lambda item: -item[1]):
        print(f"  {count:,} × {reason_text(code, session.language)}")


def _show_problems(session: Session, reasons: Mapping[str, int]) -> None:
    """Say why rows failed or are none, and what to do."""
    for code, count in sorted(reasons.items(), key=lambda item: -item[1]):
        todo = Text(reason(code).action_english, reason(code).action_japanese).word(session.language)
        print(f"  {count:,} × {reason_text(code, session.language)} → {todo}")


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
                when_written(lane["started"]),
                Text(lane["name_english"], lane["name"]).word(session.language),
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
