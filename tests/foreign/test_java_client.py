# SPDX-License-Identifier: Apache-2.0
"""A client written in Java from the committed protos and docs alone does the whole exchange, failures included.

It asks between other municipalities than the Node client, so that on one emulator neither finds the other's records.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "java"
_RESET = "\x1b[0m"  # Debian's Maven writes it even in batch mode
STEPS = ["1", "2", "3", "4", "5", "6", "7", "7", "8"]


def maven(mvn: str, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run Maven in the client's folder, quietly."""
    done = subprocess.run(
        [mvn, "--batch-mode", "--quiet", *arguments],
        cwd=CLIENT,
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )
    done.stdout = done.stdout.replace(_RESET, "")
    return done


@pytest.fixture(scope="module")
def mvn() -> str:
    """Give Maven with the client compiled, or say why the part is not run."""
    found = shutil.which("mvn")
    if found is None or shutil.which("javac") is None:
        if os.environ.get("TESTS_REQUIRE_ALL"):
            pytest.fail("mvn and javac are required here and were not found")
        pytest.skip("NOT RUN: Maven (mvn) and a JDK (javac, 17 or later) were not found")
    compiled = maven(found, "compile", seconds=600)
    assert compiled.returncode == 0, compiled.stdout
    return found


@pytest.fixture(scope="module")
def walked(mvn: str, emulator_address: str) -> tuple[list[str], dict[str, Any]]:
    """Give the lines and the JSON that the client printed."""
    done = maven(mvn, "exec:java", f"-Dexec.args={emulator_address}", seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line[:1].isdigit()]
    last = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    return lines, json.loads(last)


def test_every_step_is_said_in_one_line_and_nothing_differs(walked: tuple[list[str], dict[str, Any]]) -> None:
    lines, facts = walked

    assert [line.split()[0] for line in lines] == STEPS
    assert facts["ok"] is True


def test_both_municipalities_link_the_person(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert facts["linked_at_provider"] == facts["linked_at_inquirer"] == "LINKAGE_STATE_LINKED"


def test_a_batch_whose_answer_was_lost_is_written_once(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert facts["replica_answer_lost"] == "UNAVAILABLE"
    assert facts["replica_batch_repeated"] is True
    assert facts["replica_versions"] == [1]


def test_a_call_repeated_under_its_request_id_has_one_effect(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert facts["issue_answer_lost"] == "UNAVAILABLE"
    assert facts["issued_once"] is True
    assert facts["issued_under_fresh_id"] == "LINK_OUTCOME_HELD"


def test_the_layout_refuses_one_row_and_the_other_is_written(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert facts["replica_outcomes"] == ["ROW_OUTCOME_COMMITTED", "ROW_OUTCOME_REFUSED"]
    assert facts["replica_refusal"] == "1 ITEM_VALUE_INVALID TK90002010000007 number"


def test_a_value_a_nil_and_no_replica_are_three_answers(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert (facts["answer_kind"], facts["value"], facts["nil_reason"]) == ("ANSWER_KIND_VALUES", "3456000", "01")
    assert facts["other_year"] == "ANSWER_KIND_NO_REPLICA"
    assert facts["acknowledged"] == 2


def test_the_three_records_agree(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert facts["records_agree"] is True
    assert facts["records_outcome"] == "EXCHANGE_OUTCOME_PROVIDED"
    assert facts["reconciled"] == "RECONCILIATION_STATE_AGREES"


def test_a_failed_call_and_a_refused_inquiry_differ_in_kind(walked: tuple[list[str], dict[str, Any]]) -> None:
    _, facts = walked

    assert (facts["failure_code"], facts["failure_reason"]) == ("ABORTED", "IDEMPOTENCY_CONFLICT")
    assert facts["failure_languages"] == ["en", "ja"]
    assert (facts["refused_state"], facts["refused_reason"]) == ("INQUIRY_STATE_REFUSED", "NOT_PERMITTED_INFORMATION")


def test_a_server_that_is_not_there_ends_it_with_a_failure(mvn: str) -> None:
    done = maven(mvn, "exec:java", "-Dexec.args=127.0.0.1:1", seconds=300)

    assert done.returncode == 1
    last = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{"))
    assert "UNAVAILABLE" in json.loads(last)["differed"]
