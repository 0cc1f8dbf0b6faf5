# SPDX-License-Identifier: Apache-2.0
"""How a command is declared: a function whose first argument is the Session; the options all share are added here.

Every command has `--json` and `--lang`, those that call a server `--target`, `--organization`, `--tls`, `--mode`,
`--world` and `--timeout` as well; refusals are told alike and become the exit code. The examples stand at the end of
`--help`.
"""

from __future__ import annotations

import inspect
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from chukan.command.failures import tell
from chukan.command.interruption import end_at_once, exit_code_of, interruptible
from chukan.command.language import Language, Text, language_of
from chukan.command.session import Mode, Place, Session
from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["command", "examples", "group"]

_SPEAKING = "How it answers"
_CALLING = "Which server"
_BROKEN_OFF = Text("broken off", "中断しました")

_SHARED: dict[str, tuple[Any, Any]] = {
    "json": (
        Annotated[bool, typer.Option("--json", help="One JSON document on stdout.", rich_help_panel=_SPEAKING)],
        False,
    ),
    "lang": (
        Annotated[
            Language | None,
            typer.Option(
                "--lang",
                help="Language; by default Japanese if LC_ALL, LC_MESSAGES or LANG says ja, else English.",
                rich_help_panel=_SPEAKING,
            ),
        ],
        None,
    ),
}
_PLACE: dict[str, tuple[Any, Any]] = {
    "target": (
        Annotated[
            str,
            typer.Option(
                "--target",
                envvar="CHUKAN_TARGET",
                metavar="ADDR",
                help="host:port, no http://.",
                rich_help_panel=_CALLING,
            ),
        ],
        "127.0.0.1:50051",
    ),
    "organization": (
        Annotated[
            str,
            typer.Option(
                "--organization",
                envvar="CHUKAN_ORGANIZATION",
                metavar="CODE",
                help="In whose name: organization code (機関コード, 16 digits) or municipality code (5 or 6).",
                rich_help_panel=_CALLING,
            ),
        ],
        ...,
    ),
    "network_target": (
        Annotated[
            str,
            typer.Option(
                "--network-target",
                envvar="CHUKAN_NETWORK_TARGET",
                metavar="ADDR",
                help="host:port of the network where it runs apart (serve --role network).",
                rich_help_panel=_CALLING,
            ),
        ],
        "",
    ),
    "tls": (
        Annotated[
            Path | None,
            typer.Option(
                "--tls",
                metavar="DIR",
                help="Mutual TLS: folder with ca.pem, CODE.pem and CODE.key; without it plaintext.",
                rich_help_panel=_CALLING,
            ),
        ],
        None,
    ),
    "mode": (
        Annotated[
            Mode, typer.Option("--mode", help="Mode (処理モード) of the organization.", rich_help_panel=_CALLING)
        ],
        Mode.TEST,
    ),
    "world": (
        Annotated[
            str,
            typer.Option(
                "--world", metavar="ID", help="A world for tests; else the server's own.", rich_help_panel=_CALLING
            ),
        ],
        "",
    ),
    "timeout": (
        Annotated[float, typer.Option("--timeout", help="Seconds a call may take.", rich_help_panel=_CALLING)],
        30.0,
    ),
}


def group(name: str, text: str) -> typer.Typer:
    """Make a group of commands."""
    return typer.Typer(name=name, help=text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def examples(*lines: str) -> str:
    """Return the end of a `--help`: command lines to copy, each on a line of its own (no [ in them)."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"[cyan]{line}[/cyan]" for line in lines)])


def command(
    app: typer.Typer, *, example: Sequence[str], calls: bool = False, name: str | None = None
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Add the function as a command; its name, with - for _, is the command's unless `name` is given.

    The function returns the exit code, None for 0.
    """

    def declare(function: Callable[..., int | None]) -> Callable[..., int | None]:
        shared = {**_PLACE, **_SHARED} if calls else _SHARED
        run = partial(_run, function, calls)
        declared: Any = lambda **given: run(given)  # noqa: E731  # its signature is made below
        declared.__signature__, declared.__annotations__ = _signature(function, shared)
        declared.__doc__ = _paragraphs(function)
        declared.__name__ = name or function.__name__.removesuffix("_")
        app.command(name or declared.__name__.replace("_", "-"), epilog=examples(*example))(declared)
        return function

    return declare


def _paragraphs(function: Callable[..., Any]) -> str:
    """Return the docstring with each paragraph on one line, to be broken to the terminal's width."""
    return "\n\n".join(" ".join(part.split()) for part in (inspect.getdoc(function) or "").split("\n\n"))


def _signature(
    function: Callable[..., Any], shared: dict[str, tuple[Any, Any]]
) -> tuple[inspect.Signature, dict[str, Any]]:
    hints = get_type_hints(function, localns={"Session": Session}, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    parameters = [each.replace(annotation=hints[each.name], kind=each.KEYWORD_ONLY) for each in own]
    parameters += [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=inspect.Parameter.empty if default is ... else default,
        )
        for name, (annotation, default) in shared.items()
    ]
    return inspect.Signature(parameters), {each.name: each.annotation for each in parameters}


def _run(function: Callable[..., int | None], calls: bool, given: dict[str, Any]) -> None:
    language = given.pop("lang") or language_of()
    machine = given.pop("json")
    place = Place(**{name: given.pop(name) for name in _PLACE}) if calls else None
    try:
        with interruptible():
            code = function(Session(machine=machine, language=language, place=place), **given)
    except ChukanError as error:
        raise typer.Exit(tell(error, language=language, machine=machine)) from error
    except BrokenPipeError:  # who read our output has enough
        raise
    except OSError as error:
        raise typer.Exit(tell(storage_error(error), language=language, machine=machine)) from error
    except KeyboardInterrupt as error:
        end_at_once(exit_code_of(error), *([] if machine else _BROKEN_OFF.lines(language)))
    if code:
        raise typer.Exit(code)
