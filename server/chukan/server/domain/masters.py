# SPDX-License-Identifier: Apache-2.0
"""The master data in force: versions, permission list, mode of each organization, world generation.

The shipped data is one version, the same for the network and its members; that the two copies may differ (a stale
list) is why each side asks its own.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import Mode
from chukan.standard.permission_list import PermissionList, permission_list
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_WORLD", "MASTER_VERSION", "Masters"]

MASTER_VERSION: Final = "1"
"""Version of organizations, layouts and code lists as shipped."""
DEFAULT_WORLD: Final = ""
"""The persistent world."""

_NO_MODES: Final[Mapping[str, Mode]] = MappingProxyType({})


class Masters:
    """One side's copy. The world generation is set once, by the network itself or by what it told."""

    def __init__(
        self,
        *,
        world_generation: str = "",
        mode: Mode = Mode.TEST,
        modes: Mapping[str, Mode] = _NO_MODES,
        permissions: PermissionList | None = None,
    ) -> None:
        self._world_generation = world_generation
        self._mode = mode
        self._modes = modes
        self._permissions = permissions

    @property
    def world_generation(self) -> str:
        """World and its generation; NOT_READY before the network told it."""
        if not self._world_generation:
            raise ChukanError("NOT_READY", params={"waits_for": "world generation"})
        return self._world_generation

    def learn_world_generation(self, generation: str) -> None:
        """Take over what the network told: nothing signed in another generation counts from now on."""
        self._world_generation = generation

    @property
    def version(self) -> str:
        """Version of the master data."""
        return MASTER_VERSION

    @property
    def permissions(self) -> PermissionList:
        """This side's copy of the permission list (照会許可用照合リスト)."""
        if self._permissions is None:
            self._permissions = permission_list()
        return self._permissions

    def mode(self, organization: str) -> Mode:
        """Return the mode the organization is set to."""
        return self._modes.get(organization, self._mode)
