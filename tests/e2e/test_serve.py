# SPDX-License-Identifier: Apache-2.0
"""Rules of `chukan serve`: ports, ready file, signals, its data directory, TLS."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from chukan.client import Client
from chukan.v1 import inquiry_service_pb2 as pb
from tests.e2e.conftest import SETAGAYA, command, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.command.demo.stage import ServerProcess
    from tests.e2e.conftest import Ended

ORGANIZATION = "0220113112101700"


def check_permission(target: str) -> bool:
    with Client(target, organization=ORGANIZATION, retries=False, timeout=5) as client:
        request = pb.CheckPermissionRequest(
            affair_code="JM01000000121000",
            procedure_code="JT01010000000214",
            provider_code="0220113104101700",
            information_code="TM00000000000002",
        )
        return client.inquiries.CheckPermission(request).permitted


class TestReady:
    def test_the_ready_file_says_where_it_is_once_a_call_is_answered(self, standing: ServerProcess) -> None:
        """Who waits for the file may call at once."""
        server = standing

        assert check_permission(server.target)
        assert server.where["pid"] == server.pid
        assert all(int(str(server.where[name]).rpartition(":")[2]) for name in ("listen", "control"))
        with urlopen(server.where["metrics"], timeout=5) as response:  # noqa: S310  # our own child's
            assert b"grpc_server_started_total" in response.read()

    def test_json_on_stdout_says_the_same(self) -> None:
        """--json prints one document, for who has no file to watch."""
        with subprocess.Popen(
            command("serve", "--data", ":memory:", "--listen", "127.0.0.1:0", "--control=", "--metrics=", "--json"),
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as process:
            assert process.stdout is not None
            document = json.loads(process.stdout.readline())
            try:
                assert check_permission(document["listen"])
                assert document["control"] == document["metrics"] == ""
            finally:
                process.terminate()


class TestSignals:
    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
    def test_a_signal_stops_it_cleanly(
        self, number: int, code: int, serve: Callable[..., ServerProcess], tmp_path: Path
    ) -> None:
        """No traceback; Ctrl-C is 130, SIGTERM 0; the ready file goes with the server; it starts again on its data."""
        server = serve()

        server.signal(number)

        assert server.wait() == code
        assert not (tmp_path / "ready.json").exists()
        assert "Traceback" not in server.last_words()
        assert check_permission(serve(tmp_path).target)

    def test_a_running_call_ends_before_the_server_does(self, serve: Callable[..., ServerProcess]) -> None:
        """A watch is told that the server stops; nobody waits for it for long."""
        server = serve()
        with Client(server.target, organization=ORGANIZATION) as client:
            watch = client.inquiries.WatchInquiries(pb.WatchInquiriesRequest())
            begun = time.monotonic()

            server.signal(signal.SIGTERM)

            assert server.wait() == 0
            assert time.monotonic() - begun < 15
            watch.cancel()


class TestDataDirectory:
    def test_a_second_server_on_the_same_directory_says_so(
        self, standing: ServerProcess, chukan: Callable[..., Ended]
    ) -> None:
        """One sentence that names the directory, exit code 1, and the first server goes on."""
        data = standing.log.parent / "data"

        second = chukan("serve", "--data", data, "--listen", "127.0.0.1:0", "--control=", "--metrics=")

        assert second.code == 1
        assert "another process uses the database" in second.err
        assert str(data) in second.err
        assert "Traceback" not in second.err
        assert check_permission(standing.target)

    def test_others_on_the_machine_can_read_nothing(self, standing: ServerProcess) -> None:
        data = standing.log.parent / "data"

        assert not data.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        assert not [path for path in data.rglob("*.key") if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]

    def test_a_port_in_use_is_named(self, standing: ServerProcess, chukan: Callable[..., Ended]) -> None:
        second = chukan("serve", "--data", ":memory:", "--listen", standing.target, "--control=", "--metrics=")

        assert second.code == 1
        assert standing.target in second.err
        assert "Traceback" not in second.err


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--role", "all of them"], "expected one of all, network, middle"),
            (["--role", "middle"], "role middle needs the setting network"),
            (["--profile", "production"], "refuses plaintext"),
            (["--lisen", "127.0.0.1:0"], "--listen"),
            (["--listen"], "--listen"),
        ],
    )
    def test_a_wrong_setting_is_named_and_nothing_starts(
        self, options: list[str], said: str, chukan: Callable[..., Ended]
    ) -> None:
        ended = chukan("serve", *options)

        assert ended.code == 2
        assert said in ended.err

    def test_loopback_only_without_tls(self, chukan: Callable[..., Ended]) -> None:
        ended = chukan("serve", "--data", ":memory:", "--listen", "0.0.0.0:0", "--control=", "--metrics=")

        assert ended.code == 1
        assert "can be reached from other machines" in ended.err


def test_certificates_are_made_and_used_in_one_go(
    serve: Callable[..., ServerProcess], chukan: Callable[..., Ended], tmp_path: Path
) -> None:
    """--tls on an empty folder makes a development CA; a client with the folder is let in, one without is not."""
    tls = tmp_path / "tls"
    server = serve(tmp_path, "--tls", str(tls))
    asked = ("inquiry", "check", "--provider", "131041", "--target", server.target, "--organization", SETAGAYA)

    with_certificate = chukan(*asked, "--tls", tls, "--json")
    without = chukan(*asked, "--timeout", "2")

    assert with_certificate.document["permitted"] is True
    assert without.code == 3
    assert chukan("doctor", "--tls", tls, "--target", server.target, "--organization", SETAGAYA).code == 0


def test_a_port_in_use_is_told_before_anything_is_made(
    standing: ServerProcess, chukan: Callable[..., Ended], tmp_path: Path
) -> None:
    """One refusal with what to do; no line of gRPC's, no data directory."""
    ended = chukan("serve", "--data", tmp_path / "new", "--listen", standing.target)

    assert ended.code == 1
    assert ended.err.startswith("error:")
    assert "ADDRESS_NOT_FREE" in ended.err
    assert not (tmp_path / "new").exists()
