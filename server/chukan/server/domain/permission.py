# SPDX-License-Identifier: Apache-2.0
"""May this be asked? One pure rule, used by the inquirer, the network core and the provider on their own list copies.

The steps are numbered; the first that fails names the refusal. Nothing empty means yes.
Source: 番号法19条8号 and the list (照会許可用照合リスト); delegations (委任) must be registered
beforehand, and none can be yet (docs/divergences, "Permission list").
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from chukan.standard.organizations import organization
from chukan.standard.permission_list import Question
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import date

    from chukan.standard.organizations import Organization
    from chukan.standard.permission_list import PermissionList, PermissionRow

__all__ = ["Decision", "Purpose", "decide"]


class Purpose(NamedTuple):
    """Who asks whom for what under which procedure; codes as given."""

    inquirer: str
    provider: str
    affair: str
    procedure: str
    information: str
    item_codes: tuple[str, ...] = ()
    inquirer_delegator: str = ""
    provider_delegator: str = ""


class Decision(NamedTuple):
    """The rule that failed (empty = permitted) and the row of the list that permits."""

    reason: str
    row: PermissionRow | None = None
    list_version: str = ""

    @property
    def permitted(self) -> bool:
        """Whether a row permits it."""
        return not self.reason and self.row is not None

    @property
    def row_id(self) -> str:
        """The row, or empty."""
        return self.row.row_id if self.row else ""

    @property
    def legal_basis(self) -> str:
        """The row's legal basis: today's where it is verified, else the former one; empty without a row."""
        if self.row is None:
            return ""
        return self.row.legal_basis_new if self.row.legal_basis_new != "unverified" else self.row.legal_basis_old

    def with_consent(self, *, given: bool) -> Decision:
        """Refuse CONSENT_MISSING where the row demands the person's consent and it isn't there."""
        if self.row is None or not self.row.consent_required or given:
            return self
        return Decision("CONSENT_MISSING", None, self.list_version)


def decide(permissions: PermissionList, purpose: Purpose, on: date) -> Decision:
    """Match a purpose on a date against one copy of the list."""
    return _decide(permissions.version, _Copy(permissions), purpose, on)


class _Copy:
    """A list as a cache key by identity: lists of one version may differ (a stale or damaged copy)."""

    __slots__ = ("permissions",)

    def __init__(self, permissions: PermissionList) -> None:
        self.permissions = permissions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Copy) and other.permissions is self.permissions

    def __hash__(self) -> int:
        return id(self.permissions)


@lru_cache(maxsize=8192)
def _decide(version: str, copy: _Copy, purpose: Purpose, on: date) -> Decision:
    def refused(reason: str) -> Decision:
        return Decision(reason, None, version)

    # 1. The inquirer is an organization.
    inquirer = _known(purpose.inquirer)
    if inquirer is None:
        return refused("NOT_PERMITTED_INQUIRER")
    # 2. The provider is named and is an organization.
    provider = _known(purpose.provider)
    if provider is None:
        return refused("PROVIDER_UNKNOWN" if purpose.provider.strip() else "PROVIDER_BLANK")
    # 3. It is another body's: within a body, between its organs too, there is no network route.
    if _body(provider) == _body(inquirer):
        return refused("PROVIDER_IS_INQUIRER")
    # 4. Whoever acts for another is registered to do so.
    if purpose.inquirer_delegator or purpose.provider_delegator:
        return refused("DELEGATION_NOT_REGISTERED")
    # 5. A row of the list permits it on this date.
    match = copy.permissions.match(
        Question(
            inquirer=inquirer,
            affair_code=purpose.affair,
            procedure_code=purpose.procedure,
            provider=provider,
            information_code=purpose.information,
            on=on,
            items=purpose.item_codes,
        )
    )
    return Decision(match.reason, match.row, version)


def _body(organization: Organization) -> str:
    return organization.parent or organization.code


def _known(code: str) -> Organization | None:
    try:
        return organization(code)
    except ChukanError:
        return None
