# SPDX-License-Identifier: Apache-2.0
"""Says whether an inquiry would be permitted; writes and records nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chukan.server.domain.permission import Purpose, decide
from chukan.standard.dates import parse_date
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import date

    from chukan.server.domain.permission import Decision
    from chukan.server.ports import Environment

__all__ = ["PermissionCheck", "Query"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What would be asked, and the date the list is read for (yyyyMMdd, empty = today)."""

    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    inquirer_delegator: str = ""
    provider_delegator: str = ""
    date: str = ""


class PermissionCheck:
    """The own copy of the permission list, asked without any effect."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def check(self, query: Query) -> Decision:
        """Return what the own list says. Errors: DATE_INVALID."""
        purpose = Purpose(
            inquirer=query.inquirer,
            provider=query.provider,
            affair=query.affair,
            procedure=query.procedure,
            information=query.information,
            inquirer_delegator=query.inquirer_delegator,
            provider_delegator=query.provider_delegator,
        )
        return decide(self._environment.master.permissions, purpose, self._day(query.date))

    def _day(self, text: str) -> date:
        try:
            return parse_date(text) if text else self._environment.clock.today()
        except ChukanError as error:
            raise ChukanError(error.code, field="date") from None
