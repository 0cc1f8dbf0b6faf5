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
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from chukan.command.language import Language, Text
from chukan.command.tables import print_fields, print_table
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from google.protobuf.message import Message

    from chukan.client import Client, ClientTls

__all__ = ["Mode", "Place", "Session", "checked_date", "plain"]

_RESOLVED = ("unix:", "dns:", "ipv4:", "ipv6:")
"""Addresses in gRPC's own ways of writing."""


class Mode(StrEnum):
    """Whether an organization works with real data; this server's own organizations are for tests."""

    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The server a command calls, and in whose name.

    network_target: where the network runs apart. world: one for tests, by its id; else the persistent one.
    tls: a folder with ca.pem and, per organization, .pem and .key.
    """

    target: str
    organization: str
    network_target: str = ""
    tls: Path | None = None
    mode: str = Mode.TEST
    world: str = ""
    timeout: float = 30.0

    @property
    def organization_code(self) -> str:
        """The 16 digits of the organization, which may be named by 5 or 6 digits as well. ORGANIZATION_UNKNOWN."""
        from chukan.standard.organizations import resolve_provider

        try:
            return resolve_provider(self.organization).code
        except ChukanError:
            raise ChukanError("ORGANIZATION_UNKNOWN", field="--organization") from None

    def check_target(self) -> None:
        """Refuse what is no host:port. Errors: SETTING_INVALID."""
        for field, address in (("--target", self.target), ("--network-target", self.network_target)):
            port = address.rpartition(":")[2]
            named = address.startswith(_RESOLVED)
            if address and not named and ("//" in address or ":" not in address or not port.isdecimal()):
                expected = "host:port, no http://, such as 127.0.0.1:50051"
                raise ChukanError("SETTING_INVALID", field=field, params={"got": address, "expected": expected})

    def client_tls(self) -> ClientTls | None:
        """Return the certificate files of the organization; FILE_NOT_FOUND names the one that is not there."""
        if self.tls is None:
            return None
        from chukan.client import ClientTls

        return ClientTls.in_folder(self.tls, self.organization_code, field="--tls")


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
        place.check_target()
        with Client(
            place.target,
            organization=place.organization_code,
            tls=place.client_tls(),
            network=place.network_target,
            mode=place.mode,
            world=place.world,
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
        """Print a table; where the terminal is too narrow for it, a line for each cell."""
        shown = [["" if cell is None else str(cell) for cell in row] for row in rows]
        heads = [column.word(self.language) for column in columns]
        if not shown:
            self.say("(none)", "(なし)")
            return
        print_table(heads, shown, title=title.word(self.language) if title else "")

    def fields(self, pairs: Iterable[tuple[Text, object]]) -> None:
        """Print what is not empty, a line each."""
        print_fields([(label.word(self.language), str(value)) for label, value in pairs if value not in ("", None)])


def checked_date(text: str, option: str, *, partial: bool = False) -> str:
    """Return a date given as yyyymmdd, or nothing; partial: a person's, unknown parts may be 00. Errors: DATE_INVALID.

    A person's date is not repeated in the error, however it was written.
    """
    from chukan.standard.dates import parse_birth_date, parse_optional_date

    try:
        if partial and text:
            parse_birth_date(text)
        else:
            parse_optional_date(text)
    except (ChukanError, ValueError):
        said = {"expected": "yyyymmdd"} if partial else {"got": text, "expected": "yyyymmdd"}
        raise ChukanError("DATE_INVALID", field=option, params=said) from None
    return text


def plain(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it: field names of the contract, enum names, empty fields too."""
    from google.protobuf.json_format import MessageToDict

    document: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return document
