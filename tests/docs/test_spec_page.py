# SPDX-License-Identifier: Apache-2.0
"""The profiles docs/spec shows are read as they stand, and the one for a person is gone through by hand."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from chukan.conformance.examiner.profile import read_client_profile
from chukan.conformance.profile import read_profile

ROOT: Final = Path(__file__).resolve().parents[2]
SERVERS, CLIENTS = (ROOT / "docs/spec/README.md").read_text("utf-8").split("## Judging a client")
TOML: Final = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
BY_HAND: Final = "chukan conformance client --profile by-hand.toml --listen 127.0.0.1:50099 "
CHUKAN: Final = (sys.executable, "-m", "chukan.command")


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")} | {"COLUMNS": "1000"}


def written(text: str, path: Path) -> str:
    path.write_text(text, "utf-8")
    return str(path)


def test_the_profiles_can_be_used_as_they_stand(tmp_path: Path) -> None:
    (server,) = TOML.findall(SERVERS)
    commands, by_hand = TOML.findall(CLIENTS)

    assert read_profile(Path(written(server, tmp_path / "server.toml"))).name == "my server"
    assert set(read_client_profile(written(commands, tmp_path / "client.toml")).commands) == {
        "register",
        "replicate",
        "inquire",
    }
    assert read_client_profile(written(by_hand, tmp_path / "by-hand.toml")).commands == {}


def test_the_profile_for_a_person_is_gone_through_by_hand(tmp_path: Path) -> None:
    """As the page says; our adapter, started by hand, is the client."""
    written(TOML.findall(CLIENTS)[1], tmp_path / "by-hand.toml")
    (line,) = re.findall(f"^{re.escape(BY_HAND)}.*$", CLIENTS, re.MULTILINE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = line.replace("127.0.0.1:50099", address).replace("--wait 300", "--wait 6").split()[1:]

    kit = subprocess.Popen(
        [*CHUKAN, *words], cwd=tmp_path, env=clean(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert kit.stdout is not None
        told = next(line for line in kit.stdout if "now make the client" in line)
        folder = tmp_path / "by-hand" / "CLC-4-3"
        assert (f"{folder}/input/inquiries" in told, address in told) == (True, True), told
        given = ["--file", f"{folder}/input/inquiries", "--out", f"{folder}/output/results.csv", "--cut-off", "10"]
        where = ["--organization", "0220113104101700", "--target", address]
        client = subprocess.run(
            [*CHUKAN, "adapter", "inquire", *given, *where], env=clean(), capture_output=True, text=True, check=False
        )
        rest, _ = kit.communicate(timeout=60)
    finally:
        kit.kill()

    assert client.returncode == 0, client.stdout + client.stderr
    assert kit.returncode == 0, told + rest
