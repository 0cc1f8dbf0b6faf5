# SPDX-License-Identifier: Apache-2.0
"""The permission list (照会許可用照合リスト): who may ask whom for what, under which procedure, since when, and why.

Rows are data (``data/permission_list.csv``) after 番号法別表第二 [B], abolished on 2024-05-27; today's row numbers are
not verified and say so; codes beginning JM99 and JT99 are [own] (docs/divergences "Permission list"). Both the network
core and the provider match against it with `PermissionList.match`; a question that meets no row is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from chukan.standard._data import read_rows, read_toml
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chukan.standard.organizations import Organization

__all__ = [
    "Affair",
    "Match",
    "PermissionList",
    "PermissionRow",
    "Procedure",
    "Question",
    "affair",
    "affairs",
    "permission_list",
    "procedure",
    "procedures",
]

RowKind = Literal["network", "ordinance", "in_house"]


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """One row. items: the only items permitted, empty for all. organization: the body whose ordinance it stands on.

    legal_basis_old is the basis until 2024-05-26, legal_basis_new today's, or "unverified". valid_to None: no end.
    """

    row_id: str
    kind: RowKind
    organization: str | None
    inquirer_kinds: tuple[str, ...]
    affair_code: str
    procedure_code: str
    provider_kinds: tuple[str, ...]
    information_code: str
    items: tuple[str, ...]
    legal_basis_old: str
    legal_basis_new: str
    valid_from: date
    valid_to: date | None
    consent_required: bool
    note: str


@dataclass(frozen=True, slots=True)
class Question:
    """May the inquirer ask the provider for this on this date? Under a delegation (委任) name the delegators.

    items: the items asked for; empty asks for whatever the row permits. in_house: within the body, not by the network.
    """

    inquirer: Organization
    affair_code: str
    procedure_code: str
    provider: Organization
    information_code: str
    on: date
    items: tuple[str, ...] = ()
    in_house: bool = False


class Match(NamedTuple):
    """The row that permits, or the reason of the step at which the last row fell out."""

    row: PermissionRow | None
    reason: str

    @property
    def permitted(self) -> bool:
        """Whether a row permits it."""
        return self.row is not None


@dataclass(frozen=True, slots=True)
class PermissionList:
    """A version of the list."""

    version: str
    effective_from: date
    rows: tuple[PermissionRow, ...]
    _by_key: Mapping[tuple[str, str], tuple[PermissionRow, ...]] = field(init=False, repr=False, compare=False)
    _procedures: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[tuple[str, str], tuple[PermissionRow, ...]] = {}
        for row in self.rows:
            key = (row.procedure_code, row.information_code)
            by_key[key] = (*by_key.get(key, ()), row)
        object.__setattr__(self, "_by_key", MappingProxyType(by_key))
        object.__setattr__(self, "_procedures", frozenset(row.procedure_code for row in self.rows))

    def rows_for(self, procedure_code: str, information_code: str) -> tuple[PermissionRow, ...]:
        """Return the rows of a procedure and an information, in force or not."""
        return self._by_key.get((procedure_code, information_code), ())

    def match(self, question: Question) -> Match:
        """Match a question: every step keeps the rows that pass; the step that keeps none gives the reason.

        1 procedure and information 2 route 3 affair 4 inquirer 5 body of an ordinance 6 provider 7 in force 8 items
        """
        rows = self.rows_for(question.procedure_code, question.information_code)
        if not rows:
            known = question.procedure_code in self._procedures
            return Match(None, "NOT_PERMITTED_INFORMATION" if known else "NOT_PERMITTED_PROCEDURE")
        for passes, reason in _STEPS:
            kept = tuple(row for row in rows if passes(row, question))
            if not kept:
                return Match(None, reason(rows, question))
            rows = kept
        return Match(rows[0], "")


class Affair(NamedTuple):
    """An affair (事務) and where its code comes from: "public" or "own"."""

    code: str
    name: str
    source: str


class Procedure(NamedTuple):
    """A procedure (事務手続) of an affair."""

    code: str
    affair_code: str
    name: str
    source: str


@cache
def permission_list() -> PermissionList:
    """Return the shipped list."""
    head = read_toml("permission_list.toml")
    return PermissionList(head["version"], head["effective_from"], tuple(map(_row, read_rows("permission_list.csv"))))


@cache
def affairs() -> Mapping[str, Affair]:
    """Return the affairs by code."""
    return MappingProxyType({row["code"]: Affair(**row) for row in read_rows("affairs.csv")})


@cache
def procedures() -> Mapping[str, Procedure]:
    """Return the procedures by code."""
    return MappingProxyType({row["code"]: Procedure(**row) for row in read_rows("procedures.csv")})


def affair(code: str) -> Affair:
    """Return an affair. Errors: AFFAIR_UNKNOWN."""
    try:
        return affairs()[code]
    except KeyError:
        raise ChukanError("AFFAIR_UNKNOWN") from None


def procedure(code: str) -> Procedure:
    """Return a procedure. Errors: PROCEDURE_UNKNOWN."""
    try:
        return procedures()[code]
    except KeyError:
        raise ChukanError("PROCEDURE_UNKNOWN") from None


def _row(row: Mapping[str, str]) -> PermissionRow:
    return PermissionRow(
        row_id=row["row_id"],
        kind=cast("RowKind", row["kind"]),
        organization=row["organization"] or None,
        inquirer_kinds=tuple(row["inquirer_kinds"].split()),
        affair_code=row["affair_code"],
        procedure_code=row["procedure_code"],
        provider_kinds=tuple(row["provider_kinds"].split()),
        information_code=row["information_code"],
        items=tuple(row["items"].split()),
        legal_basis_old=row["legal_basis_old"],
        legal_basis_new=row["legal_basis_new"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        consent_required=row["consent_required"] == "true",
        note=row["note"],
    )


def _is_of_body(row: PermissionRow, question: Question) -> bool:
    """Whether the row is everybody's, or stands on the ordinance of the inquirer or of the body it is an organ of."""
    return row.organization is None or row.organization in (question.inquirer.code, question.inquirer.parent)


