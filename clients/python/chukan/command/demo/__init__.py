# SPDX-License-Identifier: Apache-2.0
"""`chukan demo`: the main job, end to end, on dummy people, and every step of it verified."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chukan.command.declare import command
from chukan.command.language import Text

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = typer.Typer()

_FEWEST: Final = 200
"""With fewer, not every case that the demo shows occurs."""


@command(
    app,
    name="demo",
    example=["chukan demo", "chukan demo --people 340000", "chukan demo --keep ./demo --lang ja"],
)
def demo(
    session: Session,
    *,
    people: Annotated[int, typer.Option(help="Records of each resident register; at least 200.")] = 3000,
    seed: Annotated[int, typer.Option(help="Other seeds give other people.")] = 1,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Work in this new or empty folder and keep it; else all is removed."),
    ] = None,
) -> int:
    """Show the main job: dummy people of 新宿区 and 世田谷区 are loaded, and one asks the other about who moved.

    Generates both populations with the extracts of their systems (CP932 and UTF-8), starts the emulator on free ports,
    loads both over gRPC as any adapter would (numbers, linkage codes, replicas of four kinds), has 世田谷区's inquiry
    file answered by 新宿区, shows the result file, the three records of one exchange, a refusal with its legal reason.
    Each step is checked against what was generated; exit code 1 names what is off. Nothing is left running.
    """
    from chukan.command.demo.story import tell_story

    if people < _FEWEST:
        message = Text(
            f"got {people}, expected {_FEWEST} or more", f"{people} ではなく、{_FEWEST} 以上を指定してください"
        )
        raise typer.BadParameter(message.word(session.language), param_hint="--people")
    return tell_story(session, people=people, seed=seed, keep=keep)
