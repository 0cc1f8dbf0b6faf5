# SPDX-License-Identifier: Apache-2.0
"""Every reason an error or a refusal can carry, in both languages, from one table (``data/reasons.toml``).

The codes and texts are this project's own [own]; where staff know a message of the real system, the Japanese text keeps
its meaning (domain facts §3c), see docs/divergences "Reasons and messages". A reason never holds a personal value:
callers name file, row, column, field or rule in ``params`` and nothing of the person.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard._data import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RECORD", "ChukanError", "Reason", "all_reasons", "reason"]

RECORD: Final = "RECORD"
"""Status of a reason that ends one record or one inquiry, never a whole call."""

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Reason(NamedTuple):
    """One row of the table: a stable code, the gRPC status, what happened and what to do, in both languages."""

    code: str
    group: str
    status: str
    english: str
    japanese: str
    action_english: str
    action_japanese: str

    @property
    def ends_call(self) -> bool:
        """Whether the reason ends a call (else it belongs to one record)."""
        return self.status != RECORD

    @property
    def call_status(self) -> str:
        """The gRPC status name when a call does end with it; FAILED_PRECONDITION for a reason of a record."""
        return self.status if self.ends_call else "FAILED_PRECONDITION"


class ChukanError(Exception):
    """A refusal with a reason of the table.

    field: path of the request's field at fault. violations: (field path, rule) pairs when several are.
    params: what may be shown (codes of the lists, counts, limits, rules), never a personal value.
    retry_after: seconds after which a repeat makes sense. feature: the feature an UNIMPLEMENTED names.
    """

    def __init__(
        self,
        code: str,
        *,
        field: str = "",
        violations: Sequence[tuple[str, str]] = (),
        params: Mapping[str, str] = _NOTHING,
        retry_after: float | None = None,
        feature: str = "",
    ) -> None:
        self.reason = reason(code)
        self.field = field
        self.violations = tuple(violations)
        self.params = dict(params)
        self.retry_after = retry_after
        self.feature = feature
        super().__init__(code)

    @property
    def code(self) -> str:
        """The stable code of the reason."""
        return self.reason.code

    def __str__(self) -> str:
        """Code, English text and the details, for logs and the command line."""
        details = [f"field {self.field}"] if self.field else []
        details += [f"{path}: {rule}" for path, rule in self.violations]
        details += [f"{name}={value}" for name, value in self.params.items()]
        if self.feature:
            details.append(f"feature {self.feature}")
        tail = f" ({'; '.join(details)})" if details else ""
        return f"{self.code}: {self.reason.english}{tail}"


def reason(code: str) -> Reason:
    """Return the reason with this code; a code outside the table is a mistake in the program."""
    try:
        return _table()[code]
    except KeyError:
        message = f"got reason {code}, expected one of data/reasons.toml"
        raise LookupError(message) from None


def all_reasons() -> tuple[Reason, ...]:
    """Return every reason in the order of the table."""
    return tuple(_table().values())


@cache
def _table() -> Mapping[str, Reason]:
    table: dict[str, Reason] = {}
    for group, rows in read_toml("reasons.toml").items():
        for code, texts in rows.items():
            if code in table:
                message = f"got reason {code} in groups {table[code].group} and {group}, expected one"
                raise ValueError(message)
            table[code] = Reason(code=code, group=group, **texts)
    return MappingProxyType(table)
