# SPDX-License-Identifier: Apache-2.0
"""Keys of one process that is both members and network: made once, whoever asks first, at the start if on disk.

A world that rests makes them with its first statement: most are set back before that.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from chukan.server.app import build
from chukan.server.assembly.foundation import lay_foundation
from chukan.server.assembly.rings import keys_of_both
from chukan.server.config import Config
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import NETWORK
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

_MANY = 8
_MEMBER = "0220113104101700"


def test_many_who_ask_at_once_for_keys_of_a_resting_world_find_the_same() -> None:
    foundation = lay_foundation(Config(synchronous="OFF"), resting=True)
    members, core = keys_of_both(foundation)
    together = Barrier(_MANY)

    def ask(each: int) -> bytes:
        together.wait()
        keys, organization = (core, NETWORK) if each % 2 else (members, _MEMBER)
        return keys.member_keys(organization).certificate

    with ThreadPoolExecutor(_MANY) as threads:
        found = set(threads.map(ask, range(_MANY)))
    foundation.database.close()

    assert len(found) == 2


def test_members_of_a_resting_world_believe_its_network_and_not_another_ones() -> None:
    foundations = [lay_foundation(Config(synchronous="OFF"), resting=True) for _ in range(2)]
    (members, core), (_, other_core) = (keys_of_both(each) for each in foundations)
    permit, foreign = (each.sign(NETWORK, PayloadType.PERMIT, b"permit") for each in (core, other_core))
    for each in foundations:
        each.database.close()

    assert members.verify(NETWORK, PayloadType.PERMIT, permit) == b"permit"
    with pytest.raises(ChukanError, match="SIGNATURE_INVALID"):
        members.verify(NETWORK, PayloadType.PERMIT, foreign)


def test_a_server_whose_key_file_is_damaged_does_not_start(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", synchronous="OFF")
    build(config).stop()
    next((tmp_path / "data").rglob("authority.pem")).write_text("not a key", "utf-8")

    with pytest.raises(ChukanError, match=r"KEY_FILE_REFUSED.*file=keys/authority\.pem"):
        build(config)


def test_a_master_key_that_is_missing_beside_its_database_is_not_made_anew(tmp_path: Path) -> None:
    """A new one would open nothing, and hide that the old one has to be found."""
    config = Config(data=tmp_path / "data", synchronous="OFF")
    build(config).stop()
    (key,) = (tmp_path / "data").rglob("master.key")
    key.unlink()

    with pytest.raises(ChukanError, match=r"KEY_FILE_REFUSED.*master\.key.*missing"):
        build(config)

    assert not key.exists()
