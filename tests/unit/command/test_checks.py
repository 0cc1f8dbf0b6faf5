# SPDX-License-Identifier: Apache-2.0
"""Rules of `chukan doctor`: each fault of a set-up is found, named in words, and comes with what to do."""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.command.checks.adapter_state import look_at_adapter_state
from chukan.command.checks.certificates import look_at_certificates
from chukan.command.checks.directory import in_use, look_at_directory
from chukan.command.checks.finding import Level
from chukan.command.checks.installation import look_at_installation
from chukan.command.checks.server import look_at_metrics, look_at_port
from chukan.edge import make_development_pki
from chukan.standard.clock import FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from chukan.command.checks.finding import Finding

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ORGANIZATION = "0220113104101700"


def of_level(findings: Iterable[Finding], level: Level) -> list[str]:
    return [each.check for each in findings if each.level is level]


class TestInstallation:
    def test_this_installation_is_sound(self) -> None:
        assert not of_level(look_at_installation(), Level.PROBLEM)

    def test_a_proxy_between_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call goes through http_proxy even to this machine unless no_proxy excepts it."""
        monkeypatch.setenv("http_proxy", "http://proxy.example:8080")
        for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)

        assert "proxy" in of_level(look_at_installation(), Level.WARNING)

        monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
        assert "proxy" in of_level(look_at_installation(), Level.OK)


class TestDirectory:
    def test_a_directory_that_is_not_there_is_no_problem(self, tmp_path: Path) -> None:
        assert not of_level(look_at_directory(tmp_path / "new"), Level.PROBLEM)

    def test_keys_that_others_can_read_are_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "master.key").write_bytes(b"x")
        (tmp_path / "master.key").chmod(0o640)

        findings = list(look_at_directory(tmp_path))

        assert of_level(findings, Level.PROBLEM) == ["keys"]
        assert "master.key" in next(each for each in findings if each.check == "keys").says.en

    def test_a_running_server_is_seen_by_its_lock(self, tmp_path: Path) -> None:
        """Looking takes no lock that would keep a server from starting."""
        lock = os.open(tmp_path / "middle.db.lock", os.O_CREAT | os.O_RDWR)
        assert not in_use(tmp_path / "middle.db")

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

        assert in_use(tmp_path / "middle.db")
        os.close(lock)
        assert not in_use(tmp_path / "middle.db")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    make_development_pki(folder, [ORGANIZATION], clock=FixedClock(NOW))
    return folder


class TestCertificates:
    @pytest.mark.parametrize(
        ("days", "level"),
        [(0, Level.OK), (380, Level.WARNING), (500, Level.PROBLEM), (-1, Level.PROBLEM)],
        ids=["in force", "ends soon", "over", "not yet"],
    )
    def test_dates_are_looked_at(self, days: int, level: Level, folder: Path) -> None:
        found = list(look_at_certificates(folder, organization=ORGANIZATION, now=NOW + timedelta(days=days)))

        worst = max((each.level for each in found), key=list(Level).index)
        assert worst is level

    def test_a_missing_file_is_named(self, folder: Path) -> None:
        found = list(look_at_certificates(folder, organization="0220113112101700", now=NOW))

        assert [each.level for each in found] == [Level.PROBLEM]
        assert "0220113112101700.pem" in found[0].says.en


class TestServer:
    def test_a_port_in_use_is_a_problem_a_free_one_is_not(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as held:
            address = f"127.0.0.1:{held.getsockname()[1]}"

            assert look_at_port("port", address).level is Level.PROBLEM

        assert look_at_port("port", address).level is Level.OK
        assert look_at_port("port", "here").level is Level.PROBLEM

    def test_metrics_that_do_not_answer_are_a_problem_only_where_they_were_named(self) -> None:
        assert look_at_metrics("127.0.0.1:9", expected=True).level is Level.PROBLEM
        assert look_at_metrics("127.0.0.1:9", expected=False).level is Level.WARNING


class TestAdapterState:
    def test_a_damaged_memory_is_a_problem_and_rows_not_taken_a_warning(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        (tmp_path / "residents.db").write_bytes(b"no database" * 200)
        (tmp_path / "dead_letters.csv").write_text("file,row\na.csv,3\n")

        findings = list(look_at_adapter_state(tmp_path))

        assert of_level(findings, Level.PROBLEM) == ["adapter state"]
        assert of_level(findings, Level.WARNING) == ["dead letters"]
