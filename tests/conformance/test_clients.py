# SPDX-License-Identifier: Apache-2.0
"""The kit as examiner of clients: our adapter passes, broken clients don't, and nobody passes by doing nothing."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import unicodedata
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from chukan.conformance.examiner.driving import ByPerson
from chukan.conformance.examiner.profile import read_client_profile
from chukan.conformance.examiner.session import examine
from chukan.conformance.problem import NOT_REACHABLE, KitError
from chukan.conformance.reports import write_reports
from chukan.conformance.results import Run
from tests.conformance.broken_clients import BROKEN_CLIENTS, UNBROKEN
from tests.conformance.client_stage import (
    broken_profile,
    client_entries,
    contented_with_nothing,
    examined,
    polling_profile,
    registering_profile,
    verdict_on_client,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.breaker import BrokenClient

QUICK = ("CLC-2/3", "CLF-1/1", "CLQ-1/2", "CLQ-3/2", "CLR-1/2", "CLR-5/1")
"""A quick cut; `make conformance` runs all."""
QUICK_MUTANTS = [
    each for each in BROKEN_CLIENTS if each.name in ("takes any state for an end", "acknowledges twice", "hammers")
]


def test_our_adapter_conforms(tmp_path: Path) -> None:
    run = examined(read_client_profile("adapter"), tmp_path, QUICK, jobs=3, known=True)

    assert [
        (each.entry.case.id, each.verdict, each.faults, each.note) for each in run.results if each.verdict != "passed"
    ] == []
    assert [each.entry.case.id for each in run.results] == [
        each.case.id for each in client_entries() if each.case.id in QUICK
    ]


def test_the_adapter_behind_what_breaks_nothing_conforms(tmp_path: Path) -> None:
    """Else the broken ones would prove nothing."""
    named = {case for mutant in QUICK_MUTANTS for case in mutant.kills}

    run = examined(broken_profile(UNBROKEN), tmp_path, named, jobs=3)

    assert [(each.entry.case.id, each.faults) for each in run.results if each.verdict != "passed"] == []


@pytest.mark.parametrize("mutant", QUICK_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_client_is_noticed(tmp_path: Path, mutant: BrokenClient) -> None:
    """A few; `make mutants` runs all."""
    assert verdict_on_client(mutant, tmp_path)[0] == "killed"


def test_no_case_is_content_with_a_client_that_only_asks_for_the_status(tmp_path: Path) -> None:
    """Every fourth case; `make mutants` asks them all."""
    ids = [entry.case.id for entry in client_entries()][::4]

    assert contented_with_nothing(tmp_path, ids) == []


def test_a_client_of_another_kind_conforms_too(tmp_path: Path) -> None:
    """It polls and asks one by one: what is demanded is not our adapter's ways."""
    ids = ["CLC-4/2", "CLQ-1/1", "CLQ-3/4", "CLQ-3/5", "CLQ-7/1", "CLR-1/2"]

    run = examined(polling_profile(), tmp_path, ids, jobs=3)

    notes = {each.entry.case.id: each.note or str(each.verdict) for each in run.results}
    assert {case: note for case, note in notes.items() if note != "passed"} == {
        "CLQ-7/1": "the client does not call InquiryService/WatchInquiries",
        "CLR-1/2": "the profile has no command for replicate",
    }


@pytest.mark.parametrize("ways", ["list", "stream", "singly"])
def test_what_conforms_in_another_way_is_not_failed(tmp_path: Path, ways: str) -> None:
    ids = ["CLC-4/2", "CLC-4/3", "CLQ-1/1", "CLQ-2/1", "CLQ-3/1", "CLQ-3/2", "CLQ-4/1", "CLQ-5/2", "CLQ-5/3"]

    run = examined(polling_profile(ways), tmp_path, ids, jobs=3)

    assert [(each.entry.case.id, each.faults) for each in run.results if each.verdict == "failed"] == []
    assert run.judged == (8 if ways == "stream" else 5)


def test_a_client_that_asks_without_a_pause_is_noticed_and_one_that_pauses_is_not(tmp_path: Path) -> None:
    hasty = examined(registering_profile(0.0), tmp_path / "hasty", ["CLF-1/1", "CLF-2/1"])
    patient = examined(registering_profile(0.2), tmp_path / "patient", ["CLF-1/1", "CLF-2/1"])

    assert [[str(each.verdict) for each in run.results] for run in (hasty, patient)] == [
        ["passed", "failed"],
        ["passed", "passed"],
    ]


