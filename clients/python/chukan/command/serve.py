# SPDX-License-Identifier: Apache-2.0
"""`chukan serve --help`, and what the quick way in `chukan.command` did not understand."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer

from chukan.command.declare import examples
from chukan.command.serve_options import OWN, Option, options

__all__ = ["app"]

app = typer.Typer()

_HELP = """
Run the emulator: the middle servers (中間サーバー) of all shipped organizations, the information provision network
(情報提供ネットワークシステム) and the integrated address systems (統合宛名システム), in one process.

Data are durable in --data; without it everything is in memory and gone afterwards. Ports may be 0: the ones chosen are
printed. Ctrl-C (or SIGTERM) lets running calls end, commits and stops. Exit codes: 0 stopped, 1 could not run, 2 a
setting is wrong, 130 Ctrl-C.
"""


def _serve(**given: Any) -> None:  # noqa: ANN401  # the options, as text
    from chukan.command.serving import serve

    flags = {name: "yes" if value is True else value for name, value in given.items() if value not in (None, False)}
    raise typer.Exit(serve(flags))


def _parameter(option: Option) -> inspect.Parameter:
    own = option in OWN
    kind: Any = str | None if option.metavar else bool
    information = typer.Option(
        option.flag,
        metavar=option.metavar or None,
        help=option.help,
        show_default=option.default or False,
        rich_help_panel="The command's own" if own else "Settings",
    )
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, information],
        default=None if option.metavar else False,
    )


def _declare() -> None:
    parameters = [_parameter(option) for option in options()]
    declared: Any = _serve
    declared.__signature__ = inspect.Signature(parameters)
    declared.__annotations__ = {each.name: each.annotation for each in parameters}
    app.command(
        "serve",
        help="\n\n".join(" ".join(part.split()) for part in _HELP.strip().split("\n\n")),
        epilog=examples(
            "chukan serve --data ./data",
            "chukan serve --data ./data --listen 127.0.0.1:0 --ready-file ready.json",
            "chukan serve --data :memory:",
            "chukan serve --data ./data --console 127.0.0.1:8080",
            "chukan serve --data ./data --tls ./tls",
            "chukan serve --role network --data ./net --listen 127.0.0.1:50061 --authority ./data/keys",
            "chukan serve --role middle --data ./data --network 127.0.0.1:50061",
        ),
    )(declared)


_declare()
