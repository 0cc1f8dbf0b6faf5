# SPDX-License-Identifier: Apache-2.0
"""What is wrong beside the client is one clear sentence and an exit code, never a verdict, never a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chukan.conformance.examiner.profile import TASKS, read_client_profile
from tests.conformance.test_bad_input import run

CASE = """
group = "x"
service = "chukan.v1.OperationService"
source = "x"
[[cases]]
id = "XXX-1/1"
level = "LEVEL_MUST"
title = "x"
title_ja = "x"
[cases.script]
tasks = [{name = "inquire"}]
demands = [{call = "chukan.v1.OperationService/GetStatus", at_least = 1}]
[[cases.script.answers]]
call = "chukan.v1.OperationService/GetStatus"
responses = ['{"world_generation": "w"}']
"""
PROFILE = f"""
name = "x"
organization = "0220113104101700"
limit_seconds = 1
[commands]
inquire = ["{sys.executable}", "-c", "pass"]
"""


def judged(folder: Path, *options: object, profile: str = PROFILE, case: str = CASE) -> tuple[int, str]:
    """Run the command with a profile and cases of these texts."""
    (folder / "cases").mkdir(exist_ok=True)
    (folder / "cases" / "x.toml").write_text(case, "utf-8")
    (folder / "profile.toml").write_text(profile, "utf-8")
    return run("client", "--profile", folder / "profile.toml", "--cases", folder / "cases", "--lang", "en", *options)


PROFILES = {
    "not TOML": ("name = ", "is not TOML"),
    "no organization": ("name = 'x'", "no organization code"),
    "an unknown setting": (PROFILE.replace("name =", "nome ="), "unknown setting nome"),
    "an unknown task": (PROFILE.replace("inquire =", "enquire ="), "unknown setting commands.enquire"),
    "a command of one text": (PROFILE[: PROFILE.index("inquire")] + 'inquire = "client"', "no list of texts"),
    "an unknown place": (PROFILE.replace('"pass"', '"{folder}"'), "unknown place {folder}"),
    "a limit of a week": (PROFILE.replace("= 1\n", "= 604800\n"), "limit_seconds"),
    "an unknown mode": ("mode = 'real'\n" + PROFILE, "neither test nor production"),
    "a zero in an encoding": (PROFILE + '[results]\nfile = "x"\nencoding = "a\\u0000b"\n', "a zero character"),
    "a zero in an argument": (
        PROFILE.replace("[commands]", '[commands]\nreplicate = ["a\\u0000"]'),
        "a zero character",
    ),
    "a header in words": (PROFILE + '[results]\nfile = "x"\nheader = "no"\n', "neither true nor false"),
    "a number for a name": (PROFILE.replace('name = "x"', "name = 7"), "name that is no text"),
    "results without a file": (PROFILE + "[results]\nheader = true\n", "no file in results"),
    "a column of neither name nor number": (PROFILE + "[results]\nfile = 'x'\ncolumns = {a = 1.5}\n", "columns"),
    "an unknown encoding": (PROFILE + "[results]\nfile = 'x'\nencoding = 'jis-x'\n", "unknown encoding jis-x"),
    "an encoding of nothing": (PROFILE + "[results]\nfile = 'x'\nencoding = 'undefined'\n", "unknown encoding"),
    "inputs of numbers": ("inputs = 1\n" + PROFILE, "inputs that is no text"),
    "inputs with NUL": ('inputs = "a\\u0000b"\n' + PROFILE, "zero character"),
    "a file with NUL": (PROFILE + '[results]\nfile = "a\\u0000b"\n', "zero character"),
    "inputs that are no folder": ("inputs = 'nowhere'\n" + PROFILE, "which is none"),
    "a program that there is not": (
        PROFILE.replace(sys.executable, "no-such-client"),
        "no-such-client is not there, or no program",
    ),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_wrong_profile_is_told(tmp_path: Path, name: str) -> None:
    text, said = PROFILES[name]

    code, output = judged(tmp_path, profile=text)

    assert (code, said in output) == (2, True), output


def test_a_profile_that_is_not_there_is_told_with_those_that_come_with_the_kit(tmp_path: Path) -> None:
    code, output = run("client", "--profile", tmp_path / "none.toml", "--lang", "en")

    assert code == 2
    assert "comes with the kit: adapter" in output


CASES = {
    "an unknown field": (CASE.replace("title =", "titel ="), "is not a file of cases"),
    "no task": (CASE.replace('tasks = [{name = "inquire"}]\n', ""), "lacks tasks"),
    "an unknown task": (CASE.replace('name = "inquire"', 'name = "enquire"'), "unknown task 'enquire'"),
    "an unknown method": (CASE.replace('GetStatus"\nresp', 'GetState"\nresp'), "answers what there is not"),
    "a response of another method": (CASE.replace("world_generation", "receipt_number"), "a response that is none"),
    "a response of no JSON": (CASE.replace('{"world', "{world"), "a response that is none"),
    "several responses": (CASE.replace("']", "', '{}']"), "several responses"),
    "an unknown name": (CASE.replace('"w"', '"${nothing}"'), "there is not: nothing"),
    "a demand of nothing": (CASE.replace(", at_least = 1", ""), "could not fail"),
    "a demand about nothing": (CASE.replace('Status", at', 'State", at'), "which there is not"),
    "a check without a rule": (CASE.replace("at_least = 1", 'each = [{path = "a"}]'), "without a rule"),
    "a broken pattern": (CASE.replace("at_least = 1", 'each = [{path = "a", matches = "("}]'), "a pattern"),
    "a file outside": (CASE.replace('source = "x"', 'source = "x"\nfiles = {"../a" = "x"}'), "not below the input"),
    "a file with a zero": (CASE.replace('source = "x"', 'source = "x"\nfiles = {"a\\u0000" = "x"}'), "not below"),
    "a folder for a file": (CASE.replace('source = "x"', 'source = "x"\nfiles = {"." = "x"}'), "not below"),
    "a kill at nothing": (CASE.replace('"inquire"}', '"inquire", kill_at = "never"}'), "never kept"),
    "a path of no call": (CASE.replace("at_least = 1", 'each = [{path = "taks", equals = "1"}]'), "looks at taks"),
    "a field of no request": (
        CASE.replace("at_least = 1", 'when = [{path = "request.record_id", present = true}], at_most = 1'),
        "looks at request.record_id",
    ),
    "a field of no response": (
        CASE.replace("at_least = 1", 'each = [{path = "answers[0].wrold", present = true}]'),
        "looks at answers[0].wrold",
    ),
    "a row of nothing": (CASE.replace("at_least = 1", 'distinct = ["rows[*].record_key"]'), "rows[*].record_key"),
    "an answer to no field": (CASE + 'when = [{path = "record_id", equals = "1"}]\n', "no field of its request"),
    "rows of no field": (CASE + 'rows_of = "record_ids"\nrows = [{}]\n', "has rows of record_ids"),
    "a task that there is not": (CASE + "task = 2\n", "is for task 2 of 1"),
    "a demand about such a task": (
        CASE.replace("at_least = 1", 'when = [{path = "task", equals = "2"}], at_most = 0'),
        "about task 2 of 1",
    ),
    "a delay before the call": (CASE + "delay = -1.0\n", "has a delay of -1.0"),
    "a delay of no number": (CASE + "delay = nan\n", "is not a file of cases"),
    "a refusal for ever": (CASE + 'status = "UNAVAILABLE"\nretry_after = 1e9\n', "has a retry_after of 1000000000.0"),
    "a delay without a reason": (CASE + 'status = "UNAVAILABLE"\nretry_after = 1.0\n', "no refusal with a reason"),
    "a trailer without a delay": (
        CASE + 'status = "UNAVAILABLE"\nreason = "NOT_READY"\npushback = true\n',
        "a pushback without a delay",
    ),
    "a reason of words": (CASE + 'status = "UNAVAILABLE"\nreason = "not now"\n', "has the reason 'not now'"),
    "an end that is none": (CASE + 'status = "OK"\n', "ends with the status OK"),
    "a file below a file": (
        CASE.replace('source = "x"', 'source = "x"\nfiles = {"a" = "x", "a/b" = "x"}'),
        "below another file",
    ),
    "a look at another file": (
        CASE.replace("demands =", 'written = [{file = "results", checks = [{path = "row", count = 1}]}]\ndemands ='),
        "looks at row of a file",
    ),
    "a case for servers": (
        CASE[: CASE.index("[cases.script]")]
        + 'caller = "inquirer"\nsteps = [{call = "GetStatus", status = "NOT_FOUND"}]\n',
        "judges servers",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_broken_case_file_is_told(tmp_path: Path, name: str) -> None:
    text, said = CASES[name]

    code, output = judged(tmp_path, case=text)

    assert (code, said in output) == (2, True), output


def test_a_pattern_that_no_case_meets_is_told(tmp_path: Path) -> None:
    """Beside one that some meet, it would be overlooked."""
    code, output = judged(tmp_path, "--only", "XXX-1", "--only", "XXX-2*")

    assert (code, "no case or clause is called XXX-2*" in output) == (2, True), output


def test_a_case_for_clients_given_to_judge_a_server_is_told(tmp_path: Path) -> None:
    judged(tmp_path)
    own = Path(__file__).resolve().parents[2] / "clients/python/chukan/conformance/emulator.toml"

    code, output = run("server", "--profile", own, "--cases", tmp_path / "cases", "--lang", "en")

    assert code == 2
    assert "judges clients" in output


def test_an_address_in_use_is_told_and_by_nobody_else(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """GRPC would complain on its own, in its own words."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output = judged(tmp_path, "--listen", f"127.0.0.1:{taken.getsockname()[1]}")

    assert code == 2
    assert "it is in use" in output
    assert "bind" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "256.0.0.1:0", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_told(tmp_path: Path, address: str) -> None:
    code, output = judged(tmp_path, "--listen", address)

    assert (code, f"can't listen on {address}" in output) == (2, True), output


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    """A child that outlived it would call into the next case."""
    hanging = tmp_path / "hang.py"
    hanging.write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "print('waits for ever', flush=True)\ntime.sleep(60)\n",
        "utf-8",
    )
    began = time.monotonic()

    code, output = judged(tmp_path, profile=PROFILE.replace('"-c", "pass"', f'"{hanging}"'))

    assert time.monotonic() - began < 20
    assert (code, "never called" in output) == (3, True), output
    assert "was still running after 1 s and was ended; it said: waits for ever" in output
    for pid in (tmp_path / "pids").read_text("utf-8").split():
        assert not _runs(int(pid))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_the_commands_too_and_leaves_no_folder(tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "own").mkdir()
    hanging = tmp_path / "hang.py"
    hanging.write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'new')!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(tmp_path / 'new')!r}, {str(tmp_path / 'pids')!r})\n"
        "time.sleep(60)\n",
        "utf-8",
    )
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "x.toml").write_text(CASE, "utf-8")
    profile = PROFILE.replace('"-c", "pass"', f'"{hanging}"').replace("= 1\n", "= 60\n")
    (tmp_path / "profile.toml").write_text(profile, "utf-8")
    given = ["--profile", str(tmp_path / "profile.toml"), "--cases", str(tmp_path / "cases")]
    kit = subprocess.Popen(
        [sys.executable, "-m", "chukan.command", "conformance", "client", *given],
        env={**os.environ, "TMPDIR": str(tmp_path / "own")},
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 20
    while not (tmp_path / "pids").exists() and time.monotonic() < until:
        time.sleep(0.05)

    kit.send_signal(number)
    _, said = kit.communicate(timeout=20)

    assert (kit.returncode, "Traceback" in said) == (code, False), said
    assert list((tmp_path / "own").iterdir()) == []
    for pid in (tmp_path / "pids").read_text("utf-8").split():
        assert not _runs(int(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]


def test_without_commands_a_person_is_told_what_to_do_and_waited_for(tmp_path: Path) -> None:
    profile = PROFILE[: PROFILE.index("[commands]")]
    began = time.monotonic()

    code, output = judged(tmp_path, "--wait", "1", profile=profile)

    assert 1 <= time.monotonic() - began < 10
    assert "XXX-1/1: now make the client ask by the inquiry file in" in output
    assert "target 127.0.0.1:" in output
    assert (code, "never called" in output) == (3, True), output


def test_what_a_person_is_told_comes_in_japanese_too_and_not_into_the_json(tmp_path: Path) -> None:
    judged(tmp_path)
    text = PROFILE[: PROFILE.index("[commands]")]
    (tmp_path / "profile.toml").write_text(text, "utf-8")
    given = ["--profile", tmp_path / "profile.toml", "--cases", tmp_path / "cases", "--wait", "1"]

    code, output = run("client", *given, "--lang", "ja", "--json")

    assert code == 3
    assert "照会依頼ファイルで照会し" in output
    document = json.loads(output[output.index("{") :])
    assert "一度も呼出しがありません" in document["error"]["message_ja"]


def test_a_command_that_only_complains_is_quoted(tmp_path: Path) -> None:
    profile = PROFILE.replace('"pass"', "\"import sys; sys.exit('no such option')\"")

    code, output = judged(tmp_path, profile=profile)

    assert code == 3
    assert "ended with code 1 and made no call; it said: no such option" in output


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (f"{'x' * 190} 123456789012", f"{'x' * 190} •••"),
        ("見本太郎 is unknown", "it said: (see inquire-1.log, kept by --work)"),
    ],
)
def test_nothing_of_a_person_is_quoted(tmp_path: Path, words: str, quoted: str) -> None:
    """Neither part of a number, nor what may be a name."""
    client = tmp_path / "client.py"
    client.write_text(f"import sys\nsys.stdout.buffer.write({words!r}.encode())\nsys.exit(1)\n", "utf-8")

    _, output = judged(tmp_path, profile=PROFILE.replace('"-c", "pass"', f'"{client}"'))

    assert quoted in output
    assert not re.search("[0-9]{5}|見本", output.partition("it said")[2])


