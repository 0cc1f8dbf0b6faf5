# SPDX-License-Identifier: Apache-2.0
"""One run of a command: how it speaks (people or machines, language) and whom it calls.

Machines get exactly one JSON document on stdout; people get tables and sentences there, and what passes (progress,
remarks) on stderr.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chukan.command.language import Language, Text
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from google.protobuf.message import Message

    from chukan.client import Client, ClientTls

__all__ = ["Place", "Session"]

_WIDE = 240
"""Columns of a table that goes into a file or a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The server a command calls, and in whose name.

    network_target: where the network runs apart. tls: a folder with ca.pem and, per organization, .pem and .key.
    """

    target: str
    organization: str
    network_target: str = ""
    tls: Path | None = None
    mode: str = "test"
    timeout: float = 30.0

    @property
    def organization_code(self) -> str:
        """The 16 digits of the organization, which may be named by 5 or 6 digits as well. ORGANIZATION_UNKNOWN."""
        from chukan.standard.organizations import resolve_provider

        try:
            return resolve_provider(self.organization).code
        except ChukanError:
            raise ChukanError("ORGANIZATION_UNKNOWN", field="--organization") from None

    def client_tls(self) -> ClientTls | None:
        """Return the certificate files of the organization; FILE_NOT_FOUND names the one that is not there."""
        if self.tls is None:
            return None
        from chukan.client import ClientTls

        code = self.organization_code
        files = ClientTls(cert=self.tls / f"{code}.pem", key=self.tls / f"{code}.key", ca=self.tls / "ca.pem")
        for path in (files.cert, files.key, files.ca):
            if not path.is_file():
                raise ChukanError("FILE_NOT_FOUND", field="--tls", params={"file": str(path)})
        return files


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What every command is handed first."""

    machine: bool = False
    language: Language = Language.EN
    place: Place | None = None

    @property
    def called(self) -> Place:
        """The server to call; only commands declared with `calls` have one."""
        if self.place is None:
            message = "got a command without a server to call, expected it to be declared with calls=True"
            raise TypeError(message)
        return self.place

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Open a client; without retries that would hide for long that nobody answers."""
        from chukan.client import Client

        place = self.called
        with Client(
            place.target,
            organization=place.organization_code,
            tls=place.client_tls(),
            network=place.network_target,
            mode=place.mode,
            timeout=place.timeout,
            system="chukan-command",
        ) as client:
            client.wait_until_reachable(min(place.timeout, 5.0))
            yield client

    def json(self, document: Message | dict[str, Any] | list[Any]) -> bool:
        """Print the document if a machine reads; say whether one does."""
        if self.machine:
            content = document if isinstance(document, dict | list) else plain(document)
            print(json.dumps(content, ensure_ascii=False))
        return self.machine

    def say(self, en: str, ja: str) -> None:
        """Print a sentence of the answer."""
        if not self.machine:
            print("\n".join(Text(en, ja).lines(self.language)))

    def remark(self, en: str, ja: str) -> None:
        """Print a sentence that is not of the answer."""
        if not self.machine:
            print("\n".join(Text(en, ja).lines(self.language)), file=sys.stderr)

    def table(self, columns: Sequence[Text], rows: Iterable[Sequence[object]], *, title: Text | None = None) -> None:
        """Print a table."""
        from rich import box
        from rich.console import Console
        from rich.table import Table

        shown = [[escaped(cell) for cell in row] for row in rows]
        if not shown:
            self.say("(none)", "(なし)")
            return
        head = title.word(self.language) if title else None
        table = Table(title=head, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column.word(self.language), overflow="fold")
        for row in shown:
            table.add_row(*row)
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = _WIDE
        console.print(table)

    def fields(self, pairs: Iterable[tuple[Text, object]]) -> None:
        """Print what is not empty, a line each."""
        shown = [(label.word(self.language), str(value)) for label, value in pairs if value not in ("", None)]
        width = max((_width(label) for label, _ in shown), default=0)
        for label, value in shown:
            print(f"{label}{' ' * (width - _width(label))}  {value}")


def escaped(cell: object) -> str:
    """Return a cell's text without what Rich would take for markup."""
    from rich.markup import escape

    return escape("" if cell is None else str(cell))


def plain(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it: field names of the contract, enum names, empty fields too."""
    from google.protobuf.json_format import MessageToDict

    document: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return document


def _width(text: str) -> int:
    """Return how many columns of a terminal the text takes: Japanese characters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