def test_the_mode_a_client_names_is_that_of_its_profile(tmp_path: Path) -> None:
    production = examined(polling_profile("mode", "production"), tmp_path / "production", ["CLC-1/1"])
    test = examined(polling_profile("mode"), tmp_path / "test", ["CLC-1/1"])

    assert [str(run.results[0].verdict) for run in (production, test)] == ["passed", "failed"]


def test_cases_at_one_address_follow_one_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"

    run = examined(polling_profile(), tmp_path, ["CLQ-1/1", "CLQ-8/1", "CLQ-8/2"], listen=address)

    assert (run.target, [str(each.verdict) for each in run.results]) == (address, ["passed"] * 3)


def test_inputs_of_the_profile_take_the_place_of_those_of_the_case(tmp_path: Path) -> None:
    (tmp_path / "own/inquiries").mkdir(parents=True)
    own = "01,000000000000199" + "," * 13 + "\r\n"
    (tmp_path / "own/inquiries/inquiries.DAT").write_text(own, "ascii", newline="")

    examined(replace(polling_profile(), inputs=tmp_path / "own"), tmp_path / "work", ["CLQ-1/1"])

    assert (tmp_path / "work/CLQ-1-1/input/inquiries/inquiries.DAT").read_bytes() == own.encode()


def test_a_client_that_never_calls_is_no_verdict(tmp_path: Path) -> None:
    profile = replace(read_client_profile("adapter"), commands={"inquire": (sys.executable, "-c", "pass")})

    with pytest.raises(KitError, match="never called") as raised:
        examined(profile, tmp_path, ["CLQ-1/1", "CLQ-8/1"])

    assert raised.value.code == NOT_REACHABLE


def test_a_client_driven_by_a_person_is_judged_by_the_same_cases(tmp_path: Path) -> None:
    """The person is told what to do, case by case, and does it at the address that was fixed."""
    profile = replace(read_client_profile("adapter"), commands={})
    told: list[str] = []
    started: list[subprocess.Popen[bytes]] = []
    run = Run("127.0.0.1:0", profile.name, "2026-01-01 00:00:00 UTC", "0", side="client")
    entries = [entry for entry in client_entries() if entry.case.id in ("CLC-4/3", "CLQ-3/2")]

    def obey(english: str, _: str) -> None:
        told.append(english)
        folder = tmp_path / "CLC-4-3"
        options = ["--out", str(folder / "output/results.csv"), "--organization", profile.organization]
        file = ["--file", str(folder / "input/inquiries")]
        words = [*file, *options, "--target", run.target, "--cut-off", "10"]
        started.append(subprocess.Popen([sys.executable, "-m", "chukan.command", "adapter", "inquire", *words]))

    driver = ByPerson(6, obey)
    examine(run, entries, profile, driver, folder=tmp_path, jobs=1, known={}, tell=lambda _: None, stop=Event())

    assert [each.wait(20) for each in started] == [0]
    assert {each.entry.case.id: str(each.verdict) for each in run.results} == {
        "CLC-4/3": "passed",
        "CLQ-3/2": "not run",
    }
    assert len(told) == 1
    assert f"CLC-4/3: now make the client ask by the inquiry file in {tmp_path}" in told[0]
    assert run.target in told[0]


def test_a_report_shows_what_a_client_called_and_no_number_of_a_person(tmp_path: Path) -> None:
    mutant = next(each for each in BROKEN_CLIENTS if each.name == "tells individual numbers")
    _, results = verdict_on_client(mutant, tmp_path / "work")
    run = examined(broken_profile(mutant), tmp_path / "work", [])
    run.results = list(results.values())

    paths = write_reports(run, tmp_path / "report")

    texts = {path.name: path.read_text("utf-8-sig") for path in paths}
    for name, text in texts.items():
        plain = re.sub("(TM|JM|JT|TK)[0-9]{14}", "", unicodedata.normalize("NFKC", text))
        assert re.findall(r"(?<![0-9a-f])[0-9]{11,15}(?![0-9a-f])", plain) == [], name
    assert "AddressService/RegisterPeople" in texts["report.html"]
    (row,) = json.loads(texts["results.json"])["results"]
    assert (row["id"], row["verdict"], row["clause"]) == ("CLC-3/1", "failed", "CLC-3")
    assert {each["call"] for each in row["trace"]} >= {"LinkageCodeService/RegisterAddressees"}
