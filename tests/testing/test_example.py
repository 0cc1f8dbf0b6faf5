# SPDX-License-Identifier: Apache-2.0
"""The example project runs as its README says, and a failure in it is one somebody can read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chukan.standard.reasons import reason
from tests.testing.runs import ROOT, left_behind, run_pytest

EXAMPLE = ROOT / "examples" / "pytest"
TESTS = 8

FAILING = """
def test_the_answer_is_lost_when_nobody_asks(chukan_world, chukan_faults):
    lost = chukan_faults.add("ANSWER_LOST", method="InquiryService/CreateInquiry", once=True)
    assert lost.strikes == 1

def test_a_replica_of_nobody(chukan_world):
    chukan_world.replica("900000000000001", at="131041")

def test_no_such_fault(chukan_faults):
    chukan_faults.add("NO_SUCH")

def test_no_such_organization(chukan_client):
    chukan_client("131")

def test_nobody_may_ask(chukan_world):
    person = chukan_world.addressee("131041", "131121", link=False)
    chukan_world.inquiry_spec(person, by="131121", provider="131041", information="TM00000000000020")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__", ".*")))


@pytest.mark.parametrize("options", [("-n", "2"), ("-p", "no:randomly")], ids=["two_processes", "plain"])
def test_the_example_passes_and_leaves_nothing(project: Path, options: tuple[str, ...]) -> None:
    run = run_pytest(project, "-q", *options)

    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{TESTS} passed" in run.stdout
    assert left_behind(project) == []


def test_a_failure_is_told_in_the_test_s_own_lines_with_its_world(project: Path) -> None:
    (project / "test_failing.py").write_text(FAILING, "utf-8")

    run = run_pytest(project, "-q", "test_failing.py")

    assert run.returncode == 1, run.stdout + run.stderr
    for told in (
        "AssertionError: assert 0 == 1",
        "where 0 = Fault(id='answer-lost-1', kind='ANSWER_LOST').strikes",
        "- chukan world -",
        "fault answer-lost-1: ANSWER_LOST at chukan.v1.InquiryService/CreateInquiry, struck 0 of 0",
        ", clock frozen",
        "StageError: no row of the permission list lets 131121 ask 131041 for TM00000000000020 on 20",
        "ChukanError: FAULT_KIND_UNKNOWN: the kind of fault is not known (field fault.kind; got=",
        "- chukan error -",
        reason("FAULT_KIND_UNKNOWN").action_japanese,
        "StageError: got organization '131', which there is not; expected an organization's 16 digits or a",
        "StageError: the replica of TM00000000000002 at 0220113104101700 was refused: ADDRESSEE_UNKNOWN",
    ):
        assert told in run.stdout
    assert not [path for path in ("chukan/testing/", "chukan/client/", "grpc/") if path in run.stdout]


def test_both_readmes_name_every_test_and_show_the_same_commands() -> None:
    texts = [(EXAMPLE / name).read_text("utf-8") for name in ("README.md", "README.ja.md")]
    tests = [
        line.removeprefix("def test_").partition("(")[0].replace("_", " ")
        for line in (EXAMPLE / "test_address_system.py").read_text("utf-8").splitlines()
        if line.startswith("def test_")
    ]

    assert len(tests) == TESTS
    for text in texts:
        assert [name for name in tests if f"| {name} |" not in text] == []
    assert texts[0].split("```")[1::2] == texts[1].split("```")[1::2]