def test_a_program_that_can_not_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "client").write_bytes(b"\x7fELF but not really")
    (tmp_path / "client").chmod(0o755)
    profile = PROFILE.replace(f'"{sys.executable}", "-c", "pass"', '"{here}/client"')

    code, output = judged(tmp_path, profile=profile)

    assert (code, "the command for inquire can't be run" in output) == (2, True), output


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    code, output = judged(tmp_path, "--work", tmp_path / "file")

    assert (code, "no folder can be made for a case" in output) == (2, True), output


def test_the_profile_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/spec/README.md").read_text("utf-8")
    (text,) = [each for each in re.findall("```toml\n(.*?)```", page, re.DOTALL) if "[commands]" in each]
    (tmp_path / "client.toml").write_text(text, "utf-8")

    profile = read_client_profile(str(tmp_path / "client.toml"))

    assert sorted(profile.commands) == sorted(TASKS)
    assert sorted(profile.tables) == ["rejects", "results"]


def test_a_profile_that_does_not_say_where_results_are_leaves_such_cases_out(tmp_path: Path) -> None:
    """And a run that judged nothing fails."""
    case = CASE.replace("demands =", 'written = [{file = "results", checks = [{path = "rows", count = 1}]}]\ndemands =')

    code, output = judged(tmp_path, case=case)

    assert code == 1
    assert "does not say where the client writes its results" in output
    assert "1 not run" in output


def test_a_profile_that_does_not_say_which_column_is_which_leaves_such_cases_out(tmp_path: Path) -> None:
    check = '{path = "rows[receipt=1].row_status", equals = "09"}'
    case = CASE.replace("demands =", f'written = [{{file = "results", checks = [{check}]}}]\ndemands =')

    code, output = judged(tmp_path, case=case, profile=f"{PROFILE}[results]\nfile = 'x'\ncolumns = {{receipt = 'a'}}\n")

    assert code == 1
    assert "which column of the results is row_status" in output
