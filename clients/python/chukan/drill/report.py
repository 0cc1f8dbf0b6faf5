# SPDX-License-Identifier: Apache-2.0
"""A drill's result for people (rows of a table) and for machines (a document).

What was measured is in seconds of the drill. What that is at the shipped durations is calculated, the measured seconds
(less those by which a rule waits longer here) times the scale, and marked so: it is late rather than early, for what
doesn't scale is multiplied too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from chukan.drill.results import Verdict
from chukan.drill.scenarios import NOT_DRILLED, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chukan.drill.results import Noticed, Outcome, Quiet, Result

    Pick = Callable[[str, str], str]
    """Chooses between English and Japanese."""

__all__ = ["as_document", "footnote", "heads", "hints", "quiet_lines", "rows", "scrape_lines", "untried"]

_VERDICTS: Final = {
    Verdict.SILENT: ("SILENT: no alert", "沈黙(警報なし)"),
    Verdict.UNRESOLVED: ("NOT RESOLVED", "解消されず"),
    Verdict.STRUCK_NOTHING: ("THE FAULT STRUCK NOTHING", "障害を受けた呼出しなし"),
    Verdict.WENT_EARLY: ("GONE BEFORE THE FAULT WAS", "障害の継続中に解消"),
    Verdict.FALSE_ALARM: ("FALSE ALARM", "誤報あり"),
    Verdict.NOT_RUN: ("NOT RUN: what was before it did not end", "未実施(前の警報が収まらない)"),
    Verdict.NOT_OFFERED: ("NOT RUN: this emulator has no such fault", "未実施(このエミュレーターにない障害)"),
    Verdict.PASSED: ("ok", "正常"),
}
_NEVER: Final = "–"
_DOWN: Final = "ChukanDown"
_MINUTE: Final = 60
_HOUR: Final = 3_600


def heads(pick: Pick) -> list[str]:
    """Return the table's heads."""
    return [
        pick("fault", "障害"),
        pick("alert", "警報"),
        pick("detected after", "検知まで"),
        pick("resolved after", "解消まで"),
        pick("result", "結果"),
    ]


def rows(outcome: Outcome, pick: Pick, *, scale: float) -> list[list[str]]:
    """Return a scenario's rows: one for each alert expected of it."""
    scenario = outcome.scenario
    fault = pick(scenario.english, scenario.japanese)
    if outcome.skipped is not None:
        return [[fault, ", ".join(scenario.alerts), _NEVER, _NEVER, pick(*_VERDICTS[outcome.verdict])]]
    return [
        [
            fault,
            each.alert,
            *_times(each, pick, scale),
            _said(outcome, each, pick),
        ]
        for each in outcome.noticed
    ]


def footnote(pick: Pick, *, scale: float) -> list[str]:
    """Return what the times in brackets are."""
    if scale == 1:
        return []
    return [
        pick(
            f"In brackets, calculated and not measured: what that is at the shipped times (times {scale:g}). "
            "Scraping, telling and the server's own pauses don't scale, so the true times are shorter.",
            f"括弧内は計算値で、実測ではありません(実測値の{scale:g}倍。既定の時間に換算)。取得、通知、サーバー自身の待ち時間は"
            "短縮されないため、実際はこれより短くなります。",
        )
    ]


def quiet_lines(result: Result, pick: Pick) -> list[str]:
    """Return what is to be said of the control periods."""
    seconds = sum(each.seconds for each in result.quiet)
    lines = [
        pick(
            f"{len(result.quiet)} quiet periods without a fault, {seconds:.0f} s in all",
            f"障害のない対照期間 {len(result.quiet)} 回、計 {seconds:.0f} 秒",
        )
    ]
    for number, each in enumerate(result.quiet, 1):
        if each.false_alarms:
            names = ", ".join(each.false_alarms)
            lines.append(pick(f"FALSE ALARM in quiet period {number}: {names}", f"対照期間 {number} で誤報: {names}"))
        if not each.answered:
            lines.append(
                pick(
                    f"quiet period {number} proves nothing: no call was answered in it",
                    f"対照期間 {number} は無効です(応答が1件もありません)",
                )
            )
    return lines


def scrape_lines(result: Result, pick: Pick) -> list[str]:
    """Return how many scrapes came too late: what else may explain an alert that is missing or too many."""
    seen = result.scrapes
    if seen is None or not seen.late:
        return []
    return [
        pick(
            f"{seen.late} of {seen.count} scrapes were given up after {seen.given_up_after:g} s: they came too late",
            f"取得 {seen.count} 回のうち {seen.late} 回は {seen.given_up_after:g} 秒以内に終わらず、打ち切られました",
        )
    ]


