# SPDX-License-Identifier: Apache-2.0
"""Rules of the quick way into `chukan serve`: what it understands, and that it leaves the rest to the slow one."""

from __future__ import annotations

import pytest

from chukan.command.serve_options import options, parsed
from chukan.command.serving import write_whole
from chukan.server.config import settings


def test_every_setting_of_the_server_is_an_option() -> None:
    assert {each.name for each in settings()} <= {each.name for each in options()}


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {}),
        (["--data", "x", "--ready-file=y"], {"data": "x", "ready_file": "y"}),
        (["--json", "--listen", "127.0.0.1:0"], {"json": "yes", "listen": "127.0.0.1:0"}),
        (["--control="], {"control": ""}),
        (["--listen", "a", "--listen", "b"], {"listen": "b"}),
    ],
)
def test_options_with_values_are_read(arguments: list[str], given: dict[str, str]) -> None:
    assert parsed(arguments) == given


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["--lisen", "x"], ["x"], ["--listen"], ["--listen", "--data"], ["--json=1"]]
)
def test_anything_else_is_left_to_the_command_line_library(arguments: list[str]) -> None:
    assert parsed(arguments) is None


def test_a_ready_file_is_there_whole_or_not_at_all(tmp_path: object) -> None:
    """It is renamed into place, so that no reader sees half of it."""
    from pathlib import Path  # noqa: PLC0415

    path = Path(str(tmp_path)) / "ready.json"

    write_whole(path, "{}\n")

    assert path.read_text() == "{}\n"
    assert [each.name for each in path.parent.iterdir()] == ["ready.json"]
