# SPDX-License-Identifier: Apache-2.0
"""Reference pages of the command line (from its own declarations) and of the server's settings."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from reference_page import code, page, table
from rich.text import Text

from chukan.command.root import command_line as declared
from chukan.server.config import PREFIX, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["command_line", "configuration"]

# Commands are looked at as Typer built them; the classes differ between its versions and are not typed.
_Command = Any

_KINDS: Final = {int: "INTEGER", float: "NUMBER", Path: "PATH", str: "TEXT"}


def command_line() -> str:
    """List every command with its arguments, options and examples."""
    import typer  # noqa: PLC0415  # only this page needs it

    root = typer.main.get_command(declared())
    commands = list(_commands(root, "chukan"))
    index = "\n".join(f"- [`{path}`](#{path.replace(' ', '-')}): {_first(command)}" for path, command in commands)
    return page(
        "Command line",
        "the commands' own declarations (`clients/python/chukan/command`)",
        _plain(root.help),
        "Every command has `--help`, which says the same. Messages are Japanese where `LC_ALL`, "
        "`LC_MESSAGES` or `LANG` (the first that is set) begins with `ja`, English otherwise; `--lang ja`, `en` or "
        "`both` says it for one command. `--help` and complaints about how a command was written are English.",
        index,
        *(_section(path, command) for path, command in commands),
    )


def _commands(command: _Command, path: str) -> Iterator[tuple[str, _Command]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, each in below.items():
        if not each.hidden:
            yield from _commands(each, f"{path} {name}")


def _section(path: str, command: _Command) -> str:
    shown = [each for each in command.params if not getattr(each, "hidden", False) and each.name != "help"]
    arguments = [each for each in shown if each.param_type_name == "argument"]
    options = [each for each in shown if each.param_type_name == "option"]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(_argument(each) for each in arguments)])
    parts = [f"## {path}", _plain(command.help), f"```\n{usage}\n```"]
    parts.append(table(("argument", "meaning"), ((code(_argument(each)), _meaning(each)) for each in arguments)))
    parts.append(
        table(
            ("option", "default", "meaning"),
            ((code(_option(each)), code(_default(each)), _meaning(each)) for each in options),
        )
    )
    lines = [_plain(line) for line in (command.epilog or "").split("\n\n")[1:]]
    if lines:
        parts.append("Examples:\n\n```sh\n" + "\n".join(lines) + "\n```")
    return "\n\n".join(part for part in parts if part)


def _argument(parameter: _Command) -> str:
    name = (parameter.metavar or parameter.name or "").strip("[]").upper()
    return (name if parameter.required else f"[{name}]") + ("…" if parameter.nargs == -1 else "")


def _option(parameter: _Command) -> str:
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {parameter.metavar or _kind(parameter)}"


def _kind(parameter: _Command) -> str:
    annotation = parameter.type_descriptor.annotation
    kinds = [kind for kind in (*get_args(annotation), annotation) if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, Enum):
            return "|".join(str(each.value) for each in kind)
    return next((_KINDS[kind] for kind in kinds if kind in _KINDS), "TEXT")


def _default(parameter: _Command) -> str:
    shown = parameter.show_default
    default = shown if isinstance(shown, str) else parameter.default
    if parameter.required or default is None or default is False or default in ((), "", []) or callable(default):
        return ""
    return str(getattr(default, "value", default))


def _meaning(parameter: _Command) -> str:
    text = _plain(parameter.help)
    notes = ["required"] if parameter.required and parameter.param_type_name == "option" else []
    if parameter.envvar:
        notes.append(f"environment `{parameter.envvar}`")
    if getattr(parameter, "multiple", False):
        notes.append("may be given several times")
    return f"{text} ({', '.join(notes)})" if notes else text


def _first(command: _Command) -> str:
    return _plain(command.help).split("\n", 1)[0]


def _plain(text: str | None) -> str:
    """Return a help text without Rich's markup."""
    return "\n\n".join(" ".join(part.split()) for part in Text.from_markup((text or "").strip()).plain.split("\n\n"))


def configuration() -> str:
    """List every setting of `chukan serve`."""
    intro = (
        "A setting is given in a TOML file (`chukan serve --config FILE`), in the environment, or as an option; the "
        "later ones win. An unknown setting or a value that can't be read stops the start with a sentence for each. "
        "Options of the command itself (`--config`, `--tls`, `--ready-file`, …): "
        "[command line](command_line.md#chukan-serve)."
    )
    rows = table(
        ("setting", "environment", "option", "default", "meaning"),
        (
            (
                code(each.name),
                code(f"{PREFIX}{each.name.upper()}"),
                code("--" + each.name.replace("_", "-")),
                code(each.default),
                each.help,
            )
            for each in settings()
        ),
    )
    example = (
        "## Example\n\n"
        "```toml\n"
        "# chukan.toml\n"
        'data = "/var/lib/chukan"\n'
        'listen = "127.0.0.1:50051"\n'
        'organizations = ["0220113104101700", "0220113112101700"]\n'
        "processing_number_days = 7\n"
        "```"
    )
    return page("Configuration", "`server/chukan/server/config.py`", intro, rows, example)