def _is_in_force(row: PermissionRow, question: Question) -> bool:
    return row.valid_from <= question.on and (row.valid_to is None or question.on <= row.valid_to)


def _reason_of_force(rows: Iterable[PermissionRow], question: Question) -> str:
    return "NOT_YET_IN_FORCE" if any(question.on < row.valid_from for row in rows) else "NO_LONGER_IN_FORCE"


def _reason_of_route(_rows: Iterable[PermissionRow], question: Question) -> str:
    return "NETWORK_ROUTE_EXISTS" if question.in_house else "IN_HOUSE_ONLY"


def _always(reason: str) -> Callable[[Iterable[PermissionRow], Question], str]:
    return lambda _rows, _question: reason


_STEPS: Final[
    tuple[
        tuple[Callable[[PermissionRow, Question], bool], Callable[[Iterable[PermissionRow], Question], str]],
        ...,
    ]
] = (
    (lambda row, question: (row.kind == "in_house") == question.in_house, _reason_of_route),
    (lambda row, question: row.affair_code == question.affair_code, _always("AFFAIR_MISMATCH")),
    (
        lambda row, question: not question.inquirer.kinds.isdisjoint(row.inquirer_kinds),
        _always("NOT_PERMITTED_INQUIRER"),
    ),
    (_is_of_body, _always("ORDINANCE_OF_ANOTHER_BODY")),
    (lambda row, question: question.provider.kind in row.provider_kinds, _always("NOT_PERMITTED_PROVIDER")),
    (_is_in_force, _reason_of_force),
    (lambda row, question: not row.items or set(question.items) <= set(row.items), _always("NOT_PERMITTED_ITEMS")),
)
