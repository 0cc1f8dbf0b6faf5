# SPDX-License-Identifier: Apache-2.0
"""What is wrong beside the target is one clear sentence and an exit code, never a verdict, never a traceback."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import grpc
import pytest
from typer.testing import CliRunner

from chukan.command.root import command_line
from tests.conformance.proxy import Mutant, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.stage import Prepared

OWN = (Path(__file__).resolve().parents[2] / "clients/python/chukan/conformance/emulator.toml").read_text("utf-8")
CASE = """
group = "x"
service = "chukan.v1.SecurityService"
source = "x"
[[cases]]
id = "XXX-1/1"
level = "LEVEL_MUST"
title = "x"
title_ja = "x"
caller = "inquirer"
steps = [{call = "GetMasterVersion", status = "NOT_FOUND"}]
"""
KNOWN = '[[known]]\nid = "CAL-1/1"\nlink = "x"\nexpires = "2999-01-01"\n'


def run(*arguments: object) -> tuple[int, str]:
    """Return exit code and everything that was said."""
    result = CliRunner().invoke(command_line(("conformance", "version")), ["conformance", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(OWN, "utf-8")
    return path


@pytest.fixture
def stranger() -> Iterator[str]:
    """Serve gRPC, but another contract."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


PROFILES = {
    "not TOML": ("name = ", "is not TOML"),
    "a role missing": (OWN.replace("bystander", "# bystander"), "for the role bystander"),
    "a code too short": (OWN.replace("0220113112101700", "131121"), "for the role inquirer"),
    "two roles of one": (OWN.replace("0220113112101700", "0220113104101700"), "two roles"),
    "an unknown setting": ("pairs = []\n" + OWN, "unknown setting pairs"),
    "an unknown mode": (OWN.replace('"test"', '"real"'), "neither test nor production"),
    "a person without a number": (OWN + 'pairs = [{inquirer = "1"}]\n', "people.pairs, entry 1"),
    "a prefix of letters": (OWN.replace('"7"', '"x"'), "fresh_prefix"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_wrong_profile_is_told(profile: Path, name: str) -> None:
    text, said = PROFILES[name]
    profile.write_text(text, "utf-8")

    code, output = run("server", "--target", "127.0.0.1:1", "--profile", profile, "--lang", "en")

    assert code == 2
    assert said in output


CASES = {
    "not TOML": ("cases = [", "is not TOML"),
    "an unknown field": (CASE.replace("title =", "titel ="), "is not a file of cases"),
    "an unknown method": (CASE.replace("GetMasterVersion", "GetMaster"), "names something that there is not"),
    "an unknown service": (CASE.replace("SecurityService", "Security"), "names something that there is not"),
    "no level": (CASE.replace('level = "LEVEL_MUST"\n', ""), "lacks level"),
    "a bad id": (CASE.replace("XXX-1/1", "first"), "an id unlike"),
    "a twin": (CASE + CASE[CASE.index("[[cases]]") :], "twice"),
    "nothing expected": (CASE.replace(', status = "NOT_FOUND"', ""), "could not fail"),
    "an unknown name": (CASE.replace("status =", 'requests = [\'{"a": "${nothing}"}\'], status ='), "there is not"),
    "an unknown request field": (CASE.replace("status =", "requests = ['{\"a\": 1}'], status ="), "that is none"),
    "a request of no JSON": (CASE.replace("status =", "requests = ['{'], status ="), "that is none"),
    "a check without a rule": (CASE.replace("status =", 'checks = [{path = "a"}], status ='), "without a rule"),
    "an unknown caller": (CASE.replace('"inquirer"', '"mayor"'), "the caller 'mayor'"),
    "an unknown status": (CASE.replace('"NOT_FOUND"', '"NOTFOUND"'), "which there is not"),
    "a key of no metadata": (CASE.replace("status =", 'metadata = {A_B = "x"}, status ='), "which is none"),
    "a broken pattern": (CASE.replace("status =", 'checks = [{path = "a", matches = "("}], status ='), "a pattern"),
    "no cases": ('group = "x"\n', "holds no cases"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_case_file_is_told(profile: Path, tmp_path: Path, name: str) -> None:
    text, said = CASES[name]
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "x.toml").write_text(text, "utf-8")

    code, output = run(
        "server", "--target", "127.0.0.1:1", "--profile", profile, "--cases", tmp_path / "cases", "--lang", "en"
    )

    assert code == 2
    assert said in output


LISTS = {
    "a case that there is not": (KNOWN.replace("CAL-1/1", "CAL-99/1"), "which there is not"),
    "no link": (KNOWN.replace('link = "x"', ""), "no link"),
    "no day": (KNOWN.replace("2999-01-01", "soon"), "no day of expiry"),
    "over": (KNOWN.replace("2999", "2020"), "which is over"),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_wrong_list_of_known_failures_is_told(profile: Path, tmp_path: Path, name: str) -> None:
    text, said = LISTS[name]
    (tmp_path / "known.toml").write_text(text, "utf-8")

    code, output = run(
        "server", "--target", "127.0.0.1:1", "--profile", profile, "--known", tmp_path / "known.toml", "--lang", "en"
    )

    assert code == 2
    assert said in output


@pytest.mark.parametrize("option", [("--only", "NNN-*"), ("--level", "MAY"), ("--service", "Nothing")])
def test_a_selection_of_nothing_is_told(profile: Path, option: tuple[str, str]) -> None:
    code, _ = run("server", "--target", "127.0.0.1:1", "--profile", profile, *option)

    assert code == 2


@pytest.mark.parametrize("command", ["server", "prepare"])
def test_nobody_at_the_target_is_exit_code_3(profile: Path, tmp_path: Path, command: str) -> None:
    own = ["--profile", profile] if command == "server" else ["--out", tmp_path / "out.toml"]

    code, output = run(command, "--target", "127.0.0.1:1", *own, "--lang", "en")

    assert code == 3
    assert "nobody answers at 127.0.0.1:1" in output


@pytest.mark.parametrize("command", ["server", "prepare"])
def test_a_server_of_another_contract_is_not_judged(profile: Path, tmp_path: Path, stranger: str, command: str) -> None:
    own = ["--profile", profile] if command == "server" else ["--out", tmp_path / "out.toml"]

    code, output = run(command, "--target", stranger, *own, "--lang", "en")

    assert code == 2
    assert "does not speak the contract" in output


def test_a_target_that_goes_away_is_exit_code_3_and_no_verdict(stage: Prepared, profile: Path) -> None:
    class Leaving(Proxy):
        def note(self, *_: object) -> bool:
            Thread(target=self.close).start()
            return False

    proxy = Leaving(stage.target)
    proxy.mutant = Mutant(
        "leaves", "", (), request=lambda method, *_: method.endswith("/CheckPermission") and proxy.note()
    )

    code, output = run(
        "server", "--target", proxy.target, "--profile", profile, "--only", "PRM-*", "--only", "SCM-*", "--lang", "en"
    )

    assert code == 3, output


def test_a_profile_of_another_server_is_told(stage: Prepared, profile: Path) -> None:
    profile.write_text(OWN.replace("0220113101601700", "9999999999999999"), "utf-8")

    code, output = run("server", "--target", stage.target, "--profile", profile, "--lang", "en")

    assert code == 2
    assert "refuses the profile's bystander" in output


def test_people_that_are_missing_are_not_run_and_never_passed(stage: Prepared, profile: Path, tmp_path: Path) -> None:
    """And a run that judged nothing fails."""
    code, _ = run(
        "server", "--target", stage.target, "--profile", profile, "--only", "SKI-1", "--report", tmp_path / "report"
    )

    verdicts = {row["verdict"] for row in json.loads((tmp_path / "report/results.json").read_text("utf-8"))["results"]}
    assert (code, verdicts) == (1, {"not run"})


def test_a_read_only_profile_runs_no_case_that_writes(stage: Prepared, profile: Path) -> None:
    profile.write_text("read_only = true\n" + OWN, "utf-8")

    code, output = run(
        "server", "--target", stage.target, "--profile", profile, "--service", "ReplicaService", "--lang", "en"
    )

    assert code == 0
    assert "2 passed" in output
