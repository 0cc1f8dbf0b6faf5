# SPDX-License-Identifier: Apache-2.0
"""The directory of members, and what the network tells them: keys, versions, its certificate, the world generation.

A member's keys are believed because the members' own authority certified them; the network can pass them on but not
replace them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NETWORK, MemberKeys
from chukan.standard.codes import is_organization_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.server.ports import Connection, Database, Master
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.network import Members

__all__ = ["Directory", "MasterData"]

_MOST_MEMBERS: Final = 1_000
"""Keys of so many take about 1 MB."""


class MasterData(NamedTuple):
    """What a member learns by pulling."""

    master_version: str
    permission_list_version: str
    network_certificate: bytes
    members: list[MemberKeys]
    world_generation: str
    next_page_token: str


class Directory:
    """Members by organization, durable and in memory. Safe for threads.

    hosted: members in one process with the network, connected before they announce anything.
    """

    def __init__(
        self,
        database: Database,
        members: Members,
        *,
        codec: Codec,
        keys: ExchangeKeys,
        master: Master,
        hosted: frozenset[str] = frozenset(),
    ) -> None:
        self._database = database
        self._members = members
        self._codec = codec
        self._keys = keys
        self._master = master
        self._hosted = hosted
        self._lock = threading.Lock()
        self._known: dict[str, MemberKeys] = {}
        self._endpoints: dict[str, str] = {}

    def load(self) -> None:
        """Take over what was announced before this start."""
        with self._database.read() as connection:
            rows = self._members.all(connection)
        for organization, encoded, endpoint in rows:
            self._endpoints[organization] = endpoint
            self._known[organization] = self._codec.decode(MemberKeys, encoded)

    def announce(self, keys: MemberKeys, endpoint: str) -> None:
        """Take over a member's keys and endpoint, once they lead up to the members' authority."""
        self._keys.learn(keys)
        name = keys.organization
        if self._known.get(name) == keys and self._endpoints.get(name) == endpoint:
            return
        encoded = self._codec.encode(keys)

        def write(connection: Connection) -> None:
            self._members.put(connection, name, encoded, endpoint)

        self._database.write(NETWORK, write)
        with self._lock:
            self._known[name] = keys
            self._endpoints[name] = endpoint

    def keys_of(self, organization: str) -> MemberKeys:
        """Return a member's keys, verified; KEY_UNKNOWN for who never announced any."""
        try:
            keys = self._known[organization]
        except KeyError:
            raise ChukanError("KEY_UNKNOWN") from None
        self._keys.learn(keys)
        return keys

    def is_connected(self, organization: str) -> bool:
        """Whether the organization takes part: in one process with the network, or announced."""
        return organization in self._hosted or organization in self._known

    def endpoint_of(self, organization: str) -> str:
        """Return where a member's MemberService is, empty for in process or unknown."""
        return self._endpoints.get(organization, "")

    def pull(self, *, page_size: int = 0, page_token: str = "") -> MasterData:
        """Return the master data and a page of the members' keys, which change without a version of their own."""
        if page_token and not is_organization_code(page_token):
            raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
        most = page_size or _MOST_MEMBERS
        with self._lock:
            known = dict(self._known)
        names = sorted(name for name in known if name > page_token)
        return MasterData(
            master_version=self._master.version,
            permission_list_version=self._master.permissions.version,
            network_certificate=self._keys.member_keys(NETWORK).certificate,
            members=[known[name] for name in names[:most]],
            world_generation=self._master.world_generation,
            next_page_token=names[most - 1] if len(names) > most else "",
        )