def hints(result: Result, pick: Pick) -> list[str]:
    """Return what may explain a failure that is this machine's."""
    rang = [each.false_alarms for each in result.outcomes] + [each.false_alarms for each in result.quiet]
    if result.scrapes is None or not result.scrapes.late or not any(_DOWN in names for names in rang):
        return []
    return [
        pick(
            f"{_DOWN} without cause, and scrapes came too late: this machine was too busy to be scraped as often as a "
            "drill does; try again when it is calmer, or with SCALE=60 or less",
            f"原因のない {_DOWN} があり、取得も遅れています。この端末が混み合い、訓練の短い間隔では取得できていません。"
            "空いているとき、または SCALE=60 以下でやり直してください",
        )
    ]


def untried(result: Result, pick: Pick) -> list[str]:
    """Return a line for each shipped alert that no scenario of this drill was about."""
    played = {alert for each in result.outcomes for alert in each.scenario.alerts}
    named = {
        alert: pick(f"played by the scenario {each.name}", f"シナリオ {each.name} で実施できます")
        for each in SCENARIOS.values()
        for alert in each.alerts
        if alert not in played
    }
    never = {alert: pick(*why) for alert, why in NOT_DRILLED.items()}
    return [f"{alert}: {why}" for alert, why in {**named, **never}.items()]


def as_document(result: Result) -> dict[str, Any]:
    """Return the result for machines; seconds are measured, those with `calculated` in their name are not."""
    return {
        "passed": result.passed,
        "scale": result.scale,
        "scenarios": [_outcome(each, result.scale) for each in result.outcomes],
        "quiet": [_quiet(each) for each in result.quiet],
        "scrapes": _scrapes(result),
        "not_drilled": {alert: why[0] for alert, why in NOT_DRILLED.items()},
    }


def _times(each: Noticed, pick: Pick, scale: float) -> Iterator[str]:
    """Yield measured seconds and, in brackets, what they are at the shipped times."""
    for seconds, shipped in zip((each.detected, each.resolved), each.shipped(scale), strict=True):
        if seconds is None or shipped is None:
            yield _NEVER
            continue
        measured = pick(f"{seconds:.1f} s", f"{seconds:.1f}秒")
        yield measured if scale == 1 else f"{measured} ({_long(shipped, pick)})"


def _said(outcome: Outcome, each: Noticed, pick: Pick) -> str:
    nothing = each.verdict is Verdict.PASSED and outcome.verdict is Verdict.STRUCK_NOTHING
    verdict = outcome.verdict if nothing else each.verdict
    said = [pick(*_VERDICTS[verdict])]
    if verdict is Verdict.SILENT:
        said.append(pick(f"(calls struck: {outcome.struck})", f"(障害を受けた呼出し: {outcome.struck}件)"))
    if outcome.false_alarms:
        said.append(f"{pick(*_VERDICTS[Verdict.FALSE_ALARM])}: {', '.join(outcome.false_alarms)}")
    if outcome.again:
        said.append(pick(f"waited {outcome.again} × longer (late scrapes)", f"取得の遅れにより{outcome.again}回延長"))
    if outcome.companions:
        said.append(pick("also: ", "同時: ") + ", ".join(outcome.companions))
    return "; ".join(said)


def _long(seconds: float, pick: Pick) -> str:
    whole = round(seconds)
    if whole < _MINUTE:
        return pick(f"{whole} s", f"{whole}秒")
    if whole < _HOUR:
        return pick(f"{whole // _MINUTE} min {whole % _MINUTE} s", f"{whole // _MINUTE}分{whole % _MINUTE}秒")
    minutes = whole % _HOUR // _MINUTE
    return pick(f"{whole // _HOUR} h {minutes} min", f"{whole // _HOUR}時間{minutes}分")


def _outcome(outcome: Outcome, scale: float) -> dict[str, Any]:
    return {
        "scenario": outcome.scenario.name,
        "fault": outcome.scenario.english,
        "fault_ja": outcome.scenario.japanese,
        "verdict": str(outcome.verdict),
        "alerts": [
            {
                "alert": each.alert,
                "detected_seconds": _rounded(each.detected),
                "detected_seconds_as_shipped_calculated": _rounded(each.shipped(scale)[0]),
                "resolved_seconds": _rounded(each.resolved),
                "resolved_seconds_as_shipped_calculated": _rounded(each.shipped(scale)[1]),
            }
            for each in outcome.noticed
        ],
        "companions": list(outcome.companions),
        "false_alarms": list(outcome.false_alarms),
        "calls_struck": outcome.struck,
        "waited_again": outcome.again,
    }


def _quiet(quiet: Quiet) -> dict[str, Any]:
    return {
        "seconds": round(quiet.seconds, 2),
        "false_alarms": list(quiet.false_alarms),
        "calls_answered": quiet.answered,
        "passed": quiet.passed,
    }


def _scrapes(result: Result) -> dict[str, Any] | None:
    seen = result.scrapes
    if seen is None:
        return None
    return {"count": seen.count, "late": seen.late, "given_up_after_seconds": seen.given_up_after}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
