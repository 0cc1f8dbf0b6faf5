# SPDX-License-Identifier: Apache-2.0
"""A network core on each kind of database, with two members whose keys it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.server.assembly.foundation import Foundation, lay_foundation
from chukan.server.assembly.network_side import build_network_side
from chukan.server.assembly.rings import core_ring
from chukan.server.config import Config
from chukan.server.crypto.exchange_keys import RingKeys
from chukan.server.crypto.keyring import KeyRing
from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    NETWORK,
    Header,
    InquiryLeaf,
    Mode,
    PermitRequest,
    Statement,
    milliseconds,
)
from chukan.server.domain.merkle import leaf_hashes, root
from chukan.server.network import linkage_codes, processing_numbers, resident_network
from chukan.standard.clock import FixedClock
from chukan.standard.ids import SeededIds
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.organizations import by_municipality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chukan.server.network.core import Core

SHINJUKU = by_municipality("131041").code
SETAGAYA = by_municipality("131121").code
CHIYODA = by_municipality("131016").code
LIBRARY = "9900000000000901"
AFFAIR = "JM01000000121000"
PROCEDURE = "JT01010000000214"
TAX = "TM00000000000002"


def record_code(serial: int) -> str:
    """Return the 住民票コード of the person with this serial."""
    return f"999{serial:08d}"


@dataclass
class Network:
    """A core with what a test needs to play its members."""

    core: Core
    foundation: Foundation
    members: RingKeys
    clock: FixedClock

    def notify(self, *serials: int, code: str | None = None) -> None:
        """Let the resident network know residents by the serials of their dummy numbers; each has a code of its own."""
        count = len(serials)
        columns = resident_network.ResidentColumns(
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
            resident_record_codes=[record_code(serial) if code is None else code for serial in serials],
            names=[f"試験 {serial}" for serial in serials],
            birth_dates=["19800102"] * count,
            sexes=["1"] * count,
            residential_addresses=[f"東京都新宿区西新宿{serial}" for serial in serials],
        )
        resident_network.notify(self.core, SHINJUKU, columns)

    def acquire(self, organization: str, *serials: int) -> list[bytes]:
        """Acquire codes for residents the network knows, and return them as the middle server would get them."""
        tokens = [f"{organization}-{serial}-{self.foundation.ids.next('token')}" for serial in serials]
        numbers = processing_numbers.issue(self.core, organization, tokens).numbers
        people = [dummy_individual_number(serial) for serial in serials]
        linkage_codes.submit(self.core, organization, numbers, people)
        rows = [int(number[:12]) for number in numbers]
        told, _ = linkage_codes.deliveries(self.core, organization, rows)
        return [each.linkage_code for each in told]

    def leaf(self, code: bytes, **changed: object) -> InquiryLeaf:
        """Return an inquiry of 世田谷区 to 新宿区 that the list permits."""
        now = milliseconds(self.clock.now())
        fields: dict[str, object] = {
            "inquirer": SETAGAYA,
            "provider": SHINJUKU,
            "affair": AFFAIR,
            "procedure": PROCEDURE,
            "information": TAX,
            "linkage_code": code,
            "consent": True,
            "inquiry_time_ms": now,
            "expire_time_ms": now + 3_600_000,
            "nonce": self.members.random(16),
        }
        return InquiryLeaf(**{**fields, **changed})  # type: ignore[arg-type]

    def request(self, leaves: Sequence[InquiryLeaf], *, signer: str = SETAGAYA, **changed: object) -> PermitRequest:
        """Return leaves under the signer's signature."""
        encoded = [self.foundation.codec.encode(leaf) for leaf in leaves]
        now = milliseconds(self.clock.now())
        fields: dict[str, object] = {
            "kind": PayloadType.REQUEST_BATCH,
            "world_generation": self.core.environment.master.world_generation,
            "mode": Mode.TEST,
            "issuer": signer,
            "recipient": NETWORK,
            "issue_time_ms": now,
            "expire_time_ms": now + 300_000,
            "nonce": self.members.random(16),
        }
        header = Header(**{**fields, **changed})  # type: ignore[arg-type]
        statement = Statement(header, root(leaf_hashes(encoded)), len(encoded))
        envelope = self.members.sign(signer, PayloadType.REQUEST_BATCH, self.foundation.codec.encode(statement))
        return PermitRequest(envelope, tuple(encoded))


@pytest.fixture(params=["memory", "file"])
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Network]:
    """Yield a core in memory, and one on a file."""
    clock = FixedClock(datetime(2026, 7, 1, 3, tzinfo=UTC))
    data = None if request.param == "memory" else tmp_path
    foundation = lay_foundation(
        Config(data=data, synchronous="OFF", processing_number_days=timedelta(days=7)),
        clock=clock,
        ids=SeededIds(1),
    )
    hosted = frozenset({SHINJUKU, SETAGAYA, CHIYODA, LIBRARY})
    ring = (
        KeyRing.in_memory(clock, serves=hosted)
        if data is None
        else KeyRing.open(tmp_path / "keys", clock, serves=hosted)
    )
    masters = foundation.masters(foundation.world_generation(draw=True))
    core, directory = build_network_side(foundation, masters, RingKeys(core_ring(foundation, ring)), hosted=hosted)
    members = RingKeys(ring)
    for organization in (SETAGAYA, SHINJUKU, LIBRARY):
        directory.announce(members.member_keys(organization), "")
    yield Network(core, foundation, members, clock)
    foundation.database.close()
