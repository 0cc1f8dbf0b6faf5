# SPDX-License-Identifier: Apache-2.0
"""Progress bars on stderr: for people at a terminal; silent for machines and in pipes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chukan.command.language import Text
    from chukan.command.session import Session

__all__ = ["bar", "steps"]


@contextmanager
def bar(session: Session, label: Text) -> Iterator[Callable[[int, int], None]]:
    """Yield what is told (done, total) now and then."""
    with steps(session) as tell:
        yield lambda done, total: tell(label.word(session.language), done, total)


@contextmanager
def steps(session: Session) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what is told (step, done, total); each new step gets a bar of its own, a total of 0 is not known yet."""
    if session.machine:
        yield lambda _step, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks: dict[str, object] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total or None)
            progress.update(tasks[step], completed=done, total=total or None)  # type: ignore[arg-type]  # a TaskID

        yield tell
