# SPDX-License-Identifier: Apache-2.0
"""Step 3: people numbered, codes acquired, replicas registered; and a second load that sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.command.adapter_view import load_progress
from chukan.command.language import Text
from chukan.command.messages import reason_text

if TYPE_CHECKING:
    from chukan.adapter.sync import LaneReport, Report
    from chukan.command.demo.body import Body
    from chukan.command.demo.verdict import Verdict
    from chukan.command.session import Session

__all__ = ["load_body"]

_KINDS: Final = 4
_NO_CODE: Final = frozenset({"NO_RESIDENT_RECORD_CODE", "ADDRESSEE_CLOSED"})
"""Why an acquisition may fail for a dummy person: not in the simulated resident network, or closed meanwhile."""


def load_body(session: Session, verdict: Verdict, body: Body, target: str) -> None:
    """Load one municipality, then once more."""
    report = _load(session, body, target)
    _show(session, body, report)
    _check(verdict, body, report, _held(target, body))
    again = _load(session, body, target)
    verdict.equal(
        sum(lane.written for lane in again.lanes),
        0,
        f"{body.name}: records a second load of the same files writes",
        f"{body.name}: 同じファイルの再登録で書き込まれた件数",
    )


def _load(session: Session, body: Body, target: str) -> Report:
    from chukan.adapter.sync import LoadOptions, load

    options = LoadOptions(
        target=target,
        organization=body.code,
        people=(body.folder / "residents.csv", body.folder / "non_residents.csv"),
        extracts=body.folder / "extracts",
        state=body.folder / "chukan-state",
    )
    with load_progress(session) as progress:
        return load(options, progress)


def _held(target: str, body: Body) -> dict[str, int]:
    """Ask the middle server how many replicas it holds, by information."""
    from chukan.client import Client
    from chukan.v1.replica_service_pb2 import ListLanesRequest

    with Client(target, organization=body.code) as client:
        return {
            lane.information_code: lane.replica_count for lane in client.replicas.ListLanes(ListLanesRequest()).lanes
        }


def _show(session: Session, body: Body, report: Report) -> None:
    people = [lane for lane in report.lanes if not lane.information_code]
    replicas = [lane for lane in report.lanes if lane.information_code]
    codes = report.codes
    session.say(
        f"   {body.name}: {_total(people, 'rows'):,} rows of people, {codes.linked:,} linkage codes, "
        f"{_total(replicas, 'written'):,} replicas, {report.seconds:.1f} s",
        f"   {body.name}: 住民 {_total(people, 'rows'):,}行、符号 {codes.linked:,}件、"
        f"副本 {_total(replicas, 'written'):,}件、{report.seconds:.1f}秒",
    )
    held = _total(people, "held_for_a_person")
    if held:
        session.say(
            f"     {held} held for a person to decide (chukan address mismatches)",
            f"     {held}件は職員の判断待ちです(chukan address mismatches)",
        )
    for lane in report.lanes:
        for code, count in lane.reasons.most_common():
            session.say(
                f"     {lane.name}: {count} × {reason_text(code, session.language)}",
                f"     {lane.name}: {count} × {reason_text(code, session.language)}",
            )


def _check(verdict: Verdict, body: Body, report: Report, held: dict[str, int]) -> None:
    name = body.name
    for lane in report.lanes:
        if lane.state != "complete":
            label = Text(f"{name}: {lane.name} is {lane.state} {lane.problem}", f"{name}: {lane.name} は {lane.state}")
            verdict.check(False, label.en, label.ja)
    replicas = [lane for lane in report.lanes if lane.information_code]
    verdict.equal(len(replicas), _KINDS, f"{name}: kinds of replicas", f"{name}: 副本の種類")
    verdict.equal(
        sum(_accounted(lane) for lane in report.lanes),
        body.rows("residents") + body.rows("non_residents") + body.rows("extracts/"),
        f"{name}: rows accounted for",
        f"{name}: 処理結果を確認した行数",
    )
    written = {lane.information_code: lane.written for lane in replicas}
    verdict.check(
        held == written,
        f"{name}: {sum(held.values()):,} replicas held, {sum(written.values()):,} written, kind by kind the same",
        f"{name}: 保有する副本 {sum(held.values()):,}件、登録した副本 {sum(written.values()):,}件(種類ごとに一致)",
    )
    codes = report.codes
    verdict.equal(codes.open, 0, f"{name}: acquisitions still open", f"{name}: 取得中の符号")
    verdict.equal(
        codes.linked + sum(codes.failed.values()),
        codes.asked,
        f"{name}: codes asked for and settled",
        f"{name}: 取得要求が完了した符号(取得不可を含む)",
    )
    unexpected = {code: count for code, count in codes.failed.items() if code not in _NO_CODE}
    verdict.check(not unexpected, f"{name}: no acquisition failed unexpectedly", f"{name}: 想定外の符号取得失敗なし")


def _accounted(lane: LaneReport) -> int:
    return (
        lane.not_changed
        + lane.written
        + lane.standing
        + lane.not_provided_no_individual_number
        + lane.held_for_a_person
        + lane.refused
    )


def _total(lanes: list[LaneReport], field: str) -> int:
    return sum(getattr(lane, field) for lane in lanes)
