# SPDX-License-Identifier: Apache-2.0
"""Rules of `--help`: every command says what it does, has examples that are commands, and describes every option."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer

from chukan.command.root import GROUPS, command_line
from chukan.command.serve_options import options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT: Any = typer.main.get_command(command_line())
EXPECTED = """
adapter inquire | adapter load | adapter status
address convert | address find | address mismatches | address resolve | address show | address unnumbered
conformance client | conformance prepare | conformance server
demo | doctor
inquiry cancel | inquiry check | inquiry create | inquiry list | inquiry results | inquiry show | inquiry watch
people generate
reasons
record list | record reconcile | record show | record trace
replica delete | replica get | replica imports | replica lanes | replica list | replica put | replica resume
replica versions
serve | version
"""


def commands(part: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(part, "commands", {}).items():
        yield from commands(each, (*path, name))
    if not hasattr(part, "commands"):
        yield path, part


COMMANDS = dict(commands())
NAMES = [" ".join(path) for path in COMMANDS]


def examples(command: Any) -> list[str]:
    return re.findall(r"\[cyan\](.*?)\[/cyan\]", command.epilog or "")


def test_the_commands_are_these() -> None:
    """Foreign scripts rely on their spelling."""
    assert sorted(NAMES) == sorted(re.split(r"\s*[|\n]\s*", EXPECTED.strip()))


@pytest.mark.parametrize("path", COMMANDS, ids=NAMES)
def test_every_command_teaches(path: tuple[str, ...]) -> None:
    """A sentence, examples of this very command, and a text for every option."""
    command = COMMANDS[path]

    assert command.help
    assert command.help.split("\n")[0].rstrip().endswith((".", "。")), command.help
    assert examples(command)
    assert all(example.startswith("chukan ") for example in examples(command))
    assert any(example.startswith(f"chukan {' '.join(path)}") for example in examples(command))
    assert not [each.name for each in command.params if not getattr(each, "help", "")]


@pytest.mark.parametrize("path", COMMANDS, ids=NAMES)
def test_every_example_can_be_parsed(path: tuple[str, ...]) -> None:
    """Their options exist and their values fit."""
    for example in examples(COMMANDS[path]):
        words = example.split()[1:]
        assert words[0] in GROUPS
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        command = COMMANDS.get(tuple(words[:2])) or COMMANDS[tuple(words[:1])]
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert given <= known, example


@pytest.mark.parametrize("path", COMMANDS, ids=NAMES)
def test_every_example_is_complete(path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied as printed, with nothing in the environment, it is understood: every required option is there."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CHUKAN_"):
            monkeypatch.delenv(name)
    for example in examples(COMMANDS[path]):
        words = shlex.split(example)[1:]
        for file in re.findall(r"--(?:file|state) (\S+)", example):
            (tmp_path / file).mkdir(parents=True, exist_ok=True)
        named = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else tuple(words[:1])
        command = COMMANDS[named]
        context = command.make_context(" ".join(named), words[len(named) :], resilient_parsing=False)
        assert not context.args, example


def test_every_command_but_serve_speaks_json_and_both_languages() -> None:
    for path, command in COMMANDS.items():
        flags = {flag for each in command.params for flag in each.opts}
        assert {"--json", "--lang"} <= flags, path


def test_serve_has_the_fixed_spellings_and_every_setting() -> None:
    flags = {flag for each in COMMANDS["serve",].params for flag in each.opts}

    assert {"--data", "--listen", "--control", "--metrics", "--ready-file", "--role", "--network", "--tls"} <= flags
    assert {option.flag for option in options()} <= flags


def test_the_adapter_has_the_fixed_spellings() -> None:
    load = {flag for each in COMMANDS["adapter", "load"].params for flag in each.opts}
    inquire = {flag for each in COMMANDS["adapter", "inquire"].params for flag in each.opts}

    assert {"--people", "--extracts", "--target", "--organization"} <= load
    assert {"--file", "--out", "--target", "--organization", "--profile", "--resend", "--again", "--reason"} <= inquire
