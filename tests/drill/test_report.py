# SPDX-License-Identifier: Apache-2.0
"""A result is told to people and machines, measured apart from calculated; only one that is whole passes."""

from __future__ import annotations

from chukan.drill.report import as_document, footnote, heads, hints, quiet_lines, rows, scrape_lines
from chukan.drill.results import Noticed, Outcome, Quiet, Result, Scrapes, Verdict
from chukan.drill.scenarios import SCENARIOS

UNREACHABLE = SCENARIOS["provider-unreachable"]
KILLED = SCENARIOS["server-killed"]
QUIET = Quiet(5.0, (), 20)


def english(en: str, _ja: str) -> str:
    return en


def japanese(_en: str, ja: str) -> str:
    return ja


def _down(detected: float | None = 0.9, resolved: float | None = 2.5, **more: tuple[str, ...]) -> Outcome:
    return Outcome(KILLED, [Noticed("ChukanDown", 0.0, detected, resolved)], **more)


def _result(*outcomes: Outcome, quiet: Quiet = QUIET) -> Result:
    return Result(120, list(outcomes), [quiet])


def test_a_row_tells_measured_seconds_and_in_brackets_those_calculated() -> None:
    assert heads(english) == ["fault", "alert", "detected after", "resolved after", "result"]
    assert rows(_down(), english, scale=120) == [
        ["the server is killed", "ChukanDown", "0.9 s (1 min 48 s)", "2.5 s (5 min 0 s)", "ok"]
    ]
    assert rows(_down(), japanese, scale=120) == [
        ["サーバーが強制終了する", "ChukanDown", "0.9秒 (1分48秒)", "2.5秒 (5分0秒)", "正常"]
    ]
    assert "calculated and not measured" in footnote(english, scale=120)[0]
    assert "計算値" in footnote(japanese, scale=120)[0]


def test_what_a_rule_waits_longer_in_the_drill_is_not_multiplied() -> None:
    outcome = Outcome(KILLED, [Noticed("ChukanDown", 1.5, 2.5, 2.5)])

    assert rows(outcome, english, scale=120)[0][2] == "2.5 s (2 min 0 s)"


def test_at_the_shipped_times_nothing_is_calculated() -> None:
    assert rows(_down(70.0, 305.0), english, scale=1)[0][2:4] == ["70.0 s", "305.0 s"]
    assert footnote(english, scale=1) == []


def test_each_expected_alert_has_a_row_and_a_silent_one_says_what_was_struck() -> None:
    outcome = Outcome(UNREACHABLE, [Noticed("ChukanUnsentOld", 0.0, 8.6, 9.9), Noticed("ChukanInquiriesOld")], struck=7)

    assert outcome.verdict is Verdict.SILENT
    assert [row[1:] for row in rows(outcome, english, scale=120)] == [
        ["ChukanUnsentOld", "8.6 s (17 min 12 s)", "9.9 s (19 min 48 s)", "ok"],
        ["ChukanInquiriesOld", "–", "–", "SILENT: no alert; (calls struck: 7)"],
    ]


def test_only_a_drill_in_which_all_was_noticed_and_nothing_else_rang_has_passed() -> None:
    assert _result(_down()).passed
    assert _result(_down(companions=("ChukanUnsentOld",))).passed
    assert not _result(_down(detected=None, resolved=None)).passed
    assert not _result(_down(resolved=None)).passed
    assert not _result(_down(false_alarms=("ChukanUnsentOld",))).passed
    assert not _result(_down(), Outcome(UNREACHABLE, skipped=Verdict.NOT_RUN)).passed
    assert not _result(_down(), quiet=Quiet(5.0, ("ChukanUnsentOld",), 20)).passed
    assert not _result(_down(), quiet=Quiet(5.0, (), 0)).passed
    assert not Result(120, [_down()], []).passed


