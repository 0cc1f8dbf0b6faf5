# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: the groups in the order of `--help`, of which only the asked one is imported."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import typer

__all__ = ["GROUPS", "command_line", "run"]

GROUPS: Final = (
    "demo",
    "serve",
    "doctor",
    "people",
    "adapter",
    "address",
    "inquiry",
    "replica",
    "record",
    "conformance",
    "reasons",
    "version",
)
"""Every command or group; module `chukan.command.<name>` has it as `app`."""

_USAGE_ERROR: Final[Any] = typer.BadParameter.__base__
"""Every complaint about how a command was written."""

_HELP: Final = (
    "Chukan (中間): an emulator of the municipal middle server (自治体中間サーバー) with its network, and the adapter. "
    "Not the real interface; dummy data only.\n\n"
    "Begin with [cyan]chukan demo[/cyan]. Exit codes: 0 done, 1 refused or failed, 2 command not understood, "
    "3 server not reachable, 130 Ctrl-C."
)


def command_line(names: tuple[str, ...] = GROUPS) -> typer.Typer:
    """Build the command line of these groups."""
    app = typer.Typer(
        name="chukan",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(lambda: None)
    for name in names:
        app.add_typer(import_module(f"chukan.command.{name}").app)
    return app


def run(arguments: list[str]) -> None:
    """Run a command line and exit with its code."""
    arguments = _own_first(arguments)
    named = arguments[:1]
    chosen = tuple(named) if named and named[0] in GROUPS else GROUPS
    app = command_line(chosen)
    if "--json" not in arguments:
        app(args=arguments, prog_name="chukan")
    try:
        code = app(args=arguments, prog_name="chukan", standalone_mode=False)
    except _USAGE_ERROR as error:
        sys.exit(_not_understood(error))
    except (typer.Abort, BrokenPipeError):  # who read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _not_understood(error: Any) -> int:  # noqa: ANN401  # a class Typer doesn't publish
    """Tell it to the machine that asked for JSON."""
    from chukan.command.failures import USAGE, tell
    from chukan.command.language import Language
    from chukan.standard.reasons import ChukanError

    tell(
        ChukanError("COMMAND_NOT_UNDERSTOOD", params={"says": str(error.format_message())}),
        language=Language.EN,
        machine=True,
    )
    return USAGE


def _own_first(arguments: list[str]) -> list[str]:
    """Move --lang and --json that stand before the command behind it, where they belong."""
    rest, moved = list(arguments), []
    while rest:
        if rest[0] == "--json" or rest[0].startswith("--lang="):
            moved.append(rest.pop(0))
        elif rest[0] == "--lang" and rest[1:]:
            moved += [rest.pop(0), rest.pop(0)]
        else:
            break
    return [*rest, *moved]
