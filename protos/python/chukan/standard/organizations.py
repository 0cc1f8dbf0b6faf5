# SPDX-License-Identifier: Apache-2.0
"""Organizations (機関) and local public bodies: who they are, their codes, and how a provider's code is resolved.

The organization code of a municipality is 02201 + six-digit body code + 01700, of a prefecture 02101 + … + 01700 [own],
after the public 0220113112101700 of 世田谷区; that positions 6-11 hold the body code is [?] (docs/divergences
"Organization codes"). Every municipality of Japan resolves; `all_organizations` lists those shipped as members. Wards
of designated cities are no organizations: their codes are folded to the city's before anything is asked [P].
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard._data import read_rows, read_toml
from chukan.standard.codes import is_organization_code
from chukan.standard.numbers import is_municipality_code, municipality_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LocalBody",
    "Organization",
    "all_organizations",
    "by_municipality",
    "fold_ward",
    "kind_names",
    "local_bodies",
    "local_body",
    "organization",
    "resolve_provider",
    "wards_of",
]

_FRAMES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"municipality": ("02201", "01700"), "prefecture": ("02101", "01700")}
)
_WITH_WELFARE_OFFICE: Final = ("市", "区")
_BODY_CODE: Final = slice(5, 11)
_FIVE_DIGITS: Final = re.compile("[0-9]{5}")


class Organization(NamedTuple):
    """A body that asks or provides. kind is a key of `kind_names`; parent is the organization an organ belongs to."""

    code: str
    name: str
    kana: str
    kind: str
    municipality_code: str | None = None
    parent: str | None = None
    prefecture: str = ""

    @property
    def full_name(self) -> str:
        """The name with its prefecture in front where it is a municipality: 東京都新宿区."""
        return self.prefecture + self.name if self.kind == "municipality" else self.name

    @property
    def kinds(self) -> frozenset[str]:
        """What rows of the permission list may call it: its kind; a city or special ward has a welfare office too.

        社会福祉法14条: 市 (特別区を含む) must have one, towns and villages may. Which of those do is not known here:
        they count as having none [own] (docs/divergences "Permission list").
        """
        has_office = self.kind == "municipality" and self.name.endswith(_WITH_WELFARE_OFFICE)
        return frozenset({self.kind, "welfare_office"} if has_office else {self.kind})


class LocalBody(NamedTuple):
    """A prefecture, a municipality or a ward of a designated city, by its six-digit code."""

    code: str
    kind: str
    name: str
    kana: str
    parent: str
    prefecture: str


class KindName(NamedTuple):
    """What a kind of organization is called."""

    japanese: str
    english: str


@lru_cache(maxsize=4096)
def organization(code: str) -> Organization:
    """Return the organization with this 16-digit code (機関コード)."""
    found = _listed().get(code) or _local(code)
    if found is None:
        raise ChukanError("ORGANIZATION_UNKNOWN")
    return found


@lru_cache(maxsize=4096)
def by_municipality(code: str) -> Organization:
    """Return the municipality or prefecture with this five- or six-digit code; wards are folded to their city."""
    six = municipality_code(code) if _FIVE_DIGITS.fullmatch(code) else code
    body = local_bodies().get(fold_ward(six))
    if body is None:
        raise ChukanError("ORGANIZATION_UNKNOWN")
    return organization(_organization_code(body))


def fold_ward(code: str) -> str:
    """Return the designated city's code for one of its wards, any other six-digit code unchanged: 011011 → 011002."""
    body = local_bodies().get(code)
    return body.parent if body is not None and body.parent else code


def resolve_provider(text: str) -> Organization:
    """Return the provider a file names by five or six digits (municipality) or 16 digits, padded with spaces or not.

    Errors: PROVIDER_BLANK, PROVIDER_UNKNOWN.
    """
    code = text.strip()
    if not code:
        raise ChukanError("PROVIDER_BLANK")
    try:
        return organization(code) if is_organization_code(code) else by_municipality(code)
    except ChukanError:
        raise ChukanError("PROVIDER_UNKNOWN") from None


@cache
def all_organizations() -> tuple[Organization, ...]:
    """Return the organizations shipped as members, local bodies first."""
    return tuple(_listed().values())


@cache
def kind_names() -> Mapping[str, KindName]:
    """Return the kinds of organizations with their names."""
    return MappingProxyType(
        {kind: KindName(**names) for kind, names in read_toml("organizations.toml")["kinds"].items()}
    )


@cache
def local_bodies() -> Mapping[str, LocalBody]:
    """Return every local public body by its six-digit code, wards of designated cities included."""
    return MappingProxyType({row["code"]: LocalBody(**row) for row in read_rows("local_bodies.csv")})


def local_body(code: str) -> LocalBody:
    """Return the local public body with this six-digit code, a ward as itself."""
    try:
        return local_bodies()[code]
    except KeyError:
        raise ChukanError("ORGANIZATION_UNKNOWN") from None


def wards_of(city: str) -> tuple[LocalBody, ...]:
    """Return the wards of a designated city, former ones included."""
    return tuple(body for body in local_bodies().values() if body.parent == city)


@cache
def _listed() -> Mapping[str, Organization]:
    data = read_toml("organizations.toml")
    local = [_from_body(local_bodies()[code]) for code in data["members"]]
    others = [Organization(**row) for row in data["organization"]]
    return MappingProxyType({member.code: member for member in (*local, *others)})


def _local(code: str) -> Organization | None:
    """Return a local public body that is no shipped member."""
    six = code[_BODY_CODE]
    body = local_bodies().get(six) if is_organization_code(code) and is_municipality_code(six) else None
    if body is None or body.kind not in _FRAMES or _organization_code(body) != code:
        return None
    return _from_body(body)


def _organization_code(body: LocalBody) -> str:
    head, tail = _FRAMES[body.kind]
    return f"{head}{body.code}{tail}"


def _from_body(body: LocalBody) -> Organization:
    return Organization(
        code=_organization_code(body),
        name=body.name,
        kana=body.kana,
        kind=body.kind,
        municipality_code=body.code,
        prefecture=body.prefecture or body.name,
    )