def test_a_fault_the_emulator_has_not_is_told_and_what_was_left_out_has_not_passed() -> None:
    lacking = Outcome(UNREACHABLE, skipped=Verdict.NOT_OFFERED)

    assert not _result(_down(), lacking).passed
    assert not _result().passed
    assert rows(lacking, english, scale=120)[0][1:] == [
        "ChukanUnsentOld, ChukanInquiriesOld",
        "–",
        "–",
        "NOT RUN: this emulator has no such fault",
    ]


def test_quiet_periods_tell_what_rang_and_whether_they_prove_anything() -> None:
    result = Result(120, [], [QUIET, Quiet(2.5, ("ChukanDown",), 0)])

    assert quiet_lines(result, english) == [
        "2 quiet periods without a fault, 8 s in all",
        "FALSE ALARM in quiet period 2: ChukanDown",
        "quiet period 2 proves nothing: no call was answered in it",
    ]
    assert "対照期間 2 で誤報: ChukanDown" in quiet_lines(result, japanese)


def test_a_server_that_seems_down_is_explained_by_a_busy_machine_only_if_scrapes_came_too_late() -> None:
    rang = _result(_down(false_alarms=("ChukanDown",)))
    quiet = _result(_down(), quiet=Quiet(5.0, ("ChukanDown",), 20))
    other = _result(_down(false_alarms=("ChukanUnsentOld",)))
    for result in (rang, quiet, other):
        assert hints(result, english) == []
        result.scrapes = Scrapes(count=600, late=0, given_up_after=0.5)
        assert hints(result, english) == []
        result.scrapes = Scrapes(count=600, late=21, given_up_after=0.5)

    assert "SCALE=60" in hints(rang, english)[0]
    assert "SCALE=60" in hints(quiet, japanese)[0]
    assert hints(other, english) == []


def test_scrapes_that_came_too_late_are_told_whatever_came_of_the_drill() -> None:
    result = _result(_down())
    assert scrape_lines(result, english) == []
    result.scrapes = Scrapes(count=600, late=0, given_up_after=0.5)
    assert scrape_lines(result, english) == []
    result.scrapes = Scrapes(count=600, late=3, given_up_after=0.5)

    assert scrape_lines(result, english) == ["3 of 600 scrapes were given up after 0.5 s: they came too late"]
    assert "600 回のうち 3 回" in scrape_lines(result, japanese)[0]
    assert as_document(result)["scrapes"] == {"count": 600, "late": 3, "given_up_after_seconds": 0.5}


def test_a_document_holds_measured_and_calculated_seconds_apart() -> None:
    document = as_document(_result(_down(0.9, None)))

    assert not document["passed"]
    assert document["scale"] == 120
    assert document["scenarios"][0]["verdict"] == "unresolved"
    assert document["scenarios"][0]["alerts"] == [
        {
            "alert": "ChukanDown",
            "detected_seconds": 0.9,
            "detected_seconds_as_shipped_calculated": 108.0,
            "resolved_seconds": None,
            "resolved_seconds_as_shipped_calculated": None,
        }
    ]
    assert document["quiet"] == [{"seconds": 5.0, "false_alarms": [], "calls_answered": 20, "passed": True}]


def test_a_fault_that_struck_nothing_has_not_been_noticed() -> None:
    """On a busy machine the alert may ring for something else."""
    rung = [Noticed(alert, 0.0, 8.6, 9.9) for alert in UNREACHABLE.alerts]
    idle, at_work = Outcome(UNREACHABLE, rung, struck=0), Outcome(UNREACHABLE, rung, struck=7)

    assert (idle.verdict, at_work.verdict) == (Verdict.STRUCK_NOTHING, Verdict.PASSED)
    assert {row[4] for row in rows(idle, english, scale=120)} == {"THE FAULT STRUCK NOTHING"}
    assert not _result(idle).passed


def test_an_alert_that_went_while_the_fault_stood_is_not_resolved_by_healing() -> None:
    early = Outcome(KILLED, [Noticed("ChukanDown", 0.0, 0.9, -3.0)])

    assert early.verdict is Verdict.WENT_EARLY
    assert rows(early, japanese, scale=120)[0][4] == "障害の継続中に解消"
    assert not _result(early).passed
