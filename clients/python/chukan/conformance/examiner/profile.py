# SPDX-License-Identifier: Apache-2.0
"""The profile of a client: how it is made to do something, and where it writes what came of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chukan.conformance.problem import KitError
from chukan.conformance.profile import mode_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SHIPPED", "TASKS", "ClientProfile", "Table", "fill_places", "read_client_profile"]

TASKS: Final = ("register", "replicate", "inquire")
"""People to linkage codes; extracts to replicas; an inquiry file to a result file."""
SHIPPED: Final = ("adapter",)
"""Profiles that come with the kit, by name."""

_TABLES: Final = ("results", "rejects")
_KEYS: Final = {"name", "mode", "organization", "limit_seconds", "inputs", "commands", *_TABLES}
_TABLE_KEYS: Final = {"file", "encoding", "header", "columns"}
_PLACES: Final = ("target", "organization", "input", "output", "state", "python", "here")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows the client writes. file: its path, with places; columns: by header's name or by number, from 0."""

    file: str
    encoding: str = "utf-8"
    header: bool = True
    columns: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """What the kit has to know of a client.

    commands: by task, each a list of arguments with places; without any a person drives the client. limit: seconds a
    command may take. inputs: folder with files that take the place of a case's of the same path. here: the folder of
    the profile.
    """

    name: str
    organization: str
    mode: str = "test"
    limit: float = 60.0
    inputs: Path | None = None
    here: str = ""
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


def fill_places(text: str, places: Mapping[str, str]) -> str:
    """Return a text with folders, target and organization in place of {input} and the like."""
    return _PLACE.sub(lambda found: places[found.group(1)], text)


def read_client_profile(given: str) -> ClientProfile:
    """Read a profile, shipped or a file; whatever is wrong with it is one sentence."""
    path = files("chukan.conformance.examiner").joinpath(f"{given}.toml") if given in SHIPPED else Path(given)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        shipped = ", ".join(SHIPPED)
        raise _wrong(
            given,
            f"is not there; give a file, or one that comes with the kit: {shipped}",
            f"ありません。ファイルか、付属のもの({shipped})を指定してください",
        ) from None
    except OSError as error:
        raise _wrong(given, f"can't be read ({error.strerror})", f"読めません({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(given, f"is not TOML: {error}", f"TOML ではありません: {error}") from None
    _refuse_unknown(given, document, _KEYS, "")
    _refuse_zeros(given, document)
    for name in ("name", "inputs"):
        if not isinstance(document.get(name, ""), str):
            raise _wrong(given, f"has a {name} that is no text", f"{name} は文字列です")
    return ClientProfile(
        name=document.get("name", Path(given).stem),
        organization=_organization(given, document),
        mode=mode_of(Path(given), document),
        limit=_limit(given, document),
        inputs=_inputs(given, document),
        here=str(Path(given).resolve().parent),
        commands=_commands(given, document),
        tables={name: _table(given, name, document[name]) for name in _TABLES if name in document},
    )


def _organization(given: str, document: dict[str, Any]) -> str:
    code = document.get("organization")
    if not (isinstance(code, str) and re.fullmatch(r"[0-9]{16}", code)):
        raise _wrong(
            given,
            "names no organization code of 16 digits in whose name the client calls (organization)",
            "クライアントの機関コード(16桁)がありません(organization)",
        )
    return code


def _limit(given: str, document: dict[str, Any]) -> float:
    limit = document.get("limit_seconds", 60)
    if isinstance(limit, bool) or not (isinstance(limit, int | float) and 0 < limit <= _LONGEST):
        raise _wrong(given, f"has a limit_seconds that is not 1 to {_LONGEST}", f"limit_seconds は1〜{_LONGEST}です")
    return float(limit)


def _inputs(given: str, document: dict[str, Any]) -> Path | None:
    if "inputs" not in document:
        return None
    folder = Path(given).parent / str(document["inputs"])
    if not folder.is_dir():
        raise _wrong(
            given, f"names the folder {folder} (inputs), which is none", f"inputs のフォルダー {folder} がありません"
        )
    return folder


def _commands(given: str, document: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    commands = document.get("commands", {})
    if not isinstance(commands, dict):
        raise _wrong(given, "has commands that are no table", "commands は表です")
    _refuse_unknown(given, commands, set(TASKS), "commands.")
    found = {}
    for task, words in commands.items():
        if not (isinstance(words, list) and words and all(isinstance(word, str) for word in words)):
            raise _wrong(
                given,
                f'has a command that is no list of texts (commands.{task}); write ["program", "argument", …]',
                f'commands.{task} は ["プログラム", "引数", …] の形で書きます',
            )
        _check_places(given, f"commands.{task}", words)
        found[task] = tuple(words)
    return found


def _table(given: str, name: str, table: Any) -> Table:  # noqa: ANN401  # of TOML
    if not (isinstance(table, dict) and isinstance(table.get("file"), str)):
        raise _wrong(given, f"names no file in {name}", f"{name} に file がありません")
    _refuse_unknown(given, table, _TABLE_KEYS, f"{name}.")
    columns = table.get("columns", {})
    numbered = isinstance(columns, dict) and all(
        isinstance(each, str | int) and not isinstance(each, bool) for each in columns.values()
    )
    if not numbered:
        raise _wrong(
            given,
            f"has columns that are neither names nor numbers ({name}.columns)",
            f"{name}.columns は列名か番号です",
        )
    if not isinstance(table.get("header", True), bool):
        raise _wrong(
            given, f"has a {name}.header that is neither true nor false", f"{name}.header は true か false です"
        )
    _check_places(given, f"{name}.file", [table["file"]])
    encoding = str(table.get("encoding", "utf-8"))
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError):
        raise _wrong(
            given, f"has the unknown encoding {encoding} ({name})", f"{name} の文字コード {encoding} は不明です"
        ) from None
    return Table(table["file"], encoding, table.get("header", True), columns)


def _check_places(given: str, where: str, texts: list[str]) -> None:
    for text in texts:
        for place in _PLACE.findall(text):
            if place not in _PLACES:
                known = ", ".join(f"{{{each}}}" for each in _PLACES)
                raise _wrong(
                    given,
                    f"has the unknown place {{{place}}} ({where}), expected one of {known}",
                    f"{where} の {{{place}}} は不明です。使えるのは {known} です",
                )


def _refuse_zeros(given: str, value: object) -> None:
    """Refuse a character that no path, argument or encoding may have, wherever it stands."""
    if isinstance(value, str) and "\0" in value:
        raise _wrong(given, "has a text with a zero character", "NUL 文字を含む文字列があります")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_zeros(given, each)


def _refuse_unknown(given: str, table: dict[str, Any], known: set[str], prefix: str) -> None:
    unknown = sorted(table.keys() - known)
    if unknown:
        name = f"{prefix}{unknown[0]}"
        raise _wrong(given, f"has the unknown setting {name}", f"不明な設定 {name} があります")


def _wrong(given: str, english: str, japanese: str) -> KitError:
    return KitError(f"the client's profile {given} {english}", f"クライアントのプロファイル {given}: {japanese}")
