# SPDX-License-Identifier: Apache-2.0
"""The directory of members, while members come and go."""

from __future__ import annotations

import sys
import threading
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from .conftest import SHINJUKU, Network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hurried() -> Iterator[None]:
    """Let threads take turns as often as can be."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hurried")
def test_master_data_can_be_pulled_while_members_announce_themselves(network: Network) -> None:
    directory = network.core.directory
    keys = directory.keys_of(SHINJUKU)
    names = [f"{serial:016d}" for serial in range(6_000)]
    directory._known.update(dict.fromkeys(names[:1_500], keys))
    enough = threading.Event()

    def announce() -> None:
        for name in cycle(names):  # as `announce` ends, without a certificate for each
            with directory._lock:
                directory._known.pop(name, None)
                directory._known[name] = keys
            if enough.is_set():
                return

    announcing = threading.Thread(target=announce)
    announcing.start()
    try:
        pulled = sum(len(directory.pull(page_size=1).members) for _ in range(20))
    finally:
        enough.set()
        announcing.join()

    assert pulled == 20
