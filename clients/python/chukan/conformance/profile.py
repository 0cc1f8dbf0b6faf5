# SPDX-License-Identifier: Apache-2.0
"""The profile of a target: which organizations play which role, and which people it has been prepared with."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from chukan.conformance.problem import KitError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ROLES", "Pair", "Profile", "mode_of", "read_profile"]

ROLES: Final = ("inquirer", "provider", "bystander")
"""inquirer asks, provider answers, bystander is a third organization that has nothing to do with either."""

_NUMBER: Final = re.compile(r"[0-9]{15}")
_KEYS: Final = {"name", "mode", "read_only", "organizations", "people", "tls"}


@dataclass(frozen=True, slots=True)
class Pair:
    """One person whom both organizations know and whose linkage codes both have: integrated address numbers."""

    inquirer: str
    provider: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What the kit may use at a target.

    fresh: first digits of integrated address numbers nobody uses. tls: folder with ca.pem and CODE.pem, CODE.key per
    organization; without it plaintext.
    """

    name: str
    organizations: dict[str, str]
    mode: str = "test"
    read_only: bool = False
    fresh: str = "7"
    pairs: tuple[Pair, ...] = field(default=())
    tls: str = ""


def read_profile(path: Path) -> Profile:
    """Read a profile; whatever is wrong with it is one sentence."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise _wrong(path, f"can't be read ({error.strerror})", f"読めません({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is not TOML: {error}", f"TOML ではありません: {error}") from None
    unknown = sorted(document.keys() - _KEYS)
    if unknown:
        raise _wrong(path, f"has the unknown setting {unknown[0]}", f"不明な設定 {unknown[0]} があります")
    return Profile(
        name=str(document.get("name", path.stem)),
        organizations=_organizations(path, document),
        mode=mode_of(path, document),
        read_only=document.get("read_only") is True,
        tls=str(document.get("tls", "")),
        **_people(path, document),
    )


def _organizations(path: Path, document: dict[str, Any]) -> dict[str, str]:
    given = document.get("organizations", {})
    for role in ROLES:
        code = given.get(role) if isinstance(given, dict) else None
        if not (isinstance(code, str) and re.fullmatch(r"[0-9]{16}", code)):
            raise _wrong(
                path,
                f"names no organization code of 16 digits for the role {role} (organizations.{role})",
                f"役割 {role} の機関コード(16桁)がありません(organizations.{role})",
            )
    if len({given[role] for role in ROLES}) < len(ROLES):
        raise _wrong(path, "gives two roles to one organization", "一つの機関に二つの役割が割り当てられています")
    return {role: given[role] for role in ROLES}


def mode_of(path: Path, document: dict[str, Any]) -> str:
    """Return the mode a profile names. Errors: KitError."""
    mode = document.get("mode", "test")
    if mode not in ("test", "production"):
        raise _wrong(path, "has a mode that is neither test nor production", "mode は test か production です")
    return str(mode)


def _people(path: Path, document: dict[str, Any]) -> dict[str, Any]:
    people = document.get("people", {})
    fresh, pairs = people.get("fresh_prefix", "7"), people.get("pairs", [])
    if not (isinstance(fresh, str) and re.fullmatch(r"[0-9]{1,4}", fresh)):
        raise _wrong(path, "has a people.fresh_prefix that is not 1 to 4 digits", "people.fresh_prefix は1〜4桁です")
    found = []
    for at, pair in enumerate(pairs, 1):
        numbers = [pair.get(role, "") if isinstance(pair, dict) else "" for role in ("inquirer", "provider")]
        if not all(isinstance(each, str) and _NUMBER.fullmatch(each) for each in numbers):
            raise _wrong(
                path,
                f"has a person without two numbers of 15 digits (people.pairs, entry {at})",
                f"people.pairs の {at} 件目に15桁の番号が二つありません",
            )
        found.append(Pair(*numbers))
    return {"fresh": fresh, "pairs": tuple(found)}


def _wrong(path: Path, english: str, japanese: str) -> KitError:
    return KitError(f"the profile {path} {english}", f"プロファイル {path}: {japanese}")
