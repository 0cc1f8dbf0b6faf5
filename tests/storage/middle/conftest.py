# SPDX-License-Identifier: Apache-2.0
"""One organization's middle server on a real database, in memory and on file; only the network's end is played."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from chukan.durable.database import Database
from chukan.durable.idempotency import idempotency_table
from chukan.durable.outbox import Outbox
from chukan.durable.vault import Vault
from chukan.durable.vault_keys import vault_key_table
from chukan.monitoring.metrics import Metrics
from chukan.server.domain.exchange import Mode
from chukan.server.domain.linkage import AddresseeBatch, CodeDelivery
from chukan.server.middle.code_acquisition import CodeAcquisition
from chukan.server.middle.linkage_codes import LinkageCodes
from chukan.server.middle.number_requests import ISSUE
from chukan.server.middle.replicas import Replicas
from chukan.server.ports import Environment
from chukan.server.storage.addressees import AddresseeStore
from chukan.server.storage.imports import ImportStore
from chukan.server.storage.replicas import ReplicaStore
from chukan.server.storage.schema import metadata
from chukan.server.storage.schema import outbox as outbox_rows
from chukan.standard.clock import FixedClock
from chukan.standard.ids import SeededIds
from tests.storage.middle.samples import OTHER, OWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chukan.server.ports import OutboxItem

NOON = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class PlayedNetwork:
    """Issues processing numbers in order, the same one for the same token."""

    def __init__(self) -> None:
        self.issued: dict[str, str] = {}

    def issue_processing_numbers(self, organization: str, tokens: Sequence[str]) -> tuple[list[str], int]:
        del organization
        for token in tokens:
            self.issued.setdefault(token, f"{len(self.issued) + 1:024d}")
        return [self.issued[token] for token in tokens], int(NOON.timestamp() * 1_000_000) + 3_600_000_000


class TestMaster:
    """Every organization is in test mode."""

    __test__ = False
    world_generation = "default/1"
    version = "1"

    def mode(self, organization: str) -> Mode:
        del organization
        return Mode.TEST


@dataclass
class Middle:
    """The use cases and what lies beneath them."""

    database: Database
    clock: FixedClock
    outbox: Outbox
    codes: LinkageCodes
    acquisition: CodeAcquisition
    replicas: Replicas
    network: PlayedNetwork = field(default_factory=PlayedNetwork)
    caps: dict[str, int] = field(default_factory=dict)

    def register(self, *numbers: str, organization: str = OWN) -> None:
        """Register addressees."""
        self.codes.register(organization, "test", f"a{numbers}"[:64], b"d", AddresseeBatch(numbers))

    def issue(self, organization: str = OWN) -> None:
        """Do what the dispatcher does with what was asked."""
        self.acquisition.issue(self.asked(organization))

    def asked(self, organization: str = OWN) -> list[OutboxItem]:
        """Return the requests for processing numbers that wait."""
        with self.database.read() as connection:
            items, _ = self.outbox.due(connection, organization, ISSUE, most=100, most_bytes=1 << 20)
        return list(items)

    def link(self, number: str, code: bytes, organization: str = OWN) -> None:
        """Register an addressee and link it."""
        self.register(number, organization=organization)
        self.codes.request_code(organization, number)
        self.issue(organization)
        row = self.codes.get(organization, number)
        self.acquisition.deliver(organization, [CodeDelivery(row.processing_number, code)])


@pytest.fixture(params=["memory", "file"])
def middle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Middle]:
    """Give a middle server on an empty database."""
    idempotency_table(metadata)
    vault_key_table(metadata)
    clock = FixedClock(NOON)
    url = "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'middle.db'}"
    with Database(url, metadata=metadata, clock=clock, synchronous="OFF") as database:
        database.create_or_upgrade()
        vault = Vault(bytes(32), database)
        vault.prepare([OWN, OTHER])
        environment = Environment(
            database=database,
            vault=vault,
            clock=clock,
            ids=SeededIds(1),
            metrics=Metrics(CollectorRegistry()),
            master=TestMaster(),  # type: ignore[arg-type] only what is asked here
            settings=None,
        )
        outbox, network, caps = Outbox(outbox_rows, clock=clock), PlayedNetwork(), dict[str, int]()
        addressees, replicas = AddresseeStore(vault), ReplicaStore(vault)
        yield Middle(
            database=database,
            clock=clock,
            outbox=outbox,
            codes=LinkageCodes(environment, addressees, replicas, outbox),
            acquisition=CodeAcquisition(environment, addressees, outbox, network),
            replicas=Replicas(
                environment,
                addressees,
                replicas,
                ImportStore(),
                send_cap=lambda _, code: caps.get(code, 100),
            ),
            network=network,
            caps=caps,
        )
