# SPDX-License-Identifier: Apache-2.0
"""Rules of the demo's own reckoning: what it expects is in the files, and a wrong answer is seen."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from chukan.command.demo.expected import NIL, NONE, VALUES, ZERO, counted, expected_answers
from chukan.command.demo.verdict import Verdict
from chukan.command.session import Session
from chukan.people import write

if TYPE_CHECKING:
    from pathlib import Path

FORMER, NEW = "131041", "131121"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bodies")
    for body, other, encoding in ((FORMER, NEW, "cp932"), (NEW, FORMER, "utf-8")):
        write(
            folder / body,
            municipality=body,
            count=300,
            seed=1,
            reference_date=date(2026, 6, 1),
            linked=[other],
            encoding=encoding,
        )
    return folder


def test_all_four_answers_occur_and_every_row_has_one(folder: Path) -> None:
    """A value, a value of zero, nil with a reason, no replica: an inquirer must tell them apart."""
    files = sorted((folder / NEW / "inquiries").iterdir())

    answers = expected_answers(inquiries=files, inquirer=folder / NEW, provider=folder / FORMER)

    assert len(answers) == sum(len(file.read_text().splitlines()) for file in files)
    assert set(counted(answers)) == {VALUES, ZERO, NIL, NONE}
    assert all(counted(answers).values())


def test_whoever_asks_the_wrong_body_gets_nothing(folder: Path) -> None:
    files = sorted((folder / NEW / "inquiries").iterdir())

    answers = expected_answers(inquiries=files, inquirer=folder / NEW, provider=folder / NEW)

    assert counted(answers)[NONE] == len(answers)


def test_a_verdict_keeps_what_is_off(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict(Session())

    verdict.equal(1, 1, "same", "同じ")
    verdict.equal(1, 2, "other", "違う")

    assert [en for en, _ in verdict.off] == ["other: got 1, expected 2"]
    assert "✗ other: got 1, expected 2" in capsys.readouterr().out
