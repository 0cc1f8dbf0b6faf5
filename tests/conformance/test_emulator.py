# SPDX-License-Identifier: Apache-2.0
"""The kit against our emulator, the quick cut of it against broken servers, and what its reports may show."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from chukan.conformance.calls import channels
from chukan.conformance.reports import write_reports
from chukan.conformance.results import Known, Verdict
from chukan.conformance.runner import Runner
from tests.conformance.mutants import MUTANTS, silent
from tests.conformance.proxy import Mutant, Proxy
from tests.conformance.stage import failed_control, verdict_on

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.conformance.results import Run
    from tests.conformance.stage import Prepared

QUICK = [
    min((mutant for mutant in MUTANTS if mutant.group == group), key=lambda mutant: len(mutant.kills))
    for group in sorted({mutant.group for mutant in MUTANTS})
]


@pytest.fixture(scope="module")
def run(stage: Prepared) -> Run:
    return stage.run()


def test_our_emulator_conforms_but_for_what_is_known(run: Run) -> None:
    assert [(result.entry.case.id, result.faults) for result in run.results if result.bad] == []
    assert run.counts[Verdict.SKIPPED] == 0
    assert run.exit_code == 0


def test_a_second_run_at_the_same_target_comes_to_the_same(stage: Prepared, run: Run) -> None:
    """Above all those cases that share their people with the run before."""
    shared = [result.entry.case.id for result in run.results if result.entry.pair is not None]

    again = stage.run(shared)

    assert [(each.entry.case.id, each.faults) for each in again.results if each.verdict is not Verdict.PASSED] == []


def test_no_case_is_content_with_a_server_that_only_says_yes(stage: Prepared) -> None:
    verdict, results = verdict_on(silent(tuple(entry.case.id for entry in stage.entries)), stage)

    assert [name for name, result in results.items() if result.verdict is not Verdict.FAILED] == []
    assert verdict == "killed"


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_broken_server_is_noticed(stage: Prepared, mutant: object) -> None:
    """One per group; `make mutants` runs all."""
    assert failed_control(stage, mutant.kills) == []  # type: ignore[attr-defined]
    assert verdict_on(mutant, stage)[0] == "killed"  # type: ignore[arg-type]


HOSTILE = {
    "quotes in a receipt": ("CreateInquiry", lambda m: setattr(m.inquiry, "receipt_number", 'x", "y": ["')),
    "braces in a receipt": ("CreateInquiry", lambda m: setattr(m.inquiry, "receipt_number", "${run}]{")),
    "an instant that there is not": ("GetInquiry", lambda m: setattr(m.inquiry.finish_time, "seconds", 2**62)),
    "an enum value that there is not": ("GetInquiry", lambda m: setattr(m.inquiry, "state", 99)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_target_answers_is_a_verdict(stage: Prepared, name: str) -> None:
    """A kit that stumbles over an answer would let a broken server look like a broken kit."""
    method, change = HOSTILE[name]

    def answer(called: str, message: Any) -> bool:
        return called.endswith(f"/{method}") and change(message) is None

    verdict, results = verdict_on(Mutant(name, "", ("SKI-1/1",), answer=answer), stage)

    assert (verdict, len(results)) == ("killed", 1)


def test_a_report_shows_the_exchange_of_a_failure_and_no_number_of_a_person(stage: Prepared, tmp_path: Path) -> None:
    """All four forms, of a run in which every case failed somewhere."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "echoes an individual number")
    proxy = Proxy(stage.target, mutant)
    found = stage.run([*mutant.kills, "SKI-1/1", "FGU-1/1"], target=proxy.target)
    proxy.close()
    for result in found.results:
        result.verdict, result.faults = Verdict.FAILED, result.faults or ["made to fail"]

    paths = write_reports(found, tmp_path)

    texts = {path.name: path.read_text("utf-8-sig") for path in paths}
    assert sorted(texts) == ["junit.xml", "report.html", "results.csv", "results.json"]
    for name, text in texts.items():
        plain = re.sub("(TM|JM|JT|TK)[0-9]{14}", "", unicodedata.normalize("NFKC", text))
        assert re.findall(r"(?<![0-9a-f])[0-9]{11,15}(?![0-9a-f])", plain) == [], name
        assert "123400" not in text, name
    assert "不適合" in texts["report.html"]
    assert "not conformant" in texts["report.html"]
    assert "InquiryService/CreateInquiry" in texts["report.html"]
    assert "http" not in texts["report.html"].replace("</html>", "")
    assert json.loads(texts["results.json"])["passed"] is False
    suites = ET.fromstring(texts["junit.xml"])  # noqa: S314  # written by the kit itself
    assert sum(int(suite.attrib["failures"]) for suite in suites) == len(found.results)


def test_a_known_failure_that_passes_is_an_error(stage: Prepared) -> None:
    entry = next(entry for entry in stage.entries if entry.case.id == "SCM-1/2")
    with channels(stage.target, stage.profile) as opened:
        result = Runner(opened, stage.profile, "3000000", {"SCM-1/2": Known("link", "2030-01-01")}).judge(entry)

    assert (result.verdict, result.bad) == (Verdict.SURPRISE, True)
