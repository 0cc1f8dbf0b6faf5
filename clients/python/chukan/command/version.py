# SPDX-License-Identifier: Apache-2.0
"""`chukan version`: what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer

from chukan.command.declare import command
from chukan.command.language import Text

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = typer.Typer()


@command(app, example=["chukan version", "chukan version --json"], name="version")
def show_version(session: Session) -> None:
    """Show the version of Chukan and of what it stands on."""
    from chukan.standard.permission_list import permission_list

    found = {
        "chukan": version("chukan"),
        "permission_list": permission_list().version,
        "python": platform.python_version(),
        **{name: version(name) for name in ("grpcio", "protobuf", "sqlalchemy", "cryptography")},
    }
    if not session.json(found):
        names = {"permission_list": Text("permission list", "許可リスト")}
        session.fields((names.get(name, Text(name, name)), value) for name, value in found.items())
